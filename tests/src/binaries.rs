//! Where the programs under test are. Builds them when nobody else did.
//!
//! `ASIDE_BIN_DIR` names their folder (`./test` sets it after its build step). Without it they are built into the
//! target folder this test runs from, once for a run of cargo-nextest, else once for each test program.

use std::env;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The client, `aside`.
pub fn aside() -> PathBuf {
    folder().join("aside")
}

/// The relay, `aside-relay`.
pub fn aside_relay() -> PathBuf {
    folder().join("aside-relay")
}

fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| match env::var_os("ASIDE_BIN_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => {
            let folder = own_folder();
            build_once(&folder);
            folder
        }
    })
}

/// `target/debug`: test programs run from `target/debug/deps`.
fn own_folder() -> PathBuf {
    let program = env::current_exe().expect("the test program has a path");
    let deps = program.parent().expect("it lies in a folder");
    if deps.ends_with("deps") { deps.parent().expect("target folder").to_owned() } else { deps.to_owned() }
}

/// Test programs of one run take turns at the lock; the first one builds, the others find its mark.
fn build_once(folder: &Path) {
    let run = env::var("NEXTEST_RUN_ID").unwrap_or_else(|_| format!("process-{}", std::process::id()));
    let path = folder.join(".aside-tests-built");
    let lock = File::create(path.with_extension("lock")).expect("the target folder is writable");
    lock.lock().expect("the file system has locks");
    if std::fs::read_to_string(&path).is_ok_and(|built| built == run) {
        return;
    }
    build(folder);
    std::fs::write(&path, run).expect("the target folder is writable");
}

fn build(folder: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The same set of packages as ./test builds, so that neither undoes the other's work.
    cargo.current_dir(root).args(["build", "--workspace", "--bins", "--locked", "--quiet"]);
    cargo.env("CARGO_TARGET_DIR", folder.parent().expect("target"));
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo.status().expect("cargo starts");
    assert!(status.success(), "the programs under test do not build");
}
