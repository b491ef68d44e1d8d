//! Changes of a chat's membership that are due, until they are in effect: what the user wants, what others asked for,
//! and what follows from device lists.

use crate::chats::ChatRow;
use crate::{Result, StoreError, Tx};
use aside_protocol::{AccountId, Body, Millis};
use rusqlite::{Row, params};

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskKind {
    /// Bring an account in line with its device list (rule `GRP-7`).
    Sync,
    /// Remove an account that asked for it. The value is its signed request.
    Leave,
    /// Remove an account.
    Remove,
    /// Give an account a role. The value is the role's code.
    Role,
    /// Call the chat by another title. The value is the title.
    Title,
    /// Add an account.
    Add,
    /// Add a device of somebody who has the link. The value is the signed request.
    Join,
    /// Set the join key, or take it away. The value is the public key, or empty.
    Link,
    /// Mend the relay's routing (rule `GRP-8`).
    Routing,
    /// Found the chat.
    Found,
    /// Ask the others to remove the own account.
    Quit,
    /// Ask those in a channel to add this device, which has its link.
    Enter,
    /// Renew the own leaf in a big group that was just joined (rule `MLS-7`).
    Warm,
}

impl TaskKind {
    fn code(self) -> i64 {
        self as i64
    }

    fn from_code(code: i64) -> Result<Self> {
        use TaskKind::*;
        let all = [Sync, Leave, Remove, Role, Title, Add, Join, Link, Routing, Found, Quit, Enter, Warm];
        usize::try_from(code).ok().and_then(|code| all.get(code).copied()).ok_or(StoreError::Row("task"))
    }
}

/// A change that is due.
#[derive(Debug, Clone)]
pub struct Task {
    /// The chat.
    pub chat: ChatRow,
    /// What.
    pub kind: TaskKind,
    /// About whom: an account, or empty.
    pub subject: Vec<u8>,
    /// Depends on the kind.
    pub value: Body,
    /// When it became due here.
    pub made: Millis,
    /// Not before: others may do it first.
    pub due: Millis,
    /// Whether the user of this device wants it.
    pub asked: bool,
}

impl Task {
    /// Whether it may be done now. One made later than now was made by a clock that has been put right since.
    pub fn is_due(&self, now: Millis) -> bool {
        self.due <= now || self.made > now
    }

    /// The account it is about.
    pub fn account(&self) -> Option<AccountId> {
        AccountId::from_slice(&self.subject)
    }
}

fn read(row: &Row) -> Result<Task> {
    Ok(Task {
        chat: row.get("chat")?,
        kind: TaskKind::from_code(row.get("kind")?)?,
        subject: row.get("subject")?,
        value: Body::from(row.get::<_, Vec<u8>>("value")?),
        made: Millis(row.get("made")?),
        due: Millis(row.get("due")?),
        asked: row.get("asked")?,
    })
}

impl Tx<'_> {
    /// Adds a task, instead of one of the same kind about the same subject.
    pub fn save_task(&self, task: &Task) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO tasks (chat, kind, subject, value, made, due, asked) VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![task.chat, task.kind.code(), task.subject, &task.value[..], task.made.0, task.due.0, task.asked],
        )
        .map(drop)
    }

    /// The tasks of a chat, in the order in which they are done.
    pub fn tasks(&self, chat: ChatRow) -> Result<Vec<Task>> {
        self.all("SELECT * FROM tasks WHERE chat = ? ORDER BY kind, made, subject", params![chat], read)
    }

    /// Whether a chat has tasks.
    pub fn has_tasks(&self, chat: ChatRow) -> Result<bool> {
        Ok(self.number("SELECT EXISTS (SELECT 1 FROM tasks WHERE chat = ?)", params![chat])? == 1)
    }

    /// One task of a chat.
    pub fn task(&self, chat: ChatRow, kind: TaskKind, subject: &[u8]) -> Result<Option<Task>> {
        let sql = "SELECT * FROM tasks WHERE chat = ? AND kind = ? AND subject = ?";
        self.one(sql, params![chat, kind.code(), subject], read)
    }

    /// A task is done, or not wanted any more.
    pub fn drop_task(&self, chat: ChatRow, kind: TaskKind, subject: &[u8]) -> Result<()> {
        let sql = "DELETE FROM tasks WHERE chat = ? AND kind = ? AND subject = ?";
        self.run(sql, params![chat, kind.code(), subject]).map(drop)
    }

    /// Nothing of a chat is to be done any more.
    pub fn drop_tasks(&self, chat: ChatRow) -> Result<()> {
        self.run("DELETE FROM tasks WHERE chat = ?", params![chat]).map(drop)
    }

    /// Chats with tasks.
    pub fn chats_with_tasks(&self) -> Result<Vec<ChatRow>> {
        self.all("SELECT DISTINCT chat FROM tasks ORDER BY chat", [], |row| Ok(row.get(0)?))
    }
}
