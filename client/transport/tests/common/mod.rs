//! A tiny relay for these tests: real TLS and real WebSockets, with an identity of its own and a chosen misbehaviour.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, missing_docs)]

use aside_protocol::frame::{
    Answered, Asked, ClientFrame, Fault, Goodbye, Hello, HelloOk, LoginOk, Ping, RelayFrame, VERSION,
};
use aside_protocol::login::{EXPORTER_LABEL, Mode, Transcript, pin};
use aside_protocol::refusal::Plain;
use aside_protocol::request::{Answer, Request, Routing};
use aside_protocol::{
    AccountId, ChatId, DeviceId, Hash, LogId, Millis, Name, Nonce, PublicKey, Refusal, Signature, decode, encode,
};
use aside_transport::{Greeted, Target, Timing};
use ed25519_dalek::{Signer, SigningKey as DeviceKey};
use futures_util::{SinkExt, StreamExt};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ED25519, SigningKey};
use rustls::ServerConfig;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// The device that may log in.
pub const DEVICE: DeviceId = DeviceId([7; 16]);

/// How the relay behaves.
#[derive(Debug, Clone, Default)]
pub enum Act {
    /// As it should; answers every request.
    #[default]
    Honest,
    /// Signs its hello-ok over something else.
    BadProof,
    /// Claims the hello-ok of another channel, as a relaying attacker would.
    OtherChannel,
    /// Never answers the hello.
    NoHello,
    /// Answers the hello with this.
    InsteadOfHello(RelayFrame),
    /// Answers the login with this.
    InsteadOfLogin(RelayFrame),
    /// Says nothing any more once the device is logged in, not even pongs.
    Mute,
    /// Sends these messages after the login.
    Says(Vec<Message>),
    /// Sends this after the login and drops the socket without a closing handshake.
    SaysAndDies(RelayFrame),
    /// After the login, sends this many pongs' worth of frames: faults that are not fatal, numbered.
    Floods(usize),
}

pub struct Relay {
    pub address: String,
    pub pin: Hash,
    /// Names of the frames it got after the login, in order; and how the connections ended.
    pub got: watch::Receiver<Vec<String>>,
}

struct Shared {
    identity: KeyPair,
    tls: Arc<ServerConfig>,
    act: Act,
    device: DeviceKey,
    got: watch::Sender<Vec<String>>,
}

/// Certificates as a relay makes them, for a name.
pub struct Certificates {
    pub identity: KeyPair,
    pub config: Arc<ServerConfig>,
}

pub fn certificates(name: &str, ca_key: KeyPair, node_signed_by: Option<&KeyPair>) -> Certificates {
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_der = ca.self_signed(&ca_key).unwrap().der().clone();
    let node_key = KeyPair::generate().unwrap();
    let node = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let issuer = Issuer::from_params(&ca, node_signed_by.unwrap_or(&ca_key));
    let node_der = node.signed_by(&node_key, &issuer).unwrap().der().clone();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![node_der, ca_der], node_key.serialize_der().try_into().unwrap())
        .unwrap();
    Certificates { identity: ca_key, config: Arc::new(config) }
}

pub fn identity() -> KeyPair {
    KeyPair::generate_for(&PKCS_ED25519).unwrap()
}

pub fn public(key: &KeyPair) -> PublicKey {
    PublicKey::from_slice(key.public_key_raw()).unwrap()
}

pub fn device_key() -> DeviceKey {
    DeviceKey::from_bytes(&[42; 32])
}

impl Relay {
    pub async fn start(act: Act) -> Self {
        Self::start_with(act, certificates("aside-relay", identity(), None)).await
    }

    pub async fn start_with(act: Act, certificates: Certificates) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let pin = pin(&public(&certificates.identity));
        let (sender, got) = watch::channel(Vec::new());
        let shared = Arc::new(Shared {
            identity: certificates.identity,
            tls: certificates.config,
            act,
            device: device_key(),
            got: sender,
        });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(shared.clone(), stream));
            }
        });
        Self { address, pin, got }
    }

    pub fn target(&self) -> Target {
        Target { addresses: vec![self.address.clone()], pin: self.pin, mode: Mode::Direct }
    }

    /// Waits until the relay has got what `enough` asks for.
    pub async fn wait_got(&self, enough: impl FnMut(&Vec<String>) -> bool) -> Vec<String> {
        let mut got = self.got.clone();
        let seen = tokio::time::timeout(Duration::from_secs(10), got.wait_for(enough)).await;
        seen.expect("in time").expect("relay lives").clone()
    }
}

type Socket = WebSocketStream<TlsStream<TcpStream>>;

async fn say(socket: &mut Socket, frame: &RelayFrame) -> Option<()> {
    socket.send(Message::Binary(encode(frame))).await.ok()
}

async fn heard(socket: &mut Socket) -> Option<ClientFrame> {
    loop {
        match socket.next().await?.ok()? {
            Message::Binary(bytes) => return decode(&bytes).ok(),
            Message::Close(_) => return None,
            _ => {}
        }
    }
}

