//! The command line: one file a subcommand. Data goes to standard output, everything else to standard error.

mod chat;
mod chats;
mod config;
mod contacts;
mod device;
mod error;
mod group;
mod history;
mod info;
mod json;
mod mute;
mod profile;
mod prompt;
mod recover;
mod recv;
mod register;
mod rejoin;
mod send;
mod talk;
mod times;
mod trust;
mod verify;
mod whoami;

pub use config::Settings;
pub use error::{CliError, ExitCode};

use crate::agent::Choice;
use clap::{Args, Parser, Subcommand};
use std::time::Duration;

/// End-to-end encrypted chat in the terminal.
#[derive(Debug, Parser)]
#[command(name = "aside", version, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    /// Without one, your chats open in the terminal.
    #[command(subcommand)]
    command: Option<Command>,
}

impl Cli {
    /// Whether it takes the whole terminal.
    pub fn is_screen(&self) -> bool {
        matches!(self.command, None | Some(Command::Chat(_)))
    }
}

/// Flags of every subcommand.
#[derive(Debug, Args)]
pub struct Global {
    /// Which profile to use.
    #[arg(short = 'P', long, global = true, value_name = "NAME")]
    profile: Option<String>,
    /// How to reach the relay: auto, quic or ws [default: auto, whichever works first].
    #[arg(long, global = true, value_name = "TRANSPORT")]
    transport: Option<Choice>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Open your chats in the terminal, as aside alone does, in the conversation with NAME if one is given.
    Chat(chat::ChatArgs),
    /// Create an account and this device, with an invite link from a relay's host.
    Register(register::RegisterArgs),
    /// Show who this device is.
    Whoami(whoami::WhoamiArgs),
    /// Send a message.
    Send(send::SendArgs),
    /// Print new messages, each once.
    Recv(recv::RecvArgs),
    /// Print a chat's history, a page at a time.
    History(history::HistoryArgs),
    /// List chats.
    Chats(chats::ChatsArgs),
    /// Talk line by line.
    Talk(talk::TalkArgs),
    /// Show who has received and read a message.
    Info(info::MessageArgs),
    /// Make and change groups.
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// Make, change and join channels, in which only owners and admins write.
    #[command(subcommand)]
    Channel(group::ChannelCommand),
    /// Your devices: add, link, list, revoke.
    Device(device::DeviceArgs),
    /// Bring your account back with its 24 words, and remove every device it had.
    Recover(recover::RecoverArgs),
    /// Show the safety number with somebody, and remember that you have compared it.
    Verify(verify::VerifyArgs),
    /// List the people this device knows.
    Contacts(contacts::ContactsArgs),
    /// What happens when somebody's key changes.
    Trust(trust::TrustArgs),
    /// Have a chat ask for no attention, on all your devices.
    Mute(mute::MuteArgs),
    /// Have this device added to a chat again with new keys.
    Rejoin(rejoin::RejoinArgs),
}

/// Runs the command and returns how to exit.
pub async fn run(cli: Cli) -> ExitCode {
    let result = match Settings::load(&cli.global) {
        Ok(settings) => dispatch(cli.command.unwrap_or(Command::Chat(chat::ChatArgs::default())), &settings).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(()) => ExitCode::Ok,
        Err(error) => {
            eprintln!("aside: {error}");
            error.exit_code()
        }
    }
}

async fn dispatch(command: Command, settings: &Settings) -> Result<(), CliError> {
    match command {
        Command::Chat(args) => chat::run(args, settings).await,
        Command::Register(args) => register::run(args, settings).await,
        Command::Whoami(args) => whoami::run(&args, settings),
        Command::Send(args) => send::run(args, settings).await,
        Command::Recv(args) => recv::run(&args, settings).await,
        Command::History(args) => history::run(&args, settings),
        Command::Chats(args) => chats::run(&args, settings),
        Command::Talk(args) => talk::run(&args, settings).await,
        Command::Info(args) => info::run(&args, settings).await,
        Command::Group(command) => group::group(command, settings).await,
        Command::Channel(command) => group::channel(command, settings).await,
        Command::Device(args) => device::run(args, settings).await,
        Command::Recover(args) => recover::run(args, settings).await,
        Command::Verify(args) => verify::run(&args, settings).await,
        Command::Contacts(args) => contacts::run(&args, settings),
        Command::Trust(args) => trust::run(&args, settings),
        Command::Mute(args) => mute::run(&args, settings).await,
        Command::Rejoin(args) => rejoin::run(args, settings).await,
    }
}

/// Reads a length of time: `500ms`, `30s`, `5m`, `1h`.
fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| "a time looks like 500ms, 30s, 5m or 1h".to_owned())?;
    let ms = match unit {
        "ms" => Some(1),
        "s" => Some(1000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let ms = ms.and_then(|unit: u64| number.checked_mul(unit)).ok_or("a time looks like 500ms, 30s, 5m or 1h")?;
    Ok(Duration::from_millis(ms))
}
