//! A client that speaks frames and nothing more: TLS with the pin checked, hello, login, requests, deliveries.

use crate::people::Person;
use crate::socket::Socket;
use aside_protocol::envelope::Envelope;
use aside_protocol::frame::{Ack, Asked, Attach, ClientFrame, Hello, LoginOk, Position, RelayFrame, VERSION};
use aside_protocol::invite::{Invite, InviteSecret};
use aside_protocol::login::{EXPORTER_LABEL, Mode, QUIC_ALPN, Transcript, pin};
use aside_protocol::request::{Answer, Request};
use aside_protocol::{ChatId, Cursor, Hash, LogId, Nonce, PartitionId, Pos, PublicKey, Refusal, codec};
use aside_relay_core::Layout;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What carries the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Quic,
    WebSocket,
}

/// Makes a test of each function for each transport.
#[macro_export]
macro_rules! over_each {
    ($($test:ident),* $(,)?) => {
        mod quic {
            $(#[tokio::test] async fn $test() { super::$test($crate::client::Transport::Quic).await })*
        }
        mod websocket {
            $(#[tokio::test] async fn $test() { super::$test($crate::client::Transport::WebSocket).await })*
        }
    };
}

/// A connection before its login.
pub struct Unauthenticated {
    pub socket: Socket,
    pub pin: Hash,
    pub exporter: Vec<u8>,
}

/// A logged-in connection.
pub struct Client {
    pub socket: Socket,
    pub welcome: LoginOk,
    pub inbox: VecDeque<RelayFrame>,
    /// The partition that delivered last, in which positions are acknowledged; the directory before that.
    pub place: PartitionId,
    next_id: u64,
}

fn config(pin: Hash) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = Arc::new(Pinned { pin, provider: provider.clone() });
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth()
}

pub async fn tls(invite: &Invite) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(&invite.addresses[0]).await.unwrap();
    let name = ServerName::try_from("aside-relay").unwrap();
    TlsConnector::from(Arc::new(config(invite.pin))).connect(name, stream).await.unwrap()
}

pub fn quic_config(pin: Hash, alpn: &[u8]) -> quinn::ClientConfig {
    let mut tls = config(pin);
    tls.alpn_protocols = vec![alpn.to_vec()];
    quinn::ClientConfig::new(Arc::new(quinn::crypto::rustls::QuicClientConfig::try_from(tls).unwrap()))
}

/// A QUIC connection whose handshake is done, if it may name this protocol.
pub async fn quic(invite: &Invite, alpn: &[u8]) -> Result<quinn::Connection, quinn::ConnectionError> {
    let endpoint = quinn::Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = invite.addresses[0].parse().unwrap();
    endpoint.connect_with(quic_config(invite.pin, alpn), address, "aside-relay").unwrap().await
}

impl Unauthenticated {
    pub async fn connect(invite: &Invite, via: Transport) -> Self {
        let mut exporter = vec![0; 32];
        let socket = match via {
            Transport::WebSocket => {
                let stream = tls(invite).await;
                stream.get_ref().1.export_keying_material(&mut exporter, EXPORTER_LABEL, None).unwrap();
                Socket::websocket(stream).await
            }
            Transport::Quic => {
                let connection = quic(invite, QUIC_ALPN).await.unwrap();
                connection.export_keying_material(&mut exporter, EXPORTER_LABEL, &[]).unwrap();
                Socket::quic(connection).await
            }
        };
        Self { socket, pin: invite.pin, exporter }
    }

    pub async fn send(&mut self, frame: &ClientFrame) {
        self.socket.send(codec::encode(frame)).await;
    }

    pub async fn receive(&mut self) -> Option<RelayFrame> {
        self.socket.receive().await
    }

    pub fn hello() -> Hello {
        Hello { versions: vec![VERSION], capabilities: vec!["none".into()], nonce: Nonce([7; 32]), mode: Mode::Direct }
    }

    /// Says hello, checks that the relay is the one of the pin, and builds the transcript.
    pub async fn transcript(&mut self) -> Transcript {
        let hello = Self::hello();
        self.send(&ClientFrame::Hello(hello.clone())).await;
        let Some(RelayFrame::HelloOk(ok)) = self.receive().await else { panic!("no hello-ok") };
        assert_eq!(pin(&ok.identity), self.pin);
        let transcript = Transcript::of(hello, &ok, self.pin, self.exporter.clone());
        assert!(ok.identity.verifies(&transcript.relay_signs(), &ok.signature));
        transcript
    }

    pub async fn login(mut self, person: &Person) -> Client {
        let transcript = self.transcript().await;
        self.send(&ClientFrame::Login(person.login(&transcript))).await;
        self.logged_in().await.unwrap_or_else(|refusal| panic!("refused: {refusal:?}"))
    }

    pub async fn register(self, person: &Person, secret: InviteSecret) -> Client {
        self.try_register(person, secret).await.unwrap_or_else(|refusal| panic!("refused: {refusal:?}"))
    }

