//! Carrying out a plan's actions.

use super::agenda::{Conn, Event};
use super::client::NAMES;
use super::oracle::{Written, text};
use super::plan::{Action, Cut, Death};
use super::world::World;
use aside_protocol::MessageId;
use aside_store::messages::Status;

impl World {
    /// The next action of the plan, and the one after it on the agenda.
    pub(super) fn act(&mut self) {
        let Some(planned) = self.plan.actions.get(self.done).copied() else { return };
        self.done += 1;
        if let Some(next) = self.plan.actions.get(self.done) {
            self.agenda.at(self.now + next.at.saturating_sub(planned.at), Event::Act);
        }
        self.trace.say(self.now, || format!("== {}", planned.action));
        self.carry_out_action(planned.action);
    }

    fn carry_out_action(&mut self, action: Action) {
        match action {
            Action::Write(from, to) => self.write_message(from, to),
            Action::Read(who) => self.read_all(who),
            Action::Leave(who) => {
                self.clients[who].away = true;
                self.disconnect(who);
            }
            Action::Return(who) => self.come_back(who),
            Action::Cut(who, cut) => self.cut(who, cut),
            Action::Crash(who, Death::Now, down) => self.crash(who, false, down),
            Action::Crash(who, Death::PowerOff, down) => self.crash(who, true, down),
            Action::Crash(who, Death::Effects(count), down) => self.clients[who].doom = Some((count, down)),
            Action::Partition(who, ms) => self.clients[who].blocked_until = self.now + ms,
            Action::StallSession(who, ms) => self.stall_session(who, ms),
            Action::StallClient(who, ms) => self.clients[who].stalled_until = self.now + ms,
            Action::StallWriter(ms) => self.relay.stalled_until = self.now + ms,
            Action::KillRelay(death, down) => match death {
                super::plan::RelayDeath::Now if self.relay.is_up() => self.kill_relay(down),
                _ => self.relay.doom = Some((death, down)),
            },
            Action::BackUp(who) => self.back_up(who),
            Action::PutBack(who) => self.put_back(who),
            Action::BackUpRelay => {
                self.relay.copy = Some((self.relay.core().copy().expect("a copy"), self.relay.commands()));
            }
            Action::PutRelayBack => self.put_relay_back(),
            Action::Sleep(ms) => self.sleep(ms),
            Action::Group(who, deed) => self.group_deed(who, deed),
            Action::Skew(who, ms) => {
                self.clients[who].skew = ms;
                self.oracle.skewed |= ms != 0;
            }
        }
    }

    /// One writes to another, if the program runs.
    pub(super) fn write_message(&mut self, from: usize, to: usize) {
        if self.clients[from].engine.is_none() || self.clients[from].account == self.clients[to].account {
            return;
        }
        self.next_number += 1;
        let (number, account) = (self.next_number, self.clients[to].account);
        let text = text(number, from, to);
        // Known before the step: what it sends may be seen in the same moment.
        self.oracle.written.insert(number, Written { from, to, at: self.now });
        let mut row = 0;
        self.in_engine(from, |engine, now, dice| {
            let id = MessageId(dice.bytes());
            let sent = engine.step(now, dice, |step| step.send_text(&account, id, &text))?;
            row = sent.0.as_ref().expect("accepted").row;
            Ok(((), sent.1))
        });
        self.clients[from].view.own.insert(number, (row, Status::Pending));
    }

    /// One has read everything that has arrived.
    pub(super) fn read_all(&mut self, who: usize) {
        if self.clients[who].engine.is_none() {
            return;
        }
        self.oracle.read.extend(self.clients[who].view.arrived.iter().copied());
        self.in_engine(who, |engine, now, dice| {
            engine.step(now, dice, |step| {
                let rows: Vec<_> = step.tx.unprinted(0, 10_000)?.iter().map(|message| message.row).collect();
                step.printed(&rows)
            })
        });
    }

    /// One wants to be online.
    pub(super) fn come_back(&mut self, who: usize) {
        if std::mem::replace(&mut self.clients[who].away, false) {
            self.dial_later(who, 0);
        }
    }

    /// Nobody does anything for so long, and no connection outlives that.
    fn sleep(&mut self, ms: u64) {
        self.now += ms;
        self.oracle.slept += ms;
        let conns: Vec<_> = self.connections.keys().copied().collect();
        for conn in conns {
            self.break_pipes(conn);
            self.agenda.at(self.now, Event::UpLost(conn));
            self.agenda.at(self.now, Event::DownLost(conn));
        }
    }

    fn break_pipes(&mut self, conn: Conn) {
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.up.dead = true;
            connection.down.dead = true;
        }
    }

    fn cut(&mut self, who: usize, cut: Cut) {
        let Some(conn) = self.clients[who].conn() else { return };
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        if cut == Cut::Left {
            connection.late_until = self.now + connection.dice.delay(3_000, 30_000);
            return self.lose_link(who, 0);
        }
        connection.up.dead = true;
        connection.down.dead = true;
        let half_open = cut == Cut::HalfOpen;
        let (up, down) = (connection.dice.below(2_000), connection.dice.below(2_000));
        let (relay_hears, client_hears) =
            (!half_open || connection.dice.once_in(3), !half_open || connection.dice.once_in(3));
        if relay_hears {
            self.agenda.at(self.now + up, Event::UpLost(conn));
        }
        if client_hears {
            self.agenda.at(self.now + down, Event::DownLost(conn));
        }
    }

    fn stall_session(&mut self, who: usize, ms: u64) {
        let until = self.now + ms;
        let conn = self.clients[who].conn();
        let connection = conn.and_then(|conn| self.connections.get_mut(&conn));
        if let Some(desk) = connection.and_then(|connection| connection.desk.as_mut()) {
            desk.stalled_until = until;
        }
    }

    fn back_up(&mut self, who: usize) {
        let client = &mut self.clients[who];
        let store = match (&client.engine, &client.disk) {
            (Some(engine), _) => engine.store().copy(),
            (None, Some(disk)) => disk.copy(),
            (None, None) => return,
        };
        client.copy = Some((store.expect("a copy"), client.view.clone()));
    }

    /// The process dies, an older copy is put in place of its database, and it is started again.
    fn put_back(&mut self, who: usize) {
        let Some((store, view)) = self.clients[who].copy.take() else { return };
        self.crash(who, false, 500);
        self.coverage.saw("client put back");
        self.oracle.older.insert(who, self.now);
        self.oracle.noticed.retain(|(older, _), _| *older != who);
        let client = &mut self.clients[who];
        client.disk = Some(store);
        client.view = view;
        self.trace.say(self.now, || format!("{} has an older database", NAMES[who]));
    }
}
