//! What people ask of groups and channels. Each becomes a task that stays until it is in effect or not allowed any more;
//! commits that come in between do not matter.

use crate::error::Result;
use crate::outbox::quit;
use crate::rules::is_title;
use crate::step::Step;
use aside_protocol::group::{ChatKind, Role};
use aside_protocol::limits::{GROUP_ACCOUNTS, MAX_TITLE};
use aside_protocol::request::Origin;
use aside_protocol::{AccountId, Body, ChatId, GroupNonce, Millis, PublicKey, codec};
use aside_store::chats::{Chat, ChatRow, ChatState};
use aside_store::tasks::TaskKind;

/// Why a change of a group was not accepted; worded for people. The user's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No such title.
    #[error("a name has 1 to {MAX_TITLE} bytes and no control characters; choose another one")]
    Title,
    /// Not in it, or not any more.
    #[error("you are not in this group; ask one of its admins to add you")]
    NotIn,
    /// Not a group.
    #[error("this is a chat of two; only groups and channels have members")]
    Direct,
    /// Needs another role.
    #[error("only {0} may do this; `aside group info` shows who they are")]
    Role(&'static str),
    /// No such member.
    #[error("this account is not in the group")]
    NoMember,
    /// In it already.
    #[error("this account is in the group already")]
    Member,
    /// The last owner.
    #[error("you are the only owner; make somebody else an owner first")]
    LastOwner,
    /// It is not known yet whether it stands.
    #[error("this group is just being set up; leave it once that is done")]
    Founding,
    /// Too many.
    #[error("a group has at most {GROUP_ACCOUNTS} members")]
    Full,
    /// Groups have no link.
    #[error("only channels have links; add members to a group by name")]
    NoLink,
    /// A link of another relay.
    #[error("this channel is at another relay; join it with a profile of that relay (-P chooses one)")]
    OtherRelay,
}

/// The answer to somebody who wants to change a group.
pub type Allowed<T = ()> = std::result::Result<T, Denied>;

