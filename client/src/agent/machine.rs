//! What a machine is called and known by, for its owner's list of devices.

use aside_crypto::linking::machine_name;
use aside_protocol::{Hash, PublicKey};

/// The host's name, without its domain.
pub fn own_machine() -> String {
    let system = rustix::system::uname();
    let name = system.nodename().to_string_lossy();
    let name = name.split('.').next().filter(|name| !name.is_empty()).unwrap_or("a machine without a name");
    machine_name(name)
}

/// What one person compares at two machines: 80 bits of the device's key, in groups of four digits.
pub fn fingerprint(key: &PublicKey) -> String {
    let hex = Hash::labelled("aside/1 device fingerprint", &[&key.0]).to_hex();
    let groups: Vec<&str> = (0..5).filter_map(|group| hex.get(group * 4..group * 4 + 4)).collect();
    groups.join(" ")
}
