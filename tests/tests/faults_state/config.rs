//! Configuration: defaults < file < environment < flags.

use super::common::*;
use aside_tests::{Client, Relay, RelayOptions};

fn profile(client: &Client, flags: &[&str]) -> String {
    let args: Vec<&str> = flags.iter().copied().chain(["whoami", "--json"]).collect();
    client.run(&args).ok().one()["name"].as_str().unwrap().to_owned()
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let relay = Relay::start(RelayOptions::default());
    let mut client = Client::new("default-name");
    for name in ["in-default", "in-file", "in-env", "in-flag"] {
        let profile = name.strip_prefix("in-").unwrap();
        let words = client.home().join(format!("{name}.txt"));
        let words = words.to_string_lossy();
        client.run(&["-P", profile, "register", relay.first_invite(), "--name", name, "--recovery-file", &words]).ok();
    }
    assert_eq!(profile(&client, &[]), "in-default");
    std::fs::write(client.home().join("config.toml"), "profile = \"file\"\n").unwrap();
    assert_eq!(profile(&client, &[]), "in-file");
    client.set_env("ASIDE_PROFILE", "env");
    assert_eq!(profile(&client, &[]), "in-env");
    assert_eq!(profile(&client, &["-P", "flag"]), "in-flag");
    assert_eq!(profile(&client, &["--profile", "default"]), "in-default");
    fails_with(client.run(&["-P", "missing", "whoami"]), 1, "aside register");
    fails_with(client.run(&["-P", "../escape", "whoami"]), 2, "profile's name");
    std::fs::write(client.home().join("config.toml"), "profle = \"file\"\n").unwrap();
    fails_with(client.run(&["whoami"]), 2, "config.toml");
    finish(relay);
}
