//! The accounts of a chat: read, changed by commits that took effect, told to people.

use crate::accounts::continues;
use crate::error::Result;
use crate::outbox::quit;
use crate::rules::{self, After, Change};
use crate::session::NAMES_A_TICK;
use crate::step::Step;
use aside_crypto::{Leaf, Terms};
use aside_protocol::device_list::VerifiedList;
use aside_protocol::group::{AccountLists, GroupState, Role, Roster, RosterEntry};
use aside_protocol::{AccountId, Body, DeviceId, Millis, Name, PublicKey};
use aside_store::accounts::{Account, Trust};
use aside_store::chats::Chat;
use aside_store::tasks::{Task, TaskKind};

/// Device lists that were proved: root key, the last version, all signed versions.
pub(crate) type Proved = (PublicKey, VerifiedList, Vec<Body>);

impl Step<'_> {
    /// The accounts of a chat that this device is in.
    pub(crate) fn roster(&mut self, chat: &Chat) -> Result<Roster> {
        if !chat.is_direct() {
            return Ok(self.tx.roster(chat.row)?);
        }
        match self.with_group(chat, |group, _| group.terms())? {
            Some(Ok(terms)) => Ok(rules::direct_roster(&terms.context)),
            _ => Ok(Roster::default()),
        }
    }

    /// What an account may do in a chat.
    pub(crate) fn role_of(&self, chat: &Chat, account: &AccountId) -> Result<Option<Role>> {
        Ok(self.tx.member(chat.row, account)?.map(|entry| entry.role))
    }

    /// A commit took effect: its changes of accounts are stored, and said in the history.
    pub(crate) fn roster_changed(
        &mut self,
        chat: &mut Chat,
        by: Option<&Leaf>,
        change: &Change,
        terms: Option<&Terms>,
    ) -> Result<()> {
        for account in &change.gone {
            self.tx.remove_member(chat.row, account)?;
            self.tell(chat, by, Event::Gone(*account))?;
        }
        for entry in &change.put {
            let before = self.tx.member(chat.row, &entry.account)?;
            self.tx.put_member(chat.row, entry, chat.place(chat.base))?;
            match before {
                None => {
                    self.tell(chat, by, Event::Came(entry.account))?;
                    quit::ask_again(self, chat)?;
                }
                Some(before) if before.role != entry.role => self.tell(chat, by, Event::Role(*entry))?,
                Some(_) => {}
            }
        }
        if let Some(state) = terms.and_then(|terms| terms.state.as_ref()) {
            self.retitle(chat, by, state)?;
        }
        self.drop_done_tasks(chat)?;
        self.watch_lists(chat)
    }

    fn retitle(&mut self, chat: &mut Chat, by: Option<&Leaf>, state: &GroupState) -> Result<()> {
        if chat.title != state.title {
            chat.title.clone_from(&state.title);
            self.tell(chat, by, Event::Title)?;
        }
        Ok(())
    }

    /// Says in a group's history what happened; nothing in direct chats, whose accounts never change.
    fn tell(&mut self, chat: &Chat, by: Option<&Leaf>, event: Event) -> Result<()> {
        if chat.is_direct() {
            return Ok(());
        }
        let actor = by.map_or(self.account, |leaf| leaf.account);
        let who = self.called(&actor)?;
        let text = match event {
            Event::Gone(account) if account == self.account => return Ok(()),
            Event::Gone(account) if self.asked_to_leave(chat, &account)? => format!("{} left.", self.called(&account)?),
            Event::Gone(account) => format!("{who} removed {}.", self.called(&account)?),
            Event::Came(account) => format!("{who} added {}.", self.called(&account)?),
            Event::Role(entry) => format!("{who} made {} {}.", self.called(&entry.account)?, role_word(entry.role)),
            Event::Title => format!("{who} named this “{}”.", chat.title),
        };
        self.notice(chat, &text)
    }

    fn asked_to_leave(&self, chat: &Chat, account: &AccountId) -> Result<bool> {
        Ok(self.tx.task(chat.row, TaskKind::Leave, account.as_ref())?.is_some())
    }

    /// What an account is called in a sentence.
    pub(crate) fn called(&self, account: &AccountId) -> Result<String> {
        if *account == self.account {
            return Ok("You".into());
        }
        let name = self.tx.account(account)?.map_or_else(|| Name::placeholder(account), |known| known.name);
        Ok(name.as_str().to_owned())
    }

    /// Device lists that a welcome or commit proved; newer ones are kept, a name is asked for later. Says whether one of them
    /// contradicts what is known here: then that stays.
    pub(crate) fn learn_proved(&mut self, proved: &[Proved]) -> Result<bool> {
        let mut contradicted = false;
        for (root, list, lists) in proved {
            let account = list.list.account;
            let known = self.tx.account(&account)?;
            let hashes = rules::hashes(*root, lists);
            if known.as_ref().is_some_and(|known| continues(&known.list, &hashes) == Some(false)) {
                contradicted = true;
                continue;
            }
            if known.as_ref().is_some_and(|known| known.list.list.version >= list.list.version) {
                // The chain may be needed to prove it to others.
                let ours = self.tx.lists(&account)?.len();
                if ours == 0 || ours < lists.len() {
                    self.tx.save_lists(&account, 1, lists)?;
                }
                continue;
            }
            let (name, trust) = match known {
                Some(known) => (known.name, known.trust),
                None => (Name::placeholder(&account), Trust::Unnamed),
            };
            let learned = Account { account, name, root: *root, list: list.clone(), trust };
            self.tx.save_account(&learned, self.now)?;
            self.tx.save_lists(&account, 1, lists)?;
            self.list_grew(&account)?;
        }
        // People want to see who is here; the rest of many follows with each tick.
        self.link.wanted.extend(self.tx.unnamed(NAMES_A_TICK)?);
        Ok(contradicted)
    }

    /// An account's list is newer than before: chats whose groups know an older one are brought in line (rule `GRP-7`).
    pub(crate) fn list_grew(&mut self, account: &AccountId) -> Result<()> {
        for row in self.tx.chats_of(account)? {
            if let Some(chat) = self.tx.chat_at(row)? {
                self.watch_lists(&chat)?;
            }
        }
        Ok(())
    }

    /// Notes which accounts of a chat have newer lists than its group knows.
    pub(crate) fn watch_lists(&mut self, chat: &Chat) -> Result<()> {
        for account in self.tx.outdated(chat.row)? {
            let due = self.patience(chat, &account)?;
            let old = self.tx.task(chat.row, TaskKind::Sync, account.as_ref())?;
            if old.is_none() {
                self.add_task(chat, TaskKind::Sync, account.as_ref().to_vec(), Body::default(), due, false)?;
            }
        }
        Ok(())
    }

    /// The own account's other devices belong into every group: one that could not be added at the beginning, for lack of key
    /// packages, is added once it can be. In direct chats the relay routes to it anyway, and it asks by itself, for what it
    /// missed as well.
    pub(crate) fn watch_own_devices(&mut self, chat: &Chat) -> Result<()> {
        if chat.is_direct() {
            return Ok(());
        }
        let me = self.account;
        let Some(own) = self.tx.account(&me)? else { return Ok(()) };
        let leaves = self.in_group(chat, |group, _| group.roster())?;
        let here = |device: &DeviceId| leaves.iter().any(|leaf| leaf.device == *device);
        if own.list.list.devices.iter().all(|entry| here(&entry.device)) {
            return Ok(());
        }
        let now = self.now;
        self.add_task(chat, TaskKind::Sync, me.as_ref().to_vec(), Body::default(), now, false)
    }

    /// Adds a task and has the chat looked at.
    pub(crate) fn add_task(
        &mut self,
        chat: &Chat,
        kind: TaskKind,
        subject: Vec<u8>,
        value: Body,
        due: Millis,
        asked: bool,
    ) -> Result<()> {
        let task = Task { chat: chat.row, kind, subject, value, made: self.now, due, asked };
        self.tx.save_task(&task)?;
        self.touch(chat.row);
        Ok(())
    }

    /// From when this device does what others in a chat could do as well: the own account's devices and admins first, the rest
    /// the later the larger the group is, by chance.
    pub(crate) fn patience(&mut self, chat: &Chat, about: &AccountId) -> Result<Millis> {
        if chat.is_direct() || *about == self.account {
            return Ok(self.now);
        }
        let (from, span) = match self.role_of(chat, &self.account)? {
            Some(Role::Admin | Role::Owner) => (0, 1_000),
            _ => (2_000, (chat.devices.saturating_mul(100)).clamp(1_000, 60_000)),
        };
        let chance = u64::from(u32::from_be_bytes(self.fresh()));
        Ok(Millis(self.now.0 + from + chance % span))
    }

    /// An account's chain of lists up to a version, to prove it to others; asks for it if it is not here.
    pub(crate) fn chain(&mut self, account: &AccountId, version: Option<u64>) -> Result<Option<AccountLists>> {
        let (Some(known), mut lists) = (self.tx.account(account)?, self.tx.lists(account)?) else {
            self.link.wanted.insert(*account);
            return Ok(None);
        };
        let version = version.unwrap_or(known.list.list.version);
        let length = usize::try_from(version).unwrap_or(usize::MAX);
        if lists.len() < length || length == 0 {
            self.link.fresh.remove(account);
            self.link.wanted.insert(*account);
            return Ok(None);
        }
        lists.truncate(length);
        Ok(Some(AccountLists { root: known.root, lists }))
    }
}

/// Something that happened to a group's accounts.
enum Event {
    Came(AccountId),
    Gone(AccountId),
    Role(RosterEntry),
    Title,
}

/// A role in a sentence.
pub(crate) fn role_word(role: Role) -> &'static str {
    match role {
        Role::Owner => "an owner",
        Role::Admin => "an admin",
        _ => "a member without a role",
    }
}

/// What of a commit's consequences is stored beside an own one.
pub(crate) fn change_of(after: &After) -> Change {
    Change::from(after)
}
