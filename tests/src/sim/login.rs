//! The client's half of the handshake, as `client/transport/src/greet.rs` does it, without a socket.

use super::dice::Dice;
use aside_crypto::Me;
use aside_protocol::frame::{ClientFrame, Hello, HelloOk, Login, VERSION};
use aside_protocol::login::{Mode, Transcript, pin};
use aside_protocol::{Hash, Nonce};

/// What stands for the TLS exporter of every connection.
pub const EXPORTER: [u8; 32] = [9; 32];

/// A hello.
pub fn hello(dice: &mut Dice) -> Hello {
    Hello { versions: vec![VERSION], capabilities: Vec::new(), nonce: Nonce(dice.bytes()), mode: Mode::Direct }
}

/// What both sides saw; the relay's proof must hold.
pub fn check(hello: &Hello, ok: HelloOk, expected: &Hash) -> Transcript {
    assert_eq!(pin(&ok.identity), *expected, "LOG-1: another relay");
    let transcript = Transcript::of(hello.clone(), &ok, *expected, EXPORTER.to_vec());
    assert!(ok.identity.verifies(&transcript.relay_signs(), &ok.signature), "LOG-1: the relay's proof does not hold");
    transcript
}

/// A login.
pub fn login(me: &Me, transcript: &Transcript) -> ClientFrame {
    let signature = me.key.sign(&transcript.device_signs(&me.device));
    ClientFrame::Login(Login { device: me.device, signature })
}
