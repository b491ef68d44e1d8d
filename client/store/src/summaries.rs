//! The chat list as a person sees it: one line a name, however many keys the name has had.

use crate::rows::{id, maybe_id};
use crate::{Result, StoreError, Tx};
use aside_protocol::group::{ChatKind, Role};
use aside_protocol::{AccountId, Millis, Name};
use rusqlite::{Row, params};
use std::cmp::Reverse;
use std::collections::HashMap;

/// A line of the chat list.
#[derive(Debug, Clone)]
pub struct ChatSummary {
    /// The other account; the one in use if the name has several.
    pub peer: AccountId,
    /// Its name, or a group's or channel's title.
    pub name: String,
    /// What the chat is.
    pub kind: ChatKind,
    /// What the own account may do in a group or channel; none when it is not in it.
    pub role: Option<Role>,
    /// Messages not read.
    pub unread: u64,
    /// The newest message.
    pub last: Option<String>,
    /// Whether it was sent by the own account.
    pub last_own: bool,
    /// Who wrote it, in a group or channel.
    pub last_by: Option<String>,
    /// Its time: the relay's, or the own clock while pending.
    pub time: Option<Millis>,
    /// Own messages that the relay does not have yet.
    pub pending: u64,
    /// When the text was saved that was begun and not sent, if there is one.
    pub draft: Option<Millis>,
    /// Whether the name leads to another key that nobody has decided about.
    pub key_changed: bool,
    /// Whether a text was begun on another own device.
    pub draft_elsewhere: bool,
    /// Until when nothing is announced of it; 0: it is.
    pub muted_until: Millis,
}

/// How much of a chat a line needs.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// Characters of the newest message.
    pub text: u32,
    /// Unread messages are counted up to here.
    pub unread: u32,
}

impl Shown {
    /// All of it.
    pub const WHOLE: Self = Self { text: u32::MAX, unread: u32::MAX };
}

/// Every chat with its newest message, the most recent first. Who is about to found a group (task 9) will own it. Counts what is unread by an index, and looks the newest
/// message up, so that it costs the same however long the histories are.
pub(crate) const SUMMARIES: &str = "SELECT c.peer, coalesce(a.name, nullif(c.title, '')) AS name, m.text, m.own,
    c.kind, CASE WHEN c.kind = 0 OR c.state = 5 THEN NULL
      WHEN x.role IS NULL AND EXISTS (SELECT 1 FROM tasks t WHERE t.chat = c.id AND t.kind = 9) THEN 2
      ELSE coalesce(x.role, 0) END AS role,
    m.account AS author, b.name AS by_name, b.trust AS by_trust,
    coalesce(m.relay_time, m.sent_at) AS time,
    coalesce((SELECT since FROM drafted d WHERE d.chat = c.chat), 0) > 0 AS elsewhere,
    coalesce((SELECT until FROM mutes q WHERE q.chat = c.chat), 0) AS muted,
    (SELECT count(*) FROM (SELECT 1 FROM messages u
      WHERE u.chat = c.id AND u.own = 0 AND u.kind = 0 AND u.place > c.read_place LIMIT ?1)) AS unread,
    (SELECT count(*) FROM outbox o CROSS JOIN messages w ON w.id = o.message
      WHERE o.chat = c.id AND o.sent = 0 AND w.seq IS NULL AND w.kind = 0) AS pending
  FROM chats c LEFT JOIN accounts a ON a.account = c.peer
  LEFT JOIN profile p ON p.id = 1
  LEFT JOIN members x ON x.chat = c.id AND x.account = p.account AND c.kind <> 0
  LEFT JOIN messages m ON m.id = (SELECT id FROM messages l WHERE l.chat = c.id AND l.kind = 0
                                  ORDER BY l.place DESC, l.id DESC LIMIT 1)
  LEFT JOIN accounts b ON b.account = m.account
  WHERE c.kind IN (0, 1, 2) AND (c.kind = 0 OR c.title <> '')
    AND (m.id IS NOT NULL OR c.peer <> coalesce((SELECT account FROM profile), x''))
  ORDER BY time DESC, c.id";

/// SQLite's own `substr` ends at a NUL, which a peer may write.
fn cut(row: &Row, characters: u32) -> Result<Option<String>> {
    let text = row.get_ref("text")?.as_str_or_null().map_err(|_| StoreError::Row("text"))?;
    Ok(text.map(|text| text.chars().take(characters as usize).collect()))
}

fn read(row: &Row, shown: Shown) -> Result<ChatSummary> {
    let peer = id(row, "peer", AccountId::from_slice)?;
    let name: Option<String> = row.get("name")?;
    let kind = ChatKind::from_code(row.get("kind")?);
    Ok(ChatSummary {
        kind,
        role: row.get::<_, Option<u64>>("role")?.map(Role::from_code),
        last_by: if kind == ChatKind::Direct { None } else { author(row)? },
        name: name.unwrap_or_else(|| peer.to_hex()[..12].to_owned()),
        unread: row.get("unread")?,
        last: cut(row, shown.text)?,
        last_own: row.get::<_, Option<bool>>("own")?.unwrap_or(false),
        time: row.get::<_, Option<u64>>("time")?.map(Millis),
        pending: row.get("pending")?,
        draft: None,
        key_changed: false,
        draft_elsewhere: row.get("elsewhere")?,
        muted_until: Millis(row.get("muted")?),
        peer,
    })
}

