//! `aside group list`, `aside channel list`.

use super::info::state_word;
use super::{ListArgs, kind_word, role_word};
use crate::cli::{CliError, Settings, json, profile};
use aside_protocol::group::ChatKind;
use aside_store::chats::ChatState;
use aside_tui::text::one_line;
use serde_json::json;

pub(super) fn run(args: &ListArgs, kind: ChatKind, settings: &Settings) -> Result<(), CliError> {
    let mut engine = profile::offline(settings)?;
    let own = engine.account();
    let groups = engine.read(|tx| {
        let mut groups = Vec::new();
        for chat in tx.group_chats()?.into_iter().filter(|chat| chat.kind == kind) {
            let role = tx.member(chat.row, &own)?.map(|entry| role_word(entry.role));
            groups.push((tx.member_count(chat.row)?, role.filter(|_| chat.state != ChatState::Left), chat));
        }
        Ok(groups)
    })?;
    let lines = groups.into_iter().map(|(members, role, chat)| {
        if args.json {
            let object = json!({
                "chat": chat.chat.to_hex(),
                "kind": kind_word(chat.kind),
                "title": chat.title,
                "state": state_word(chat.state),
                "role": role,
                "members": members,
                "devices": chat.devices,
            });
            return json::object("group", object);
        }
        let stands = role.unwrap_or(state_word(chat.state));
        let title = format!("#{}", one_line(&chat.title));
        format!("{title:<24} {stands:<8} {members:>5} members  {}", &chat.chat.to_hex()[..12])
    });
    json::lines(&lines.collect::<Vec<_>>())
}
