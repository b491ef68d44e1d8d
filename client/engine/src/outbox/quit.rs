//! Leaving a group or channel: the others are asked to remove this account, until they have (rules `LEA-*`). What is kept
//! is the wish alone; the request is signed anew each time, as the group is by then.

use crate::error::Result;
use crate::link::Pending;
use crate::step::Step;
use aside_protocol::group::{LeaveRequest, Role, SignedLeave, leave_signs};
use aside_protocol::refusal::Refusal;
use aside_protocol::request::{Answer, Leave, Request};
use aside_protocol::{Body, Millis, codec};
use aside_store::chats::{Chat, ChatRow, ChatState};
use aside_store::tasks::TaskKind;

/// How often the others are asked, in milliseconds (a day).
const REPEAT_MS: u64 = 24 * 3600 * 1000;

/// Shown when leaving would leave the others without an owner.
const LAST_OWNER: &str =
    "You are the only owner now, so you stay in this group; make somebody else an owner, then leave.";

/// Whether the user wants to leave a chat.
pub(crate) fn is_leaving(step: &Step, chat: &Chat) -> Result<bool> {
    Ok(!chat.is_direct() && step.tx.task(chat.row, TaskKind::Quit, &[])?.is_some())
}

/// Another device of the own account has asked already: this one waits with it, and asks itself if that comes to nothing.
pub(crate) fn begun_elsewhere(step: &mut Step, chat: &mut Chat) -> Result<()> {
    if is_alone(step, chat)? {
        return step.leave_group(chat, "You left.");
    }
    if is_leaving(step, chat)? {
        return Ok(());
    }
    let due = Millis(step.now.0.saturating_add(REPEAT_MS));
    step.add_task(chat, TaskKind::Quit, Vec::new(), Body::default(), due, false)
}

/// Whether nobody else is in a group who could remove this account, nor comes by a commit that is on its way.
pub(crate) fn is_alone(step: &Step, chat: &Chat) -> Result<bool> {
    Ok(step.tx.member_count(chat.row)? <= 1 && step.tx.proposed(chat.row)?.is_none())
}

/// Who has just come has not heard that this account wants to leave: asked again.
pub(crate) fn ask_again(step: &mut Step, chat: &Chat) -> Result<()> {
    if let Some(mut task) = step.tx.task(chat.row, TaskKind::Quit, &[])? {
        task.due = step.now;
        step.tx.save_task(&task)?;
    }
    Ok(())
}

/// Asks the others, if it is time to. An account that has become the last owner meanwhile stays.
pub(super) fn advance(step: &mut Step, chat: &mut Chat) -> Result<()> {
    let Some(task) = step.tx.task(chat.row, TaskKind::Quit, &[])? else { return Ok(()) };
    // Own devices that are in it have heard of it.
    if is_alone(step, chat)? && (chat.devices <= 1 || !task.is_due(step.now)) {
        return step.leave_group(chat, "You left.");
    }
    if is_last_owner(step, chat)? {
        step.tx.drop_task(chat.row, TaskKind::Quit, &[])?;
        step.link.dirty.insert(chat.row);
        return step.notice(chat, LAST_OWNER);
    }
    if task.is_due(step.now) && !std::mem::replace(&mut step.link.chat(chat.row).leave, true) {
        let body = request(step, chat)?;
        step.ask(Request::Leave(Leave { chat: chat.chat, body }), Pending::Quit(chat.row));
    }
    Ok(())
}

/// Whether others would be without an owner if this account went.
pub(crate) fn is_last_owner(step: &Step, chat: &Chat) -> Result<bool> {
    Ok(step.role_of(chat, &step.account)? == Some(Role::Owner)
        && step.tx.member_count(chat.row)? > 1
        && !step.tx.has_other_owner(chat.row, &step.account)?)
}

/// This device's signed request, as the group is now (rule `LEA-1`).
fn request(step: &Step, chat: &Chat) -> Result<Body> {
    let since = step.tx.member(chat.row, &step.account)?.map_or(0, |entry| entry.since);
    let (account, device) = (step.account, step.me.device);
    let request = LeaveRequest { chat: chat.chat, incarnation: chat.incarnation, account, device, since };
    let request = Body(codec::encode(&request));
    let signature = step.me.key.sign(&leave_signs(&request));
    Ok(Body(codec::encode(&SignedLeave { request, signature })))
}

/// The relay has told the others; nobody else there: then this device alone ends it.
pub(crate) fn answered(step: &mut Step, chat: &mut Chat, answer: Answer) -> Result<()> {
    step.link.chat(chat.row).leave = false;
    if !is_leaving(step, chat)? {
        return Ok(());
    }
    match answer {
        Answer::Done(done)
            if !is_alone(step, chat)? && (done.pos.is_some() || step.tx.proposed(chat.row)?.is_some()) =>
        {
            if let Some(mut task) = step.tx.task(chat.row, TaskKind::Quit, &[])? {
                task.made = step.now;
                task.due = Millis(step.now.0.saturating_add(REPEAT_MS));
                step.tx.save_task(&task)?;
            }
            Ok(())
        }
        Answer::Done(_) | Answer::Refused(Refusal::NotMember(_)) => step.leave_group(chat, "You left."),
        Answer::Refused(refusal) => {
            step.pause(chat.row, &refusal);
            Ok(())
        }
        _ => Ok(()),
    }
}

impl Step<'_> {
    /// The user wants to stay after all. Says whether they were leaving. Whoever has been asked already may still remove the
    /// account.
    pub fn stay(&mut self, chat: ChatRow) -> Result<bool> {
        let leaving = self.tx.task(chat, TaskKind::Quit, &[])?.is_some();
        self.tx.drop_task(chat, TaskKind::Quit, &[])?;
        self.touch(chat);
        Ok(leaving)
    }

    /// This device is not in the group any more: nothing of its keys stays.
    pub(crate) fn leave_group(&mut self, chat: &mut Chat, why: &str) -> Result<()> {
        if chat.state == ChatState::Left {
            return Ok(());
        }
        self.drop_proposed(chat)?;
        self.drop_group(chat)?;
        self.tx.drop_tasks(chat.row)?;
        self.tx.clear_receipt_keys(chat.row)?;
        self.link.restart_chat(chat.row);
        chat.enter(ChatState::Left, self.now);
        chat.devices = 0;
        self.notice(chat, why)
    }
}
