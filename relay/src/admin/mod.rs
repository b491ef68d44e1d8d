//! The admin socket: JSON lines over a Unix socket that only the relay's user may open. Acts through the log.

pub mod client;

use crate::invite;
use crate::log::{Counters, Log};
use crate::readers::Views;
use crate::server::Shared;
use serde::{Deserialize, Serialize};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Longest request line in bytes.
const MOST_LINE: u64 = 4096;

/// What can be asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Ask {
    /// Make an invite.
    Invite {
        /// How many accounts it is good for.
        uses: u32,
        /// How long, in milliseconds.
        expires_ms: u64,
    },
    /// Bound the database file to so many pages of 4 KiB; `null` lifts the bound.
    LimitPages {
        /// How many.
        pages: Option<u32>,
    },
    /// How many devices are connected.
    Status,
    /// What was counted since the start.
    Counters,
    /// How many bytes the databases hold.
    Bytes,
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// The link.
    Invite(String),
    /// Done.
    Done(bool),
    /// Devices connected.
    Connected(usize),
    /// Since the start.
    Counters(Counters),
    /// Of all partitions' databases: pages in use, those in the write-ahead log included.
    Bytes(u64),
    /// One sentence for people.
    Error(String),
}

/// Binds the socket in place of one that an earlier relay left; the caller holds the folder's lock.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    if path.exists() {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path).map_err(|error| {
        let text = format!("the admin socket {} cannot be made ({error}); is the path too long?", path.display());
        io::Error::new(error.kind(), text)
    })?;
    // Between bind and here the folder's own permissions (0700) protect it.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers until the relay stops.
pub async fn serve(listener: UnixListener, shared: Arc<Shared>, log: Arc<dyn Log>) {
    let mut stop = shared.stopping();
    let mut asking = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = asking.join_next() => continue,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        if let Ok((stream, _)) = accepted {
            let desk = Desk { shared: shared.clone(), log: log.clone() };
            asking.spawn(async move {
                if let Err(error) = desk.converse(stream).await {
                    tracing::debug!(%error, "an admin connection broke off");
                }
            });
        }
    }
}

struct Desk {
    shared: Arc<Shared>,
    log: Arc<dyn Log>,
}

impl Desk {
    async fn converse(&self, stream: UnixStream) -> io::Result<()> {
        let (reading, mut writing) = stream.into_split();
        let mut reading = BufReader::new(reading);
        loop {
            let mut line = String::new();
            if (&mut reading).take(MOST_LINE).read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let told = match serde_json::from_str(&line) {
                Ok(ask) => self.answer(ask).await,
                Err(error) => Told::Error(format!("not a request: {error}")),
            };
            let mut text = serde_json::to_string(&told).map_err(io::Error::other)?;
            text.push('\n');
            writing.write_all(text.as_bytes()).await?;
        }
    }

    async fn answer(&self, ask: Ask) -> Told {
        match ask {
            Ask::Invite { uses, expires_ms } => {
                let valid = Duration::from_millis(expires_ms);
                match invite::create(&self.shared, uses, valid).await {
                    Ok(invite) => Told::Invite(invite.to_link()),
                    Err(error) => Told::Error(error.to_string()),
                }
            }
            Ask::LimitPages { pages } => {
                self.log.limit_pages(pages);
                Told::Done(true)
            }
            Ask::Status => Told::Connected(self.shared.hub.connected()),
            Ask::Counters => Told::Counters(self.log.counters()),
            Ask::Bytes => self.bytes().await,
        }
    }

    async fn bytes(&self) -> Told {
        let (sender, receiver) = oneshot::channel();
        self.shared.readers.run(move |states| {
            let each = states.layout().all().map(|partition| states.read(partition, |view| view.bytes()));
            // The asker may have gone.
            let _ = sender.send(each.sum::<Result<u64, _>>());
        });
        match receiver.await {
            Ok(Ok(bytes)) => Told::Bytes(bytes),
            Ok(Err(error)) => Told::Error(format!("the database cannot be read: {error}")),
            Err(_) => Told::Error("the relay is stopping".into()),
        }
    }
}
