#!/usr/bin/env bash
# Makes the pictures in docs/pictures from the real program: a relay, some people, and a conversation in a terminal.
# Run it when the screens have changed, and look at what changed in the pictures before committing them.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.."

# The programs in the picture are those built here.
cargo build --workspace --bins --locked
target=$(cargo metadata --no-deps --locked --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
ASIDE_BIN_DIR=$target/debug "$target/debug/picture" docs/pictures
