//! A client's connection: dialling, logging in, taking frames, ticking, losing it.

use super::agenda::{Conn, Event};
use super::client::{Arrived, Link};
use super::wire::Wire;
use super::world::World;
use aside_engine::Effect;
use aside_protocol::frame::{ClientFrame, Ping, RelayFrame};
use aside_protocol::limits::{PING_MS, SILENCE_MS};
use aside_protocol::login::Transcript;

/// Most frames that an engine takes in one transaction.
const BATCH: usize = 128;
/// How long a client waits for its login.
const LOGIN_PATIENCE: u64 = 15_000;
/// How often a client that waits for nothing looks at its clock; one that does looks every second.
const LAZY_TICK: u64 = 5_000;

impl World {
    /// The client's end of its connection is closed; the relay hears of it after what was sent, or not at all.
    pub(super) fn drop_link(&mut self, who: usize, heard: bool) {
        if let Some(conn) = self.clients[who].conn() {
            // What it sent last may be late, later than its next login.
            if let Some(connection) = self.connections.get_mut(&conn)
                && connection.dice.once_in(3)
            {
                connection.late_until = self.now + connection.dice.delay(2_000, 20_000);
            }
            if heard {
                self.up(conn, None);
            }
            if let Some(connection) = self.connections.get_mut(&conn) {
                connection.held = false;
            }
            self.forget_if_over(conn);
        }
        let client = &mut self.clients[who];
        client.link = Link::Offline;
        client.life += 1;
        client.inbox.clear();
        client.wire = Wire::default();
    }

    /// The process goes on without a connection. Acknowledgements that were held back go out first, if they can.
    pub(super) fn disconnect(&mut self, who: usize) {
        let Some(engine) = self.clients[who].engine.as_mut() else { return };
        let last = engine.last_acks();
        engine.disconnected();
        self.run_effects(who, last);
        self.drop_link(who, true);
    }

    /// Dials again after a pause that grows with each failure.
    pub(super) fn dial_later(&mut self, who: usize, at_least: u64) {
        let client = &mut self.clients[who];
        if client.away || client.engine.is_none() {
            return;
        }
        let pause = client.backoff.next(client.dice.below(1000) as f64 / 1000.0).as_millis() as u64;
        let life = client.life;
        self.agenda.at(self.now + pause.max(at_least), Event::Dial(who, life));
    }

    /// Opens a connection, if the relay can be reached.
    pub(super) fn dial(&mut self, who: usize, life: u32) {
        let client = &mut self.clients[who];
        if client.away || client.engine.is_none() || client.life != life || client.conn().is_some() {
            return;
        }
        if !self.relay.is_up() || client.blocked_until > self.now {
            self.trace.say(self.now, || format!("{} cannot reach the relay", client.name));
            return self.dial_later(who, 500);
        }
        let conn = self.connect(who);
        let client = &mut self.clients[who];
        let hello = super::login::hello(&mut client.dice);
        client.link = Link::Greeting(conn, hello.clone());
        (client.heard, client.said) = (self.now, self.now);
        self.send_up(who, &ClientFrame::Hello(hello));
        self.agenda.at(self.now + LOGIN_PATIENCE, Event::LoginLate(who, conn));
    }

    /// A login that took too long is given up.
    pub(super) fn login_late(&mut self, who: usize, conn: Conn) {
        let client = &self.clients[who];
        if client.conn() == Some(conn) && !client.is_online() {
            self.lose_link(who, 0);
        }
    }

    /// The connection is gone; another one is tried.
    pub(super) fn lose_link(&mut self, who: usize, at_least: u64) {
        self.trace.say(self.now, || format!("{} loses its connection", self.clients[who].name));
        self.disconnect(who);
        self.dial_later(who, at_least);
    }

    /// A frame arrived at the client.
    pub(super) fn arrived(&mut self, who: usize, conn: Conn, frame: RelayFrame) {
        let client = &mut self.clients[who];
        client.heard = self.now;
        match (&client.link, frame) {
            (Link::Greeting(_, hello), RelayFrame::HelloOk(ok)) => {
                let transcript = super::login::check(hello, ok, &self.relay.setup.identity.pin());
                self.log_in(who, conn, &transcript);
            }
            (Link::LoggingIn(_), RelayFrame::LoginOk(ok)) => {
                client.link = Link::Online(conn);
                let life = client.life;
                self.agenda.at(self.now + 1_000, Event::Tick(who, life));
                self.in_engine(who, |engine, now, dice| Ok(((), engine.logged_in(&ok, now, dice)?)));
            }
            (Link::Online(_), RelayFrame::Goodbye(goodbye)) => {
                self.coverage.saw("goodbye");
                self.came(who, Arrived::Closed(goodbye.retry_after_ms));
            }
            (Link::Online(_), RelayFrame::Fault(fault)) => panic!("{}: fault {}", client.name, fault.rule),
            (Link::Online(_), RelayFrame::Pong(_)) => {}
            (Link::Online(_), frame) => {
                client.wire.arrived(&frame, &client.device).unwrap_or_else(|e| panic!("{}: {e}", client.name));
                self.cover_frame(who, &frame);
                self.came(who, Arrived::Frame(Box::new(frame)));
            }
            (_, RelayFrame::Fault(fault)) if fault.rule != "LOG-4" => panic!("{}: {}", client.name, fault.message),
            // A goodbye, a refusal or an end before the login.
            _ => self.lose_link(who, 0),
        }
    }

