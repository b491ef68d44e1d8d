//! From nothing to the first chat, without another command.

use super::common::*;
use aside_tests::{Client, Key, Relay, RelayOptions, Terminal};

#[test]
fn a_newcomer_registers_and_begins() {
    let relay = Relay::start(RelayOptions::default());
    let alice = Client::new("alice");
    let terminal = Terminal::start(&alice, &[], SIZE.0, SIZE.1);
    terminal.wait_for("invite");
    insta::assert_snapshot!("welcome", terminal.masked());
    terminal.paste(relay.first_invite());
    terminal.key(Key::Enter);
    terminal.wait_for("name");
    terminal.enter("alice");
    terminal.wait_for("24");
    quit(terminal);
    finish(relay);
}
