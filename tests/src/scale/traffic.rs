//! What people do: assumptions about a day of many, and what follows from one message by the rules of the protocol.
//!
//! Public is how many messages a day a great service carries for how many people. Everything else here is assumed, and
//! said to be. What follows from a message is not assumed: it is counted by what client and relay do with it.

use super::costs;
use aside_protocol::limits::RECEIPT_PUSH_DEVICES;

/// Seconds of a day.
pub const DAY_S: f64 = 86_400.0;

/// Groups of a size, and which share of all messages to groups is theirs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupSize {
    /// Devices.
    pub devices: f64,
    /// Of all messages to groups, 0 to 1.
    pub share: f64,
}

/// Assumptions.
#[derive(Debug, Clone, PartialEq)]
pub struct Traffic {
    /// Messages a device sends in a day. WhatsApp: about 100 billion a day for more than two billion people, so 50 (Will
    /// Cathcart, head of WhatsApp, October 2020).
    pub messages_a_day: f64,
    /// The busiest minutes against the mean of the day. Assumed.
    pub peak: f64,
    /// Share of messages that go to groups. Assumed.
    pub to_groups: f64,
    /// Assumed.
    pub groups: Vec<GroupSize>,
    /// Of those who get a message, how many say that they have read it apart from saying that they have it: in chats of
    /// two. The others look at the chat already, and one receipt says both. Assumed.
    pub read_later: f64,
    /// The same in groups, where several messages are read at a time. Assumed.
    pub read_later_in_groups: f64,
    /// How often in a day a device loses its connection and comes back. Assumed.
    pub reconnects_a_day: f64,
    /// Registered devices for each that is connected. Assumed.
    pub registered: f64,
    /// Bytes of a message's ciphertext: a short text, padded, as in the measurements.
    pub body: f64,
}

impl Default for Traffic {
    fn default() -> Self {
        let groups = [(5.0, 0.40), (10.0, 0.30), (25.0, 0.20), (60.0, 0.08), (250.0, 0.02)];
        Self {
            messages_a_day: 50.0,
            peak: 2.0,
            to_groups: 0.3,
            groups: groups.map(|(devices, share)| GroupSize { devices, share }).to_vec(),
            read_later: 0.5,
            read_later_in_groups: 0.2,
            reconnects_a_day: 10.0,
            registered: 1.25,
            body: 300.0,
        }
    }
}

/// What one message brings with it, itself included; the mean over all chats.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Following {
    /// Receipts: each is a command.
    pub receipts: f64,
    /// Of them, those that come at once, with the message; the others come when somebody reads.
    pub receipts_at_once: f64,
    /// Acknowledgements: each is a command.
    pub acks: f64,
    /// Of them, those that come within a second.
    pub acks_at_once: f64,
    /// Envelopes pushed: to readers, echoes, receipts to everybody who is told.
    pub pushes: f64,
    /// Of them, the message itself to its readers.
    pub deliveries: f64,
}

impl Following {
    /// Of a message in a chat of so many devices, all of them connected.
    ///
    /// Each reader has it and says so, `later` of them read it at another moment and say that too; up to
    /// [`RECEIPT_PUSH_DEVICES`] devices all others are told each receipt. What comes within a second is acknowledged
    /// together: the message and the receipts that come at once. A receipt that comes later is acknowledged by itself.
    pub fn of(devices: f64, later: f64) -> Self {
        let readers = devices - 1.0;
        let told = if devices <= RECEIPT_PUSH_DEVICES as f64 { readers } else { 0.0 };
        let receipts = readers * (1.0 + later);
        Self {
            receipts,
            receipts_at_once: readers,
            acks: devices + readers * later * told,
            acks_at_once: devices,
            pushes: readers + 1.0 + receipts * told,
            deliveries: readers,
        }
    }

    fn add(self, other: Self, times: f64) -> Self {
        Self {
            receipts: self.receipts + other.receipts * times,
            receipts_at_once: self.receipts_at_once + other.receipts_at_once * times,
            acks: self.acks + other.acks * times,
            acks_at_once: self.acks_at_once + other.acks_at_once * times,
            pushes: self.pushes + other.pushes * times,
            deliveries: self.deliveries + other.deliveries * times,
        }
    }

    /// Commands of the log for one message, itself included.
    pub fn commands(self) -> f64 {
        1.0 + self.receipts + self.acks
    }

    /// Bytes of the log for one message and all that follows.
    pub fn log_bytes(self) -> f64 {
        costs::LOG_MESSAGE_BYTES + self.receipts * costs::LOG_RECEIPT_BYTES + self.acks * costs::LOG_ACK_BYTES
    }
}

impl Traffic {
    /// What the mean message brings with it.
    pub fn following(&self) -> Following {
        let direct = Following::default().add(Following::of(2.0, self.read_later), 1.0 - self.to_groups);
        self.groups.iter().fold(direct, |sum, group| {
            sum.add(Following::of(group.devices, self.read_later_in_groups), self.to_groups * group.share)
        })
    }

    /// Messages a second that each connected device sends, mean of the day.
    pub fn messages_a_second(&self) -> f64 {
        self.messages_a_day / DAY_S
    }

    /// How busy a time of the day is against its mean: least at four in the morning, most at four in the afternoon.
    /// Assumed: a cosine; its mean over a day is 1.
    pub fn curve(&self, second_of_day: f64) -> f64 {
        let swing = (self.peak - 1.0).min(1.0);
        1.0 - swing * (std::f64::consts::TAU * (second_of_day - 4.0 * 3600.0) / DAY_S).cos()
    }

    /// The second of the day that is busiest.
    pub fn busiest(&self) -> f64 {
        16.0 * 3600.0
    }
}
