//! Where the relay is to be looked for: at the addresses its nodes told, then at those of the invite (rule `NOD-2`).

use aside_engine::EngineError;
use aside_protocol::limits::MAX_OFFERS;
use aside_store::Tx;
use aside_store::profile::{Profile, RelayPlace};
use aside_transport::{Rounds, Target};

/// What the store knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places {
    told: Vec<String>,
    invited: RelayPlace,
}

impl Places {
    /// As they are now.
    pub fn read(tx: &Tx) -> Result<Self, EngineError> {
        Ok(Self::of(&tx.profile()?.ok_or(EngineError::NotRegistered)?, tx.nodes()?))
    }

    /// Of a profile, and what its relay told.
    pub fn of(profile: &Profile, told: Vec<String>) -> Self {
        Self { told, invited: profile.relay.clone() }
    }

    /// For the next attempt to connect.
    pub fn next(&self, rounds: &mut Rounds) -> Target {
        self.target(rounds.addresses(&self.told, &self.invited.addresses))
    }

    /// For what belongs to the node where this device is connected: a meeting is open there, and a part of an upload lies
    /// there.
    pub fn at(&self, here: Option<String>) -> Target {
        let here: Vec<String> = here.into_iter().collect();
        let known: Vec<String> = self.told.iter().chain(&self.invited.addresses).cloned().collect();
        self.target(Rounds::new().addresses(&here, &known))
    }

    /// As many of those as a code may name.
    pub fn for_code(&self, here: Option<String>) -> Vec<String> {
        let mut addresses = self.at(here).addresses;
        addresses.truncate(MAX_OFFERS);
        addresses
    }

    fn target(&self, addresses: Vec<String>) -> Target {
        Target { addresses, pin: self.invited.pin, mode: self.invited.mode }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aside_protocol::Hash;
    use aside_protocol::login::Mode;

    fn texts(addresses: &[&str]) -> Vec<String> {
        addresses.iter().map(|address| (*address).to_owned()).collect()
    }

    fn places(told: &[&str]) -> Places {
        let invited = RelayPlace { addresses: texts(&["a:1", "b:1"]), pin: Hash([1; 32]), mode: Mode::Direct };
        Places { told: texts(told), invited }
    }

    #[test]
    fn what_belongs_to_the_connection_goes_where_it_is() {
        let places = places(&["c:1", "b:1"]);
        assert_eq!(places.at(Some("b:1".into())).addresses, ["b:1", "c:1", "a:1"]);
        assert_eq!(places.at(None).addresses, ["c:1", "b:1", "a:1"]);
        assert_eq!(places.at(None).addresses, places.next(&mut Rounds::new()).addresses);
    }

    #[test]
    fn a_code_names_no_more_than_it_may_and_where_this_device_is() {
        let many: Vec<String> = (0..32).map(|number| format!("n{number}:1")).collect();
        let places = Places { told: many, ..places(&[]) };
        let named = places.for_code(Some("b:1".into()));
        assert_eq!((named.len(), named[0].as_str()), (32, "b:1"));
    }
}
