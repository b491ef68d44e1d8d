#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::reach::Reach;
use super::super::serve::Serve;
use super::*;
use crate::cluster::Settings;
use crate::server::Options;
use aside_relay_core::BlobLimits;
use clap::Parser;
use tempfile::TempDir;

#[derive(Debug, Parser)]
struct Serving {
    #[command(flatten)]
    serve: Serve,
}

#[derive(Debug, Parser)]
struct Asking {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    reach: Reach,
}

/// A data folder with that file in it.
fn folder(text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(NAME), text).unwrap();
    folder
}

fn serve(folder: &Path, arguments: &[&str]) -> Result<Options, Failure> {
    let line = ["serve", "--data", folder.to_str().unwrap()];
    Serving::parse_from(line.iter().chain(arguments)).serve.options()
}

fn tool(folder: &Path, arguments: &[&str]) -> Result<Settings, Failure> {
    let line = ["tool", "--data", folder.to_str().unwrap()];
    let asking = Asking::parse_from(line.iter().chain(arguments));
    asking.reach.tool(asking.place.keys()?.cluster)
}

const WHOLE: &str = r#"
listen = "127.0.0.1:1"
addresses = ["a.example.org:1", "b.example.org:1"]
blobs = "files"
blob-quota = "2G"
blob-max = "3M"

[cluster]
servers = ["nats://a", "nats://b"]
node = "one"
name = "here"
credentials = "/etc/nats.creds"
ca = "ca.pem"
"#;

#[test]
fn without_a_file_all_is_as_the_help_says() {
    let folder = tempfile::tempdir().unwrap();
    let options = serve(folder.path(), &[]).unwrap();
    assert_eq!((options.listen.to_string(), options.addresses.len()), ("0.0.0.0:7443".into(), 0));
    assert_eq!(options.blobs, BlobLimits { quota: 1 << 30, most: 101 << 20 });
    assert!(options.cluster.is_none() && options.blob_folder.is_none());
}

#[test]
fn the_file_says_what_the_arguments_leave_open() {
    let folder = folder(WHOLE);
    let options = serve(folder.path(), &[]).unwrap();
    assert_eq!(options.listen.to_string(), "127.0.0.1:1");
    assert_eq!(options.addresses, ["a.example.org:1", "b.example.org:1"]);
    assert_eq!(options.blobs, BlobLimits { quota: 2 << 30, most: 3 << 20 });
    assert_eq!(options.blob_folder.unwrap(), folder.path().join("files"), "from where the file lies");
    let cluster = options.cluster.unwrap();
    assert_eq!(
        (cluster.servers.as_str(), cluster.node.as_str(), cluster.cluster.as_str()),
        ("nats://a,nats://b", "one", "here")
    );
    assert_eq!(cluster.credentials.unwrap(), Path::new("/etc/nats.creds"));
    assert_eq!(cluster.authority.unwrap(), folder.path().join("ca.pem"));
    let tool = tool(folder.path(), &[]).unwrap();
    assert_eq!(
        (tool.servers.as_str(), tool.node.as_str(), tool.cluster.as_str()),
        ("nats://a,nats://b", "tool", "here")
    );
}

#[test]
fn each_argument_wins_over_the_file() {
    let folder = folder(WHOLE);
    let line = "--listen 127.0.0.1:2 --address c.example.org:2 --blobs /other --blob-quota 5k --blob-max 4k --cluster nats://c \
                --node two --name there --nats-credentials mine --nats-ca theirs";
    let options = serve(folder.path(), &line.split_whitespace().collect::<Vec<_>>()).unwrap();
    assert_eq!(
        (options.listen.to_string(), options.addresses),
        ("127.0.0.1:2".into(), vec!["c.example.org:2".to_owned()])
    );
    assert_eq!(options.blobs, BlobLimits { quota: 5 << 10, most: 4 << 10 });
    assert_eq!(options.blob_folder.unwrap(), Path::new("/other"));
    let cluster = options.cluster.unwrap();
    assert_eq!(
        (cluster.servers.as_str(), cluster.node.as_str(), cluster.cluster.as_str()),
        ("nats://c", "two", "there")
    );
    assert_eq!((cluster.credentials.unwrap(), cluster.authority.unwrap()), ("mine".into(), "theirs".into()));
    let tool = tool(folder.path(), &["--cluster", "nats://d"]).unwrap();
    assert_eq!((tool.servers.as_str(), tool.cluster.as_str()), ("nats://d", "here"), "only what was given");
}

