//! What is particular to founding a group or channel (rule `CHT-7`). The relay does not know which of them it is.

use super::commit::{Devices, known, pairs, present as is_present};
use super::{ChatRow, left_out, members, not_member};
use crate::cache::DeviceRow;
use crate::error::Stop;
use crate::step::Step;
use aside_protocol::request::{Found, Origin};
use aside_protocol::{ChatId, DeviceId};

/// Bytes of a founding's body: the SHA-256 of its commit.
const FOUNDING_BODY: usize = 32;

/// Whether chat and body are what the origin asks for.
pub(super) fn fits(request: &Found, origin: &Origin) -> bool {
    request.chat == ChatId::group(&origin.account, &origin.nonce) && request.body.len() == FOUNDING_BODY
}

/// Only who is in a chat founds it again, or was when the standing founding left it out. A chat that this relay does not know anybody founds who can name its origin.
pub(super) fn may_found(step: &mut Step<'_>, chat: Option<&ChatRow>, founder: &DeviceRow) -> Result<(), Stop> {
    let Some(chat) = chat else {
        return Ok(());
    };
    let routes = members::routes(step, chat)?;
    let may = members::is_routed(&routes, founder.id) || left_out::has(step, chat.id, founder.id)?;
    if may { Ok(()) } else { Err(not_member()) }
}

/// The devices named, each present.
pub(super) fn present(step: &mut Step<'_>, named: &[DeviceId]) -> Result<Devices, Stop> {
    let rows = known(step, named)?;
    rows.iter().try_for_each(|row| is_present(step, row))?;
    Ok(pairs(&rows))
}
