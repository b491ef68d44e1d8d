//! A chat is muted, or heard again: until the user says otherwise, on all their devices.

use crate::cmd::Cmd;
use crate::model::Model;

/// Mutes the open chat, or the one the list's cursor is on, or ends that.
pub(super) fn toggle(model: &mut Model) -> Vec<Cmd> {
    let Some(desk) = model.desk() else { return Vec::new() };
    let peer = desk.open.as_ref().map(|open| open.peer);
    let chat = peer.or(desk.cursor).and_then(|peer| desk.chat(&peer)).or_else(|| desk.list().get(desk.cursor_index()));
    let Some(chat) = chat else { return Vec::new() };
    let (peer, on, label) = (chat.peer, !chat.muted, chat.label());
    model.say(if on { format!("{label} is muted.") } else { format!("{label} is not muted any more.") });
    vec![Cmd::Mute { peer, on }]
}
