//! Joining a channel by its link: those who are in it are asked to add this device, until they have (rules `JOI-*`).

use crate::error::Result;
use crate::groups::{Allowed, Denied};
use crate::link::Pending;
use crate::packages::suite_of;
use crate::step::Step;
use aside_crypto::DeviceKey;
use aside_protocol::channel::{ChannelLink, LinkSecret};
use aside_protocol::group::{ChatKind, JoinRequest, SignedJoin, join_signs};
use aside_protocol::invite::Invite;
use aside_protocol::refusal::Refusal;
use aside_protocol::request::{Answer, Join, Request};
use aside_protocol::{Body, ChatId, Millis, codec};
use aside_store::chats::{Chat, ChatRow, ChatState};
use aside_store::tasks::TaskKind;

/// The longest time between two requests, in milliseconds (a day).
const LONGEST_REPEAT_MS: u64 = 24 * 3600 * 1000;

/// Shown when the relay knows no channel of the link.
const NO_CHANNEL: &str = "The relay knows no such channel: its link is old, or for another relay.";

impl Step<'_> {
    /// The link of a channel: the one that is valid if its secret is known here, else a new one, which takes the place
    /// of any other.
    pub fn channel_link(&mut self, row: ChatRow) -> Result<Allowed<ChannelLink>> {
        let Some(chat) = self.tx.chat_at(row)? else { return Ok(Err(Denied::NotIn)) };
        let known = self.tx.link_secret(row)?;
        let secret = match known {
            Some(secret) if self.opens(&chat, &secret)? => secret,
            _ => {
                let secret = LinkSecret(self.fresh());
                let public = DeviceKey::from_seed(&secret.0).public();
                if let Err(denied) = self.set_join_key(row, Some(public))? {
                    return Ok(Err(denied));
                }
                self.tx.save_link_secret(row, &secret)?;
                secret
            }
        };
        let relay = self.profile()?.relay;
        let (addresses, pin, mode) = (relay.addresses, relay.pin, relay.mode);
        let invite = Invite { addresses, pin, mode, secret: ChannelLink::NO_SECRET };
        Ok(Ok(ChannelLink { invite, chat: chat.chat, title: chat.title, secret }))
    }

    /// Nobody joins a channel by a link any more.
    pub fn drop_channel_link(&mut self, row: ChatRow) -> Result<Allowed> {
        let dropped = self.set_join_key(row, None)?;
        if dropped.is_ok() {
            self.tx.drop_link_secret(row)?;
        }
        Ok(dropped)
    }

    /// Whether a secret is that of the channel's link, or of the one that is about to be.
    fn opens(&mut self, chat: &Chat, secret: &LinkSecret) -> Result<bool> {
        let public = DeviceKey::from_seed(&secret.0).public();
        match self.tx.task(chat.row, TaskKind::Link, &[])? {
            Some(task) => Ok(*task.value == public.0),
            None => Ok(self.join_key(chat)? == Some(public)),
        }
    }

    /// Asks to be let into a channel, now and until somebody does. `false`: this device is in it.
    pub fn join_channel(&mut self, link: &ChannelLink) -> Result<Allowed<bool>> {
        if link.invite.pin != self.profile()?.relay.pin {
            return Ok(Err(Denied::OtherRelay));
        }
        let mut chat = self.tx.group_chat(&link.chat, ChatKind::Channel, self.now)?;
        if chat.kind != ChatKind::Channel {
            return Ok(Err(Denied::NoLink));
        }
        if chat.state == ChatState::Live || self.tx.member(chat.row, &self.account)?.is_some() {
            return Ok(Ok(false));
        }
        if chat.title.is_empty() {
            chat.title.clone_from(&link.title);
        }
        if chat.state == ChatState::Left {
            chat.enter(ChatState::Unfounded, self.now);
        }
        self.tx.save_chat(&chat)?;
        self.tx.save_link_secret(chat.row, &link.secret)?;
        self.add_task(&chat, TaskKind::Enter, Vec::new(), Body::default(), self.now, true)?;
        Ok(Ok(true))
    }

    /// Gives up waiting to be let into a channel.
    pub fn join_no_more(&mut self, chat: &ChatId) -> Result<()> {
        match self.tx.chat(chat)? {
            Some(chat) => Ok(self.tx.drop_task(chat.row, TaskKind::Enter, &[])?),
            None => Ok(()),
        }
    }
}

/// Asks those in the channel, if it is time to. Says whether this device waits to be let in.
pub(super) fn advance(step: &mut Step, chat: &Chat) -> Result<bool> {
    let Some(task) = step.tx.task(chat.row, TaskKind::Enter, &[])? else { return Ok(false) };
    if task.due > step.now || step.link.chat(chat.row).enter {
        return Ok(true);
    }
    let Some(secret) = step.tx.link_secret(chat.row)? else {
        step.tx.drop_task(chat.row, TaskKind::Enter, &[])?;
        return Ok(false);
    };
    let me = step.account;
    if step.fresh_account(&me)?.is_none() {
        return Ok(true);
    }
    let Some(account) = step.chain(&me, None)? else { return Ok(true) };
    let not_after = Millis(step.now.0.saturating_add(step.config.key_package_ms));
    let key_package = step.scope().key_package(suite_of(chat.kind), false, not_after)?;
    let request = JoinRequest { chat: chat.chat, account, device: step.me.device, key_package };
    let request = Body(codec::encode(&request));
    let message = join_signs(&request);
    let proof = DeviceKey::from_seed(&secret.0).sign(&message);
    let body = Body(codec::encode(&SignedJoin { request, proof, signature: step.me.key.sign(&message) }));
    step.link.chat(chat.row).enter = true;
    step.ask(Request::Join(Join { chat: chat.chat, body }), Pending::Enter(chat.row));
    Ok(true)
}

/// The relay has passed the request on, or knows no such channel.
pub(crate) fn answered(step: &mut Step, chat: &mut Chat, answer: Answer) -> Result<()> {
    step.link.chat(chat.row).enter = false;
    match answer {
        Answer::Done(_) => repeat_later(step, chat),
        Answer::Refused(Refusal::NotFound(_) | Refusal::NotMember(_)) => {
            step.tx.drop_task(chat.row, TaskKind::Enter, &[])?;
            step.notice(chat, NO_CHANNEL)
        }
        Answer::Refused(refusal) => {
            step.pause(chat.row, &refusal);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// After ever longer times, so that those who are away for weeks do not find thousands of requests.
fn repeat_later(step: &mut Step, chat: &Chat) -> Result<()> {
    let Some(mut task) = step.tx.task(chat.row, TaskKind::Enter, &[])? else { return Ok(()) };
    let waited = step.now.0.saturating_sub(task.made.0).min(LONGEST_REPEAT_MS);
    task.due = Millis(step.now.0.saturating_add(step.config.rejoin_repeat_ms.max(waited)));
    Ok(step.tx.save_task(&task)?)
}
