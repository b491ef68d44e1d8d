//! What this machine is called, for its owner's list of devices.

use aside_crypto::linking::machine_name;

/// The host's name, without its domain.
pub fn own_machine() -> String {
    let system = rustix::system::uname();
    let name = system.nodename().to_string_lossy();
    let name = name.split('.').next().filter(|name| !name.is_empty()).unwrap_or("a machine without a name");
    machine_name(name)
}
