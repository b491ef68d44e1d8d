//! Which network this device is in, as far as a relay is concerned, and which transport worked there (rule `QUI-6`).
//!
//! Nothing is sent to find out: connecting a UDP socket only asks the system for a route.

use crate::dial::Transport;
use aside_protocol::Hash;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// A network and a relay in it, as a hash, which is short and of one length. It hides nothing: whoever has it can try
/// out networks and relays. What is remembered of places where a device was is as secret as where it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(pub Hash);

impl Network {
    /// The network this device would reach `relay` from, if there is a way at all.
    pub fn towards(relay: SocketAddr) -> Option<Self> {
        let prefix = prefix(local_address(relay)?);
        let place = format!("{prefix} {relay}");
        Some(Self(Hash::labelled("aside/1 network", &[place.as_bytes()])))
    }
}

/// Which transport worked in which network, as remembered by the caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known(HashMap<Network, Transport>);

impl Known {
    /// What worked there.
    pub fn get(&self, network: &Network) -> Option<Transport> {
        self.0.get(network).copied()
    }

    /// Notes what worked there, or what should be tried first.
    pub fn set(&mut self, network: Network, transport: Transport) {
        self.0.insert(network, transport);
    }
}

/// The address the system would use towards `relay`.
pub(crate) fn local_address(relay: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = if relay.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(relay).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

/// The first 24 bits of an IPv4 address, the first 64 of an IPv6 one.
fn prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & !0xff).into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests;
