//! Founding a chat, for the first time or again (rules `CHT-1` to `CHT-3`); what is particular to groups is in `group`.

use super::commit::{Devices, check_welcome, require_blobs, welcome};
use super::log::{Entry, append};
use super::undo::Standing;
use super::{ChatRow, dedup, group, lapse, left_out, members, undo};
use crate::cache::DeviceRow;
use crate::error::Stop;
use crate::outcome::{Recipients, Routes};
use crate::step::{Step, invalid, within};
use crate::{By, account};
use aside_protocol::envelope::EnvelopeKind;
use aside_protocol::limits::{CHANNEL_DEVICES, MAX_DEVICES, MAX_HANDSHAKE};
use aside_protocol::refusal::{Exists, Plain};
use aside_protocol::request::{Answer, Found, Sent};
use aside_protocol::{AccountId, ChatId, DeviceId, Hash, N, Pos, Refusal, Seq};
use std::collections::BTreeSet;

/// A founding is its sender's first envelope in the incarnation.
const FIRST: N = N(1);

/// Begins the next incarnation, compare-and-swapped on its number.
pub(crate) fn found(step: &mut Step<'_>, by: &By, hash: &Hash, request: &Found) -> Result<Answer, Stop> {
    check_shape(by, request)?;
    let founder = step.asker(by)?;
    let chat = ChatRow::load(step, &request.chat)?;
    let compared = compare(chat.as_ref(), founder.id, hash, request.incarnation);
    if let Ok(Some(sent)) = compared {
        return Ok(Answer::Sent(sent));
    }
    if request.origin.is_some() {
        group::may_found(step, chat.as_ref(), &founder)?;
    }
    compared?;
    require_blobs(step, None, request.welcome.as_ref())?;
    let (accounts, devices) = match request.accounts.as_slice() {
        [one, other] => present(step, (one, other), &request.devices).map(|(ids, devices)| (Some(ids), devices))?,
        _ => (None, group::present(step, &request.devices)?),
    };
    if !devices.iter().any(|(id, _)| *id == founder.id) {
        return Err(invalid());
    }
    let mut chat = match chat {
        Some(chat) => chat,
        None => ChatRow::create(step, &request.chat, accounts, founder.id)?,
    };
    let sent = begin(step, &mut chat, &founder, hash, request, &devices)?;
    let added: Devices = devices.into_iter().filter(|(id, _)| *id != founder.id).collect();
    welcome(step, &chat, &founder, request.welcome.as_ref(), &added)?;
    Ok(Answer::Sent(sent))
}

/// The parts of the request must fit each other and the sender.
fn check_shape(by: &By, request: &Found) -> Result<(), Stop> {
    within(request.body.len(), MAX_HANDSHAKE)?;
    within(request.devices.len(), if request.origin.is_some() { CHANNEL_DEVICES } else { 2 * MAX_DEVICES })?;
    let welcomed: Vec<DeviceId> = request.devices.iter().filter(|device| **device != by.device).copied().collect();
    check_welcome(request.welcome.as_ref(), &welcomed)?;
    let sound = match (request.accounts.as_slice(), &request.origin) {
        ([one, other], None) => {
            request.chat == ChatId::direct(one, other)
                && (by.account == *one || by.account == *other)
                && !request.body.is_empty()
        }
        ([], Some(origin)) => group::fits(request, origin),
        _ => false,
    };
    if sound { Ok(()) } else { Err(invalid()) }
}

/// `Some`: this very founding was accepted before. `None`: its incarnation is the next one.
fn compare(chat: Option<&ChatRow>, founder: i64, hash: &Hash, asked: u64) -> Result<Option<Sent>, Stop> {
    let (standing, base) = chat.map_or((0, Seq(0)), |chat| (chat.incarnation, chat.base));
    if standing.checked_add(1) == Some(asked) {
        return Ok(None);
    }
    match chat {
        Some(chat) if asked == standing && chat.founder == founder && chat.founding.2 == *hash => {
            Ok(Some(Sent { n: FIRST, seq: chat.founding.0, time: chat.founding.1 }))
        }
        _ => Err(Refusal::Exists(Exists { incarnation: standing, base }).into()),
    }
}

