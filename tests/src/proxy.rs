//! A network that can be broken at will: a TCP proxy between clients and their relay.
//!
//! It forwards bytes, which it cannot read, and misbehaves as told while it runs: cutting, refusing, losing replies,
//! delaying what was already sent, cutting at random. Two threads a connection; nothing here is fast.

mod connection;

use crate::dice::Dice;
use connection::Connection;
use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long connecting to the relay may take; both are on this machine.
const CONNECT: Duration = Duration::from_secs(5);

/// The proxy. Dropping it ends every connection.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// What all threads of a proxy see.
#[derive(Debug, Default)]
struct Shared {
    rules: Mutex<Rules>,
    capture: Mutex<Option<Vec<u8>>>,
}

#[derive(Debug, Default)]
struct Rules {
    upstream: Option<SocketAddr>,
    refusing: bool,
    stopped: bool,
    accepted: usize,
    random: Option<(Dice, Range<u64>)>,
    hold_over: Option<usize>,
    connections: Vec<Weak<Connection>>,
}

impl Shared {
    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().expect("no thread of the proxy panics")
    }

    /// Keeps bytes that crossed, when capturing.
    fn record(&self, bytes: &[u8]) {
        if let Some(kept) = self.capture.lock().expect("no thread of the proxy panics").as_mut() {
            kept.extend_from_slice(bytes);
        }
    }
}

impl FaultProxy {
    /// Listens on a free port of the loopback address; refuses until it knows where to forward to.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let shared = Arc::new(Shared::default());
        let seen = shared.clone();
        let acceptor = thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if seen.rules().stopped {
                    return;
                }
                accept(&seen, client);
            }
        });
        Self { address, shared, acceptor: Some(acceptor) }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where new connections go from now on.
    pub fn forward_to(&self, relay: SocketAddr) {
        self.shared.rules().upstream = Some(relay);
    }

    /// Cuts every connection. One that is being held is cut on the client's side only: what the client sent is still
    /// on its way to the relay, and [`FaultProxy::release`] lets it arrive.
    pub fn cut(&self) {
        self.connections().iter().for_each(|connection| connection.cut());
    }

    /// While on, new connections end at once. Those that exist go on.
    pub fn refuse(&self, on: bool) {
        self.shared.rules().refusing = on;
    }

    /// From now on the connections that exist lose everything the relay says. Cut them afterwards: the stream has a
    /// hole. Connections made later are not touched.
    pub fn swallow_replies(&self) {
        self.connections().iter().for_each(|connection| connection.swallow());
    }

    /// Bytes of the relay lost so far on connections that are still known.
    pub fn swallowed(&self) -> u64 {
        self.connections().iter().map(|connection| connection.swallowed()).sum()
    }

    /// From now on, what clients send on the connections that exist does not reach the relay, but waits here, even
    /// when its client goes away. Connections made later are not touched.
    pub fn hold(&self) {
        self.connections().iter().for_each(|connection| connection.hold());
    }

    /// From now on, each connection, existing or new, is held like that once its client sends more than so many bytes
    /// in one go: from a request on that is told from others by its size.
    pub fn hold_over(&self, bytes: usize) {
        let mut rules = self.shared.rules();
        rules.connections.iter().filter_map(Weak::upgrade).for_each(|connection| connection.hold_over(bytes));
        rules.hold_over = Some(bytes);
    }

    /// Connections of which bytes wait here.
    pub fn holding(&self) -> usize {
        self.connections().iter().filter(|connection| connection.held() > 0).count()
    }

    /// Bytes of clients that wait here.
    pub fn held(&self) -> usize {
        self.connections().iter().map(|connection| connection.held()).sum()
    }

    /// Lets what was held arrive at the relay, late, and holds no longer.
    pub fn release(&self) {
        self.shared.rules().hold_over = None;
        self.connections().iter().for_each(|connection| connection.release());
    }

    /// Cuts each connection, existing or new, after a number of bytes drawn from `bytes`. The same seed and the same
    /// order of connections give the same draws.
    pub fn cut_at_random(&self, seed: u64, bytes: Range<u64>) {
        let mut dice = Dice::new(seed);
        let mut rules = self.shared.rules();
        for connection in rules.connections.iter().filter_map(Weak::upgrade) {
            connection.allow(Some(dice.draw(&bytes)));
        }
        rules.random = Some((dice, bytes));
    }

    /// Ends random cuts, for existing connections too.
    pub fn calm(&self) {
        self.shared.rules().random = None;
        self.connections().iter().for_each(|connection| connection.allow(None));
    }

    /// Keeps every byte that crosses from now on, in both directions.
    pub fn start_capture(&self) {
        self.shared.capture.lock().expect("no thread of the proxy panics").get_or_insert_default();
    }

    /// What crossed since [`FaultProxy::start_capture`].
    pub fn captured(&self) -> Vec<u8> {
        self.shared.capture.lock().expect("no thread of the proxy panics").clone().unwrap_or_default()
    }

    /// Connections taken since the start, refused ones not counted.
    pub fn accepted(&self) -> usize {
        self.shared.rules().accepted
    }

    /// Connections that exist, held ones included.
    pub fn open(&self) -> usize {
        self.connections().len()
    }

    fn connections(&self) -> Vec<Arc<Connection>> {
        self.shared.rules().connections.iter().filter_map(Weak::upgrade).collect()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.shared.rules().stopped = true;
        self.connections().iter().for_each(|connection| connection.end());
        // Wakes the acceptor, which then sees that it is over.
        if let Ok(mut wake) = TcpStream::connect(self.address) {
            let _ = wake.write_all(b"");
        }
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

/// Connects a client to the relay, unless it is refused or there is no relay.
fn accept(shared: &Arc<Shared>, client: TcpStream) {
    let upstream = {
        let rules = shared.rules();
        rules.upstream.filter(|_| !rules.refusing)
    };
    let Some(relay) = upstream.and_then(|to| TcpStream::connect_timeout(&to, CONNECT).ok()) else {
        let _ = client.shutdown(Shutdown::Both);
        return;
    };
    let connection = Arc::new(Connection::new(client, relay));
    let mut rules = shared.rules();
    rules.accepted += 1;
    if let Some((dice, bytes)) = rules.random.as_mut() {
        let bytes = bytes.clone();
        connection.allow(Some(dice.draw(&bytes)));
    }
    if let Some(bytes) = rules.hold_over {
        connection.hold_over(bytes);
    }
    rules.connections.retain(|known| known.strong_count() > 0);
    rules.connections.push(Arc::downgrade(&connection));
    connection::run(connection, shared);
}

#[cfg(test)]
mod tests;
