//! The relay's end of a connection: a real session, and what `relay/src/session/task.rs` does around it, step by step.

use super::agenda::{Conn, Event, Job};
use super::dice::Dice;
use super::world::World;
use aside_protocol::codec;
use aside_protocol::frame::RelayFrame;
use aside_relay::hub::{Hub, Subscription};
use aside_relay::log::Reply;
use aside_relay::log::applier::busy;
use aside_relay::mailbox::{Mail, Mailbox, Wakes};
use aside_relay::meetings::Seat;
use aside_relay::session::{Found, Input, Output, Pages, Session, Wanted};
use aside_relay_core::CatchUp;
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::Arc;

/// Most inputs that a session takes at a time.
const BURST: u64 = 8;

/// A session and what waits for it.
pub struct Desk {
    /// The state machine.
    pub session: Session,
    /// Frames that arrived and were not read.
    pub socket: VecDeque<Bytes>,
    /// Answers, pages and pushes.
    pub mailbox: Arc<Mailbox>,
    /// What was taken from there.
    mail: VecDeque<Mail>,
    /// Its part in meetings.
    seat: Seat,
    /// Keeps it connected at the hub.
    subscription: Option<Subscription>,
    /// Where reading the queues stands.
    pages: Pages,
    /// It is on the agenda.
    pub due: bool,
    /// It does nothing before this.
    pub stalled_until: u64,
}

impl Desk {
    /// For a new connection, with room for so many pushes.
    pub fn new(session: Session, push_queue: usize, hub: &Hub) -> Self {
        let mailbox = Mailbox::new(push_queue);
        Self {
            seat: Seat::new(hub.meetings(), mailbox.clone()),
            session,
            socket: VecDeque::new(),
            mailbox,
            mail: VecDeque::new(),
            subscription: None,
            pages: Pages::default(),
            due: false,
            stalled_until: 0,
        }
    }

    /// One of the inputs that wait. A goodbye comes before what the client sent: a replaced connection takes nothing more
    /// (rule `CON-5`).
    fn next(&mut self, dice: &mut Dice) -> Option<Input> {
        if self.mail.is_empty() {
            self.mailbox.take(&mut self.mail);
        }
        let farewell = self.mail.iter().any(|mail| matches!(mail, Mail::Input(Input::Goodbye(_))));
        let readable = !self.socket.is_empty() && self.session.wants_frames() && !farewell;
        if readable && (self.mail.is_empty() || dice.once_in(2)) {
            return self.socket.pop_front().map(Input::Frame);
        }
        match self.mail.pop_front()? {
            Mail::Input(input) => Some(input),
            Mail::Page { partition, catch_up, page } => {
                self.pages.give_back(partition, catch_up);
                Some(Input::Page { partition, page })
            }
        }
    }

    /// Whatever is put into the mailbox later wakes it again.
    fn has_more(&self) -> bool {
        !self.mail.is_empty() || (!self.socket.is_empty() && self.session.wants_frames())
    }
}

impl World {
    /// Puts a session on the agenda.
    pub(super) fn wake(&mut self, conn: Conn) {
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        let Some(desk) = connection.desk.as_mut().filter(|desk| !desk.due) else { return };
        desk.due = true;
        let at = (self.now + connection.dice.delay(2, 60)).max(desk.stalled_until);
        self.agenda.at(at, Event::Session(conn));
    }

    /// Any of them may have got something.
    pub(super) fn wake_all(&mut self) {
        let conns: Vec<Conn> = self.connections.keys().copied().collect();
        conns.into_iter().for_each(|conn| self.wake(conn));
    }

    /// A session takes some of what waits for it.
    pub(super) fn session(&mut self, conn: Conn) {
        let now = self.steady();
        for _ in 0..self.relay.dice.between(1, BURST) {
            let Some(connection) = self.connections.get_mut(&conn) else { return };
            let Some(desk) = connection.desk.as_mut() else { return };
            desk.due = false;
            if desk.stalled_until > self.now {
                return self.wake(conn);
            }
            let Some(input) = desk.next(&mut connection.dice) else { break };
            self.coverage.saw_if(matches!(input, Input::Lagged), "lagged");
            let outputs = desk.session.handle(input, now);
            self.carry_out(conn, outputs);
            self.next_page(conn);
        }
        let more = self.connections.get(&conn).and_then(|c| c.desk.as_ref()).is_some_and(Desk::has_more);
        if more {
            self.wake(conn);
        }
    }

    /// Time passed for a session.
    pub(super) fn session_tick(&mut self, conn: Conn) {
        let now = self.steady();
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        let Some(desk) = connection.desk.as_mut() else { return };
        let stalled = desk.stalled_until > self.now;
        // What arrived is read before silence is judged, as by the real task.
        if stalled || !desk.socket.is_empty() {
            self.agenda.at(self.now + 1_000, Event::SessionTick(conn));
            return;
        }
        let outputs = desk.session.handle(Input::Tick, now);
        self.agenda.at(self.now + 5_000, Event::SessionTick(conn));
        self.carry_out(conn, outputs);
    }