async fn serve(shared: Arc<Shared>, stream: TcpStream) -> Option<()> {
    let tls = TlsAcceptor::from(shared.tls.clone()).accept(stream).await.ok()?;
    assert_eq!(tls.get_ref().1.server_name(), Some("aside-relay"));
    let exporter = tls.get_ref().1.export_keying_material([0_u8; 32], EXPORTER_LABEL, None).unwrap();
    let path = Arc::new(Mutex::new(String::new()));
    let seen = path.clone();
    #[allow(clippy::result_large_err)]
    let upgrade = move |request: &tokio_tungstenite::tungstenite::handshake::server::Request, response| {
        *seen.lock().unwrap() = request.uri().path().to_owned();
        Ok(response)
    };
    let mut socket = tokio_tungstenite::accept_hdr_async(tls, upgrade).await.ok()?;
    assert_eq!(*path.lock().unwrap(), "/v1/ws");
    let ClientFrame::Hello(hello) = heard(&mut socket).await? else { return None };
    let transcript = greet(&shared, &mut socket, hello, exporter.to_vec()).await?;
    enter(&shared, &mut socket, &transcript).await?;
    live(&shared, &mut socket).await;
    shared.got.send_modify(|got| got.push("end".into()));
    None
}

async fn greet(shared: &Shared, socket: &mut Socket, hello: Hello, exporter: Vec<u8>) -> Option<Transcript> {
    let mut transcript = Transcript {
        versions: hello.versions,
        offered: hello.capabilities,
        version: VERSION,
        capabilities: Vec::new(),
        client_nonce: hello.nonce,
        relay_nonce: Nonce([5; 32]),
        relay: pin(&public(&shared.identity)),
        mode: hello.mode,
        exporter: Some(exporter),
    };
    match &shared.act {
        Act::NoHello => std::future::pending::<()>().await,
        Act::InsteadOfHello(frame) => say(socket, frame).await?,
        Act::OtherChannel => transcript.exporter = Some(vec![9; 32]),
        _ => {}
    }
    let mut signature = shared.identity.sign(&transcript.relay_signs()).unwrap();
    if matches!(shared.act, Act::BadProof) {
        signature[3] ^= 1;
    }
    let ok = HelloOk {
        version: VERSION,
        capabilities: Vec::new(),
        nonce: transcript.relay_nonce,
        identity: public(&shared.identity),
        signature: Signature::from_slice(&signature).unwrap(),
    };
    say(socket, &RelayFrame::HelloOk(ok)).await?;
    Some(transcript)
}

async fn enter(shared: &Shared, socket: &mut Socket, transcript: &Transcript) -> Option<()> {
    let public = PublicKey(shared.device.verifying_key().to_bytes());
    let proved = match heard(socket).await? {
        ClientFrame::Login(login) => public.verifies(&transcript.device_signs(&login.device), &login.signature),
        ClientFrame::Register(r) => public
            .verifies(&transcript.registration_signs(&r.secret.0, r.name.as_str(), &r.root, &r.list.0), &r.signature),
        _ => false,
    };
    let answer = match &shared.act {
        Act::InsteadOfLogin(frame) => frame.clone(),
        _ if proved => login_ok(),
        _ => fault("LOG-3", true),
    };
    say(socket, &answer).await
}

async fn live(shared: &Shared, socket: &mut Socket) -> Option<()> {
    match &shared.act {
        Act::Says(messages) => {
            for message in messages {
                socket.send(message.clone()).await.ok()?;
            }
        }
        Act::SaysAndDies(frame) => {
            heard(socket).await?;
            say(socket, frame).await?;
            return None;
        }
        Act::Floods(count) => {
            for i in 0..*count {
                say(socket, &fault(&format!("T-{i}"), false)).await?;
            }
        }
        _ => {}
    }
    while let Some(frame) = heard(socket).await {
        shared.got.send_modify(|got| got.push(frame.name().to_owned()));
        match frame {
            _ if matches!(shared.act, Act::Mute) => {}
            ClientFrame::Ping(_) => say(socket, &RelayFrame::Pong(Ping {})).await?,
            ClientFrame::Request(asked) => say(socket, &refused(asked.id)).await?,
            _ => {}
        }
    }
    None
}

pub fn login_ok() -> RelayFrame {
    RelayFrame::LoginOk(LoginOk {
        account: AccountId([1; 32]),
        name: Name::new("alice").unwrap(),
        log: LogId([2; 16]),
        positions: Vec::new(),
        key_packages: Vec::new(),
        time: Millis(1),
    })
}

pub fn fault(rule: &str, fatal: bool) -> RelayFrame {
    RelayFrame::Fault(Fault { rule: rule.into(), message: "so it is".into(), fatal })
}

pub fn goodbye(reason: aside_protocol::frame::GoodbyeReason) -> RelayFrame {
    RelayFrame::Goodbye(Goodbye { reason, retry_after_ms: 0 })
}

pub fn refused(id: u64) -> RelayFrame {
    RelayFrame::Answer(Answered { id, answer: Answer::Refused(Refusal::Unsupported(Plain {})) })
}

pub fn request(id: u64) -> ClientFrame {
    ClientFrame::Request(Asked { id, request: Request::Routing(Routing { chat: ChatId([3; 32]) }) })
}

/// Short enough for tests, long enough for a busy machine.
pub fn timing() -> Timing {
    Timing { handshake: Duration::from_secs(8), ..Timing::default() }
}

pub fn login_signature(greeted: &Greeted) -> Signature {
    Signature(device_key().sign(&greeted.transcript().device_signs(&DEVICE)).to_bytes())
}

/// A TLS server that is no relay; returns its address.
pub async fn tls_only(config: Arc<ServerConfig>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = TlsAcceptor::from(config.clone()).accept(stream).await;
        }
    });
    address
}