    pub async fn try_register(mut self, person: &Person, secret: InviteSecret) -> Result<Client, Refusal> {
        let transcript = self.transcript().await;
        self.send(&ClientFrame::Register(person.registration(&transcript, secret))).await;
        self.logged_in().await
    }

    pub async fn logged_in(mut self) -> Result<Client, Refusal> {
        match self.receive().await {
            Some(RelayFrame::LoginOk(welcome)) => {
                Ok(Client { socket: self.socket, welcome, inbox: VecDeque::new(), place: PartitionId(0), next_id: 1 })
            }
            Some(RelayFrame::LoginRefused(refusal)) => Err(refusal),
            other => panic!("neither logged in nor refused: {other:?}"),
        }
    }
}

impl Client {
    pub fn log(&self) -> LogId {
        self.welcome.log
    }

    /// The same in each partition: where a position was never given it counts for nothing.
    pub async fn attach_at(&mut self, pos: u64) {
        self.attach(self.log(), Pos(pos)).await;
    }

    pub async fn attach(&mut self, log: LogId, pos: Pos) {
        let partitions = self.welcome.positions.iter().map(|place| place.partition);
        let cursors = partitions.map(|partition| Cursor { log, partition, pos }).collect();
        self.send(&ClientFrame::Attach(Attach { cursors })).await;
    }

    /// What the login said of a chat's partition.
    pub fn position(&self, chat: &ChatId) -> Position {
        let layout = u16::try_from(self.welcome.positions.len()).ok().and_then(Layout::new).unwrap();
        self.welcome.positions[usize::from(layout.of_chat(chat).0)]
    }

    pub async fn send(&mut self, frame: &ClientFrame) {
        self.socket.send(codec::encode(frame)).await;
    }

    pub async fn ack(&mut self, pos: Pos) {
        self.send(&ClientFrame::Ack(Ack { partition: self.place, pos })).await;
    }

    /// Sends a request without waiting for its answer.
    pub async fn post(&mut self, request: Request) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.send(&ClientFrame::Request(Asked { id, request })).await;
        id
    }

    /// Sends a request and waits for its answer; what else comes stays in the inbox.
    pub async fn ask(&mut self, request: Request) -> Answer {
        let id = self.post(request).await;
        self.answer_to(id).await
    }

    pub async fn answer_to(&mut self, id: u64) -> Answer {
        loop {
            match self.socket.receive().await {
                Some(RelayFrame::Answer(answered)) if answered.id == id => return answered.answer,
                Some(frame) => self.inbox.push_back(frame),
                None => panic!("closed before the answer"),
            }
        }
    }

    /// Makes the relay write, so that it notices if nobody reads.
    pub async fn stopped_hearing(&mut self) {
        if let Socket::Quic(quic) = &mut self.socket {
            let ping = codec::encode(&ClientFrame::Ping(aside_protocol::frame::Ping {}));
            let mut bytes = aside_protocol::stream::head(ping.len()).to_vec();
            bytes.extend_from_slice(&ping);
            let _ = quic.send.write_all(&bytes).await;
        }
    }

    /// The next frame, first from the inbox. `None` when the connection has ended.
    pub async fn next(&mut self) -> Option<RelayFrame> {
        let next = match self.inbox.pop_front() {
            Some(frame) => Some(frame),
            None => self.socket.receive().await,
        };
        if let Some(RelayFrame::Deliver(envelope)) = &next {
            self.place = envelope.partition;
        }
        next
    }

    /// The next envelope, skipping what is not one.
    pub async fn envelope(&mut self) -> Envelope {
        loop {
            match self.next().await {
                Some(RelayFrame::Deliver(envelope)) => return envelope,
                Some(RelayFrame::CaughtUp(_) | RelayFrame::Answer(_)) => {}
                other => panic!("no envelope but {other:?}"),
            }
        }
    }

    /// The next frame that neither delivers nor says that delivery caught up.
    pub async fn other(&mut self) -> Option<RelayFrame> {
        loop {
            match self.next().await {
                Some(RelayFrame::Deliver(_) | RelayFrame::CaughtUp(_)) => {}
                other => return other,
            }
        }
    }
}

/// Accepts a certificate for "aside-relay" signed by an authority whose key has the pin.
#[derive(Debug)]
struct Pinned {
    pin: Hash,
    provider: Arc<rustls::crypto::CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        node: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(intermediates[0].clone().into_owned())?;
        let info = roots.roots[0].subject_public_key_info.as_ref();
        let key = PublicKey::from_slice(&info[info.len() - 32..]).unwrap();
        assert_eq!(pin(&key), self.pin, "the authority's key is the identity of the invite");
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone())
            .build()
            .unwrap()
            .verify_server_cert(node, &[], name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("only TLS 1.3".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        node: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, node, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
