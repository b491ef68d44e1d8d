//! Hello, hello-ok, then login or registration (rules `CON-1`, `LOG-1`, `LOG-2`). Signs nothing: the caller does.

use crate::dial::{Target, Transport};
use crate::error::TransportError;
use crate::link::Link;
use crate::network::Network;
use crate::socket::{Reading, Socket, Writing};
use crate::timing::Timing;
use aside_protocol::frame::{
    Claim, ClientFrame, Hello, HelloOk, Login, LoginOk, Meet, Recover, Register, RelayFrame, VERSION,
};
use aside_protocol::login::{Transcript, pin};
use aside_protocol::request::Account;
use aside_protocol::{DeviceId, Nonce, Signature};
use std::fmt;
use tokio::time::timeout;

/// Capabilities this client offers. None exist yet; names are added as features land.
pub const CAPABILITIES: &[&str] = &[];

/// A connection whose relay has proved who it is, and does not know yet who we are.
pub struct Greeted {
    writing: Writing,
    reading: Reading,
    transcript: Transcript,
    way: Way,
    address: String,
    timing: Timing,
}

/// How a relay was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// By which transport.
    pub transport: Transport,
    /// From which network, if the system says.
    pub network: Option<Network>,
}

/// Shows nothing of the channel: the transcript holds key material exported from it.
impl fmt::Debug for Greeted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Greeted")
            .field("version", &self.transcript.version)
            .field("way", &self.way)
            .finish_non_exhaustive()
    }
}

/// Says hello and checks the answer.
pub(crate) async fn greet(
    socket: Socket,
    way: Way,
    target: &Target,
    address: &str,
    timing: Timing,
) -> Result<Greeted, TransportError> {
    let Socket { mut writing, mut reading, exporter } = socket;
    let hello = hello(target)?;
    writing.send(&ClientFrame::Hello(hello.clone())).await?;
    let answer = match answer(&mut reading).await? {
        RelayFrame::HelloOk(answer) => answer,
        other => return Err(unexpected("hello", &other)),
    };
    let transcript = check(&hello, answer, exporter, target, address)?;
    Ok(Greeted { writing, reading, transcript, way, address: address.to_owned(), timing })
}

fn hello(target: &Target) -> Result<Hello, TransportError> {
    let mut nonce = [0; Nonce::LEN];
    getrandom::fill(&mut nonce).map_err(|e| TransportError::NoRandomness(e.to_string()))?;
    Ok(Hello {
        versions: vec![VERSION],
        capabilities: CAPABILITIES.iter().map(|name| (*name).to_owned()).collect(),
        nonce: Nonce(nonce),
        mode: target.mode,
    })
}

/// What both sides saw, if the relay's answer fits the hello and its proof holds.
fn check(
    hello: &Hello,
    answer: HelloOk,
    exporter: Vec<u8>,
    target: &Target,
    address: &str,
) -> Result<Transcript, TransportError> {
    if !hello.versions.contains(&answer.version) {
        return Err(TransportError::NoCommonVersion);
    }
    if !answer.capabilities.iter().all(|name| hello.capabilities.contains(name)) {
        return Err(TransportError::Protocol("the relay chose a capability that was not offered (CON-1)".into()));
    }
    if pin(&answer.identity) != target.pin {
        return Err(TransportError::WrongPin { address: address.to_owned() });
    }
    let transcript = Transcript::of(hello.clone(), &answer, target.pin, exporter);
    let proved = answer.identity.verifies(&transcript.relay_signs(), &answer.signature);
    if proved { Ok(transcript) } else { Err(TransportError::BadProof) }
}

impl Greeted {
    /// How the relay was reached.
    pub fn way(&self) -> Way {
        self.way
    }

    /// Where: `host:port` as it was dialled.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What the login or registration signs.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// Logs a registered device in. `signature` is by its key, over [`Transcript::device_signs`].
    ///
    /// # Errors
    /// [`TransportError::Refused`] or [`TransportError::Fault`] with the relay's reason; else what the network did.
    pub async fn login(self, device: DeviceId, signature: Signature) -> Result<(Link, LoginOk), TransportError> {
        self.enter(ClientFrame::Login(Login { device, signature })).await
    }

    /// Creates an account with its first device and logs it in. `register.signature` is by the device's key, over
    /// [`Transcript::registration_signs`].
    ///
    /// # Errors
    /// As [`Greeted::login`].
    pub async fn register(self, register: Register) -> Result<(Link, LoginOk), TransportError> {
        self.enter(ClientFrame::Register(register)).await
    }

    /// Goes to a meeting instead of logging in, and says something there. What the other side says comes as frames; so
    /// does a refusal.
    ///
    /// # Errors
    /// What the network did.
    pub async fn meet(mut self, meet: Meet) -> Result<Link, TransportError> {
        let frame = ClientFrame::Meet(meet);
        timeout(self.timing.handshake, self.writing.send(&frame)).await.map_err(|_| TransportError::Silent)??;
        Ok(Link::start(self.writing, self.reading, self.timing))
    }

    /// Asks what stands of an account whose root key signed [`Transcript::claim_signs`].
    ///
    /// # Errors
    /// As [`Greeted::login`].
    pub async fn claim(&mut self, claim: Claim) -> Result<Account, TransportError> {
        let claimed = timeout(self.timing.handshake, async {
            self.writing.send(&ClientFrame::Claim(claim)).await?;
            answer(&mut self.reading).await
        });
        match claimed.await.map_err(|_| TransportError::Silent)?? {
            RelayFrame::Claimed(account) => Ok(account),
            RelayFrame::LoginRefused(refusal) => Err(TransportError::Refused(refusal)),
            other => Err(unexpected("claim", &other)),
        }
    }

    /// Puts a new device into an account by its root key, and logs it in. `recover.signature` is by the device's key,
    /// over [`Transcript::recovery_signs`].
    ///
    /// # Errors
    /// As [`Greeted::login`].
    pub async fn recover(self, recover: Recover) -> Result<(Link, LoginOk), TransportError> {
        self.enter(ClientFrame::Recover(recover)).await
    }

    async fn enter(mut self, frame: ClientFrame) -> Result<(Link, LoginOk), TransportError> {
        let entered = timeout(self.timing.handshake, async {
            self.writing.send(&frame).await?;
            answer(&mut self.reading).await
        });
        match entered.await.map_err(|_| TransportError::Silent)?? {
            RelayFrame::LoginOk(ok) => Ok((Link::start(self.writing, self.reading, self.timing), ok)),
            RelayFrame::LoginRefused(refusal) => Err(TransportError::Refused(refusal)),
            other => Err(unexpected("login", &other)),
        }
    }
}

/// The next frame; faults and goodbyes are errors.
async fn answer(reading: &mut Reading) -> Result<RelayFrame, TransportError> {
    loop {
        match reading.hear().await? {
            None | Some(RelayFrame::Pong(_)) => {}
            Some(RelayFrame::Fault(fault)) => return Err(TransportError::from_fault(fault)),
            Some(RelayFrame::Goodbye(goodbye)) => return Err(TransportError::Goodbye(goodbye)),
            Some(frame) => return Ok(frame),
        }
    }
}

fn unexpected(to: &str, frame: &RelayFrame) -> TransportError {
    TransportError::Protocol(format!("the relay answered {} to a {to} (FRM-3)", frame.name()))
}
