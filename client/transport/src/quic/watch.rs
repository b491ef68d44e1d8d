//! Whether the path of a connection still leads to the relay, and whether it begins elsewhere by now (rule `QUI-5`).
//!
//! A path is dead when what must be answered is not, look after look. Silence alone says nothing: a quiet path is
//! asked for nothing. Looks are counted, not time, so that a machine that was asleep or busy blames nobody.

use super::connect::any_port;
use crate::error::TransportError;
use crate::network::local_address;
use quinn::{Connection, Endpoint, FrameStats};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Looks in a row without an answer after which a path is given up: with a look a second, more than any healthy path
/// takes with several losses in a row, and short for somebody who waits.
const PATIENCE: u32 = 5;

/// Looks at a connection from time to time.
pub(super) struct Watch {
    looks: Interval,
    relay: SocketAddr,
    local: Option<IpAddr>,
    answers: u64,
    /// What had been asked when the last answer was seen.
    asked: u64,
    unanswered: u32,
}

impl Watch {
    pub(super) fn new(relay: SocketAddr, every: Duration) -> Self {
        let mut looks = interval(every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { looks, relay, local: local_address(relay), answers: 0, asked: 0, unanswered: 0 }
    }

    /// Ends when the path is dead. Cancelling loses nothing.
    pub(super) async fn run(&mut self, connection: &Connection, endpoint: &Endpoint) -> TransportError {
        loop {
            self.looks.tick().await;
            if self.moved() {
                self.follow(endpoint);
            }
            let stats = connection.stats();
            if self.is_dead(asking(&stats.frame_tx), stats.frame_rx.acks) {
                tracing::info!(relay = %self.relay, "nothing sent by QUIC is answered; the path is given up");
                return TransportError::PathDead;
            }
        }
    }

    /// One look: so much was sent that must be answered, so many answers came.
    fn is_dead(&mut self, asked: u64, answers: u64) -> bool {
        if answers != self.answers || asked <= self.asked {
            (self.answers, self.asked, self.unanswered) = (answers, asked, 0);
            return false;
        }
        self.unanswered += 1;
        self.unanswered >= PATIENCE
    }

    /// Whether the system would now reach the relay from another address. Without any route it does not know.
    fn moved(&mut self) -> bool {
        let now = local_address(self.relay);
        let moved = now.is_some() && now != self.local;
        if moved {
            self.local = now;
        }
        moved
    }

    /// The connection goes on from a fresh socket.
    fn follow(&mut self, endpoint: &Endpoint) {
        self.unanswered = 0;
        let moved = UdpSocket::bind(any_port(self.relay)).and_then(|socket| endpoint.rebind(socket));
        match moved {
            Ok(()) => tracing::info!("the network changed; the connection moves along"),
            Err(error) => tracing::warn!(%error, "the network changed, and the connection cannot follow"),
        }
    }
}

/// Frames sent that oblige the other side to answer (RFC 9000 section 13.2): all but acknowledgements and closes.
fn asking(sent: &FrameStats) -> u64 {
    sent.crypto
        + sent.stream
        + sent.ping
        + sent.max_data
        + sent.max_stream_data
        + sent.data_blocked
        + sent.stream_data_blocked
        + sent.new_connection_id
        + sent.retire_connection_id
        + sent.path_challenge
        + sent.path_response
        + sent.reset_stream
        + sent.stop_sending
}

#[cfg(test)]
mod tests;
