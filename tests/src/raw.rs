//! Connections that send whatever they like: TCP, TLS, WebSocket, and a registered device that speaks frames.

use crate::Relay;
use aside_crypto::lists::first_list;
use aside_crypto::{DeviceKey, RootKey};
use aside_protocol::frame::{ClientFrame, Fault, Hello, Login, Register, RelayFrame, VERSION};
use aside_protocol::invite::Invite;
use aside_protocol::login::{EXPORTER_LABEL, Mode, Transcript, pin};
use aside_protocol::{DeviceId, Millis, Name, Nonce, decode, encode};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// Only a failing test waits this long.
pub const PATIENCE: Duration = Duration::from_secs(30);

impl From<&Relay> for SocketAddr {
    fn from(relay: &Relay) -> Self {
        relay.address()
    }
}

/// TLS to the relay, whoever it says it is.
pub async fn tls(relay: impl Into<SocketAddr>) -> TlsStream<TcpStream> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_no_client_auth();
    let stream = TcpStream::connect(relay.into()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let name = ServerName::try_from("aside-relay").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

/// A connection before its login.
pub struct Raw {
    /// What carries its frames.
    pub socket: WebSocketStream<TlsStream<TcpStream>>,
    exporter: Vec<u8>,
}

impl Raw {
    /// TLS and the WebSocket on it.
    pub async fn connect(relay: impl Into<SocketAddr>) -> Self {
        let stream = tls(relay).await;
        let exporter = stream.get_ref().1.export_keying_material(vec![0; 32], EXPORTER_LABEL, None).unwrap();
        let (socket, _) = tokio_tungstenite::client_async("wss://aside-relay/v1/ws", stream).await.unwrap();
        Self { socket, exporter }
    }

    /// Sends a frame.
    pub async fn frame(&mut self, frame: &ClientFrame) {
        self.bytes(encode(frame)).await;
    }

    /// Sends what may be a frame.
    pub async fn bytes(&mut self, bytes: impl Into<Bytes>) {
        self.message(Message::Binary(bytes.into())).await;
    }

    /// Sends whatever a WebSocket carries.
    pub async fn message(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// The next frame; `None` once the relay has closed.
    pub async fn hear(&mut self) -> Option<RelayFrame> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("the relay says something in time") {
                Some(Ok(Message::Binary(bytes))) => return Some(decode(&bytes).expect("a relay's frame is readable")),
                None | Some(Err(_) | Ok(Message::Close(_))) => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next frame must be a fault of this rule.
    #[track_caller]
    pub fn faulted(frame: Option<RelayFrame>, rule: &str, fatal: bool) -> Fault {
        match frame {
            Some(RelayFrame::Fault(fault)) => {
                assert_eq!((fault.rule.as_str(), fault.fatal), (rule, fatal), "{fault:?}");
                assert!(fault.message.len() > 20 && !fault.message.ends_with('.'), "one clause: {fault:?}");
                fault
            }
            other => panic!("no fault {rule} but {other:?}"),
        }
    }

    /// A fatal fault of this rule, then the end.
    pub async fn ends_with(&mut self, rule: &str) {
        Self::faulted(self.hear().await, rule, true);
        assert_eq!(self.hear().await, None, "closed after {rule}");
    }

    /// A fault of this rule after which the connection goes on.
    pub async fn told(&mut self, rule: &str) {
        Self::faulted(self.hear().await, rule, false);
    }

    /// Says hello; what both sides then sign.
    pub async fn hello(&mut self) -> Transcript {
        self.frame(&ClientFrame::Hello(hello())).await;
        let Some(RelayFrame::HelloOk(ok)) = self.hear().await else { panic!("no hello-ok") };
        Transcript::of(hello(), &ok, pin(&ok.identity), self.exporter.clone())
    }

    /// Registers a new account with one device and waits until it is in.
    pub async fn register(&mut self, name: &str, invite: &Invite) -> Person {
        let transcript = self.hello().await;
        let person = Person::new(name);
        self.frame(&ClientFrame::Register(person.registration(&transcript, invite))).await;
        match self.hear().await {
            Some(RelayFrame::LoginOk(_)) => person,
            other => panic!("not registered: {other:?}"),
        }
    }

    /// Logs a registered device in; panics unless it is let in.
    pub async fn login(&mut self, person: &Person) {
        let transcript = self.hello().await;
        self.frame(&ClientFrame::Login(person.login(&transcript))).await;
        let heard = self.hear().await;
        assert!(matches!(heard, Some(RelayFrame::LoginOk(_))), "not logged in: {heard:?}");
    }
}

/// The hello of a client that offers nothing beyond this version.
pub fn hello() -> Hello {
    Hello { versions: vec![VERSION], capabilities: vec![], nonce: Nonce([7; 32]), mode: Mode::Direct }
}

/// Keys made of a name.
pub struct Person {
    /// The account's.
    pub name: Name,
    /// Of the account.
    pub root: RootKey,
    /// The first device.
    pub device: DeviceId,
    /// That device's.
    pub key: DeviceKey,
}

impl Person {
    /// The same for the same name.
    pub fn new(name: &str) -> Self {
        let first = name.as_bytes()[0];
        let (root, key) = (RootKey::from_entropy(&[first; 32]), DeviceKey::from_seed(&[first; 32]));
        Self { name: Name::new(name).unwrap(), root, device: DeviceId([first; 16]), key }
    }

    /// Signs a registration with an invite.
    pub fn registration(&self, transcript: &Transcript, invite: &Invite) -> Register {
        let list = first_list(&self.root, self.device, self.key.public(), Millis(1));
        let (secret, root, name) = (invite.secret, self.root.public(), self.name.clone());
        let signed = transcript.registration_signs(&secret.0, name.as_str(), &root, &list);
        Register { secret, name, root, list, signature: self.key.sign(&signed) }
    }

    /// Signs a login.
    pub fn login(&self, transcript: &Transcript) -> Login {
        Login { device: self.device, signature: self.key.sign(&transcript.device_signs(&self.device)) }
    }
}

#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
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
        rustls::crypto::verify_tls13_signature(message, node, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
