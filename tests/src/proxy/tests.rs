//! Each way to misbehave, against a server that echoes and remembers.

use super::FaultProxy;
use crate::wait_for;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);

/// A server that echoes, and what it heard on each connection.
struct Echo {
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Echo {
    fn behind(proxy: &FaultProxy) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        proxy.forward_to(listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let shared = heard.clone();
        thread::spawn(move || {
            for (index, stream) in listener.incoming().flatten().enumerate() {
                let shared: Arc<Mutex<Vec<Vec<u8>>>> = shared.clone();
                shared.lock().unwrap().push(Vec::new());
                thread::spawn(move || echo(stream, index, &shared));
            }
        });
        Self { heard }
    }

    fn heard(&self, connection: usize) -> Vec<u8> {
        self.heard.lock().unwrap().get(connection).cloned().unwrap_or_default()
    }
}

fn echo(mut stream: TcpStream, index: usize, heard: &Mutex<Vec<Vec<u8>>>) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        heard.lock().unwrap()[index].extend_from_slice(&buffer[..read]);
        if stream.write_all(&buffer[..read]).is_err() {
            return;
        }
    }
}

fn client(proxy: &FaultProxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn ask(stream: &mut TcpStream, text: &[u8]) -> std::io::Result<Vec<u8>> {
    stream.write_all(text)?;
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

#[test]
fn bytes_pass_and_are_captured() {
    let proxy = FaultProxy::start();
    let _echo = Echo::behind(&proxy);
    let mut stream = client(&proxy);
    assert_eq!(ask(&mut stream, b"before").unwrap(), b"before");
    proxy.start_capture();
    assert_eq!(ask(&mut stream, b"after").unwrap(), b"after");
    assert_eq!(proxy.captured(), b"afterafter");
}

#[test]
fn cutting_ends_what_exists_and_nothing_else() {
    let proxy = FaultProxy::start();
    let _echo = Echo::behind(&proxy);
    let mut stream = client(&proxy);
    ask(&mut stream, b"one").unwrap();
    proxy.cut();
    assert!(ask(&mut stream, b"two").is_err());
    assert_eq!(ask(&mut client(&proxy), b"three").unwrap(), b"three");
    wait_for("the cut connection to be forgotten", PATIENCE, || proxy.open() <= 1);
}

#[test]
fn refusing_ends_new_connections_only() {
    let proxy = FaultProxy::start();
    let _echo = Echo::behind(&proxy);
    let mut old = client(&proxy);
    ask(&mut old, b"one").unwrap();
    proxy.refuse(true);
    assert!(ask(&mut client(&proxy), b"two").is_err());
    assert_eq!(ask(&mut old, b"three").unwrap(), b"three");
    proxy.refuse(false);
    assert_eq!(ask(&mut client(&proxy), b"four").unwrap(), b"four");
}

#[test]
fn a_swallowed_reply_was_heard_by_the_relay() {
    let proxy = FaultProxy::start();
    let echo = Echo::behind(&proxy);
    let mut stream = client(&proxy);
    ask(&mut stream, b"one").unwrap();
    proxy.swallow_replies();
    stream.write_all(b"lost").unwrap();
    wait_for("the reply to be lost", PATIENCE, || proxy.swallowed() == 4);
    assert_eq!(echo.heard(0), b"onelost");
    proxy.cut();
    assert_eq!(stream.read(&mut [0; 8]).unwrap_or(0), 0, "the client never got it");
}

#[test]
fn held_bytes_arrive_late_though_their_client_is_gone() {
    let proxy = FaultProxy::start();
    let echo = Echo::behind(&proxy);
    let mut old = client(&proxy);
    ask(&mut old, b"one").unwrap();
    proxy.hold();
    old.write_all(b"late").unwrap();
    wait_for("the bytes to wait", PATIENCE, || proxy.held() == 4);
    proxy.cut();
    drop(old);
    assert_eq!(ask(&mut client(&proxy), b"new").unwrap(), b"new");
    assert_eq!(echo.heard(0), b"one", "still held");
    proxy.release();
    wait_for("the late bytes", PATIENCE, || echo.heard(0) == b"onelate");
    assert_eq!(echo.heard(1), b"new");
}

#[test]
fn what_is_long_is_held_and_all_behind_it() {
    let proxy = FaultProxy::start();
    let echo = Echo::behind(&proxy);
    let (mut stream, mut other) = (client(&proxy), client(&proxy));
    assert_eq!((ask(&mut stream, b"one").unwrap(), ask(&mut other, b"1").unwrap()), (b"one".into(), b"1".into()));
    let (held, goes_on) = if echo.heard(0) == b"one" { (0, 1) } else { (1, 0) };
    proxy.hold_over(4);
    assert_eq!(ask(&mut stream, b"four").unwrap(), b"four");
    stream.write_all(b"longer").unwrap();
    wait_for("the bytes to wait", PATIENCE, || proxy.held() == 6);
    stream.write_all(b"two").unwrap();
    wait_for("those behind them to wait", PATIENCE, || proxy.held() == 9);
    assert_eq!(ask(&mut other, b"2").unwrap(), b"2");
    assert_eq!((proxy.holding(), echo.heard(held), echo.heard(goes_on)), (1, b"onefour".into(), b"12".into()));
    proxy.release();
    wait_for("all of it", PATIENCE, || echo.heard(held) == b"onefourlongertwo");
    let mut echoed = [0; 9];
    stream.read_exact(&mut echoed).unwrap();
    assert_eq!(&echoed, b"longertwo");
    assert_eq!(ask(&mut stream, b"as before").unwrap(), b"as before", "it holds no longer");
}

/// How much crosses before each of three cuts.
fn cuts(seed: u64) -> Vec<usize> {
    let proxy = FaultProxy::start();
    let _echo = Echo::behind(&proxy);
    proxy.cut_at_random(seed, 1..4_000);
    let one = || {
        let mut stream = client(&proxy);
        (0_usize..).take_while(|_| ask(&mut stream, b"x").is_ok()).count()
    };
    (0..3).map(|_| one()).collect()
}

#[test]
fn random_cuts_follow_their_seed() {
    let first = cuts(7);
    assert!(first.iter().all(|count| *count < 2_000), "{first:?}");
    assert_eq!(first, cuts(7));
    assert_ne!(first, cuts(8));
}

#[test]
fn calm_ends_random_cuts() {
    let proxy = FaultProxy::start();
    let _echo = Echo::behind(&proxy);
    proxy.cut_at_random(1, 0..1);
    assert!(ask(&mut client(&proxy), b"x").is_err());
    proxy.calm();
    assert_eq!(ask(&mut client(&proxy), b"y").unwrap(), b"y");
}

#[test]
fn a_relay_that_is_down_looks_like_a_lost_connection() {
    let proxy = FaultProxy::start();
    assert!(ask(&mut client(&proxy), b"x").is_err());
    assert_eq!(proxy.accepted(), 0);
}
