//! A tiny relay for these tests: real TLS, WebSockets and QUIC, with an identity of its own and a chosen misbehaviour.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, missing_docs)]

use aside_protocol::frame::{
    Answered, Asked, ClientFrame, Fault, Goodbye, Hello, HelloOk, LoginOk, Ping, RelayFrame, VERSION,
};
use aside_protocol::login::{EXPORTER_LABEL, Mode, QUIC_ALPN, Transcript, pin};
use aside_protocol::refusal::Plain;
use aside_protocol::request::{Answer, Request, Routing};
use aside_protocol::stream::{self, Cutter};
use aside_protocol::{
    AccountId, ChatId, DeviceId, Hash, LogId, Millis, Name, Nonce, PublicKey, Refusal, Signature, decode, encode,
};
use aside_transport::{Choice, Greeted, Plan, Target, Timing, Transport};
use bytes::{Bytes, BytesMut};
use ed25519_dalek::{Signer, SigningKey as DeviceKey};
use futures_util::{SinkExt, StreamExt};
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Connection, Endpoint, Incoming, RecvStream, SendStream};
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

/// Makes a test of each function for each transport.
#[macro_export]
macro_rules! over_each {
    ($($test:ident),* $(,)?) => {
        mod quic {
            $(#[tokio::test] async fn $test() { super::$test(aside_transport::Transport::Quic).await })*
        }
        mod websocket {
            $(#[tokio::test] async fn $test() { super::$test(aside_transport::Transport::WebSocket).await })*
        }
    };
}

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
    /// Sends these after the login.
    Says(Vec<Said>),
    /// Sends this after the login and drops the socket without a closing handshake.
    SaysAndDies(RelayFrame),
    /// After the login, sends this many pongs' worth of frames: faults that are not fatal, numbered.
    Floods(usize),
}

/// Something a relay sends.
#[derive(Debug, Clone)]
pub enum Said {
    Frame(Bytes),
    Text(&'static str),
    /// Bytes of the stream under the frames; WebSocket has none.
    Raw(Bytes),
}

/// What a relay speaks over.
enum Socket {
    WebSocket(Box<WebSocketStream<TlsStream<TcpStream>>>),
    Quic { send: SendStream, recv: RecvStream, cutter: Cutter, connection: Connection },
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
    _endpoint: Endpoint,
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
        Self::start_by(act, certificates, None, false).await
    }

    /// Reached by one transport only: TCP refuses, or UDP swallows everything.
    pub async fn start_only(act: Act, only: Transport) -> Self {
        Self::start_by(act, certificates("aside-relay", identity(), None), Some(only), false).await
    }

    /// Reached by QUIC only, and what a client sends first is lost: its hello, though it fills two packets.
    pub async fn start_losing_the_first() -> Self {
        let certificates = certificates("aside-relay", identity(), None);
        Self::start_by(Act::Honest, certificates, Some(Transport::Quic), true).await
    }

    async fn start_by(act: Act, certificates: Certificates, only: Option<Transport>, mut lose: bool) -> Self {
        let (listener, endpoint) = listen(&certificates.config).await;
        let address = listener.local_addr().unwrap().to_string();
        let pin = pin(&public(&certificates.identity));
        let (sender, got) = watch::channel(Vec::new());
        let shared = Arc::new(Shared {
            identity: certificates.identity,
            tls: certificates.config,
            _endpoint: endpoint.clone(),
            act,
            device: device_key(),
            got: sender,
        });
        let by_quic = shared.clone();
        tokio::spawn(async move {
            while let Some(incoming) = endpoint.accept().await {
                match only {
                    Some(Transport::WebSocket) => incoming.ignore(),
                    _ if std::mem::take(&mut lose) => incoming.ignore(),
                    _ => drop(tokio::spawn(serve_quic(by_quic.clone(), incoming))),
                }
            }
        });
        if only != Some(Transport::Quic) {
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve_websocket(shared.clone(), stream));
                }
            });
        }
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

/// The same port for TCP and UDP.
async fn listen(tls: &Arc<ServerConfig>) -> (TcpListener, Endpoint) {
    let mut tls = ServerConfig::clone(tls);
    tls.alpn_protocols = vec![QUIC_ALPN.to_vec()];
    let crypto = Arc::new(QuicServerConfig::try_from(tls).unwrap());
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = quinn::ServerConfig::with_crypto(crypto.clone());
        if let Ok(endpoint) = Endpoint::server(config, listener.local_addr().unwrap()) {
            return (listener, endpoint);
        }
    }
}

impl Socket {
    async fn say(&mut self, frame: &RelayFrame) -> Option<()> {
        self.send(Said::Frame(encode(frame))).await
    }