/// Both accounts' inner ids and present devices; refuses when `named` is not exactly those.
fn present(
    step: &mut Step<'_>,
    accounts: (&AccountId, &AccountId),
    named: &[DeviceId],
) -> Result<((i64, i64), Devices), Stop> {
    let mut wanted: BTreeSet<&DeviceId> = named.iter().collect();
    if wanted.len() != named.len() {
        return Err(invalid());
    }
    let (mut ids, mut devices) = (Vec::new(), Devices::new());
    for account_id in BTreeSet::from([accounts.0, accounts.1]) {
        let row = account::find(step, account_id)?.ok_or(Refusal::NotFound(Plain {}))?;
        let (standing, _) = account::current(step, row.id)?.ok_or_else(invalid)?;
        for entry in &standing.list.devices {
            let device = step.device(&entry.device)?.ok_or_else(invalid)?;
            if !wanted.remove(&entry.device) {
                return Err(account::changed(*account_id, &standing));
            }
            devices.push((device.id, device.device));
        }
        ids.push(row.id);
    }
    if let Some(left) = wanted.first() {
        return Err(surplus(step, left, &ids)?);
    }
    let (Some(first), Some(last)) = (ids.first(), ids.last()) else {
        return Err(invalid());
    };
    Ok(((*first, *last), devices))
}

/// A device named that is not present: removed from one of the accounts, or never of them.
fn surplus(step: &mut Step<'_>, device: &DeviceId, accounts: &[i64]) -> Result<Stop, Stop> {
    let Some(row) = step.device(device)?.filter(|row| accounts.contains(&row.account)) else {
        return Ok(invalid());
    };
    let standing = account::current(step, row.account)?;
    Ok(standing.map_or_else(invalid, |(standing, _)| account::changed(row.account_id, &standing)))
}

/// Appends the founding, ends the old memberships and begins the new ones.
fn begin(
    step: &mut Step<'_>,
    chat: &mut ChatRow,
    founder: &DeviceRow,
    hash: &Hash,
    request: &Found,
    devices: &[(i64, DeviceId)],
) -> Result<Sent, Stop> {
    let before = members::routes(step, chat)?;
    let (incarnation, base, body) = (Some(request.incarnation), chat.base, &request.body);
    let entry = Entry {
        kind: EnvelopeKind::Founding,
        n: FIRST,
        previous: None,
        base,
        incarnation,
        hash,
        body,
        blob: None,
        routing: None,
    };
    let pos = append(step, chat, founder, &entry, Recipients::but(&before, founder.id))?;
    chat.base = chat.last;
    keep(step, chat, founder, &before, devices)?;
    chat.save_base(step)?;
    let founding = (chat.last, step.now, *hash);
    chat.set_standing(step, &Standing { incarnation: request.incarnation, founder: founder.id, founding })?;
    reroute(step, chat.id, founder.id, pos, &before, devices)?;
    dedup::reset_all(step, chat.id)?;
    dedup::record(step, chat.id, founder.id, FIRST, chat.last)
}

/// Keeps what it takes to undo the founding. A direct chat's stands: either account may found the next one.
fn keep(
    step: &mut Step<'_>,
    chat: &mut ChatRow,
    founder: &DeviceRow,
    before: &Routes,
    devices: &[(i64, DeviceId)],
) -> Result<(), Stop> {
    if chat.accounts.is_some() || chat.incarnation == 0 {
        return Ok(undo::end(step, chat)?);
    }
    undo::extend(step, chat, founder.account)?;
    undo::begin(step, chat, Some(&chat.standing()))?;
    let mut touched: BTreeSet<i64> = undo::remembered(step, chat.id)?.into_iter().collect();
    touched.extend(before.iter().chain(devices).map(|(id, _)| *id));
    for (device, _) in before.iter() {
        undo::removing(step, chat, *device)?;
    }
    touched.into_iter().try_for_each(|device| undo::renewing(step, chat, device))
}

/// Old members still see the founding; of the new ones only the founder does, as its echo.
fn reroute(
    step: &mut Step<'_>,
    chat: i64,
    founder: i64,
    pos: Pos,
    before: &Routes,
    devices: &[(i64, DeviceId)],
) -> Result<(), Stop> {
    let earlier = Pos(pos.0.saturating_sub(1));
    for (device, _) in before.iter() {
        members::close(step, chat, *device, if *device == founder { earlier } else { pos })?;
    }
    for (device, _) in devices {
        members::open(step, chat, *device, if *device == founder { earlier } else { pos })?;
    }
    lapse::forget_all(step, chat)?;
    left_out::founded(step, chat, before, devices)?;
    members::set_routes(step, chat, devices.to_vec())?;
    Ok(())
}
