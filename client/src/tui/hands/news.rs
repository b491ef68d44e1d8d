//! What happens by itself: changes of the store, the connection's coming and going, history on its way.

use super::Tell;
use crate::agent::{Connectivity, Handle, Transport};
use crate::handover::{self, Way};
use aside_transport::TransportError;
use aside_tui::Msg;
use aside_tui::data::Link;
use aside_tui::data::devices::Moving;
use std::time::Duration;
use tokio::time::sleep;

/// The shortest time between two looks at the store: nobody reads faster, and a flood leaves room for keys.
pub(super) const PAUSE: Duration = Duration::from_millis(30);

/// Tells that something changed: at once, and then as often as it makes sense.
pub(super) async fn changes(handle: Handle, msgs: impl Tell) {
    let mut changes = handle.changes();
    while changes.changed().await.is_ok() {
        msgs(Msg::Changed);
        sleep(PAUSE).await;
    }
}

/// The shortest time between two looks at how far a history is.
const PACE: Duration = Duration::from_millis(250);

/// Tells of history on its way, whenever more of it has got there.
pub(super) async fn moving(handle: Handle, msgs: impl Tell) {
    let (mut changes, mut told) = (handle.changes(), None);
    loop {
        changes.mark_unchanged();
        let Ok(found) = handle.read(handover::on_its_way).await else { return };
        let now =
            found.map(|(way, standing)| Moving { here: way == Way::Here, done: standing.done, total: standing.total });
        if told != now {
            msgs(Msg::Moving(now));
            told = now;
        }
        sleep(PACE).await;
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// Tells how things stand with the relay, now and whenever that changes.
pub(super) async fn link(handle: Handle, msgs: impl Tell) {
    let (mut connectivity, mut caught_up) = (handle.connectivity(), handle.caught_up());
    let mut told = None;
    loop {
        let now = shown(&connectivity.borrow_and_update(), *caught_up.borrow_and_update());
        if told.as_ref() != Some(&now) {
            msgs(Msg::Link(now.clone()));
            told = Some(now);
        }
        let more = tokio::select! {
            changed = connectivity.changed() => changed,
            changed = caught_up.changed() => changed,
        };
        if more.is_err() {
            return;
        }
    }
}

fn shown(state: &Connectivity, caught_up: bool) -> Link {
    match state {
        Connectivity::Connecting => Link::Connecting,
        Connectivity::Online(transport) => Link::Online { transport: name(*transport), caught_up },
        Connectivity::Offline(error) => Link::Offline { why: error.to_string() },
        Connectivity::Stopped(error) => Link::Stopped {
            why: error.to_string(),
            wrong_relay: matches!(error, TransportError::WrongPin { .. } | TransportError::BadProof),
        },
        Connectivity::Failed(why) => Link::Failed { why: why.clone() },
    }
}

fn name(transport: Transport) -> &'static str {
    match transport {
        Transport::Quic => "QUIC",
        Transport::WebSocket => "WebSocket",
    }
}
