//! From addresses to a greeted connection: TCP, TLS, upgrade, hello; the next address when one fails.

use crate::error::TransportError;
use crate::greet::{Greeted, greet};
use crate::timing::Timing;
use crate::{socket, tls};
use aside_protocol::Hash;
use aside_protocol::login::Mode;
use std::future::Future;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

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

/// Connects to the first address that works and greets the relay there.
///
/// # Errors
/// Why it failed. When addresses fail for different reasons, one that may pass is told rather than a fatal one,
/// since a relay that is down at one address may be back before somebody repairs the other.
pub async fn dial(target: &Target) -> Result<Greeted, TransportError> {
    dial_with(target, &Timing::default()).await
}

/// [`dial`] with other patience; for tests.
///
/// # Errors
/// As [`dial`].
pub async fn dial_with(target: &Target, timing: &Timing) -> Result<Greeted, TransportError> {
    if target.mode != Mode::Direct {
        return Err(TransportError::ModeNotSupported);
    }
    let mut failure: Option<TransportError> = None;
    for address in &target.addresses {
        match dial_one(address, target, timing).await {
            Ok(greeted) => return Ok(greeted),
            Err(error) => {
                tracing::info!(%address, %error, "could not connect");
                failure = Some(failure.filter(|before| !before.is_fatal()).unwrap_or(error));
            }
        }
    }
    Err(failure.unwrap_or_else(|| TransportError::Protocol("the relay has no address".into())))
}

async fn dial_one(address: &str, target: &Target, timing: &Timing) -> Result<Greeted, TransportError> {
    let stream = connect(address, timing.connect).await?;
    let secured = async {
        let tls = tls::connect(stream, target.pin, address).await?;
        let exporter = tls::exporter(&tls)?;
        let socket = socket::upgrade(tls, address).await?;
        greet(socket, exporter, target, address, *timing).await
    };
    within(timing.handshake, address, secured).await
}

/// Tries every IP address the host has, each for as long as `patience`.
async fn connect(address: &str, patience: Duration) -> Result<TcpStream, TransportError> {
    let unreachable = |e: std::io::Error| TransportError::Unreachable { address: address.into(), why: e.to_string() };
    let found = within(patience, address, async { lookup_host(address).await.map_err(unreachable) }).await?;
    let mut failure = None;
    for ip in found {
        match within(patience, address, async { TcpStream::connect(ip).await.map_err(unreachable) }).await {
            Ok(stream) => {
                stream.set_nodelay(true).map_err(unreachable)?;
                return Ok(stream);
            }
            Err(error) => failure = Some(error),
        }
    }
    let nothing = || TransportError::Unreachable { address: address.into(), why: "the name has no address".into() };
    Err(failure.unwrap_or_else(nothing))
}

async fn within<T>(
    patience: Duration,
    address: &str,
    work: impl Future<Output = Result<T, TransportError>>,
) -> Result<T, TransportError> {
    match timeout(patience, work).await {
        Ok(result) => result,
        Err(_) => {
            let why = format!("no answer within {} seconds", patience.as_secs_f32());
            Err(TransportError::Unreachable { address: address.to_owned(), why })
        }
    }
}
