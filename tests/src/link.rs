//! A way between two servers that can be cut, stuck or slow: a TCP proxy that stands between the one that connects and the
//! one that listens. Needs no rights, unlike a network namespace, and only this way is touched.
//!
//! It cannot lose single bytes, as TCP does not either: what is sent on a stuck way arrives when the way is open again,
//! unless one end has given the connection up by then. Few connections, four threads each; nothing here is fast.

mod carry;

use carry::Connection;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::thread;
use std::time::Duration;

/// How long connecting may take; both ends are on this machine.
const CONNECT: Duration = Duration::from_secs(5);

/// What the way is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Road {
    /// Everything passes at once.
    #[default]
    Open,
    /// Connections have ended, new ones end at once: both ends know it.
    Cut,
    /// Connections stay and nothing passes, new ones wait: no end knows it.
    Stuck,
    /// Everything passes so much later, in each direction.
    Slow(Duration),
}

/// One way, for connections from one end to the other. Dropping it cuts it.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What all threads of a link see.
#[derive(Debug)]
struct Shared {
    to: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    road: Road,
    over: bool,
    taken: usize,
    connections: Vec<Weak<Connection>>,
}

impl Link {
    /// An open way to `to`, from a free port of the loopback address.
    pub fn to(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let shared = Arc::new(Shared { to, state: Mutex::default(), changed: Condvar::new() });
        let seen = shared.clone();
        thread::spawn(move || {
            for from in listener.incoming().flatten() {
                if seen.state().over {
                    return;
                }
                let seen = seen.clone();
                thread::spawn(move || accept(&seen, from));
            }
        });
        Self { address, shared }
    }

    /// Where its beginning listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes it so from now on, for the connections that exist too.
    pub fn set(&self, road: Road) {
        let mut state = self.shared.state();
        state.road = road;
        if road == Road::Cut {
            state.connections.drain(..).filter_map(|connection| connection.upgrade()).for_each(|c| c.end());
        }
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Connections that it has taken through since the start.
    pub fn taken(&self) -> usize {
        self.shared.state().taken
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.shared.state().over = true;
        self.set(Road::Cut);
        // Wakes the acceptor, which then sees that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread of the link panics")
    }

    /// Waits while the way is stuck; what it is like then.
    fn passable(&self) -> Road {
        let state = self.state();
        let stuck = |state: &mut State| state.road == Road::Stuck;
        self.changed.wait_while(state, stuck).expect("no thread of the link panics").road
    }
}

/// Connects the one that came to the other end, once the way lets it.
fn accept(shared: &Arc<Shared>, from: TcpStream) {
    let open = shared.passable() != Road::Cut;
    let to = open.then(|| TcpStream::connect_timeout(&shared.to, CONNECT).ok()).flatten();
    let Some(to) = to else {
        let _ = from.shutdown(Shutdown::Both);
        return;
    };
    let connection = Arc::new(Connection::new(from, to));
    let mut state = shared.state();
    if state.road == Road::Cut {
        return connection.end();
    }
    state.taken += 1;
    state.connections.retain(|known| known.strong_count() > 0);
    state.connections.push(Arc::downgrade(&connection));
    drop(state);
    carry::run(&connection, shared);
}

#[cfg(test)]
mod tests;
