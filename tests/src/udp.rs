//! The same network for datagrams: a UDP proxy between clients and their relay.
//!
//! It forwards datagrams, and loses, doubles, delays and so reorders them by a seed, swallows them all, or changes the
//! address that the relay sees, as a NAT does that forgot. A thread a flow; nothing here is fast.

mod late;

use crate::dice::Dice;
use late::Late;
use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often threads look whether it is over.
const LOOK: Duration = Duration::from_millis(50);
/// No datagram is longer.
const LONGEST: usize = 65_536;

/// What happens to datagrams, both ways.
#[derive(Debug, Clone)]
pub struct Weather {
    /// Of a thousand, how many are lost.
    pub lost: u64,
    /// Of a thousand, how many arrive twice.
    pub twice: u64,
    /// How late each one arrives, in milliseconds, drawn for each alone: they overtake one another.
    pub late: Range<u64>,
}

/// What happened so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Datagrams that arrived here.
    pub came: usize,
    /// Those that were lost, by the weather or in the hole.
    pub lost: usize,
    /// Those that went on twice.
    pub twice: usize,
    /// Clients seen, by their addresses.
    pub flows: usize,
}

/// The proxy. Dropping it ends it.
#[derive(Debug)]
pub struct UdpProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    /// Towards the clients.
    socket: UdpSocket,
    rules: Mutex<Rules>,
    late: Late,
    stopped: AtomicBool,
}

#[derive(Debug, Default)]
struct Rules {
    upstream: Option<SocketAddr>,
    weather: Option<(Dice, Weather)>,
    hole: bool,
    flows: HashMap<SocketAddr, Arc<Flow>>,
    counts: Counts,
}

/// A client, and the socket by which the relay knows it.
#[derive(Debug)]
struct Flow {
    client: SocketAddr,
    upstream: Mutex<Arc<UdpSocket>>,
}

/// Which way a datagram goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

impl UdpProxy {
    /// Listens at an address; forwards nothing until it knows where to.
    pub fn start(address: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(address)?;
        socket.set_read_timeout(Some(LOOK))?;
        let address = socket.local_addr()?;
        let (rules, late, stopped) = (Mutex::default(), Late::default(), AtomicBool::new(false));
        let shared = Arc::new(Shared { socket, rules, late, stopped });
        let (clients, pacer) = (shared.clone(), shared.clone());
        let threads = vec![thread::spawn(move || clients.hear_clients()), thread::spawn(move || pacer.send_late())];
        Ok(Self { address, shared, threads })
    }

    /// Where clients send to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where datagrams of clients that are new go from now on.
    pub fn forward_to(&self, relay: SocketAddr) {
        self.shared.rules().upstream = Some(relay);
    }

    /// From now on datagrams fare like this, by a seed.
    pub fn weather(&self, seed: u64, weather: Weather) {
        self.shared.rules().weather = Some((Dice::new(seed), weather));
    }

    /// From now on they fare well.
    pub fn calm(&self) {
        self.shared.rules().weather = None;
    }

    /// While on, nothing passes, and nobody is told.
    pub fn swallow(&self, on: bool) {
        self.shared.rules().hole = on;
    }

    /// The relay sees every client at another port from now on, and what it sends to the old ones is lost.
    pub fn rebind(&self) {
        let flows: Vec<_> = self.shared.rules().flows.values().cloned().collect();
        for flow in flows {
            let upstream = self.shared.rules().upstream.expect("a flow has a relay");
            *flow.upstream.lock().expect("no thread of the proxy panics") = upstream_socket(upstream);
            self.shared.clone().hear_relay(flow);
        }
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        self.shared.rules().counts
    }
}

impl Drop for UdpProxy {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Rules {
    /// After which times a datagram goes on; several times, or never.
    fn fate(&mut self) -> Vec<Duration> {
        self.counts.came += 1;
        if self.hole {
            self.counts.lost += 1;
            return Vec::new();
        }
        let Some((dice, weather)) = &mut self.weather else {
            return vec![Duration::ZERO];
        };
        let late = |dice: &mut Dice| Duration::from_millis(dice.draw(&weather.late));
        match dice.draw(&(0..1_000)) {
            rolled if rolled < weather.lost => {
                self.counts.lost += 1;
                Vec::new()
            }
            rolled if rolled < weather.lost + weather.twice => {
                self.counts.twice += 1;
                vec![late(dice), late(dice)]
            }
            _ => vec![late(dice)],
        }
    }
}

impl Flow {
    fn upstream(&self) -> Arc<UdpSocket> {
        self.upstream.lock().expect("no thread of the proxy panics").clone()
    }
}

impl Shared {
    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().expect("no thread of the proxy panics")
    }

    fn is_over(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    fn hear_clients(self: Arc<Self>) {
        let mut buffer = vec![0; LONGEST];
        while !self.is_over() {
            // Errors are timeouts, or news of a client that is gone.
            if let Ok((len, client)) = self.socket.recv_from(&mut buffer)
                && let Some(flow) = self.flow(client)
            {
                self.pass(&flow, Way::Up, &buffer[..len]);
            }
        }
    }

    /// The flow of a client; a new one if there is a relay to send to.
    fn flow(self: &Arc<Self>, client: SocketAddr) -> Option<Arc<Flow>> {
        let mut rules = self.rules();
        if let Some(flow) = rules.flows.get(&client) {
            return Some(flow.clone());
        }
        let flow = Arc::new(Flow { client, upstream: Mutex::new(upstream_socket(rules.upstream?)) });
        rules.flows.insert(client, flow.clone());
        rules.counts.flows += 1;
        self.clone().hear_relay(flow.clone());
        Some(flow)
    }

    /// Starts a thread that hears the relay on a flow's present socket, until it has another.
    fn hear_relay(self: Arc<Self>, flow: Arc<Flow>) {
        thread::spawn(move || {
            let (socket, mut buffer) = (flow.upstream(), vec![0; LONGEST]);
            while !self.is_over() && Arc::ptr_eq(&socket, &flow.upstream()) {
                if let Ok(len) = socket.recv(&mut buffer) {
                    self.pass(&flow, Way::Down, &buffer[..len]);
                }
            }
        });
    }

    fn pass(&self, flow: &Arc<Flow>, way: Way, datagram: &[u8]) {
        let fate = self.rules().fate();
        for after in fate {
            match after {
                Duration::ZERO => self.deliver(flow, way, datagram),
                after => self.late.add(after, flow.clone(), way, datagram.to_vec()),
            }
        }
    }

    /// A datagram that cannot be sent is lost, as datagrams are.
    fn deliver(&self, flow: &Flow, way: Way, datagram: &[u8]) {
        let _ = match way {
            Way::Up => flow.upstream().send(datagram),
            Way::Down => self.socket.send_to(datagram, flow.client),
        };
    }

    fn send_late(self: Arc<Self>) {
        while !self.is_over() {
            if let Some((flow, way, datagram)) = self.late.next(LOOK) {
                self.deliver(&flow, way, &datagram);
            }
        }
    }
}

fn upstream_socket(relay: SocketAddr) -> Arc<UdpSocket> {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.set_read_timeout(Some(LOOK)).expect("a timeout is set");
    socket.connect(relay).expect("an address of this machine");
    Arc::new(socket)
}

#[cfg(test)]
mod tests;