fn author(row: &Row) -> Result<Option<String>> {
    let author = maybe_id(row, "author", AccountId::from_slice)?;
    let named = row.get::<_, Option<i64>>("by_trust")?.is_some_and(|trust| trust != 3);
    Ok(match author {
        Some(author) if !named => Some(Name::placeholder(&author).to_string()),
        _ => row.get("by_name")?,
    })
}

/// The lines so far, and which accounts belong to which.
#[derive(Default)]
struct Lines {
    lines: Vec<ChatSummary>,
    of: HashMap<AccountId, usize>,
}

impl Lines {
    /// Adds an account's chat. Chats of one name become one line, which shows the newest message of all.
    fn add(&mut self, chat: ChatSummary, named: &HashMap<AccountId, AccountId>) {
        let (account, peer) = (chat.peer, named.get(&chat.peer).copied().unwrap_or(chat.peer));
        let line = *self.of.entry(peer).or_insert(self.lines.len());
        self.of.insert(account, line);
        match self.lines.get_mut(line) {
            Some(line) => {
                line.unread += chat.unread;
                line.pending += chat.pending;
            }
            None => self.lines.push(ChatSummary { peer, ..chat }),
        }
    }

    /// The line of an account, made if it has no chat yet.
    fn line(&mut self, account: AccountId, name: &str) -> Option<&mut ChatSummary> {
        if !self.of.contains_key(&account) {
            self.add(empty(account, name), &HashMap::new());
        }
        self.of.get(&account).and_then(|&line| self.lines.get_mut(line))
    }
}

fn empty(peer: AccountId, name: &str) -> ChatSummary {
    let name = name.to_owned();
    let (last, time, draft) = (None, None, None);
    let (kind, role, last_by) = (ChatKind::Direct, None, None);
    ChatSummary {
        peer,
        name,
        kind,
        role,
        unread: 0,
        last,
        last_own: false,
        last_by,
        time,
        pending: 0,
        draft,
        key_changed: false,
        draft_elsewhere: false,
        muted_until: Millis(0),
    }
}

impl Tx<'_> {
    /// The chat list, the most recent first. A name with several keys has one line, and so have a draft and a key that
    /// waits for a decision where nothing was written yet.
    pub fn summaries(&self, shown: Shown) -> Result<Vec<ChatSummary>> {
        let rivals = self.rivals()?;
        let in_use = rivals.iter().filter(|rival| rival.trust == 0).map(|rival| (rival.name.as_str(), rival.account));
        let in_use: HashMap<&str, AccountId> = in_use.collect();
        let named = rivals.iter().filter_map(|rival| Some((rival.account, *in_use.get(rival.name.as_str())?)));
        let named: HashMap<AccountId, AccountId> = named.collect();
        let mut lines = Lines::default();
        for chat in self.all(SUMMARIES, params![shown.unread], |row| read(row, shown))? {
            lines.add(chat, &named);
        }
        for rival in rivals.iter().filter(|rival| rival.trust == 1) {
            let peer = named.get(&rival.account).copied().unwrap_or(rival.account);
            lines.line(peer, &rival.name).into_iter().for_each(|line| line.key_changed = peer != rival.account);
        }
        for (account, name, saved) in self.drafts()? {
            let peer = named.get(&account).copied().unwrap_or(account);
            lines.line(peer, &name).into_iter().for_each(|line| line.draft = Some(saved));
        }
        let mut lines = lines.lines;
        lines.sort_by_key(|line| Reverse(line.time.or(line.draft)));
        Ok(lines)
    }

    fn drafts(&self) -> Result<Vec<(AccountId, String, Millis)>> {
        let sql = "SELECT d.account, d.saved, coalesce(a.name, c.title) FROM drafts d
            LEFT JOIN accounts a ON a.account = d.account LEFT JOIN chats c ON c.chat = d.account
            WHERE a.name IS NOT NULL OR c.title IS NOT NULL";
        self.all(sql, [], |row| Ok((id(row, 0, AccountId::from_slice)?, row.get(2)?, Millis(row.get(1)?))))
    }

    /// The accounts of names that have several.
    fn rivals(&self) -> Result<Vec<Rival>> {
        let sql = "SELECT account, name, trust FROM accounts
            WHERE name IN (SELECT name FROM accounts WHERE trust <> 0) ORDER BY name, trust, seen";
        self.all(sql, [], |row| {
            Ok(Rival { account: id(row, 0, AccountId::from_slice)?, name: row.get(1)?, trust: row.get(2)? })
        })
    }
}

/// One of several accounts of a name.
struct Rival {
    account: AccountId,
    name: String,
    /// As it is stored.
    trust: i64,
}
