//! A NATS server that lets nobody in without credentials and TLS, and a node that finds all it needs for that in `relay.toml`.

use aside_tests::binaries::aside_relay;
use aside_tests::cluster::nats_server;
use aside_tests::process::{Background, run};
use aside_tests::{Run, wait_some};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use nkeys::KeyPair;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyUsagePurpose};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const START: Duration = Duration::from_secs(60);

/// A statement signed by whoever may say so, as NATS wants them.
fn statement(by: &KeyPair, of: &KeyPair, nats: &Value) -> String {
    let claims = json!({
        "jti": of.public_key(), "iat": 1, "iss": by.public_key(), "name": "test", "sub": of.public_key(), "nats": nats
    });
    let head = json!({ "typ": "JWT", "alg": "ed25519-nkey" });
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signed = format!("{}.{}", part(&head), part(&claims));
    let signature = by.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
}

/// Speaks for an account, and says how much JetStream it may have: -1 is as much as it wants.
fn account(by: &KeyPair, account: &KeyPair, stored: i64) -> String {
    let free =
        ["subs", "data", "payload", "imports", "exports", "conn", "leaf"].map(|what| (what.to_owned(), json!(-1)));
    let bounded = ["mem_storage", "disk_storage", "streams", "consumer"].map(|what| (what.to_owned(), json!(stored)));
    let mut limits: Value = free.into_iter().chain(bounded).collect();
    limits["wildcards"] = json!(true);
    statement(by, account, &json!({ "limits": limits, "type": "account", "version": 2 }))
}

/// What the server trusts, for its configuration, and what a user shows, for a file.
fn trust() -> (String, String) {
    let (operator, user) = (KeyPair::new_operator(), KeyPair::new_user());
    let [system, relays] = [KeyPair::new_account(), KeyPair::new_account()];
    let own = statement(&operator, &operator, &json!({ "type": "operator", "version": 2 }));
    let accounts = [(&system, 0), (&relays, -1)]
        .map(|(keys, stored)| format!("{}: {}", keys.public_key(), account(&operator, keys, stored)));
    let trusted = format!(
        "operator: {own}\nsystem_account: {}\nresolver: MEMORY\nresolver_preload: {{\n{}\n}}\n",
        system.public_key(),
        accounts.join("\n")
    );
    let shown = json!({ "subs": -1, "data": -1, "payload": -1, "type": "user", "version": 2 });
    let credentials = format!(
        "-----BEGIN NATS USER JWT-----\n{}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
        statement(&relays, &user, &shown),
        user.seed().unwrap()
    );
    (trusted, credentials)
}

fn pem(label: &str, bytes: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64.encode(bytes))
}

/// Writes an authority, and a server's certificate and key that it signed.
fn certificates(folder: &Path) {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let authority = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    fs::write(folder.join("ca.pem"), pem("CERTIFICATE", authority.der())).unwrap();
    fs::write(folder.join("cert.pem"), pem("CERTIFICATE", server.der())).unwrap();
    fs::write(folder.join("key.pem"), pem("PRIVATE KEY", &key.serialize_der())).unwrap();
}

/// Starts the server; its address, as it writes it down once it listens.
fn secured_nats(folder: &Path, trusted: &str) -> (Background, String) {
    let place = folder.display();
    let config = folder.join("nats.conf");
    let text = format!(
        "listen: \"127.0.0.1:-1\"\nmax_payload: 8MB\njetstream {{ store_dir: \"{place}\" }}\nports_file_dir: \"{place}\"\n\
         tls {{ cert_file: \"{place}/cert.pem\", key_file: \"{place}/key.pem\" }}\n{trusted}"
    );
    fs::write(&config, text).unwrap();
    let mut process = Background::start(Command::new(nats_server()).arg("-c").arg(&config));
    let address = wait_some("the NATS server to listen", START, || {
        assert!(process.is_running(), "the NATS server did not start:\n{}", process.log());
        let mut files = fs::read_dir(folder).unwrap().filter_map(|file| Some(file.ok()?.path()));
        let ports = files.find(|file| file.extension().is_some_and(|extension| extension == "ports"))?;
        let told: Value = serde_json::from_slice(&fs::read(ports).ok()?).ok()?;
        Some(told["nats"][0].as_str()?.to_owned())
    });
    (process, address)
}

/// A data folder with `relay.toml`, and what that names beside it.
fn node_folder(folder: &Path, address: &str, credentials: &str) -> PathBuf {
    let data = folder.join("node");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("nats.creds"), credentials).unwrap();
    fs::copy(folder.join("ca.pem"), data.join("ca.pem")).unwrap();
    let text = format!(
        "listen = \"127.0.0.1:0\"\n[cluster]\nservers = [\"{address}\"]\nnode = \"one\"\ncredentials = \"nats.creds\"\n\
         ca = \"ca.pem\"\n"
    );
    fs::write(data.join("relay.toml"), text).unwrap();
    data
}

fn relay(arguments: &[&str], data: &Path) -> Run {
    run(Command::new(aside_relay()).args(arguments).arg("--data").arg(data), b"", START)
}

#[test]
fn a_node_finds_credentials_and_certificates_in_its_file() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let (trusted, credentials) = trust();
    let (_nats, address) = secured_nats(folder.path(), &trusted);
    let data = node_folder(folder.path(), &address, &credentials);
    relay(&["cluster", "init", "--replicas", "1"], &data).ok();
    let mut node = Background::start(Command::new(aside_relay()).args(["serve", "--json", "--data"]).arg(&data));
    let said: Value = serde_json::from_str(&node.wait_lines(1, START)[0]).unwrap();
    assert!(said["invite"].as_str().unwrap().starts_with("aside://join/"));
    let status = relay(&["cluster", "status", "--json"], &data).ok().one();
    assert_eq!((&status["partitions"][0]["owner"], &status["nodes"][0]["node"]), (&json!("one"), &json!("one")));
    assert_eq!(node.terminate(START), Some(0), "{}", node.log());

    let (_, others) = trust();
    fs::write(data.join("others.creds"), others).unwrap();
    let others = data.join("others.creds");
    let refused = relay(&["cluster", "status", "--nats-credentials", &others.to_string_lossy()], &data).expect_code(3);
    assert!(refused.stderr.contains("uthorization"), "{}", refused.stderr);
    let elsewhere = tempfile::tempdir().unwrap();
    certificates(elsewhere.path());
    let unknown = elsewhere.path().join("ca.pem");
    let refused = relay(&["cluster", "status", "--nats-ca", &unknown.to_string_lossy()], &data).expect_code(3);
    assert!(refused.stderr.contains("certificate: "), "{}", refused.stderr);
}
