//! Each way to misbehave, against a server that echoes.

use super::*;
use crate::wait_for;

const PATIENCE: Duration = Duration::from_secs(10);

/// A server that echoes each datagram with the port it came from before it.
struct Echo {
    proxy: UdpProxy,
    client: UdpSocket,
}

impl Echo {
    fn start() -> Self {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let proxy = UdpProxy::start("127.0.0.1:0".parse().unwrap()).unwrap();
        proxy.forward_to(server.local_addr().unwrap());
        thread::spawn(move || {
            let mut buffer = vec![0; LONGEST];
            while let Ok((len, from)) = server.recv_from(&mut buffer) {
                let mut answer = from.port().to_be_bytes().to_vec();
                answer.extend_from_slice(&buffer[..len]);
                let _ = server.send_to(&answer, from);
            }
        });
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.connect(proxy.address()).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { proxy, client }
    }

    fn send(&self, number: u8) {
        self.client.send(&[number]).unwrap();
    }

    /// The port the server saw, and the number.
    fn hear(&self) -> (u16, u8) {
        let mut buffer = [0; 16];
        let len = self.client.recv(&mut buffer).expect("an echo in time");
        assert_eq!(len, 3);
        (u16::from_be_bytes([buffer[0], buffer[1]]), buffer[2])
    }
}

#[test]
fn datagrams_pass_both_ways() {
    let echo = Echo::start();
    for number in 0..20 {
        echo.send(number);
        assert_eq!(echo.hear().1, number);
    }
    assert_eq!(echo.proxy.counts(), Counts { came: 40, flows: 1, ..Counts::default() });
}

#[test]
fn nothing_comes_out_of_the_hole() {
    let echo = Echo::start();
    echo.proxy.swallow(true);
    echo.send(1);
    wait_for("the datagram to be lost", PATIENCE, || echo.proxy.counts().lost == 1);
    echo.proxy.swallow(false);
    echo.send(2);
    assert_eq!(echo.hear().1, 2);
}

#[test]
fn bad_weather_loses_doubles_and_reorders() {
    let echo = Echo::start();
    echo.proxy.weather(1, Weather { lost: 200, twice: 200, late: 0..20 });
    let mut heard = Vec::new();
    for number in 0..200 {
        echo.send(number);
    }
    wait_for("all to come and go", PATIENCE, || {
        echo.client.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let mut buffer = [0; 16];
        while echo.client.recv(&mut buffer).is_ok() {
            heard.push(buffer[2]);
        }
        echo.proxy.counts().came >= 200 && heard.len() > 50
    });
    let counts = echo.proxy.counts();
    assert!(counts.lost > 20 && counts.twice > 20, "{counts:?}");
    assert!(!heard.is_sorted(), "in order");
}

#[test]
fn after_a_rebind_the_server_sees_another_port() {
    let echo = Echo::start();
    echo.send(1);
    let before = echo.hear().0;
    echo.proxy.rebind();
    echo.send(2);
    let after = echo.hear();
    assert!(after.0 != before && after.1 == 2);
}