    fn carry_out(&mut self, conn: Conn, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send(frame) => self.send_down(conn, Some(frame)),
                Output::Close => self.close_desk(conn, true),
                Output::Submit { token, command } => {
                    let Some(mailbox) = self.mailbox(conn) else { return };
                    let reply: Reply = Box::new(move |answer, wakes| {
                        mailbox.leave(Mail::Input(Input::Answer { token, answer }), wakes)
                    });
                    if let Err(reply) = self.relay.backlog.submit(*command, reply, self.instant()) {
                        reply(busy(), &mut Wakes::default());
                    }
                    self.wake_writer();
                }
                Output::Ack(device, _, pos) => {
                    self.relay.backlog.ack(device, pos, self.instant());
                    self.wake_writer();
                }
                Output::Subscribe(device) => {
                    let Some(mailbox) = self.mailbox(conn) else { return };
                    let subscription = self.relay.hub.subscribe(device, mailbox);
                    self.with_desk(conn, |desk| desk.subscription = Some(subscription));
                    // An older connection of the device hears that it was replaced.
                    self.wake_all();
                }
                Output::Meeting(talk) => {
                    let now = self.steady().steady;
                    self.with_desk(conn, |desk| desk.seat.take(talk, now));
                    self.wake_all();
                }
                Output::StartCatchUp(device, partition, from) => {
                    self.with_desk(conn, |desk| desk.pages.start(partition, CatchUp::new(device, from)));
                }
                Output::FindDevice(device) => self.ask_reader(conn, Job::Device(device)),
                Output::Read { token, device, query } => self.ask_reader(conn, Job::Answer(token, device, query)),
                Output::NextPage { partition, most, bytes } => {
                    self.with_desk(conn, |desk| desk.pages.want(Wanted { partition, most, bytes }));
                    self.next_page(conn);
                }
            }
        }
    }

    fn mailbox(&self, conn: Conn) -> Option<Arc<Mailbox>> {
        self.connections.get(&conn)?.desk.as_ref().map(|desk| desk.mailbox.clone())
    }

    fn with_desk(&mut self, conn: Conn, work: impl FnOnce(&mut Desk)) {
        if let Some(desk) = self.connections.get_mut(&conn).and_then(|connection| connection.desk.as_mut()) {
            work(desk);
        }
    }

    fn next_page(&mut self, conn: Conn) {
        let desk = self.connections.get_mut(&conn).and_then(|connection| connection.desk.as_mut());
        if let Some((wanted, catch_up)) = desk.and_then(|desk| desk.pages.lend()) {
            self.ask_reader(conn, Job::Page(wanted, catch_up));
        }
    }

    fn ask_reader(&mut self, conn: Conn, job: Job) {
        let at = self.now + self.relay.dice.delay(3, 700);
        self.agenda.at(at, Event::Read(conn, job));
    }

    /// A reader answers from what is committed by now.
    pub(super) fn read(&mut self, conn: Conn, job: Job) {
        let Some(applier) = &self.relay.applier else { return };
        let Some(desk) = self.connections.get_mut(&conn).and_then(|connection| connection.desk.as_mut()) else {
            return;
        };
        let core = applier.core();
        desk.mailbox.put(match job {
            Job::Device(device) => {
                Mail::Input(Input::Device(Ok(Found::read(core, &device).expect("read").map(Box::new))))
            }
            Job::Answer(token, device, query) => {
                Mail::Input(Input::ReadAnswer { token, answer: query.answer(core, &device).expect("read") })
            }
            Job::Page(Wanted { partition, most, bytes }, mut catch_up) => {
                let page = Ok(catch_up.next_page(&core.view(), most, bytes).expect("read"));
                Mail::Page { partition, catch_up, page }
            }
        });
        self.wake(conn);
    }

    /// The relay's end is closed; the client hears of it after what was sent, or not at all.
    pub(super) fn close_desk(&mut self, conn: Conn, heard: bool) {
        if heard {
            self.send_down(conn, None);
        }
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.desk = None;
            connection.down.dead |= !heard;
        }
        self.forget_if_over(conn);
    }

    /// The relay sends a frame, or ends the stream.
    fn send_down(&mut self, conn: Conn, frame: Option<Bytes>) {
        let (now, delays) = (self.now, self.plan.delays);
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        if connection.desk.is_none() || !connection.held {
            return;
        }
        let name = &self.clients[connection.client].name;
        self.trace.say(now, || match &frame {
            Some(bytes) => format!("relay>{name} #{conn} {}", self.words.relay_frame(&decoded(bytes))),
            None => format!("relay>{name} #{conn} closes"),
        });
        let earliest = now + connection.dice.delay(delays.0, delays.1);
        let at = connection.down.send(frame, earliest);
        self.agenda.at(at, Event::Down(conn));
    }
}

fn decoded(bytes: &Bytes) -> RelayFrame {
    codec::decode(bytes).expect("the relay sends frames")
}
