//! Taking the relay's port: TCP and UDP of the same number, or a reason why not.

use crate::server::StartError;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use tokio::net::TcpListener;

/// How many ports of the system's choice are tried until one is free for UDP as well.
const TRIES: u32 = 32;

/// Binds both and says where. For port 0 the system picks for TCP, again if that number is taken for UDP.
pub async fn bind(wanted: SocketAddr) -> Result<(TcpListener, UdpSocket, SocketAddr), StartError> {
    let mut tries = if wanted.port() == 0 { TRIES } else { 1 };
    loop {
        tries -= 1;
        let listener = TcpListener::bind(wanted).await.map_err(|e| StartError::Listen(wanted, e))?;
        let listen = listener.local_addr()?;
        match udp(listen) {
            Ok(socket) => return Ok((listener, socket, listen)),
            Err(error) if error.kind() == ErrorKind::AddrInUse && tries > 0 => {}
            Err(error) => return Err(StartError::ListenUdp(listen, error)),
        }
    }
}

fn udp(at: SocketAddr) -> std::io::Result<UdpSocket> {
    let socket = UdpSocket::bind(at)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
