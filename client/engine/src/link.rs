//! What is known of the present connection: a cache that is dropped with it. Nothing here is ever needed again.

use crate::meeting::Meeting;
use crate::packages::{self, Fetched};
use crate::transfers::Leave;
use aside_protocol::content::Watermarks;
use aside_protocol::frame::{Ack, Asked, ClientFrame};
use aside_protocol::limits::{WINDOW_BYTES, WINDOW_ENVELOPES};
use aside_protocol::refusal::Refusal;
use aside_protocol::request::{Request, Suite};
use aside_protocol::{AccountId, Body, Hash, MeetingId, Millis, N, Name, PartitionId, Pos, Seq};
use aside_store::chats::ChatRow;
use aside_store::tasks::TaskKind;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// An unanswered request: what its answer will be about.
#[derive(Debug, Clone)]
pub(crate) enum Pending {
    Name(Name),
    Account(AccountId),
    Packages(AccountId, Suite),
    Quit(ChatRow),
    Enter(ChatRow),
    Receipts(ChatRow),
    Watch(ChatRow),
    Uploaded(Vec<Hash>),
    /// With the numbering that the number belongs to.
    Message(ChatRow, N, u32),
    Proposed(ChatRow, Hash),
    Receipt(ChatRow, Watermarks),
    Rejoin(ChatRow),
    Range(ChatRow, Seq),
    Routing(ChatRow),
    Route,
    /// With the signed list.
    OwnList(Body),
    Chats,
    Meeting(MeetingId),
    /// Something to a guest, who may be gone.
    Told,
    /// Leave to upload that blob.
    Leave(Hash),
}

/// What came of looking a name up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameState {
    /// To be asked as soon as there is a connection.
    Wanted,
    /// Asked.
    Asked,
    /// It is among the accounts now.
    Known,
    /// The relay refused.
    Refused(Refusal),
}

/// One chat's traffic on this connection.
#[derive(Debug, Default, Clone)]
pub(crate) struct ChatLink {
    /// How often numbers began again on this connection.
    pub numbering: u32,
    /// Messages sent and not answered.
    pub unanswered: BTreeSet<N>,
    /// Some were refused: no more are sent until all are answered, then the rest goes out again, in order.
    pub retreating: bool,
    /// Outbox rows up to this one are on their way.
    pub sent_to: i64,
    /// The chat's last commit, as a refusal said; sending waits until it is processed.
    pub wait_base: Seq,
    /// Nothing is sent before this.
    pub paused_until: Millis,
    /// The last refusal that paused it, until something is sent.
    pub trouble: Option<Refusal>,
    /// Refusals in a row that asked for patience.
    pub patience: u32,
    pub proposed: bool,
    pub receipt: bool,
    pub rejoin: bool,
    pub range: bool,
    pub routing: bool,
    /// How far the chat is at the relay, once it was asked.
    pub stands: Option<Seq>,
    pub leave: bool,
    /// Most accounts in the next commit or founding, once one was too big; 0 while none was.
    pub batch: usize,
    /// What the own commit that is on its way is for.
    pub doing: Vec<(TaskKind, Vec<u8>)>,
    /// A request to be let in is unanswered.
    pub enter: bool,
    pub receipts: bool,
    /// Where the chat goes is to be asked.
    pub watch: bool,
}

/// A state of the link that can be returned to.
#[derive(Debug)]
pub(crate) struct Mark {
    chat: ChatLink,
    next_id: u64,
}

/// Envelopes of one partition taken but not acknowledged; the relay counts in each partition for itself too.
#[derive(Debug, Default, Clone, Copy)]
struct Unacked {
    count: usize,
    bytes: usize,
    last: Pos,
}

impl Unacked {
    fn is_half(&self) -> bool {
        self.count >= WINDOW_ENVELOPES / 2 || self.bytes >= WINDOW_BYTES / 2
    }
}

/// The own device list on this connection.
#[derive(Debug, Default, Clone)]
pub(crate) struct OwnList {
    /// A version is on its way.
    pub asked: bool,
    /// The own account is being looked up: somebody else changed it.
    pub looking: bool,
    /// Somebody else was first once.
    pub rebased: bool,
    /// Nothing is sent before this.
    pub paused_until: Millis,
    /// Why the relay did not take the last change, for good.
    pub refused: Option<Refusal>,
}

/// The present connection, if any.
#[derive(Debug, Default, Clone)]
pub(crate) struct Link {
    /// Logged in and attached.
    pub attached: bool,
    /// Everything that was there when it attached has been processed; only now may anything be encrypted.
    pub caught_up: bool,
    /// Partitions of which that is not so yet.
    pub behind: BTreeSet<PartitionId>,
    /// The relay's clock at the login.
    pub relay_time: Millis,
    /// Chats that may have lost something while this device was away; the database knows them too, until they are sure.
    pub unsure: BTreeSet<ChatRow>,
    /// This login showed that the database here is an older copy: no patience with welcomes that were had before.
    pub restored: bool,
    /// Key packages the relay holds for us, of each suite; none while it is not known.
    pub stock: Option<[Stock; 2]>,
    /// The last refusal that asked for patience, until something is sent.
    pub trouble: Option<Refusal>,
    /// A key package upload is unanswered.
    pub uploading: bool,
    /// Key packages asked for, by account and suite.
    pub packages: HashMap<(AccountId, u64), Fetched>,
    /// Accounts looked up on this connection.
    pub fresh: HashSet<AccountId>,
    /// Accounts asked for and not answered.
    pub asking: HashSet<AccountId>,
    /// Accounts the relay did not know, or lied about, and when.
    pub unknown: HashMap<AccountId, Millis>,
    /// The version of a list with which a message of its account had it looked up.
    pub looked: HashMap<AccountId, u64>,
    /// Accounts to look up.
    pub wanted: BTreeSet<AccountId>,
    /// Names to look up, and what came of it. Survives the connection: somebody waits for it.
    pub names: BTreeMap<Name, NameState>,
    /// The own device list.
    pub list: OwnList,
    /// A meeting that somebody waits for. Survives the connection, as names do.
    pub meeting: Option<Meeting>,
    /// Chats that may have something to do.
    pub dirty: BTreeSet<ChatRow>,
    /// Leave to upload, given on this connection.
    pub leaves: HashMap<Hash, Leave>,
    /// Uploads were looked at since the last one was wanted or refused.
    pub leaves_asked: bool,
    /// The relay asked for patience: no leave is asked for before this.
    pub leaves_after: Millis,
    next_id: u64,
    pending: HashMap<u64, Pending>,
    chats: HashMap<ChatRow, ChatLink>,
    unacked: BTreeMap<PartitionId, Unacked>,
}

