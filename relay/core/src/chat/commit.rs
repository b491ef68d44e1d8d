//! A commit, its routing change and its welcome, as one step (rule `CHT-4`).

use super::log::{Entry, Parcel, address, append};
use super::send::{Admitted, admit};
use super::{ChatRow, dedup, lapse, left_out, members, undo};
use crate::By;
use crate::account;
use crate::blob;
use crate::cache::DeviceRow;
use crate::error::Stop;
use crate::outcome::{Recipients, Routes};
use crate::step::{Step, invalid, within};
use aside_protocol::envelope::{EnvelopeKind, routing_of};
use aside_protocol::limits::CHANNEL_DEVICES;
use aside_protocol::request::{Answer, BlobRef, Commit, Welcome};
use aside_protocol::{DeviceId, Hash, Pos};
use std::collections::BTreeSet;

/// The inner and outer ids of some devices, in the order asked.
pub(super) type Devices = Vec<(i64, DeviceId)>;

/// Appends the commit and changes the routing, or gives the answer it was given before.
pub(crate) fn commit(step: &mut Step<'_>, by: &By, hash: &Hash, request: &Commit) -> Result<Answer, Stop> {
    blob::check_shape(&request.body, request.blob.as_ref())?;
    within(request.add.len().max(request.remove.len()), CHANNEL_DEVICES)?;
    check_welcome(request.welcome.as_ref(), &request.add)?;
    let sender = step.asker(by)?;
    let mut chat = ChatRow::known(step, &request.chat)?;
    let routes = match admit(step, &chat, &sender, request.n, hash, request.base)? {
        Admitted::Before(sent) => return Ok(Answer::Sent(sent)),
        Admitted::Now(routes) => routes,
    };
    require_blobs(step, request.blob.as_ref(), request.welcome.as_ref())?;
    let change = Change::check(step, &chat, &routes, &sender, request)?;
    let (n, base, body, blob) = (request.n, request.base, &request.body, request.blob.as_ref());
    let routing = routing_of(&request.add, &request.remove);
    let previous = dedup::previous(step, chat.id, sender.id)?;
    let entry = Entry { kind: EnvelopeKind::Commit, n, previous, base, incarnation: None, hash, body, blob, routing };
    let pos = append(step, &mut chat, &sender, &entry, Recipients::but(&routes, sender.id))?;
    chat.base = chat.last;
    undo::extend(step, &mut chat, sender.account)?;
    chat.save_base(step)?;
    let sent = dedup::record(step, chat.id, sender.id, n, chat.last)?;
    change.apply(step, &chat, &routes, pos)?;
    welcome(step, &chat, &sender, request.welcome.as_ref(), &change.add)?;
    Ok(Answer::Sent(sent))
}

/// A routing change that holds together.
struct Change {
    add: Devices,
    /// Those that are routed; what lapsed is removed already.
    remove: Devices,
    /// Their accounts.
    losing: BTreeSet<i64>,
}

impl Change {
    fn check(
        step: &mut Step<'_>,
        chat: &ChatRow,
        routes: &Routes,
        sender: &DeviceRow,
        request: &Commit,
    ) -> Result<Self, Stop> {
        let mut remove = known(step, &request.remove)?;
        // Members know their group's leaves, not the routing: who has no leaf may be routed, and the other way round.
        remove.retain(|row| members::is_routed(routes, row.id));
        let removed: BTreeSet<i64> = remove.iter().map(|row| row.id).collect();
        let add = known(step, &request.add)?;
        for row in &add {
            may_join(step, chat, row)?;
            if row.id == sender.id {
                return Err(invalid());
            }
        }
        let again = |row: &&DeviceRow| members::is_routed(routes, row.id) && !removed.contains(&row.id);
        remove.extend(add.iter().filter(again).copied());
        within((routes.len() + add.len()).saturating_sub(remove.len()), CHANNEL_DEVICES)?;
        let losing = remove.iter().map(|row| row.account).collect();
        Ok(Self { add: pairs(&add), remove: pairs(&remove), losing })
    }

