//! One connection through the proxy: two threads that carry bytes, and the switches that disturb them.

use super::Shared;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

/// A client and the relay, and what happens to the bytes between them.
#[derive(Debug)]
pub(super) struct Connection {
    client: TcpStream,
    relay: TcpStream,
    /// Held bytes. The way to the relay is used under this lock, so that they keep their place.
    held: Mutex<Vec<u8>>,
    /// Changes under that lock; read without it too, since a write that is stuck must not hinder a cut.
    holding: AtomicBool,
    /// Holding begins with the first read from the client that is longer than this.
    hold_over: AtomicUsize,
    swallowing: AtomicBool,
    swallowed: AtomicU64,
    /// Bytes that may still cross, in both directions together; none for no limit.
    allowance: Mutex<Option<u64>>,
}

impl Connection {
    pub(super) fn new(client: TcpStream, relay: TcpStream) -> Self {
        let _ = (client.set_nodelay(true), relay.set_nodelay(true));
        Self {
            client,
            relay,
            held: Mutex::default(),
            holding: AtomicBool::new(false),
            hold_over: AtomicUsize::new(usize::MAX),
            swallowing: AtomicBool::new(false),
            swallowed: AtomicU64::new(0),
            allowance: Mutex::new(None),
        }
    }

    fn way_up(&self) -> MutexGuard<'_, Vec<u8>> {
        self.held.lock().expect("no thread of the proxy panics")
    }

    fn is_holding(&self) -> bool {
        self.holding.load(Ordering::SeqCst)
    }

    /// Cuts both sides; of a held connection only the client's.
    pub(super) fn cut(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        if !self.is_holding() {
            let _ = self.relay.shutdown(Shutdown::Both);
        }
    }

    /// Cuts both sides, held or not.
    pub(super) fn end(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.relay.shutdown(Shutdown::Both);
    }

    pub(super) fn swallow(&self) {
        self.swallowing.store(true, Ordering::SeqCst);
    }

    pub(super) fn swallowed(&self) -> u64 {
        self.swallowed.load(Ordering::SeqCst)
    }

    pub(super) fn hold(&self) {
        let _way = self.way_up();
        self.holding.store(true, Ordering::SeqCst);
    }

    pub(super) fn hold_over(&self, bytes: usize) {
        self.hold_over.store(bytes, Ordering::SeqCst);
    }

    pub(super) fn held(&self) -> usize {
        self.way_up().len()
    }

    pub(super) fn release(&self) {
        let mut held = self.way_up();
        self.holding.store(false, Ordering::SeqCst);
        self.hold_over(usize::MAX);
        let late = std::mem::take(&mut *held);
        // The relay may have given the connection up; then the bytes are lost, as they would be.
        let _ = (&self.relay).write_all(&late);
    }

    pub(super) fn allow(&self, bytes: Option<u64>) {
        *self.allowance.lock().expect("no thread of the proxy panics") = bytes;
    }

    /// How many of `wanted` bytes may cross.
    fn spend(&self, wanted: usize) -> usize {
        let mut allowance = self.allowance.lock().expect("no thread of the proxy panics");
        let Some(left) = allowance.as_mut() else { return wanted };
        let granted = wanted.min(usize::try_from(*left).unwrap_or(usize::MAX));
        *left -= granted as u64;
        granted
    }

    /// Client to relay, until the client is gone.
    fn carry_up(&self, shared: &Shared) {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(read @ 1..) = (&self.client).read(&mut buffer) {
            let granted = self.spend(read);
            let bytes = &buffer[..granted];
            shared.record(bytes);
            let mut held = self.way_up();
            if read > self.hold_over.load(Ordering::SeqCst) {
                self.holding.store(true, Ordering::SeqCst);
            }
            if self.is_holding() {
                held.extend_from_slice(bytes);
            } else if (&self.relay).write_all(bytes).is_err() {
                break;
            }
            drop(held);
            if granted < read {
                self.end();
            }
        }
        if !self.is_holding() {
            let _ = self.relay.shutdown(Shutdown::Write);
        }
    }

    /// Relay to client, until the relay is gone. Goes on without a client, so that the relay is never stuck.
    fn carry_down(&self, shared: &Shared) {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(read @ 1..) = (&self.relay).read(&mut buffer) {
            if self.swallowing.load(Ordering::SeqCst) {
                self.swallowed.fetch_add(read as u64, Ordering::SeqCst);
                continue;
            }
            let granted = self.spend(read);
            shared.record(&buffer[..granted]);
            let _ = (&self.client).write_all(&buffer[..granted]);
            if granted < read {
                self.end();
            }
        }
        let _ = self.client.shutdown(Shutdown::Both);
    }
}

/// Starts both threads; the connection lives as long as one of them does.
pub(super) fn run(connection: Arc<Connection>, shared: &Arc<Shared>) {
    let (up, up_shared, down_shared) = (connection.clone(), shared.clone(), shared.clone());
    thread::spawn(move || up.carry_up(&up_shared));
    thread::spawn(move || connection.carry_down(&down_shared));
}