/// Key packages of one suite at the relay.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stock {
    /// One-time packages.
    pub one_time: u64,
    /// Whether there is a last resort.
    pub last_resort: bool,
    /// It is being filled up.
    pub filling: bool,
}

impl Link {
    /// How many fetches of key packages are unanswered.
    pub fn fetching(&self) -> usize {
        self.packages.values().filter(|fetched| matches!(fetched, Fetched::Asked)).count()
    }

    /// Whether the relay said a short while ago that it does not know an account.
    pub fn is_unknown(&self, account: &AccountId, now: Millis) -> bool {
        self.unknown.get(account).is_some_and(|at| packages::is_recent(*at, now))
    }

    /// Whether an account or its packages are on their way, or to be asked for.
    pub fn is_coming(&self, account: &AccountId, suite: Suite, now: Millis) -> bool {
        if self.asking.contains(account) {
            return true;
        }
        match self.packages.get(&(*account, suite.code())) {
            _ if self.is_unknown(account, now) => false,
            _ if self.wanted.contains(account) => true,
            fetched => fetched.is_none_or(|fetched| matches!(fetched, Fetched::Asked)),
        }
    }

    /// Forgets the connection.
    pub fn reset(&mut self) {
        let mut names = std::mem::take(&mut self.names);
        names.values_mut().filter(|state| **state == NameState::Asked).for_each(|state| *state = NameState::Wanted);
        let mut meeting = self.meeting.take();
        meeting.iter_mut().for_each(Meeting::reset);
        *self = Self { names, meeting, ..Self::default() };
    }

    /// Whether leave for an upload was asked for and not answered.
    pub fn asks_leave(&self, blob: &Hash) -> bool {
        self.pending.values().any(|about| matches!(about, Pending::Leave(asked) if asked == blob))
    }

    /// A frame that asks, remembered until its answer.
    pub fn ask(&mut self, request: Request, about: Pending) -> ClientFrame {
        self.next_id += 1;
        self.pending.insert(self.next_id, about);
        ClientFrame::Request(Asked { id: self.next_id, request })
    }

    /// What an answer is about.
    pub fn answered(&mut self, id: u64) -> Option<Pending> {
        self.pending.remove(&id)
    }

    /// Nothing waits for an answer.
    pub fn is_idle(&self) -> bool {
        self.pending.is_empty() && self.dirty.is_empty()
    }

    /// Where a chat's traffic stands, to return to if what follows fails.
    pub fn mark(&mut self, row: ChatRow) -> Mark {
        Mark { chat: self.chat(row).clone(), next_id: self.next_id }
    }

    /// Nothing was asked since the mark.
    pub fn return_to(&mut self, row: ChatRow, mark: Mark) {
        self.pending.retain(|id, _| *id <= mark.next_id);
        self.chats.insert(row, mark.chat);
    }

    /// Why a chat pauses.
    pub fn trouble_in(&self, row: ChatRow) -> Option<&Refusal> {
        self.chats.get(&row).and_then(|chat| chat.trouble.as_ref())
    }

    /// Pauses end; a person does not want to wait for them. How long the next one is goes on growing.
    pub fn end_pauses(&mut self) {
        self.trouble = None;
        for (row, chat) in &mut self.chats {
            chat.trouble = None;
            if std::mem::replace(&mut chat.paused_until, Millis(0)) > Millis(0) {
                self.dirty.insert(*row);
            }
        }
    }

    pub fn chat(&mut self, row: ChatRow) -> &mut ChatLink {
        self.chats.entry(row).or_default()
    }

    /// What is in flight for a chat no longer counts: its group changed. Answers still come and are judged by number.
    pub fn restart_chat(&mut self, row: ChatRow) {
        let chat = self.chat(row);
        chat.sent_to = 0;
        chat.wait_base = Seq(0);
        chat.retreating = !chat.unanswered.is_empty();
        self.dirty.insert(row);
    }

    /// Counts an envelope that this transaction stores.
    pub fn took(&mut self, partition: PartitionId, pos: Pos, weight: usize) {
        let unacked = self.unacked.entry(partition).or_default();
        unacked.count += 1;
        unacked.bytes += weight;
        unacked.last = unacked.last.max(pos);
    }

    /// Acknowledgements that are due: of each partition at half its window, or whatever there is if `all`.
    pub fn acks(&mut self, all: bool) -> Vec<ClientFrame> {
        if !(all || self.unacked.values().any(Unacked::is_half)) {
            return Vec::new();
        }
        let (due, later) =
            std::mem::take(&mut self.unacked).into_iter().partition(|(_, unacked)| all || unacked.is_half());
        self.unacked = later;
        let due: BTreeMap<PartitionId, Unacked> = due;
        due.into_iter().map(|(partition, unacked)| ClientFrame::Ack(Ack { partition, pos: unacked.last })).collect()
    }
}
