//! `relay.toml`: what `serve` and the cluster's tools may be told by a file. Arguments win over it. Reads that file alone.

use super::{Data, Failure, size};
use clap::Args;
use serde::de::{Error, SeqAccess, Visitor, value::SeqAccessDeserializer};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The file's name in the data folder.
const NAME: &str = "relay.toml";

/// Where the data lies, and the file.
#[derive(Debug, Args)]
pub(super) struct Place {
    #[command(flatten)]
    data: Data,
    /// A file with settings [default: relay.toml in the data folder, if there is one].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Place {
    /// The same, with that data folder.
    pub(super) fn of(self, folder: PathBuf) -> Self {
        Self { data: Data { folder: Some(folder) }, ..self }
    }

    /// The data folder.
    pub(super) fn folder(&self) -> Result<PathBuf, Failure> {
        self.data.folder()
    }

    /// What the file says. One that was named must be there.
    pub(super) fn keys(&self) -> Result<Keys, Failure> {
        match (&self.config, self.data.folder()) {
            (Some(file), _) => Keys::read(file, false),
            (None, Ok(folder)) => Keys::of(&folder),
            // Tools can do without a folder.
            (None, Err(_)) => Ok(Keys::default()),
        }
    }
}

/// What may stand in the file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Keys {
    #[serde(deserialize_with = "address")]
    pub(super) listen: Option<SocketAddr>,
    #[serde(deserialize_with = "texts")]
    pub(super) addresses: Vec<String>,
    pub(super) blobs: Option<PathBuf>,
    #[serde(deserialize_with = "bytes")]
    pub(super) blob_quota: Option<u64>,
    #[serde(deserialize_with = "bytes")]
    pub(super) blob_max: Option<u64>,
    pub(super) cluster: Option<ClusterKeys>,
}

/// The table `[cluster]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ClusterKeys {
    #[serde(deserialize_with = "texts")]
    pub(super) servers: Vec<String>,
    pub(super) node: Option<String>,
    pub(super) name: Option<String>,
    pub(super) credentials: Option<PathBuf>,
    pub(super) ca: Option<PathBuf>,
}

impl Keys {
    /// Of the file in a data folder, if there is one.
    pub(super) fn of(folder: &Path) -> Result<Self, Failure> {
        Self::read(&folder.join(NAME), true)
    }

    fn read(file: &Path, optional: bool) -> Result<Self, Failure> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            // A data folder that is none is for whoever needs it to complain about.
            Err(error) if optional && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Self::default());
            }
            Err(error) => {
                let why = format!(
                    "cannot read {}: {error}; correct that, or name another file with --config",
                    file.display()
                );
                return Err(Failure::usage(why));
            }
        };
        let mut keys: Self = toml::from_str(&text).map_err(|error| misread(file, &text, &error))?;
        keys.resolve(file.parent().unwrap_or(Path::new("")));
        Ok(keys)
    }

    /// Paths in the file begin where it lies, wherever the relay is started.
    fn resolve(&mut self, folder: &Path) {
        let cluster = self.cluster.iter_mut().flat_map(|cluster| [&mut cluster.credentials, &mut cluster.ca]);
        for path in cluster.chain([&mut self.blobs]).flatten() {
            *path = folder.join(&*path);
        }
    }
}

/// One sentence with the line at fault.
fn misread(file: &Path, text: &str, error: &toml::de::Error) -> Failure {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or_else(String::new, |before| format!(", line {}", before.matches('\n').count() + 1));
    let why = error.message().trim_end().replace('\n', "; ");
    Failure::usage(format!("{}{line}: {why}; correct the file, or name another one with --config", file.display()))
}

fn address<'de, D: Deserializer<'de>>(value: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(value)?;
    let wrong =
        |_| D::Error::custom(format!("{text:?} is nothing to listen at; give ADDR:PORT, as in \"0.0.0.0:7443\""));
    text.parse().map(Some).map_err(wrong)
}

fn bytes<'de, D: Deserializer<'de>>(value: D) -> Result<Option<u64>, D::Error> {
    let text = String::deserialize(value)?;
    size::parse(&text).map(Some).map_err(D::Error::custom)
}

/// A list, or one alone.
fn texts<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<String>, D::Error> {
    struct Texts;
    impl<'de> Visitor<'de> for Texts {
        type Value = Vec<String>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a string or a list of strings")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(vec![text.to_owned()])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
            Deserialize::deserialize(SeqAccessDeserializer::new(list))
        }
    }
    value.deserialize_any(Texts)
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
