//! The ways of a cluster: from each node to each NATS server, and from each NATS server to each other one.

use super::NODES;
use crate::link::{Link, Road};
use std::net::SocketAddr;

/// All of them, open at first.
#[derive(Debug)]
pub struct Links {
    /// Of each node, to each server.
    nodes: Vec<Vec<Link>>,
    /// Of each server, to each server; both ends of a pair connect. The one to itself is not used.
    routes: Vec<Vec<Link>>,
}

impl Links {
    /// To NATS servers at these ports, for clients and for other servers.
    pub(super) fn between(ports: &[(u16, u16)]) -> Self {
        let here = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let nodes = || ports.iter().map(|(client, _)| Link::to(here(*client))).collect();
        let routes = || ports.iter().map(|(_, route)| Link::to(here(*route))).collect();
        Self { nodes: (0..NODES).map(|_| nodes()).collect(), routes: (0..NODES).map(|_| routes()).collect() }
    }

    /// By which a node reaches all servers.
    pub(super) fn urls(&self, node: usize) -> String {
        let urls: Vec<String> = self.nodes[node].iter().map(|link| format!("nats://{}", link.address())).collect();
        urls.join(",")
    }

    /// Where a server reaches another one.
    pub(super) fn route(&self, server: usize, other: usize) -> String {
        self.routes[server][other].address().to_string()
    }

    /// What a node's ways to all NATS servers are like.
    pub fn node(&self, node: usize, road: Road) {
        self.nodes[node].iter().for_each(|link| link.set(road));
    }

    /// What the ways between two NATS servers are like.
    pub fn servers(&self, one: usize, other: usize, road: Road) {
        self.routes[one][other].set(road);
        self.routes[other][one].set(road);
    }

    /// Parts a NATS server from the two others, and one node from those two: the node and the server reach each other alone,
    /// and no other node reaches that server.
    pub fn part(&self, node: usize, server: usize, road: Road) {
        for other in (0..NODES).filter(|other| *other != server) {
            self.servers(server, other, road);
            self.nodes[node][other].set(road);
        }
        self.nodes.iter().enumerate().filter(|(at, _)| *at != node).for_each(|(_, links)| links[server].set(road));
    }

    /// What all ways between NATS servers are like.
    pub fn all_servers(&self, road: Road) {
        self.routes.iter().flatten().for_each(|link| link.set(road));
    }

    /// Opens all.
    pub fn heal(&self) {
        self.nodes.iter().chain(&self.routes).flatten().for_each(|link| link.set(Road::Open));
    }

    /// Connections between each pair of NATS servers, and from each node, so far: everything comes this way if none is 0.
    pub fn taken(&self) -> Vec<usize> {
        let pairs = (0..NODES).map(|one| (one, (one + 1) % NODES));
        let routes = pairs.map(|(one, other)| self.routes[one][other].taken() + self.routes[other][one].taken());
        let nodes = self.nodes.iter().map(|links| links.iter().map(Link::taken).sum());
        routes.chain(nodes).collect()
    }
}
