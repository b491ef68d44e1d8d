//! Invites: the addresses they name, and making one, through a running relay or straight in its database.

use crate::clock;
use crate::data::{DataDir, private};
use crate::identity::Identity;
use crate::server::{Shared, StartError, open_core};
use aside_protocol::invite::{Invite, InviteSecret, is_address};
use aside_protocol::limits::MAX_OFFERS;
use aside_protocol::login::Mode;
use aside_protocol::request::Answer;
use aside_protocol::{Hash, Refusal};
use aside_relay_core::{Command, Stamped};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;
use tokio::sync::oneshot;

/// Why there is no invite; shown to people.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    /// An address for `--address` is none.
    #[error("{0} is not an address; give HOST:PORT, with IPv6 addresses in brackets")]
    BadAddress(String),
    /// Too many.
    #[error("an invite names at most {MAX_OFFERS} addresses")]
    TooManyAddresses,
    /// The relay refused.
    #[error("the relay could not store the invite ({0:?}); is its disk full?")]
    Refused(Refusal),
    /// The relay is stopping.
    #[error("the relay is stopping; try again once it runs")]
    Stopping,
    /// No randomness.
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

/// What invites say: the addresses given, else the one listened at, with the host's main address for an open one.
pub fn addresses(given: &[String], listen: SocketAddr) -> Result<Vec<String>, InviteError> {
    if let Some(bad) = given.iter().find(|address| !is_address(address)) {
        return Err(InviteError::BadAddress(bad.clone()));
    }
    if given.len() > MAX_OFFERS {
        return Err(InviteError::TooManyAddresses);
    }
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    let ip = if listen.ip().is_unspecified() { main_address() } else { listen.ip() };
    Ok(vec![SocketAddr::new(ip, listen.port()).to_string()])
}

/// The address this host would reach the internet from; connecting a UDP socket sends nothing.
fn main_address() -> IpAddr {
    let found = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        .and_then(|socket| socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).and_then(|()| socket.local_addr()));
    found.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip())
}

/// Writes the addresses down for `aside-relay invite` while no relay runs.
pub fn keep_addresses(path: &Path, addresses: &[String]) -> io::Result<()> {
    let mut file = private(path.to_owned(), false)?;
    file.set_len(0)?;
    file.write_all(serde_json::to_string(addresses).map_err(io::Error::other)?.as_bytes())
}

/// Reads what [`keep_addresses`] wrote; empty if there is nothing of use.
pub fn kept_addresses(path: &Path) -> Vec<String> {
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(64 << 10).read_to_string(&mut text));
    read.ok().and_then(|_| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// Makes an invite through the log of a running relay.
pub async fn create(shared: &Shared, uses: u32, valid: Duration) -> Result<Invite, InviteError> {
    let secret = fresh_secret()?;
    let (sender, receiver) = oneshot::channel();
    shared.log.submit(command(&secret, uses, valid), Box::new(move |answer, _| drop(sender.send(answer))));
    match receiver.await {
        Ok(Answer::Refused(refusal)) => Err(InviteError::Refused(refusal)),
        Ok(_) => Ok(link(shared.invite_addresses(), shared.setup.identity.pin(), secret)),
        Err(_) => Err(InviteError::Stopping),
    }
}

/// Makes an invite while no relay runs: the caller holds the folder's lock.
pub fn create_alone(data: &DataDir, addresses: Vec<String>, uses: u32, valid: Duration) -> Result<Invite, StartError> {
    let identity = Identity::open(&data.identity())?;
    let mut core = open_core(data, false)?;
    let secret = fresh_secret().map_err(InviteError::from)?;
    core.apply(&[Stamped { time: clock::wall(), command: command(&secret, uses, valid) }], true)?;
    core.checkpoint()?;
    Ok(link(addresses, identity.pin(), secret))
}

fn command(secret: &InviteSecret, uses: u32, valid: Duration) -> Command {
    let valid = u64::try_from(valid.as_millis()).unwrap_or(u64::MAX);
    Command::CreateInvite { secret: secret.hash(), uses, valid }
}

fn fresh_secret() -> Result<InviteSecret, getrandom::Error> {
    let mut secret = [0; 16];
    getrandom::fill(&mut secret)?;
    Ok(InviteSecret(secret))
}

fn link(addresses: Vec<String>, pin: Hash, secret: InviteSecret) -> Invite {
    Invite { addresses, pin, mode: Mode::Direct, secret }
}
