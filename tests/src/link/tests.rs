use super::*;
use crate::wait_for;
use std::io::{ErrorKind, Read, Write};
use std::time::Instant;

const SOON: Duration = Duration::from_secs(10);

/// Both ends of a connection over a link.
fn connected() -> (Link, TcpListener, TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let link = Link::to(listener.local_addr().unwrap());
    let from = TcpStream::connect(link.address()).unwrap();
    let to = listener.accept().unwrap().0;
    from.set_read_timeout(Some(SOON)).unwrap();
    to.set_read_timeout(Some(SOON)).unwrap();
    (link, listener, from, to)
}

fn passes(mut from: &TcpStream, mut to: &TcpStream, text: &str) -> Duration {
    let (began, mut got) = (Instant::now(), vec![0; text.len()]);
    from.write_all(text.as_bytes()).unwrap();
    to.read_exact(&mut got).unwrap();
    assert_eq!(got, text.as_bytes());
    began.elapsed()
}

#[test]
fn an_open_way_carries_both_directions_and_the_end() {
    let (link, _listener, from, mut to) = connected();
    passes(&from, &to, "there");
    passes(&to, &from, "and back");
    assert_eq!(link.taken(), 1);
    drop(from);
    assert_eq!(to.read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn a_slow_way_delays_each_direction_and_not_one_chunk_after_the_other() {
    let (link, _listener, from, to) = connected();
    let delay = Duration::from_millis(200);
    link.set(Road::Slow(delay));
    assert!(passes(&from, &to, "there") >= delay);
    assert!(passes(&to, &from, "back") >= delay);
    let began = Instant::now();
    for chunk in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] {
        (&from).write_all(chunk.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(5));
    }
    (&to).read_exact(&mut [0; 10]).unwrap();
    assert!(began.elapsed() < delay * 5, "{:?}", began.elapsed());
}

#[test]
fn on_a_stuck_way_nothing_passes_nothing_ends_and_all_comes_later() {
    let (link, listener, mut from, mut to) = connected();
    link.set(Road::Stuck);
    from.write_all(b"late").unwrap();
    let mut other = TcpStream::connect(link.address()).unwrap();
    other.write_all(b"too").unwrap();
    to.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let waited = to.read(&mut [0; 8]).unwrap_err();
    assert!(matches!(waited.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{waited}");
    assert_eq!(link.taken(), 1);
    to.set_read_timeout(Some(SOON)).unwrap();
    link.set(Road::Open);
    let mut got = [0; 4];
    to.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"late");
    let mut second = listener.accept().unwrap().0;
    let mut got = [0; 3];
    second.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"too");
}

#[test]
fn a_cut_way_ends_what_is_there_refuses_what_comes_and_can_be_mended() {
    let (link, listener, mut from, mut to) = connected();
    wait_for("it to be taken", SOON, || link.taken() == 1);
    link.set(Road::Cut);
    assert!(matches!(from.read(&mut [0; 8]), Ok(0) | Err(_)));
    assert!(matches!(to.read(&mut [0; 8]), Ok(0) | Err(_)));
    let mut refused = TcpStream::connect(link.address()).unwrap();
    refused.set_read_timeout(Some(SOON)).unwrap();
    assert!(matches!(refused.read(&mut [0; 8]), Ok(0) | Err(_)));
    link.set(Road::Open);
    let again = TcpStream::connect(link.address()).unwrap();
    passes(&again, &listener.accept().unwrap().0, "again");
    assert_eq!(link.taken(), 2);
}

#[test]
fn a_link_that_is_dropped_ends_its_connections() {
    let (link, _listener, mut from, _to) = connected();
    let address = link.address();
    drop(link);
    assert!(matches!(from.read(&mut [0; 8]), Ok(0) | Err(_)));
    wait_for("nobody to listen there", SOON, || TcpStream::connect(address).is_err());
}