    fn log_in(&mut self, who: usize, conn: Conn, transcript: &Transcript) {
        let client = &mut self.clients[who];
        let Some(engine) = &client.engine else { return };
        let login = super::login::login(engine.me(), transcript);
        client.link = Link::LoggingIn(conn);
        self.send_up(who, &login);
    }

    /// Something waits to be taken.
    pub(super) fn came(&mut self, who: usize, what: Arrived) {
        self.clients[who].inbox.push_back(what);
        self.wake_client(who);
    }

    fn wake_client(&mut self, who: usize) {
        let client = &mut self.clients[who];
        if !client.take_due && !client.inbox.is_empty() {
            client.take_due = true;
            let at = (self.now + client.dice.delay(5, 300)).max(client.stalled_until);
            self.agenda.at(at, Event::Take(who));
        }
    }

    /// The engine takes frames that arrived, in one transaction.
    pub(super) fn take(&mut self, who: usize) {
        let client = &mut self.clients[who];
        client.take_due = false;
        if client.stalled_until > self.now {
            return self.wake_client(who);
        }
        let most = if client.dice.once_in(3) { client.dice.index(3) + 1 } else { BATCH };
        let mut frames = Vec::new();
        let mut closed = None;
        while frames.len() < most {
            match client.inbox.pop_front() {
                Some(Arrived::Frame(frame)) => frames.push(*frame),
                Some(Arrived::Closed(wait)) => {
                    closed = Some(wait);
                    break;
                }
                None => break,
            }
        }
        if !frames.is_empty() {
            client.backoff.reset();
            self.take_frames(who, frames);
        }
        match closed {
            Some(wait) if self.clients[who].engine.is_some() => self.lose_link(who, wait),
            _ => self.wake_client(who),
        }
    }

    fn take_frames(&mut self, who: usize, frames: Vec<RelayFrame>) {
        let now = self.clock(who);
        let client = &mut self.clients[who];
        client.ticked = false;
        let Some(engine) = client.engine.as_mut() else { return };
        let effects = engine
            .frames(frames, now, &mut client.dice)
            .unwrap_or_else(|error| panic!("{}'s engine fails: {error}", client.name));
        let doom = client.doom.take();
        self.observe(who);
        self.cover_held(who);
        self.run_effects_unless_doomed(who, effects, doom);
    }

    /// Runs effects; a client that is to die now gets no further than so many of them.
    pub(super) fn run_effects_unless_doomed(&mut self, who: usize, effects: Vec<Effect>, doom: Option<(u8, u64)>) {
        let Some((count, down)) = doom else { return self.run_effects(who, effects) };
        let sends: Vec<Effect> = effects.into_iter().filter(|e| matches!(e, Effect::Send(_))).collect();
        let some = sends.len() > usize::from(count) && count > 0;
        self.coverage.saw(if some { "client died among its effects" } else { "client died after a commit" });
        self.run_effects(who, sends.into_iter().take(count.into()).collect());
        self.crash(who, false, down);
    }

    /// A second passed for a client.
    pub(super) fn tick(&mut self, who: usize, life: u32) {
        let client = &mut self.clients[who];
        if client.life != life || !client.is_online() {
            return;
        }
        let lazy = client.ticked && self.agenda.is_quiet();
        let at = (self.now + if lazy { LAZY_TICK } else { 1_000 }).max(client.stalled_until);
        self.agenda.at(at, Event::Tick(who, life));
        if self.now.saturating_sub(client.heard) >= SILENCE_MS && client.inbox.is_empty() {
            self.coverage.saw("silence");
            return self.lose_link(who, 0);
        }
        let quiet_since = client.heard.min(client.said);
        client.ticked = true;
        self.in_engine(who, |engine, now, dice| Ok(((), engine.tick(now, dice)?)));
        if self.now.saturating_sub(quiet_since) >= PING_MS {
            self.send_up(who, &ClientFrame::Ping(Ping {}));
        }
    }

    /// A client sends a frame on its connection, if it has one.
    pub(super) fn send_up(&mut self, who: usize, frame: &ClientFrame) {
        let client = &mut self.clients[who];
        let Some(conn) = client.conn() else { return };
        client.said = self.now;
        client.wire.sent(frame);
        self.trace.say(self.now, || format!("{}>relay #{conn} {}", client.name, self.words.client_frame(frame)));
        let bytes = aside_protocol::codec::encode(frame);
        self.cover_request(frame);
        self.up(conn, Some(bytes));
    }
}
