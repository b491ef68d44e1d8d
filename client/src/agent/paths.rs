//! What the store remembers of networks, in the transport's words (rule `QUI-6`).

use super::now;
use aside_engine::EngineError;
use aside_store::Tx;
use aside_store::paths::PathKind;
use aside_transport::{Choice, Known, Network, Plan, Transport, Way};

/// What is known of networks.
pub(super) fn known(tx: &Tx) -> Result<Known, EngineError> {
    let mut known = Known::default();
    for (network, kind) in tx.paths(now())? {
        let transport = match kind {
            PathKind::Quic => Transport::Quic,
            PathKind::WebSocket => Transport::WebSocket,
        };
        known.set(Network(network), transport);
    }
    Ok(known)
}

/// How to dial, given what is known, and a way that has just died.
pub(super) fn plan(choice: Choice, mut known: Known, suspect: Option<Way>) -> Plan {
    if let Some(Way { transport, network: Some(network) }) = suspect {
        known.set(network, transport.other());
    }
    Plan { choice, known, ..Plan::default() }
}

/// What a connection teaches that is not known yet. That QUIC works is assumed, and a forced choice proves nothing.
pub(super) fn news(choice: Choice, known: &Known, way: Way) -> Option<(Network, Transport)> {
    let network = way.network.filter(|_| choice == Choice::Auto)?;
    let assumed = known.get(&network).unwrap_or(Transport::Quic);
    (assumed != way.transport).then_some((network, way.transport))
}

/// Remembers it.
pub(super) fn learn(tx: &Tx, (network, transport): (Network, Transport)) -> Result<(), EngineError> {
    let kind = match transport {
        Transport::Quic => PathKind::Quic,
        Transport::WebSocket => PathKind::WebSocket,
    };
    Ok(tx.learn_path(&network.0, kind, now())?)
}

#[cfg(test)]
mod tests;
