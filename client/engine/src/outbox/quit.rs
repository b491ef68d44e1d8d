//! Leaving a group or channel: the others are asked to remove this account, until they have (rules `LEA-*`).

use crate::error::Result;
use crate::link::Pending;
use crate::step::Step;
use aside_protocol::Millis;
use aside_protocol::refusal::Refusal;
use aside_protocol::request::{Answer, Leave, Request};
use aside_store::chats::{Chat, ChatState};
use aside_store::tasks::TaskKind;

/// How often the others are asked, in milliseconds (a day).
const REPEAT_MS: u64 = 24 * 3600 * 1000;

/// Whether the user wants to leave a chat.
pub(crate) fn is_leaving(step: &Step, chat: &Chat) -> Result<bool> {
    Ok(!chat.is_direct() && step.tx.task(chat.row, TaskKind::Quit, &[])?.is_some())
}

/// Asks the others, if it is time to.
pub(super) fn advance(step: &mut Step, chat: &Chat) -> Result<()> {
    let Some(task) = step.tx.task(chat.row, TaskKind::Quit, &[])?.filter(|task| task.is_due(step.now)) else {
        return Ok(());
    };
    if !std::mem::replace(&mut step.link.chat(chat.row).leave, true) {
        step.ask(Request::Leave(Leave { chat: chat.chat, body: task.value }), Pending::Quit(chat.row));
    }
    Ok(())
}

/// The relay has told the others; nobody else there: then this device alone ends it.
pub(crate) fn answered(step: &mut Step, chat: &mut Chat, answer: Answer) -> Result<()> {
    step.link.chat(chat.row).leave = false;
    match answer {
        Answer::Done(done) if done.pos.is_some() => {
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
