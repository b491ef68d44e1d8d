//! From addresses to a greeted connection: QUIC and WebSocket race for each address; the next one joins when both fail or
//! are slow.

use crate::error::TransportError;
use crate::greet::{Greeted, Way, greet};
use crate::network::{Known, Network};
use crate::race::{Pace, race};
use crate::stagger::stagger;
use crate::timing::Timing;
use crate::{quic, tls, websocket};
use aside_protocol::Hash;
use aside_protocol::login::Mode;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_rustls::client::TlsStream;

/// Where a relay is and how to know it; comes from the invite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `host:port`, tried in order.
    pub addresses: Vec<String>,
    /// [`aside_protocol::login::pin`] of the relay's identity key.
    pub pin: Hash,
    /// Where TLS ends.
    pub mode: Mode,
}

/// What carries frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// One stream of a QUIC connection, over UDP.
    Quic,
    /// A WebSocket over TLS, over TCP.
    WebSocket,
}

impl Transport {
    /// The one that is not this.
    pub fn other(self) -> Self {
        match self {
            Self::Quic => Self::WebSocket,
            Self::WebSocket => Self::Quic,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quic => "QUIC",
            Self::WebSocket => "WebSocket",
        })
    }
}

/// Which transports may be used; `auto`, `quic` or `ws` as text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Choice {
    /// Whichever works first.
    #[default]
    Auto,
    /// This one alone.
    Only(Transport),
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "quic" => Ok(Self::Only(Transport::Quic)),
            "ws" => Ok(Self::Only(Transport::WebSocket)),
            _ => Err(format!("a transport is auto, quic or ws, not {text:?}")),
        }
    }
}

/// How to dial.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Which transports may be used.
    pub choice: Choice,
    /// What worked before; goes first where it did.
    pub known: Known,
    /// Patience.
    pub timing: Timing,
}

/// Connects to the first address that works, by what works first there, and greets the relay. The next address is tried when
/// one has failed, or been silent for a while (rule `NOD-3`).
///
/// # Errors
/// Why it failed. When addresses fail for different reasons, one that may pass is told rather than a fatal one,
/// since a relay that is down at one address may be back before somebody repairs the other. When both transports
/// fail at one address, a fatal reason is told.
pub async fn dial(target: &Target) -> Result<Greeted, TransportError> {
    dial_with(target, &Plan::default()).await
}

/// [`dial`] by a plan.
///
/// # Errors
/// As [`dial`].
pub async fn dial_with(target: &Target, plan: &Plan) -> Result<Greeted, TransportError> {
    if target.mode != Mode::Direct {
        return Err(TransportError::ModeNotSupported);
    }
    let refused = Notify::new();
    let lead = || async {
        tokio::select! {
            () = sleep(plan.timing.next_address) => {}
            () = refused.notified() => {}
        }
    };
    // Boxed: they are large, and moved.
    let attempts: Vec<_> =
        target.addresses.iter().map(|address| Box::pin(try_address(address, target, plan, &refused))).collect();
    let passing = |before: TransportError, next| if before.is_fatal() { next } else { before };
    stagger(attempts, lead, |_| true, passing).await.map_err(|error| error.unwrap_or_else(none))
}

/// One address, to its end.
async fn try_address(address: &str, target: &Target, plan: &Plan, refused: &Notify) -> Result<Greeted, TransportError> {
    let tried = Attempt { address, target, timing: plan.timing }.run(plan, refused).await;
    match &tried {
        Ok(greeted) => tracing::debug!(%address, transport = %greeted.way().transport, "connected"),
        Err(error) => tracing::info!(%address, %error, "could not connect"),
    }
    tried
}

fn none() -> TransportError {
    TransportError::Protocol("the relay has no address".into())
}

/// A TLS stream to a relay that has the pin, and at which address.
pub(crate) struct Reached {
    pub(crate) stream: TlsStream<TcpStream>,
    pub(crate) address: String,
}

/// TLS to the first address that works; no frames, no greeting.
///
/// # Errors
/// As [`dial`].
pub(crate) async fn reach_tls(target: &Target, timing: Timing) -> Result<Reached, TransportError> {
    if target.mode != Mode::Direct {
        return Err(TransportError::ModeNotSupported);
    }
    let mut failure: Option<TransportError> = None;
    for address in &target.addresses {
        let attempt = Attempt { address, target, timing };
        match attempt.tls().await {
            Ok(stream) => return Ok(Reached { stream, address: address.clone() }),
            Err(error) => failure = Some(failure.filter(|before| !before.is_fatal()).unwrap_or(error)),
        }
    }
    Err(failure.unwrap_or_else(none))
}

/// One address of a relay.
struct Attempt<'a> {
    address: &'a str,
    target: &'a Target,
    timing: Timing,
}

