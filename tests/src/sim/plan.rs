//! What people do and what goes wrong in a world: a list that a seed makes, and that can be made shorter.

use super::dice::Dice;
use std::fmt;

/// One minute, hour, day in milliseconds.
pub const MINUTE: u64 = 60_000;
/// One hour.
pub const HOUR: u64 = 60 * MINUTE;
/// One day.
pub const DAY: u64 = 24 * HOUR;

/// How a connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// What is on its way is lost; both sides notice after a while.
    Reset,
    /// The same, and one side or both notice only by silence.
    HalfOpen,
    /// The client closes its end: what it sent arrives later, perhaps after its next login.
    Left,
}

/// When a client's process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// Between two steps.
    Now,
    /// After its next transaction is committed and so many of its effects have run.
    Effects(u8),
    /// Now, and so that the relay does not hear of it.
    PowerOff,
}

/// When the relay's process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayDeath {
    /// Between two steps.
    Now,
    /// While the next batch is committed: it is not.
    BeforeCommit,
    /// After the next batch is committed, before anybody hears of it.
    AfterCommit,
    /// After the next batch is answered, before the sessions have said so.
    AfterAnswers,
}

/// One thing somebody does, or that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// One writes to another.
    Write(usize, usize),
    /// One has read everything.
    Read(usize),
    /// One goes offline, in order.
    Leave(usize),
    /// One comes back online.
    Return(usize),
    /// A connection breaks.
    Cut(usize, Cut),
    /// A client's process dies, and is started again after so long.
    Crash(usize, Death, u64),
    /// Nothing passes between a client and the relay for so long.
    Partition(usize, u64),
    /// A session does nothing for so long.
    StallSession(usize, u64),
    /// A client does nothing for so long.
    StallClient(usize, u64),
    /// The writer does nothing for so long.
    StallWriter(u64),
    /// The relay dies, and is started again after so long.
    KillRelay(RelayDeath, u64),
    /// A copy of a client's database is kept.
    BackUp(usize),
    /// The copy is put back.
    PutBack(usize),
    /// A copy of the relay's database is kept.
    BackUpRelay,
    /// The copy is put back, and the relay started as restored.
    PutRelayBack,
    /// All sleep for so long.
    Sleep(u64),
    /// A client's clock is wrong by so much.
    Skew(usize, i64),
    /// One does something in the group.
    Group(usize, Deed),
}

/// What is done in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// It is made, with everybody whose bit is set. Once in a world.
    Make(u8),
    /// Something is written.
    Write,
    /// Somebody is added.
    Add(usize),
    /// Somebody is removed.
    Remove(usize),
    /// Somebody gets a role: 0 member, 1 admin, 2 owner.
    Role(usize, u64),
    /// It is called by another title.
    Title(u8),
    /// The one leaves.
    Quit,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// An action and when it happens, in milliseconds from the beginning; sleep does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// When.
    pub at: u64,
    /// What.
    pub action: Action,
}

/// What kind of trouble a world has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// Cuts, crashes, stalls: nothing may be lost, doubled or out of order.
    Rough,
    /// And clients whose databases are put back to older copies.
    OlderClients,
    /// And a relay whose database is put back.
    OlderRelay,
    /// And absences longer than the relay keeps anything.
    LongAbsence,
    /// Cuts, crashes and stalls around one group, whose members change all the time.
    Group,
}

/// A whole world, before anything happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Where it came from, and where further rolls come from.
    pub seed: u64,
    /// Its kind.
    pub flavour: Flavour,
    /// Whether most of it happens in a group whose members change all the time.
    pub in_group: bool,
    /// How many clients.
    pub people: usize,
    /// The last client is another device of the first one's account.
    pub two_devices: bool,
    /// Envelopes a connection may have in flight.
    pub window: usize,
    /// Pushes a session may have waiting.
    pub push_queue: usize,
    /// A device renews its keys after so many messages.
    pub update_after: u64,
    /// How long a frame is usually, and seldom, on its way.
    pub delays: (u64, u64),
    /// In the order of their times.
    pub actions: Vec<Planned>,
}

