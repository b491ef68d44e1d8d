//! One connection on a link: in each direction a thread that reads at once, and one that writes when the way lets it.

use super::{Road, Shared};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Instant;

/// Both ends.
#[derive(Debug)]
pub(super) struct Connection {
    from: TcpStream,
    to: TcpStream,
}

/// Bytes that have come, and when; none at the end.
type Came = (Instant, Vec<u8>);

impl Connection {
    pub(super) fn new(from: TcpStream, to: TcpStream) -> Self {
        let _ = (from.set_nodelay(true), to.set_nodelay(true));
        Self { from, to }
    }

    /// Ends it for both.
    pub(super) fn end(&self) {
        let _ = self.from.shutdown(Shutdown::Both);
        let _ = self.to.shutdown(Shutdown::Both);
    }

    fn ends(&self, forth: bool) -> (&TcpStream, &TcpStream) {
        if forth { (&self.from, &self.to) } else { (&self.to, &self.from) }
    }

    fn take(&self, forth: bool, came: &mpsc::Sender<Came>) {
        let (mut from, mut buffer) = (self.ends(forth).0, vec![0; 64 << 10]);
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            if came.send((Instant::now(), buffer[..read].to_vec())).is_err() {
                return;
            }
        }
    }

    /// Until the sender has ended and all it sent has passed.
    fn give(&self, forth: bool, coming: &mpsc::Receiver<Came>, shared: &Shared) {
        let mut to = self.ends(forth).1;
        for (came, bytes) in coming {
            if let Road::Slow(delay) = shared.passable() {
                thread::sleep((came + delay).saturating_duration_since(Instant::now()));
                shared.passable();
            }
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        shared.passable();
        let _ = to.shutdown(Shutdown::Write);
        let _ = self.ends(forth).0.shutdown(Shutdown::Read);
    }
}

/// Starts the threads; the connection lives as long as one of them does.
pub(super) fn run(connection: &Arc<Connection>, shared: &Arc<Shared>) {
    for forth in [true, false] {
        let (came, coming) = mpsc::channel();
        let (taker, giver, shared) = (connection.clone(), connection.clone(), shared.clone());
        thread::spawn(move || taker.take(forth, &came));
        thread::spawn(move || giver.give(forth, &coming, &shared));
    }
}