impl Attempt<'_> {
    /// Both transports, as the plan says. Tells as soon as nobody is there for TCP: QUIC goes on, and others may begin.
    async fn run(&self, plan: &Plan, refused: &Notify) -> Result<Greeted, TransportError> {
        let ips = self.resolve().await?;
        let first = match plan.choice {
            Choice::Only(transport) => return self.lane(transport, &ips).await,
            Choice::Auto => first(&plan.known, &ips),
        };
        tracing::debug!(address = %self.address, %first, "dialling");
        let alone = |transport| (transport == Transport::Quic).then_some(self.timing.quic_alone);
        let (first_alone, second_alone) = (alone(first), alone(first.other()));
        let pace = Pace { head_start: self.timing.head_start, first_alone, second_alone };
        let lane = async |transport| {
            let ended = self.lane(transport, &ips).await;
            if transport == Transport::WebSocket && matches!(ended, Err(TransportError::Unreachable { .. })) {
                refused.notify_one();
            }
            ended.map_err(|error| (transport, error))
        };
        race(lane(first), lane(first.other()), pace, worse).await.map_err(|(_, error)| error)
    }

    /// The first IP address by which the relay is reached, secured.
    async fn tls(&self) -> Result<TlsStream<TcpStream>, TransportError> {
        let ips = self.resolve().await?;
        let attempts: Vec<_> = ips.iter().map(|ip| self.secured(*ip)).collect();
        let gone = |error: &TransportError| matches!(error, TransportError::Unreachable { .. });
        let ended = stagger(attempts, || sleep(self.timing.head_start), gone, |_, last| last).await;
        ended.map_err(|error| error.unwrap_or_else(none))
    }

    async fn secured(&self, ip: SocketAddr) -> Result<TlsStream<TcpStream>, TransportError> {
        let stream = self.within(self.timing.connect, websocket::reach(ip, self.address)).await?;
        self.within(self.timing.handshake, tls::connect(stream, self.target.pin, self.address)).await
    }

    /// Every IP address the host has.
    async fn resolve(&self) -> Result<Vec<SocketAddr>, TransportError> {
        let unreachable = |why: String| TransportError::Unreachable { address: self.address.into(), why };
        let found = async { lookup_host(self.address).await.map_err(|e| unreachable(e.to_string())) };
        let ips: Vec<_> = self.within(self.timing.connect, found).await?.collect();
        if ips.is_empty() { Err(unreachable("the name has no address".into())) } else { Ok(ips) }
    }

    /// One transport: the first IP address by which the relay is reached.
    async fn lane(&self, transport: Transport, ips: &[SocketAddr]) -> Result<Greeted, TransportError> {
        // Collected, since the compiler does not see that a closure that borrows may be sent to another thread.
        let attempts: Vec<_> = ips.iter().map(|ip| self.reach(transport, *ip)).collect();
        let gone = |error: &TransportError| matches!(error, TransportError::Unreachable { .. });
        let ended = stagger(attempts, || sleep(self.timing.head_start), gone, |_, last| last).await;
        ended.map_err(|error| error.unwrap_or_else(none))
    }

    async fn reach(&self, transport: Transport, ip: SocketAddr) -> Result<Greeted, TransportError> {
        let way = Way { transport, network: Network::towards(ip) };
        match transport {
            // QUIC takes a packet that cannot be sent for a lost one, and would wait for an answer.
            Transport::Quic if way.network.is_none() => {
                let why = "the system knows no way there".to_owned();
                Err(TransportError::Unreachable { address: self.address.to_owned(), why })
            }
            Transport::Quic => self.by_quic(ip, way).await,
            Transport::WebSocket => self.by_websocket(ip, way).await,
        }
    }

    async fn by_quic(&self, ip: SocketAddr, way: Way) -> Result<Greeted, TransportError> {
        let connecting = quic::connect(ip, self.target.pin, self.address, &self.timing);
        let socket = self.within(self.timing.connect, connecting).await?;
        self.within(self.timing.handshake, greet(socket, way, self.target, self.address, self.timing)).await
    }

    async fn by_websocket(&self, ip: SocketAddr, way: Way) -> Result<Greeted, TransportError> {
        let stream = self.within(self.timing.connect, websocket::reach(ip, self.address)).await?;
        let secured = async {
            let socket = websocket::secure(stream, self.target.pin, self.address).await?;
            greet(socket, way, self.target, self.address, self.timing).await
        };
        self.within(self.timing.handshake, secured).await
    }

    async fn within<T>(
        &self,
        patience: Duration,
        work: impl Future<Output = Result<T, TransportError>>,
    ) -> Result<T, TransportError> {
        match timeout(patience, work).await {
            Ok(result) => result,
            Err(_) => {
                let why = format!("no answer within {} seconds", patience.as_secs_f32());
                Err(TransportError::Unreachable { address: self.address.to_owned(), why })
            }
        }
    }
}

/// What goes first: what is known of the first IP address of which anything is. A host's others may never have been
/// the one that answered.
fn first(known: &Known, ips: &[SocketAddr]) -> Transport {
    ips.iter().find_map(|ip| known.get(&Network::towards(*ip)?)).unwrap_or(Transport::Quic)
}

/// Of two reasons at one address: a fatal one, since the other transport may only be blocked; else what TCP says,
/// since the system tells more about it.
fn worse(one: (Transport, TransportError), other: (Transport, TransportError)) -> (Transport, TransportError) {
    let weight =
        |(transport, error): &(Transport, TransportError)| (error.is_fatal(), *transport == Transport::WebSocket);
    if weight(&one) >= weight(&other) { one } else { other }
}

#[cfg(test)]
mod tests;