impl Step<'_> {
    /// Makes a group or channel with some accounts; it is founded as soon as there is a connection. Accounts that cannot be
    /// added yet are added later.
    pub fn create_group(&mut self, kind: ChatKind, title: &str, members: &[AccountId]) -> Result<Allowed<ChatId>> {
        if !is_title(title) {
            return Ok(Err(Denied::Title));
        }
        if kind == ChatKind::Group && members.len() >= GROUP_ACCOUNTS {
            return Ok(Err(Denied::Full));
        }
        let origin = Origin { account: self.account, nonce: GroupNonce(self.fresh()) };
        let id = ChatId::group(&origin.account, &origin.nonce);
        let mut chat = self.tx.group_chat(&id, kind, self.now)?;
        chat.title = title.to_owned();
        chat.origin = Some(origin);
        self.tx.save_chat(&chat)?;
        self.add_task(&chat, TaskKind::Found, Vec::new(), Body::default(), self.now, true)?;
        let me = self.account;
        for account in members.iter().filter(|account| **account != me) {
            self.add_task(&chat, TaskKind::Add, account.as_ref().to_vec(), Body::default(), self.now, true)?;
        }
        Ok(Ok(id))
    }

    /// Adds accounts.
    pub fn add_members(&mut self, chat: ChatRow, accounts: &[AccountId]) -> Result<Allowed> {
        let chat = match self.group_for(chat, Role::Admin)? {
            Ok(chat) => chat,
            Err(denied) => return Ok(Err(denied)),
        };
        for account in accounts {
            if self.tx.member(chat.row, account)?.is_some() {
                return Ok(Err(Denied::Member));
            }
        }
        let many = self.tx.member_count(chat.row)? as usize + accounts.len();
        if chat.kind == ChatKind::Group && many > GROUP_ACCOUNTS {
            return Ok(Err(Denied::Full));
        }
        for account in accounts {
            self.tx.drop_task(chat.row, TaskKind::Remove, account.as_ref())?;
            self.add_task(&chat, TaskKind::Add, account.as_ref().to_vec(), Body::default(), self.now, true)?;
        }
        Ok(Ok(()))
    }

    /// Removes an account; one that was not added yet is not added.
    pub fn remove_member(&mut self, chat: ChatRow, account: &AccountId) -> Result<Allowed> {
        let chat = match self.group_for(chat, Role::Admin)? {
            Ok(chat) => chat,
            Err(denied) => return Ok(Err(denied)),
        };
        let waiting = self.tx.task(chat.row, TaskKind::Add, account.as_ref())?.is_some();
        self.tx.drop_task(chat.row, TaskKind::Add, account.as_ref())?;
        match self.role_of(&chat, account)? {
            None if waiting => return Ok(Ok(())),
            None => return Ok(Err(Denied::NoMember)),
            Some(_) if *account == self.account => return self.leave(chat.row),
            Some(Role::Member) => {}
            Some(_) if self.role_of(&chat, &self.account)? == Some(Role::Owner) => {}
            Some(_) => return Ok(Err(Denied::Role("owners"))),
        }
        self.add_task(&chat, TaskKind::Remove, account.as_ref().to_vec(), Body::default(), self.now, true)?;
        Ok(Ok(()))
    }

    /// Gives an account a role.
    pub fn set_role(&mut self, chat: ChatRow, account: &AccountId, role: Role) -> Result<Allowed> {
        let chat = match self.group_for(chat, Role::Owner)? {
            Ok(chat) => chat,
            Err(denied) => return Ok(Err(denied)),
        };
        if self.role_of(&chat, account)?.is_none() {
            return Ok(Err(Denied::NoMember));
        }
        if role != Role::Owner && *account == self.account && !self.tx.has_other_owner(chat.row, account)? {
            return Ok(Err(Denied::LastOwner));
        }
        let value = Body(codec::encode(&role.code()));
        self.add_task(&chat, TaskKind::Role, account.as_ref().to_vec(), value, self.now, true)?;
        Ok(Ok(()))
    }

    /// Calls a group by another title.
    pub fn rename_group(&mut self, chat: ChatRow, title: &str) -> Result<Allowed> {
        if !is_title(title) {
            return Ok(Err(Denied::Title));
        }
        let chat = match self.group_for(chat, Role::Admin)? {
            Ok(chat) => chat,
            Err(denied) => return Ok(Err(denied)),
        };
        let value = Body::from(title.as_bytes().to_vec());
        self.add_task(&chat, TaskKind::Title, Vec::new(), value, self.now, true)?;
        Ok(Ok(()))
    }

    /// Lets whoever has the secret half of a key join a channel, or nobody any more.
    pub fn set_join_key(&mut self, chat: ChatRow, key: Option<PublicKey>) -> Result<Allowed> {
        let chat = match self.group_for(chat, Role::Admin)? {
            Ok(chat) if chat.kind == ChatKind::Channel => chat,
            Ok(_) => return Ok(Err(Denied::NoLink)),
            Err(denied) => return Ok(Err(denied)),
        };
        let value = key.map_or_else(Body::default, |key| Body::from(key.0.to_vec()));
        self.add_task(&chat, TaskKind::Link, Vec::new(), value, self.now, true)?;
        Ok(Ok(()))
    }

    /// Leaves a group: nothing is sent any more, and the others are asked to remove this account.
    pub fn leave(&mut self, chat: ChatRow) -> Result<Allowed> {
        let mut chat = match self.group_for(chat, Role::Member)? {
            Ok(chat) => chat,
            Err(denied) => return Ok(Err(denied)),
        };
        let others = self.tx.member_count(chat.row)? > 1;
        if self.tx.task(chat.row, TaskKind::Found, &[])?.is_some() && (others || self.tx.proposed(chat.row)?.is_some())
        {
            return Ok(Err(Denied::Founding));
        }
        if quit::is_last_owner(self, &chat)? {
            return Ok(Err(Denied::LastOwner));
        }
        // Own devices that are in it hear of it before this one is out.
        if chat.devices <= 1 && quit::is_alone(self, &chat)? {
            self.leave_group(&mut chat, "You left.")?;
            self.tx.save_chat(&chat)?;
            return Ok(Ok(()));
        }
        self.tx.drop_tasks(chat.row)?;
        self.add_task(&chat, TaskKind::Quit, Vec::new(), Body::default(), self.now, true)?;
        Ok(Ok(()))
    }

    /// A group that this device is in, if its account may do what needs a role.
    fn group_for(&self, chat: ChatRow, needed: Role) -> Result<Allowed<Chat>> {
        let Some(chat) = self.tx.chat_at(chat)? else { return Ok(Err(Denied::NotIn)) };
        if chat.is_direct() {
            return Ok(Err(Denied::Direct));
        }
        let founding = chat.incarnation == 0 && self.tx.task(chat.row, TaskKind::Found, &[])?.is_some();
        let role = match founding {
            true => Some(Role::Owner),
            false => self.role_of(&chat, &self.account)?,
        };
        Ok(match (role, needed) {
            (None, _) => Err(Denied::NotIn),
            _ if chat.state == ChatState::Left => Err(Denied::NotIn),
            (Some(Role::Owner), _) | (Some(_), Role::Member) | (Some(Role::Admin), Role::Admin) => Ok(chat),
            (_, Role::Owner) => Err(Denied::Role("owners")),
            _ => Err(Denied::Role("owners and admins")),
        })
    }

    /// The user wants this device to be added to a chat again with new keys: what it holds of the chat may be damaged.
    pub fn join_again(&mut self, row: ChatRow) -> Result<Allowed> {
        let Some(mut chat) = self.tx.chat_at(row)? else { return Ok(Err(Denied::NotIn)) };
        match chat.state {
            ChatState::Left => return Ok(Err(Denied::NotIn)),
            ChatState::Live => {
                self.break_chat(&mut chat, "You asked for this device to be added again with new keys.")?
            }
            _ => chat.asked = Millis(0),
        }
        self.tx.save_chat(&chat)?;
        self.touch(row);
        Ok(Ok(()))
    }

    /// Whether somebody is to be removed, or wants to go.
    pub(crate) fn is_going(&self, chat: &Chat, account: &AccountId) -> Result<bool> {
        let task = |kind| self.tx.task(chat.row, kind, account.as_ref());
        Ok(task(TaskKind::Remove)?.is_some() || task(TaskKind::Leave)?.is_some())
    }

    /// Tasks that are in effect go.
    pub(crate) fn drop_done_tasks(&mut self, chat: &Chat) -> Result<()> {
        for task in self.tx.tasks(chat.row)? {
            let entry = task.account().map(|account| self.tx.member(chat.row, &account)).transpose()?.flatten();
            let known = task.account().map(|account| self.tx.account(&account)).transpose()?.flatten();
            let done = match task.kind {
                // The own account's ends when nothing of it is left to do: a device may still be missing.
                TaskKind::Sync if task.subject == self.account.as_ref() => entry.is_none(),
                TaskKind::Sync => {
                    entry.is_none_or(|entry| known.is_some_and(|known| known.list.list.version <= entry.version))
                }
                TaskKind::Leave | TaskKind::Remove => entry.is_none(),
                TaskKind::Add | TaskKind::Join => entry.is_some(),
                // Who was left out of a founding is added first.
                TaskKind::Role if entry.is_none() => self.tx.task(chat.row, TaskKind::Add, &task.subject)?.is_none(),
                TaskKind::Role => entry
                    .is_none_or(|entry| codec::decode(&task.value.0).is_ok_and(|code: u64| code == entry.role.code())),
                TaskKind::Title => *task.value == *chat.title.as_bytes(),
                TaskKind::Link => {
                    self.join_key(chat)?.map_or(Body::default(), |key| Body::from(key.0.to_vec())) == task.value
                }
                TaskKind::Found => chat.incarnation > 0 && chat.state == ChatState::Live,
                TaskKind::Enter => chat.state == ChatState::Live,
                TaskKind::Routing | TaskKind::Quit | TaskKind::Warm => false,
            };
            if done {
                self.tx.drop_task(chat.row, task.kind, &task.subject)?;
            }
        }
        Ok(())
    }

    /// The key whose secret half lets people join a channel.
    pub(crate) fn join_key(&mut self, chat: &Chat) -> Result<Option<PublicKey>> {
        let terms = self.with_group(chat, |group, _| group.terms())?;
        Ok(terms.and_then(|terms| terms.ok()).and_then(|terms| terms.state).and_then(|state| state.join))
    }

    /// Looks again at all chats in which something about members is due.
    pub(crate) fn mark_membership_work(&mut self) -> Result<()> {
        let tx = self.tx;
        let waiting =
            [tx.chats_with_tasks()?, tx.chats_with_unsent()?, tx.chats_with_rejoins()?, tx.chats_with_proposed()?];
        self.link.dirty.extend(waiting.into_iter().flatten());
        Ok(())
    }

    /// The chat that something written is for: a group by its id, a person by their account.
    pub(crate) fn chat_for(&self, to: &AccountId) -> Result<Chat> {
        match self.tx.chat(&ChatId(to.0))? {
            Some(group) if !group.is_direct() => Ok(group),
            _ => Ok(self.tx.direct_chat(&self.account, to, self.now)?),
        }
    }
}