    /// Removed devices see the commit, added ones what follows it. What it takes to undo this is kept.
    fn apply(&self, step: &mut Step<'_>, chat: &ChatRow, routes: &Routes, pos: Pos) -> Result<(), Stop> {
        if self.add.is_empty() && self.remove.is_empty() {
            return Ok(());
        }
        undo::begin(step, chat, None)?;
        for (device, _) in &self.remove {
            undo::removing(step, chat, *device)?;
            members::close(step, chat.id, *device, pos)?;
        }
        for (device, _) in &self.add {
            undo::renewing(step, chat, *device)?;
            lapse::forget(step, chat.id, *device)?;
            left_out::set(step, chat.id, *device, false)?;
            dedup::reset(step, chat.id, *device)?;
            members::open(step, chat.id, *device, pos)?;
        }
        let removed: BTreeSet<i64> = self.remove.iter().map(|(id, _)| *id).collect();
        let stay = routes.iter().filter(|(id, _)| !removed.contains(id));
        members::set_routes(step, chat.id, stay.chain(&self.add).copied().collect())?;
        lapse::leave(step, chat.id, &self.losing)?;
        Ok(())
    }
}

/// The devices named, each known and none twice.
pub(super) fn known(step: &mut Step<'_>, devices: &[DeviceId]) -> Result<Vec<DeviceRow>, Stop> {
    if devices.iter().collect::<BTreeSet<_>>().len() != devices.len() {
        return Err(invalid());
    }
    devices.iter().map(|device| step.device(device)?.ok_or_else(invalid)).collect()
}

pub(super) fn pairs(rows: &[DeviceRow]) -> Devices {
    rows.iter().map(|row| (row.id, row.device)).collect()
}

/// Any present device may be in a group or channel, those of its two accounts in a direct chat (rule `CHT-1`).
fn may_join(step: &Step<'_>, chat: &ChatRow, row: &DeviceRow) -> Result<(), Stop> {
    match chat.accounts {
        Some((one, other)) if row.account != one && row.account != other => Err(invalid()),
        _ => present(step, row),
    }
}

/// Refuses a device that was removed from its account.
pub(super) fn present(step: &Step<'_>, row: &DeviceRow) -> Result<(), Stop> {
    if !row.revoked {
        return Ok(());
    }
    let standing = account::current(step, row.account)?;
    Err(standing.map_or_else(invalid, |(standing, _)| account::changed(row.account_id, &standing)))
}

/// A welcome is for devices that are being added, each named once.
pub(super) fn check_welcome(welcome: Option<&Welcome>, added: &[DeviceId]) -> Result<(), Stop> {
    let Some(welcome) = welcome else {
        return Ok(());
    };
    blob::check_shape(&welcome.body, welcome.blob.as_ref())?;
    let to: BTreeSet<&DeviceId> = welcome.to.iter().collect();
    let added: BTreeSet<&DeviceId> = added.iter().collect();
    let sound = to.len() == welcome.to.len() && !to.is_empty() && to.is_subset(&added);
    if sound { Ok(()) } else { Err(invalid()) }
}

/// What a commit and its welcome point to must be there. Not asked of what was accepted before: it may be gone by now.
pub(super) fn require_blobs(step: &Step<'_>, commit: Option<&BlobRef>, welcome: Option<&Welcome>) -> Result<(), Stop> {
    let welcome = welcome.and_then(|welcome| welcome.blob.as_ref());
    commit.into_iter().chain(welcome).try_for_each(|pointed| blob::require(step, pointed))
}

/// Stores a checked welcome for the devices it names, right after its commit.
pub(super) fn welcome(
    step: &mut Step<'_>,
    chat: &ChatRow,
    sender: &DeviceRow,
    welcome: Option<&Welcome>,
    added: &[(i64, DeviceId)],
) -> Result<(), Stop> {
    let Some(welcome) = welcome else {
        return Ok(());
    };
    let named: BTreeSet<&DeviceId> = welcome.to.iter().collect();
    let to: Devices = added.iter().filter(|(_, device)| named.contains(device)).copied().collect();
    let (base, incarnation) = (Some(chat.base), Some(chat.incarnation));
    let parcel = Parcel {
        kind: EnvelopeKind::Welcome,
        base,
        incarnation,
        body: &welcome.body,
        blob: welcome.blob.as_ref(),
        to: &to,
    };
    address(step, chat, sender, &parcel)?;
    Ok(())
}
