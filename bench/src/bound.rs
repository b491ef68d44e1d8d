//! The bound: a forwarder over the same TLS and WebSocket that keeps nothing, as its own process; and its clients.
//!
//! It does what no relay can do without: takes a frame, answers its sender, hands it to the partner, or to everybody
//! else. Nothing is decoded, stored, counted or checked. How near the relay comes to it tells what everything else costs.

use crate::error::BenchError;
use crate::figures::Figures;
use crate::fleet::{BODY, Heard, Stamp, Talker};
use crate::person::random;
use crate::wire::{Transport, Wire, websocket_config};
use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use rustls::ServerConfig;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// As long as the relay's `Sent`.
const ANSWER: Bytes = Bytes::from_static(&[b'a'; 32]);
/// As many bytes around a body as the relay's clients send: chat, numbers, framing.
const AROUND: usize = 60;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// What one says goes to all others, instead of to its partner.
    #[arg(long)]
    to_all: bool,
}

/// Serves until it is killed; its first line of output is its address.
pub async fn run(args: Args) -> Result<Figures, BenchError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let acceptor = TlsAcceptor::from(Arc::new(tls()?));
    println!("{}", listener.local_addr()?);
    let partners = Arc::new(Partners { queues: Mutex::default(), to_all: args.to_all });
    loop {
        let (stream, _) = listener.accept().await?;
        let (acceptor, partners) = (acceptor.clone(), partners.clone());
        tokio::spawn(async move {
            // A client that goes away is no news.
            let _ = serve(stream, acceptor, &partners).await;
        });
    }
}

fn tls() -> Result<ServerConfig, BenchError> {
    let made = rcgen::generate_simple_self_signed(vec!["aside-relay".to_owned()]).map_err(io::Error::other)?;
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .map_err(io::Error::other)?;
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// Where frames for each number go; 2k and 2k + 1 are partners, unless everybody is everybody's.
struct Partners {
    queues: Mutex<HashMap<u64, Queue>>,
    to_all: bool,
}

/// The way to one client. Who comes first makes it.
struct Queue(UnboundedSender<Bytes>, Option<UnboundedReceiver<Bytes>>);

impl Partners {
    fn with<T>(&self, number: u64, work: impl FnOnce(&mut Queue) -> T) -> T {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        work(queues.entry(number).or_insert_with(|| {
            let (sender, receiver) = unbounded_channel();
            Queue(sender, Some(receiver))
        }))
    }

    /// The receiving end, for the first who asks.
    fn join(&self, number: u64) -> Option<UnboundedReceiver<Bytes>> {
        self.with(number, |queue| queue.1.take())
    }

    fn of(&self, number: u64) -> Vec<UnboundedSender<Bytes>> {
        if !self.to_all {
            return vec![self.with(number ^ 1, |queue| queue.0.clone())];
        }
        let queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        queues.iter().filter(|(other, _)| **other != number).map(|(_, queue)| queue.0.clone()).collect()
    }
}

type Socket = WebSocketStream<TlsStream<TcpStream>>;

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, partners: &Partners) -> Result<(), BenchError> {
    stream.set_nodelay(true)?;
    let tls = acceptor.accept(stream).await?;
    let accepted = tokio_tungstenite::accept_async_with_config(tls, Some(websocket_config())).await;
    let mut socket = accepted.map_err(io::Error::other)?;
    let Some(Ok(Message::Binary(hello))) = socket.next().await else { return Ok(()) };
    let number = hello.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let Some(incoming) = partners.join(number) else { return Ok(()) };
    // From here on what others say reaches it.
    socket.send(Message::Binary(ANSWER)).await.map_err(io::Error::other)?;
    forward(socket, incoming, || partners.of(number)).await
}

async fn forward(
    mut socket: Socket,
    mut incoming: UnboundedReceiver<Bytes>,
    find: impl Fn() -> Vec<UnboundedSender<Bytes>>,
) -> Result<(), BenchError> {
    let mut partners = None;
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Binary(frame))) => {
                    pass_on(partners.get_or_insert_with(&find), frame);
                    socket.feed(Message::Binary(ANSWER)).await.map_err(io::Error::other)?;
                }
                _ => return Ok(()),
            },
            Some(frame) = incoming.recv() => {
                socket.feed(Message::Binary(frame)).await.map_err(io::Error::other)?;
            }
        }
        while let Some(Some(Ok(Message::Binary(frame)))) = socket.next().now_or_never() {
            pass_on(partners.get_or_insert_with(&find), frame);
            socket.feed(Message::Binary(ANSWER)).await.map_err(io::Error::other)?;
        }
        while let Ok(frame) = incoming.try_recv() {
            socket.feed(Message::Binary(frame)).await.map_err(io::Error::other)?;
        }
        socket.flush().await.map_err(io::Error::other)?;
    }
}

fn pass_on(partners: &[UnboundedSender<Bytes>], frame: Bytes) {
    // One may be gone; then the client finds that its message did not come.
    partners.iter().for_each(|partner| drop(partner.send(frame.clone())));
}

/// One end of a pair at the bound.
pub struct BoundTalker {
    wire: Wire,
    body: [u8; BODY],
}

impl BoundTalker {
    /// Connects as this number, and waits until others can reach it.
    pub async fn connect(address: SocketAddr, number: u64) -> Result<Self, BenchError> {
        let mut wire = Wire::connect(&address.to_string(), Transport::Ws).await?;
        wire.feed(Bytes::copy_from_slice(&number.to_be_bytes())).await?;
        wire.flush().await?;
        wire.next().await?;
        Ok(Self { wire, body: random()? })
    }
}

impl Talker for BoundTalker {
    fn wire(&mut self) -> &mut Wire {
        &mut self.wire
    }

    fn message(&mut self, stamp: Stamp) -> Bytes {
        stamp.put(&mut self.body);
        let mut frame = self.body.to_vec();
        frame.resize(BODY + AROUND, 0);
        Bytes::from(frame)
    }

    fn hear(&mut self, frame: &Bytes) -> Result<Heard, BenchError> {
        if frame.len() == ANSWER.len() { Ok(Heard::Answered) } else { Ok(Heard::Message(Stamp::of(frame)?)) }
    }

    async fn settle(&mut self, _: bool) -> Result<(), BenchError> {
        Ok(())
    }
}
