//! Becoming a device of an account: the other device is met, and its user agrees there.

use crate::plain::Sheet;
use crate::text::one_line;

/// The step.
#[derive(Debug, Default)]
pub(super) struct LinkStep {
    host: Option<Host>,
    agreed: bool,
}

/// The other device, as it said.
#[derive(Debug)]
struct Host {
    name: String,
    machine: String,
    fingerprint: String,
}

impl LinkStep {
    pub(super) fn met(&mut self, name: String, machine: String, fingerprint: String) {
        self.host = Some(Host { name, machine, fingerprint });
    }

    pub(super) fn agreed(&mut self) {
        self.agreed = true;
    }

    pub(super) fn view(&self, sheet: &mut Sheet) {
        match &self.host {
            _ if self.agreed => sheet.text("The other device has agreed. Reading who you are from the relay."),
            None => sheet.text("Looking for the other device, which must stay as it is: showing its code."),
            Some(host) => {
                let (machine, name) = (one_line(&host.machine), one_line(&host.name));
                sheet.text(&format!("{machine} has answered for {name}. Agree there if it shows this fingerprint:"));
                sheet.room();
                sheet.text(&host.fingerprint);
            }
        }
    }
}