impl Plan {
    /// The plan of a seed.
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed, &[1]);
        let flavour = match dice.below(20) {
            0..=11 => Flavour::Rough,
            12..=14 => Flavour::OlderClients,
            15..=16 => Flavour::OlderRelay,
            _ => Flavour::LongAbsence,
        };
        let people = if dice.once_in(4) { 4 } else { dice.pick(&[2, 3, 3]) };
        let mut plan = Self {
            seed,
            flavour,
            in_group: false,
            people,
            two_devices: false,
            window: dice.pick(&[2, 5, 256]),
            push_queue: dice.pick(&[1, 3, 64]),
            update_after: dice.pick(&[3, 6, 500]),
            delays: dice.pick(&[(5, 50), (40, 400), (200, 9000)]),
            actions: Vec::new(),
        };
        let count = if dice.once_in(20) { dice.between(100, 200) } else { dice.between(20, 60) };
        plan.fill(&mut dice, count);
        plan
    }

    /// The plan of a world around a group: 3 to 8 people.
    pub fn of_group(seed: u64) -> Self {
        Self::around_group(seed, Flavour::Group, Dice::new(seed, &[7]))
    }

    /// The same, with older copies put back, or absences longer than the relay keeps anything.
    pub fn of_hard_group(seed: u64) -> Self {
        let mut dice = Dice::new(seed, &[8]);
        let flavour = dice.pick(&[Flavour::OlderClients, Flavour::OlderRelay, Flavour::LongAbsence]);
        Self::around_group(seed, flavour, dice)
    }

    fn around_group(seed: u64, flavour: Flavour, mut dice: Dice) -> Self {
        let mut plan = Self {
            seed,
            flavour,
            in_group: true,
            people: dice.pick(&[3, 4, 5, 6, 8]),
            two_devices: dice.once_in(2),
            window: dice.pick(&[2, 5, 256]),
            push_queue: dice.pick(&[1, 3, 64]),
            update_after: dice.pick(&[3, 6, 500]),
            delays: dice.pick(&[(5, 50), (40, 400), (200, 9000)]),
            actions: Vec::new(),
        };
        let mask = (dice.roll() & 0xff) as u8;
        plan.actions.push(Planned { at: 10, action: Action::Group(0, Deed::Make(mask)) });
        let count = dice.between(20, 60);
        plan.fill(&mut dice, count);
        plan
    }

    fn group_deed(&self, dice: &mut Dice) -> Deed {
        let whom = self.someone(dice);
        match dice.below(16) {
            0 | 1 => Deed::Add(whom),
            2 => Deed::Remove(whom),
            3 | 4 => Deed::Role(whom, dice.below(3)),
            5 => Deed::Title((dice.roll() & 7) as u8),
            6 if dice.once_in(2) => Deed::Quit,
            _ => Deed::Write,
        }
    }

    fn fill(&mut self, dice: &mut Dice, count: u64) {
        // Some worlds stay calm at first, so that chats stand before anything goes wrong.
        let calm = if dice.once_in(2) { count / 4 } else { 0 };
        let mut at = self.actions.last().map_or(0, |last| last.at);
        for number in 0..count {
            at += pause(dice);
            let action = if number >= calm && dice.once_in(3) { self.fault(dice) } else { self.deed(dice) };
            self.actions.push(Planned { at, action });
            // The copy is put back before the relay has heard of what was written since: numbers are used twice.
            if let Action::BackUp(who) = action
                && dice.once_in(3)
            {
                let write = Action::Write(who, (who + 1) % self.people);
                let soon = dice.between(4, 40);
                let many = [
                    (1, Action::StallWriter(dice.between(1_000, 6_000))),
                    (2, write),
                    (soon, Action::PutBack(who)),
                    (soon + dice.between(500, 2_500), write),
                ];
                self.actions.extend(many.map(|(after, action)| Planned { at: at + after, action }));
                at += 3_000;
            }
            // The first login after an absence breaks before it has brought everything.
            if let Action::Sleep(ms) = action
                && ms > 30 * DAY
                && dice.once_in(2)
            {
                let (who, soon) = (self.someone(dice), dice.between(30, 900));
                let end = match dice.below(3) {
                    0 => Action::Cut(who, Cut::Reset),
                    1 => Action::Crash(who, Death::Effects(dice.pick(&[0, 1, 2])), 500),
                    _ => Action::Crash(who, Death::Now, 500),
                };
                let both = [(1, Action::Return(who)), (soon, end)];
                self.actions.extend(both.map(|(after, action)| Planned { at: at + after, action }));
                at += 1_000;
            }
        }
    }

    fn someone(&self, dice: &mut Dice) -> usize {
        dice.index(self.people)
    }

    fn deed(&self, dice: &mut Dice) -> Action {
        let who = self.someone(dice);
        if self.in_group && !dice.once_in(4) {
            return Action::Group(who, self.group_deed(dice));
        }
        match dice.below(10) {
            0 | 1 => Action::Read(who),
            2 => Action::Leave(who),
            3 => Action::Return(who),
            _ => Action::Write(who, (who + 1 + dice.index(self.people - 1)) % self.people),
        }
    }

    fn fault(&self, dice: &mut Dice) -> Action {
        if dice.once_in(4)
            && let Some(action) = self.special(dice)
        {
            return action;
        }
        let who = self.someone(dice);
        match dice.below(16) {
            0..=2 => Action::Cut(who, Cut::Reset),
            3 => Action::Cut(who, Cut::HalfOpen),
            4 | 5 => Action::Cut(who, Cut::Left),
            6 => Action::Crash(who, Death::Now, dice.delay(500, 100_000)),
            7..=9 => Action::Crash(who, Death::Effects(dice.pick(&[0, 0, 1, 2, 5])), dice.delay(500, 100_000)),
            10 => Action::Crash(who, Death::PowerOff, dice.delay(500, 100_000)),
            11 => Action::Partition(who, dice.delay(10_000, 150_000)),
            12 => Action::StallSession(who, dice.delay(5_000, 40_000)),
            13 => Action::StallClient(who, dice.delay(5_000, 40_000)),
            14 => Action::StallWriter(dice.delay(2_000, 15_000)),
            _ => Action::KillRelay(
                dice.pick(&[
                    RelayDeath::Now,
                    RelayDeath::BeforeCommit,
                    RelayDeath::AfterCommit,
                    RelayDeath::AfterAnswers,
                ]),
                dice.delay(3_000, 60_000),
            ),
        }
    }

    /// A fault of the plan's flavour, if it has any.
    fn special(&self, dice: &mut Dice) -> Option<Action> {
        let who = self.someone(dice);
        Some(match self.flavour {
            // Clocks are wrong in any world; here it is cheap.
            Flavour::Rough | Flavour::Group if dice.once_in(3) => {
                let far = if self.in_group { 365 } else { 40 };
                let wrong = dice.pick(&[-(DAY as i64), -3_600_000, 3_600_000, far * DAY as i64, 0]);
                Action::Skew(who, wrong)
            }
            Flavour::Rough | Flavour::Group => return None,
            Flavour::OlderClients if dice.once_in(2) => Action::BackUp(who),
            Flavour::OlderClients => Action::PutBack(who),
            Flavour::OlderRelay if dice.once_in(2) => Action::BackUpRelay,
            Flavour::OlderRelay => Action::PutRelayBack,
            Flavour::LongAbsence if dice.once_in(2) => Action::Leave(who),
            Flavour::LongAbsence => Action::Sleep(dice.pick(&[HOUR, 10 * DAY, 31 * DAY, 100 * DAY])),
        })
    }
}

/// How long until the next action: bursts, then pauses, some long enough for every patience to end.
fn pause(dice: &mut Dice) -> u64 {
    match dice.below(20) {
        0..=9 => dice.below(20),
        10..=15 => dice.below(1_000),
        16..=18 => dice.below(8_000),
        _ => dice.below(100_000),
    }
}
