//! The first state: waiting for a hello (rules `CON-*`).

use super::login::AwaitLogin;
use super::out::Out;
use super::{Channel, Setup, State, faults};
use aside_protocol::frame::{Hello, HelloOk, RelayFrame, VERSION};
use aside_protocol::limits::MAX_OFFERS;
use aside_protocol::login::Transcript;

/// Capabilities of this relay beyond version 1: none yet.
const CAPABILITIES: &[&str] = &[];

/// Nothing was said yet.
pub(super) struct AwaitHello {
    pub(super) channel: Channel,
}

impl AwaitHello {
    /// Chooses version and capabilities, and proves the relay's identity over all of it.
    pub(super) fn hello(self, setup: &Setup, hello: Hello, out: &mut Out) -> State {
        let broken = if hello.versions.len() > MAX_OFFERS || hello.capabilities.len() > MAX_OFFERS {
            Some(faults::TOO_MANY_OFFERS)
        } else if !hello.versions.contains(&VERSION) {
            Some(faults::NO_VERSION)
        } else if hello.mode != setup.mode {
            Some(faults::WRONG_MODE)
        } else {
            None
        };
        if let Some(broken) = broken {
            broken.raise(out);
            return State::Closed;
        }
        let capabilities = common(&hello.capabilities);
        let transcript = Transcript {
            versions: hello.versions,
            offered: hello.capabilities,
            version: VERSION,
            capabilities: capabilities.clone(),
            client_nonce: hello.nonce,
            relay_nonce: self.channel.nonce,
            relay: setup.identity.pin(),
            mode: setup.mode,
            exporter: self.channel.exporter,
        };
        out.frame(&RelayFrame::HelloOk(HelloOk {
            version: VERSION,
            capabilities,
            nonce: transcript.relay_nonce,
            identity: setup.identity.public(),
            signature: setup.identity.sign(&transcript.relay_signs()),
        }));
        State::Login(AwaitLogin::new(transcript))
    }
}

/// What both offer, in the client's order.
fn common(offered: &[String]) -> Vec<String> {
    offered.iter().filter(|name| CAPABILITIES.contains(&name.as_str())).cloned().collect()
}