#[test]
fn another_file_may_be_named_and_must_be_there() {
    let (data, other) = (folder("listen = \"127.0.0.1:1\""), folder("listen = \"127.0.0.1:2\"\naddresses = \"a:1\""));
    let file = other.path().join(NAME);
    let options = serve(data.path(), &["--config", file.to_str().unwrap()]).unwrap();
    assert_eq!((options.listen.port(), options.addresses), (2, vec!["a:1".to_owned()]));
    let missing = other.path().join("missing.toml");
    let missing = missing.to_str().unwrap();
    says(serve(data.path(), &["--config", missing]), &[missing, "--config"]);
}

/// It failed, and the sentence has all of these.
fn says<T: fmt::Debug>(failed: Result<T, Failure>, wanted: &[&str]) {
    let said = format!("{:?}", failed.expect_err("not in order"));
    for wanted in wanted {
        assert!(said.contains(wanted), "{wanted:?} is not in {said}");
    }
    assert!(said.contains("code: 2") && !said.contains("\\n"), "{said}");
}

#[test]
fn what_is_wrong_in_the_file_is_said_with_its_line() {
    let cases: [(&str, &[&str]); 10] = [
        ("listen = \"127.0.0.1:1\"\nblob-qouta = \"1G\"\n", &["line 2", "`blob-qouta`", "`blob-quota`"]),
        ("\n[cluster]\nserver = \"nats://a\"\n", &["line 3", "`server`", "`servers`"]),
        ("[clusters]\nservers = \"nats://a\"\n", &["line 1", "`clusters`", "`cluster`"]),
        ("blob-max = \"3 Megabytes\"\n", &["line 1", "k, M or G"]),
        ("blob-max = 3\n", &["line 1", "expected a string"]),
        ("# here\nlisten = \"everywhere\"\n", &["line 2", "\\\"everywhere\\\"", "ADDR:PORT"]),
        ("addresses = [1, 2]\n", &["line 1", "expected a string"]),
        ("addresses = 7\n", &["line 1", "a list of strings"]),
        ("listen = \n", &["line 1"]),
        ("listen = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"\n", &["line 2", "duplicate key"]),
    ];
    for (text, wanted) in cases {
        let folder = folder(text);
        says(serve(folder.path(), &[]), &[&[NAME, "correct the file"], wanted].concat());
        says(tool(folder.path(), &["--cluster", "nats://a"]), &[NAME]);
    }
}

#[test]
fn half_a_cluster_is_none() {
    let says_of = |text: &str, arguments: &[&str], wanted: &[&str]| {
        let folder = folder(text);
        says(serve(folder.path(), arguments), wanted);
    };
    let servers = "[cluster]\nservers = \"nats://a\"\n";
    says_of(servers, &[], &["--node", "relay.toml"]);
    says_of("[cluster]\nnode = \"one\"\n", &[], &["--cluster", "relay.toml"]);
    says_of("", &["--node", "one"], &["--cluster", "relay.toml"]);
    says_of(servers, &["--node", "one", "--restored"], &["--restored"]);
    let folder = folder(servers);
    assert_eq!(serve(folder.path(), &["--node", "one"]).unwrap().cluster.unwrap().servers, "nats://a");
    says(tool(tempfile::tempdir().unwrap().path(), &[]), &["--cluster", "--data"]);
}
