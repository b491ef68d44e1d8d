//! `aside-relay invite`: asks the running relay, or works on its database when none runs.

use super::config::Keys;
use super::{Data, Failure, duration};
use crate::admin::{Ask, Told, client};
use crate::data::{DataDir, admin_socket};
use crate::invite;
use crate::server::StartError;
use clap::Args;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// What invites name before any relay was started on the folder.
const DEFAULT_PORT: u16 = 7443;

#[derive(Debug, Args)]
pub(super) struct Invite {
    #[command(flatten)]
    data: Data,
    /// How many accounts the invite is good for.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    uses: u32,
    /// How long it is good: 30m, 12h, 7d, 2w.
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = duration::parse)]
    expires: Duration,
}

impl Invite {
    pub(super) fn run(self) -> Result<(), Failure> {
        let folder = self.data.folder()?;
        let expires_ms = u64::try_from(self.expires.as_millis()).unwrap_or(u64::MAX);
        let asked = client::ask(&admin_socket(&folder), &Ask::Invite { uses: self.uses, expires_ms })
            .map_err(|error| Failure::error(format!("the running relay does not answer: {error}")))?;
        let link = match asked {
            Some(Told::Invite(link)) => link,
            Some(Told::Error(error)) => return Err(Failure::error(error)),
            Some(_) => return Err(Failure::error("the running relay answered something else; restart it")),
            // The database of a node that is to join must stay what its cluster began with.
            None if Keys::of(&folder)?.cluster.is_some() => return Err(StartError::Member.into()),
            None => self.alone(&DataDir::lock(&folder).map_err(Failure::error)?)?,
        };
        let mut out = io::stdout().lock();
        writeln!(out, "{link}")?;
        Ok(out.flush()?)
    }

    fn alone(&self, data: &DataDir) -> Result<String, Failure> {
        let kept = invite::kept_addresses(&data.addresses());
        if kept.is_empty() {
            eprintln!(
                "aside-relay: no relay has run on this folder yet; check --data, and that the address below is right"
            );
        }
        let listen = SocketAddr::from((Ipv4Addr::UNSPECIFIED, DEFAULT_PORT));
        let addresses = invite::addresses(&kept, listen).map_err(Failure::error)?;
        Ok(invite::create_alone(data, addresses, self.uses, self.expires)?.to_link())
    }
}
