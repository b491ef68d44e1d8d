//! Where things lie and how they are set: defaults < file < environment < flags.

use super::{CliError, Global};
use crate::agent::Choice;
use aside_engine::Config;
use aside_store::ProfileFolder;
use etcetera::BaseStrategy;
use serde::Deserialize;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What `config.toml` and the environment may set. Every key has an `ASIDE_` variable of the same name.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    /// The profile used without -P.
    profile: Option<String>,
    /// A device renews its keys after this many messages of its own in a chat.
    update_after_messages: Option<u64>,
    /// Seconds before a device without a welcome asks again.
    welcome_patience_seconds: Option<u64>,
    /// How to reach the relay: auto, quic or ws.
    transport: Option<String>,
}

/// The settings in force.
#[derive(Debug)]
pub struct Settings {
    /// The profile's folder.
    pub folder: ProfileFolder,
    /// The profile's name.
    pub profile: String,
    /// The engine's settings.
    pub engine: Config,
    /// How to reach the relay.
    pub transport: Choice,
}

impl Settings {
    /// Reads file and environment, and adds the flags.
    pub fn load(global: &Global) -> Result<Self, CliError> {
        let places = Places::find()?;
        let file = read(&places.config.join("config.toml"))?;
        let environment = environment()?;
        let profile = global.profile.clone().or(environment.profile).or(file.profile);
        let profile = checked(profile.unwrap_or_else(|| "default".to_owned()))?;
        let mut engine = Config::default();
        if let Some(count) = environment.update_after_messages.or(file.update_after_messages) {
            engine.update_after_messages = count.max(1);
        }
        if let Some(seconds) = environment.welcome_patience_seconds.or(file.welcome_patience_seconds) {
            engine.welcome_patience_ms = seconds.saturating_mul(1000);
        }
        let said = environment.transport.or(file.transport).map(|text| text.parse().map_err(CliError::Usage));
        let transport = global.transport.map(Ok).or(said).transpose()?.unwrap_or_default();
        let folder = ProfileFolder::new(places.data.join("profiles").join(&profile));
        Ok(Self { folder, profile, engine, transport })
    }
}

/// The folders for configuration and data.
struct Places {
    config: PathBuf,
    data: PathBuf,
}

impl Places {
    fn find() -> Result<Self, CliError> {
        if let Some(home) = std::env::var_os("ASIDE_HOME").filter(|home| !home.is_empty()) {
            return Ok(Self { config: home.clone().into(), data: home.into() });
        }
        let xdg = etcetera::choose_base_strategy()
            .map_err(|e| CliError::Usage(format!("cannot find your home folder ({e}); set ASIDE_HOME")))?;
        Ok(Self { config: xdg.config_dir().join("aside"), data: xdg.data_dir().join("aside") })
    }
}

fn read(path: &Path) -> Result<Keys, CliError> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            toml::from_str(&text).map_err(|e| CliError::Usage(format!("cannot understand {}: {e}", path.display())))
        }
        // A home that is no folder is for whoever needs it to complain about.
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(Keys::default()),
        Err(e) => Err(CliError::Usage(format!("cannot read {}: {e}; check its permissions", path.display()))),
    }
}

fn environment() -> Result<Keys, CliError> {
    let text = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let number = |name: &str| match std::env::var(name) {
        Ok(text) => {
            text.parse().map(Some).map_err(|_| CliError::Usage(format!("{name} must be a number, not {text:?}")))
        }
        Err(_) => Ok(None),
    };
    Ok(Keys {
        profile: text("ASIDE_PROFILE"),
        update_after_messages: number("ASIDE_UPDATE_AFTER_MESSAGES")?,
        welcome_patience_seconds: number("ASIDE_WELCOME_PATIENCE_SECONDS")?,
        transport: text("ASIDE_TRANSPORT"),
    })
}

fn checked(name: String) -> Result<String, CliError> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if (1..=64).contains(&name.len()) && name.chars().all(fine) {
        Ok(name)
    } else {
        Err(CliError::Usage("a profile's name has 1 to 64 letters, digits, hyphens and underscores".into()))
    }
}
