//! `aside group` and `aside channel`: made, changed, shown. One file a kind of command.

mod change;
mod create;
mod info;
mod link;
mod list;
mod settle;

use super::{CliError, Settings, duration};
use aside_protocol::group::{ChatKind, Role};
use clap::{Args, Subcommand, ValueEnum};
use std::time::Duration;

/// What can be done with a group; a channel can do more.
#[derive(Debug, Subcommand)]
pub(super) enum GroupCommand {
    /// Make one. Whoever is named is in it as a member; you are its owner.
    Create(CreateArgs),
    /// Add people. Owners and admins may.
    Add(MembersArgs),
    /// Remove people. Admins may remove members, owners anybody.
    Remove(MembersArgs),
    /// Leave.
    Leave(LeaveArgs),
    /// Call it by another name. Owners and admins may.
    Rename(RenameArgs),
    /// Give somebody a role. Owners may.
    Role(RoleArgs),
    /// Show members, their roles and devices, and what is still due.
    Info(InfoArgs),
    /// List those you know.
    List(ListArgs),
}

/// What can be done with a channel, in which only owners and admins write.
#[derive(Debug, Subcommand)]
pub(super) enum ChannelCommand {
    /// Print the link by which people join. Owners and admins may.
    Invite(InviteArgs),
    /// Join by a link.
    Join(JoinArgs),
    #[command(flatten)]
    Group(GroupCommand),
}

/// How long a command waits for its change.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Waiting {
    /// Return at once; the change is made with the next connection.
    #[arg(long)]
    no_wait: bool,
    /// How long to wait until the change is in effect [default: 30s, and longer for many people].
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// What it is called.
    title: String,
    /// Who is in it.
    #[arg(value_name = "MEMBER")]
    members: Vec<String>,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Args)]
pub(super) struct MembersArgs {
    /// Which one: #name, or its id.
    #[arg(value_name = "#NAME")]
    group: String,
    /// Whom.
    #[arg(value_name = "MEMBER", required = true)]
    members: Vec<String>,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Args)]
pub(super) struct LeaveArgs {
    /// Which one: #name, or its id.
    #[arg(value_name = "#NAME")]
    group: String,
    /// Stay after all, if leaving is not in effect yet.
    #[arg(long)]
    cancel: bool,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Args)]
pub(super) struct RenameArgs {
    /// Which one: #name, or its id.
    #[arg(value_name = "#NAME")]
    group: String,
    /// What it is called from now on.
    #[arg(value_name = "NEW")]
    title: String,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Args)]
pub(super) struct RoleArgs {
    /// Which one: #name, or its id.
    #[arg(value_name = "#NAME")]
    group: String,
    /// Who.
    member: String,
    /// What they may do.
    #[arg(value_enum)]
    role: RoleWord,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Args)]
pub(super) struct InfoArgs {
    /// Which one: #name, or its id.
    #[arg(value_name = "#NAME")]
    group: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct InviteArgs {
    /// Which channel: #name, or its id.
    #[arg(value_name = "#NAME")]
    group: String,
    /// Take the link away: nobody joins by it any more.
    #[arg(long)]
    off: bool,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Args)]
pub(super) struct JoinArgs {
    /// The link, as aside channel invite prints it; - reads it from standard input.
    link: String,
    #[command(flatten)]
    waiting: Waiting,
}

/// A role by its word.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum RoleWord {
    /// Also gives roles.
    Owner,
    /// Adds and removes members, renames, writes in channels.
    Admin,
    /// Writes in groups, reads in channels.
    Member,
}

impl RoleWord {
    fn role(self) -> Role {
        match self {
            Self::Owner => Role::Owner,
            Self::Admin => Role::Admin,
            Self::Member => Role::Member,
        }
    }
}

/// The word for a role.
pub(super) fn role_word(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Admin => "admin",
        _ => "member",
    }
}

/// The word for a kind of chat.
pub(super) fn kind_word(kind: ChatKind) -> &'static str {
    match kind {
        ChatKind::Direct => "direct",
        ChatKind::Channel => "channel",
        _ => "group",
    }
}

pub(super) async fn group(command: GroupCommand, settings: &Settings) -> Result<(), CliError> {
    run(command, ChatKind::Group, settings).await
}

pub(super) async fn channel(command: ChannelCommand, settings: &Settings) -> Result<(), CliError> {
    match command {
        ChannelCommand::Invite(args) => link::invite(args, settings).await,
        ChannelCommand::Join(args) => link::join(args, settings).await,
        ChannelCommand::Group(command) => run(command, ChatKind::Channel, settings).await,
    }
}

async fn run(command: GroupCommand, kind: ChatKind, settings: &Settings) -> Result<(), CliError> {
    match command {
        GroupCommand::Create(args) => create::run(args, kind, settings).await,
        GroupCommand::Add(args) => change::add(args, settings).await,
        GroupCommand::Remove(args) => change::remove(args, settings).await,
        GroupCommand::Leave(args) => change::leave(args, settings).await,
        GroupCommand::Rename(args) => change::rename(args, settings).await,
        GroupCommand::Role(args) => change::role(args, settings).await,
        GroupCommand::Info(args) => info::run(&args, settings),
        GroupCommand::List(args) => list::run(&args, kind, settings),
    }
}
