//! `aside-relay` with arguments, folders and ports that cannot be used.

use super::said::{fails_saying, wrong_usage};
use aside_tests::{Relay, RelayOptions};
use std::fs;

#[test]
fn folders_and_ports_that_are_in_use_or_cannot_be_used() {
    let relay = Relay::start(RelayOptions::default());
    let scratch = tempfile::tempdir().unwrap();
    let (data, free) = (relay.data(), scratch.path().join("free"));
    let (data, free) = (data.to_string_lossy(), free.to_string_lossy());
    let serve = |folder: &str, listen: &str| relay.admin(&["serve", "--data", folder, "--listen", listen]);
    let any = "127.0.0.1:0";
    fails_saying(serve(&data, any), 1, &["another relay is using the data folder", "stop it first"]);
    let taken = relay.address().to_string();
    fails_saying(serve(&free, &taken), 3, &["cannot listen at", &taken, "name another with --listen"]);
    let file = scratch.path().join("file");
    fs::write(&file, "in the way").unwrap();
    for folder in [file.to_string_lossy().into_owned(), format!("{}/below", file.display()), "/proc/relay".into()] {
        fails_saying(serve(&folder, any), 1, &[&folder, "cannot be used", "--data"]);
        fails_saying(relay.admin(&["invite", "--data", &folder]), 1, &["data"]);
    }
    relay.finish();
}

#[test]
fn wrong_arguments_show_the_usage() {
    let relay = Relay::start(RelayOptions::default());
    let data = relay.data().to_string_lossy().into_owned();
    wrong_usage(relay.admin(&[]), &["Usage: aside-relay"]);
    wrong_usage(relay.admin(&["serve", "--listen", "everywhere"]), &["--listen"]);
    wrong_usage(relay.admin(&["invite", "--data", &data, "--uses", "0"]), &["--uses"]);
    wrong_usage(relay.admin(&["invite", "--data", &data, "--uses", "many"]), &["--uses"]);
    for expires in ["0d", "soon", "7", "-1d"] {
        let expires = format!("--expires={expires}");
        wrong_usage(relay.admin(&["invite", "--data", &data, &expires]), &["--expires"]);
    }
    let free = tempfile::tempdir().unwrap();
    let free = free.path().to_string_lossy().into_owned();
    let serve = ["serve", "--data", &free, "--listen", "127.0.0.1:0", "--address", "no address"];
    fails_saying(relay.admin(&serve), 2, &["no address is not an address", "give HOST:PORT"]);
    relay.finish();
}

#[test]
fn a_file_of_settings_is_read_and_what_is_wrong_in_it_is_said() {
    let relay = Relay::start(RelayOptions::default());
    let scratch = tempfile::tempdir().unwrap();
    let (data, file) = (scratch.path().join("data"), scratch.path().join("data/relay.toml"));
    fs::create_dir(&data).unwrap();
    let (data, named) = (data.to_string_lossy(), file.to_string_lossy().into_owned());
    // The address is in use, so a relay that knows of it ends.
    let taken = relay.address().to_string();
    fs::write(&file, format!("# Ours.\nlisten = \"{taken}\"\n")).unwrap();
    let says_taken = ["cannot listen at", taken.as_str()];
    fails_saying(relay.admin(&["serve", "--data", &data]), 3, &says_taken);
    let empty = scratch.path().join("empty");
    let empty = empty.to_string_lossy();
    fails_saying(relay.admin(&["serve", "--data", &empty, "--config", &named]), 3, &says_taken);

    let cases = [
        ("listen = \"127.0.0.1:0\"\nadresses = \"a.example.org:7443\"\n", "line 2: unknown field `adresses`"),
        ("blob-quota = \"plenty\"\n", "line 1: give a number and k, M or G"),
        ("[cluster\n", "line 1"),
    ];
    for (text, wanted) in cases {
        fs::write(&file, text).unwrap();
        fails_saying(relay.admin(&["serve", "--data", &data]), 2, &[&named, wanted, "correct the file"]);
        fails_saying(relay.admin(&["cluster", "status", "--data", &data]), 2, &[&named, wanted]);
    }
    fs::write(&file, "[cluster]\nservers = \"nats://127.0.0.1:1\"\ncredentials = \"gone.creds\"\n").unwrap();
    let gone = scratch.path().join("data/gone.creds");
    let status = ["cluster", "status", "--data", &data];
    fails_saying(relay.admin(&["invite", "--data", &data]), 1, &["a node of a cluster", "ask the running node"]);
    fails_saying(relay.admin(&status), 1, &[&gone.to_string_lossy(), "cannot be used to reach NATS", "relay.toml"]);
    fails_saying(relay.admin(&["serve", "--config", "/nowhere/relay.toml"]), 2, &["/nowhere/relay.toml", "--config"]);
    fails_saying(relay.admin(&["cluster", "status", "--data", &empty]), 2, &["--cluster", "--data"]);
    relay.finish();
}
