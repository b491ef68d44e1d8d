//! The world: one loop that takes the next event, moves the clock to it, and lets it happen.

use super::agenda::{Agenda, Conn, Event};
use super::client::{Arrived, Client};
use super::connection::Connection;
use super::login::EXPORTER;
use super::oracle::Oracle;
use super::plan::Plan;
use super::record::{Coverage, Trace};
use super::relay::Relay;
use super::session::Desk;
use super::words::Words;
use aside_protocol::frame::RelayFrame;
use aside_protocol::{Millis, Nonce, codec};
use aside_relay::clock::Now;
use aside_relay::session::{Channel, Session};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Everything there is.
pub struct World {
    /// What will be done.
    pub plan: Plan,
    /// Virtual milliseconds since the beginning.
    pub now: u64,
    /// What happens next.
    pub agenda: Agenda,
    /// The relay.
    pub relay: Relay,
    /// The clients.
    pub clients: Vec<Client>,
    /// Between them.
    pub connections: BTreeMap<Conn, Connection>,
    /// The truth.
    pub oracle: Oracle,
    /// How often rare things happened.
    pub coverage: Coverage,
    /// What happened.
    pub trace: Trace,
    /// Names for ids.
    pub words: Words,
    pub(super) origin: Instant,
    pub(super) done: usize,
    pub(super) next_number: u64,
    start: u64,
    connected: Conn,
}

impl World {
    /// A relay and registered clients. The clock starts at real now; nothing depends on that.
    pub fn new(plan: Plan, trace: bool) -> Self {
        let start = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64;
        let relay = Relay::new(&plan, Millis(start));
        let mut world = Self {
            relay,
            plan,
            now: 0,
            agenda: Agenda::default(),
            clients: Vec::new(),
            connections: BTreeMap::new(),
            oracle: Oracle::default(),
            coverage: Coverage::default(),
            trace: Trace::new(trace),
            words: Words::default(),
            origin: Instant::now(),
            done: 0,
            next_number: 0,
            start,
            connected: 0,
        };
        world.agenda.at(0, Event::Retain(world.relay.life));
        world.register();
        world
    }

    /// The true time.
    pub fn wall(&self) -> Millis {
        Millis(self.start + self.now)
    }

    /// Both readings of the relay's clock.
    pub(super) fn steady(&self) -> Now {
        Now { wall: self.wall(), steady: self.now }
    }

    /// Lets the next event happen; what should have happened while all slept happens late.
    pub fn step(&mut self) {
        let Some((time, event)) = self.agenda.pop() else { panic!("nothing will ever happen again") };
        self.now = self.now.max(time);
        match event {
            Event::Act => self.act(),
            Event::Up(conn) => self.up_arrives(conn),
            Event::Down(conn) => self.down_arrives(conn),
            Event::UpLost(conn) => self.close_desk(conn, true),
            Event::DownLost(conn) => self.down_lost(conn),
            Event::Session(conn) => self.session(conn),
            Event::SessionTick(conn) => self.session_tick(conn),
            Event::Read(conn, job) => self.read(conn, job),
            Event::Write(life) => self.write(life),
            Event::HandOut(life) => self.hand_out(life),
            Event::Retain(life) => self.retain(life),
            Event::RelayStart => self.start_relay(),
            Event::Take(who) => self.take(who),
            Event::Tick(who, life) => self.tick(who, life),
            Event::Dial(who, life) => self.dial(who, life),
            Event::LoginLate(who, conn) => self.login_late(who, conn),
            Event::ClientStart(who) => self.start_client(who),
        }
    }

    /// A client reaches the relay: a connection and a session for it.
    pub(super) fn connect(&mut self, who: usize) -> Conn {
        self.connected += 1;
        let conn = self.connected;
        let channel = Channel { nonce: Nonce(self.relay.dice.bytes()), exporter: Some(EXPORTER.to_vec()) };
        let session = Session::new(self.relay.setup.clone(), channel, self.steady());
        let connection =
            Connection::new(who, Desk::new(session, self.plan.push_queue, &self.relay.hub), self.plan.seed, conn);
        self.connections.insert(conn, connection);
        self.agenda.at(self.now + 5_000, Event::SessionTick(conn));
        conn
    }

    /// The client sends a frame, or ends the stream.
    pub(super) fn up(&mut self, conn: Conn, frame: Option<Bytes>) {
        let delays = self.plan.delays;
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        let earliest = (self.now + connection.dice.delay(delays.0, delays.1)).max(connection.late_until);
        let at = connection.up.send(frame, earliest);
        self.agenda.at(at, Event::Up(conn));
    }

    fn up_arrives(&mut self, conn: Conn) {
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        let open_at = connection.late_until.max(self.clients[connection.client].blocked_until);
        if open_at > self.now && !connection.up.frames.is_empty() {
            return self.agenda.at(open_at, Event::Up(conn));
        }
        let frame = connection.up.frames.pop_front();
        let Some(desk) = connection.desk.as_mut().filter(|_| !connection.up.dead) else { return };
        match frame {
            Some(Some(bytes)) => {
                self.coverage.saw_if(!connection.held, "frames of an old connection");
                desk.socket.push_back(bytes);
                self.wake(conn);
            }
            // What was read before the end is still answered to nobody; the session is gone.
            Some(None) if desk.socket.is_empty() => self.close_desk(conn, true),
            Some(None) => {
                connection.up.frames.push_front(None);
                self.agenda.at(self.now + 20, Event::Up(conn));
            }
            None => {}
        }
    }

    fn down_arrives(&mut self, conn: Conn) {
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        let who = connection.client;
        let open_at = self.clients[who].blocked_until;
        if open_at > self.now && !connection.down.frames.is_empty() {
            return self.agenda.at(open_at, Event::Down(conn));
        }
        let frame = connection.down.frames.pop_front();
        if connection.down.dead || self.clients[who].conn() != Some(conn) {
            return;
        }
        match frame {
            Some(Some(bytes)) => {
                let frame: RelayFrame = codec::decode(&bytes).expect("the relay sends frames");
                self.arrived(who, conn, frame);
            }
            Some(None) => self.down_lost(conn),
            None => {}
        }
    }

    /// The client notices that its connection is gone, after what arrived before.
    fn down_lost(&mut self, conn: Conn) {
        let Some(connection) = self.connections.get(&conn) else { return };
        let who = connection.client;
        if self.clients[who].conn() == Some(conn) {
            match self.clients[who].is_online() {
                true => self.came(who, Arrived::Closed(0)),
                false => self.lose_link(who, 0),
            }
        }
    }

    /// Forgets a connection that nobody holds.
    pub(super) fn forget_if_over(&mut self, conn: Conn) {
        if self.connections.get(&conn).is_some_and(Connection::is_over) {
            self.connections.remove(&conn);
        }
    }
}
