//! The engine's settings, each with its reason. Defaults are what SPEC.md says.

use aside_protocol::limits::{KEY_PACKAGE_LOW, KEY_PACKAGE_STOCK};

/// How the engine behaves where a host or a test may want otherwise.
#[derive(Debug, Clone)]
pub struct Config {
    /// A device renews its leaf after this many messages of its own in a chat (rule `MLS-7`).
    pub update_after_messages: u64,
    /// And after this long, in milliseconds, if it wrote there (rule `MLS-7`).
    pub update_after_ms: u64,
    /// An admin founds a group again that nobody lets this device into for this long, in milliseconds.
    pub found_again_ms: u64,
    /// A routed device that gets no welcome asks to be added again after this long, in milliseconds (rule `REJ-1`).
    pub welcome_patience_ms: u64,
    /// A request to be added again is repeated after this long, in milliseconds.
    pub rejoin_repeat_ms: u64,
    /// Receipt keys are kept this long, in milliseconds (rule `RCP-4`).
    pub receipt_keys_ms: u64,
    /// The last-resort key package is renewed after this long, in milliseconds (rule `KEY-3`).
    pub last_resort_ms: u64,
    /// One-time key packages kept at the relay (rule `KEY-1`).
    pub key_package_stock: u64,
    /// Under this many more are uploaded.
    pub key_package_low: u64,
    /// How long others may add this device by a key package made now, in milliseconds.
    pub key_package_ms: u64,
}

const DAY_MS: u64 = 24 * 3600 * 1000;

impl Default for Config {
    fn default() -> Self {
        Self {
            update_after_messages: 500,
            update_after_ms: DAY_MS,
            found_again_ms: 30 * 60_000,
            welcome_patience_ms: 60_000,
            rejoin_repeat_ms: 60_000,
            receipt_keys_ms: 30 * DAY_MS,
            last_resort_ms: 7 * DAY_MS,
            key_package_stock: KEY_PACKAGE_STOCK,
            key_package_low: KEY_PACKAGE_LOW,
            key_package_ms: 365 * DAY_MS,
        }
    }
}