    async fn send(&mut self, said: Said) -> Option<()> {
        match (self, said) {
            (Self::WebSocket(socket), Said::Frame(frame)) => socket.send(Message::Binary(frame)).await.ok(),
            (Self::WebSocket(socket), Said::Text(text)) => socket.send(Message::text(text)).await.ok(),
            (Self::Quic { send, .. }, Said::Frame(frame)) => {
                let mut bytes = BytesMut::new();
                stream::put(&frame, &mut bytes);
                send.write_chunk(bytes.freeze()).await.ok()
            }
            (Self::Quic { send, .. }, Said::Raw(bytes)) => send.write_chunk(bytes).await.ok(),
            (_, said) => panic!("this transport cannot say {said:?}"),
        }
    }

    async fn heard(&mut self) -> Option<ClientFrame> {
        loop {
            match self {
                Self::WebSocket(socket) => match socket.next().await?.ok()? {
                    Message::Binary(bytes) => return decode(&bytes).ok(),
                    Message::Close(_) => return None,
                    _ => {}
                },
                Self::Quic { recv, cutter, .. } => {
                    if let Some(frame) = cutter.frame().unwrap() {
                        return decode(&frame).ok();
                    }
                    cutter.push(recv.read_chunk(usize::MAX, true).await.ok()??.bytes);
                }
            }
        }
    }

    /// Goes away without a closing handshake, once the last word has reached the other machine.
    async fn die(&mut self) {
        if let Self::Quic { send, connection, .. } = self {
            let _ = send.finish();
            let _ = send.stopped().await;
            connection.close(9_u32.into(), b"died");
        }
    }

    /// Waits until the client has closed, once this side has said its last word.
    async fn end(&mut self) {
        if let Self::Quic { send, connection, .. } = self {
            let _ = send.finish();
            connection.closed().await;
        }
    }
}

async fn serve_quic(shared: Arc<Shared>, incoming: Incoming) -> Option<()> {
    let connection = incoming.await.ok()?;
    let mut exporter = [0; 32];
    connection.export_keying_material(&mut exporter, EXPORTER_LABEL, &[]).unwrap();
    let (send, recv) = connection.accept_bi().await.ok()?;
    let socket = Socket::Quic { send, recv, cutter: Cutter::default(), connection };
    serve(shared, socket, exporter.to_vec()).await
}

async fn serve_websocket(shared: Arc<Shared>, stream: TcpStream) -> Option<()> {
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
    let socket = tokio_tungstenite::accept_hdr_async(tls, upgrade).await.ok()?;
    assert_eq!(*path.lock().unwrap(), "/v1/ws");
    serve(shared, Socket::WebSocket(Box::new(socket)), exporter.to_vec()).await
}

async fn serve(shared: Arc<Shared>, mut socket: Socket, exporter: Vec<u8>) -> Option<()> {
    let ended = converse(&shared, &mut socket, exporter).await;
    match &shared.act {
        Act::SaysAndDies(_) => socket.die().await,
        _ => socket.end().await,
    }
    ended
}

async fn converse(shared: &Shared, socket: &mut Socket, exporter: Vec<u8>) -> Option<()> {
    let ClientFrame::Hello(hello) = socket.heard().await? else { return None };
    let transcript = greet(shared, socket, hello, exporter).await?;
    enter(shared, socket, &transcript).await?;
    live(shared, socket).await;
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
        Act::InsteadOfHello(frame) => socket.say(frame).await?,
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
    socket.say(&RelayFrame::HelloOk(ok)).await?;
    Some(transcript)
}

async fn enter(shared: &Shared, socket: &mut Socket, transcript: &Transcript) -> Option<()> {
    let public = PublicKey(shared.device.verifying_key().to_bytes());
    let proved = match socket.heard().await? {
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
    socket.say(&answer).await
}

async fn live(shared: &Shared, socket: &mut Socket) -> Option<()> {
    match &shared.act {
        Act::Says(messages) => {
            for message in messages {
                socket.send(message.clone()).await?;
            }
        }
        Act::SaysAndDies(frame) => {
            socket.heard().await?;
            socket.say(frame).await?;
            return None;
        }
        Act::Floods(count) => {
            for i in 0..*count {
                socket.say(&fault(&format!("T-{i}"), false)).await?;
            }
        }
        _ => {}
    }
    while let Some(frame) = socket.heard().await {
        shared.got.send_modify(|got| got.push(frame.name().to_owned()));
        match frame {
            _ if matches!(shared.act, Act::Mute) => {}
            ClientFrame::Ping(_) => socket.say(&RelayFrame::Pong(Ping {})).await?,
            ClientFrame::Request(asked) => socket.say(&refused(asked.id)).await?,
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
        addresses: Vec::new(),
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
    Timing { handshake: Duration::from_secs(8), connect: Duration::from_secs(8), ..Timing::default() }
}

/// By this transport alone.
pub fn by(transport: Transport) -> Plan {
    by_with(transport, timing())
}

/// The same with other patience.
pub fn by_with(transport: Transport, timing: Timing) -> Plan {
    Plan { choice: Choice::Only(transport), timing, ..Plan::default() }
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
