#!/usr/bin/env python3
"""Proves that the arrows between our crates go one way (ARCHITECTURE.md), and that pure rooms stay pure.

Reads `cargo metadata` and the sources; changes nothing. Prints each broken rule and exits 1, else exits 0.
`--self-test` feeds it graphs and sources that are wrong, and fails if it does not notice.
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What each of our crates may use of ours, directly. The tests crate may see everything; nobody may see it.
ALLOWED = {
    "aside-protocol": set(),
    "aside-crypto": {"aside-protocol"},
    "aside-store": {"aside-protocol"},
    "aside-engine": {"aside-protocol", "aside-crypto", "aside-store"},
    "aside-transport": {"aside-protocol"},
    "aside-tui": {"aside-protocol"},
    "aside": {"aside-protocol", "aside-crypto", "aside-store", "aside-engine", "aside-transport", "aside-tui"},
    "aside-relay-core": {"aside-protocol"},
    "aside-relay": {"aside-protocol", "aside-relay-core"},
    "aside-tests": {
        "aside-protocol", "aside-crypto", "aside-store", "aside-engine", "aside-transport", "aside",
        "aside-relay-core", "aside-relay", "aside-tui",
    },
    "bench": {
        "aside-protocol", "aside-crypto", "aside-store", "aside-engine", "aside-transport", "aside",
    },
}

# Crates that bring sockets or an async runtime, and the rooms whose whole normal tree must be free of them.
NETWORK = {"tokio", "rustls", "hyper", "tungstenite", "tokio-tungstenite", "quinn", "mio", "reqwest", "async-std"}
PURE = ("aside-protocol", "aside-crypto", "aside-store", "aside-engine", "aside-relay-core")

# Crates that speak SQL, and the rooms that may use them in what they ship. The relay's edge holds a read-only
# connection and the admin's, made by the core.
SQL = {"rusqlite", "openmls_sqlite_storage", "libsqlite3-sys"}
SQL_ROOMS = {"aside-store", "aside-relay-core", "aside-relay"}

# Words that read a clock, a network or randomness, and the rooms whose sources may not hold them.
CLOCK = r"\bSystemTime\b|\bInstant\b|\bUNIX_EPOCH\b"
NETWORK_WORDS = r"\bstd::net\b|\bTcpStream\b|\bUdpSocket\b|\btokio\b"
RANDOM = r"\bgetrandom\b|\bthread_rng\b|\brand::rng\b|\bOsRng\b"
FORBIDDEN = {
    "protocol/src": CLOCK + "|" + RANDOM + r"|\bTcpStream\b|\bUdpSocket\b|\btokio\b|\bstd::fs\b",
    "client/crypto/src": CLOCK + "|" + NETWORK_WORDS,
    "client/engine/src": CLOCK + "|" + NETWORK_WORDS + r"|\bstd::thread\b|\brusqlite\b",
    "client/store/src": NETWORK_WORDS,
    "client/transport/src": r"\brusqlite\b|\bSystemTime\b",
    # crossterm brings sockets' crates for its events; what is shown uses its types alone.
    "client/tui/src": CLOCK + "|" + NETWORK_WORDS + "|" + RANDOM + r"|\bstd::(fs|io|thread|env)\b|\brusqlite\b",
    "client/src": r"\brusqlite\b",
    "tests/src/scale": CLOCK + "|" + NETWORK_WORDS + "|" + RANDOM,
    "relay/core/src": CLOCK + "|" + NETWORK_WORDS + "|" + RANDOM + r"|\basync fn\b|\bstd::thread\b",
}


def read_graph():
    """The workspace as {crate: {"normal": {…}, "all": {…}}}, third parties included, from the lock file's versions."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    names = {package["id"]: package["name"] for package in metadata["packages"]}
    graph = {}
    for node in metadata["resolve"]["nodes"]:
        entry = graph.setdefault(names[node["id"]], {"normal": set(), "all": set()})
        for dep in node["deps"]:
            kinds = {kind["kind"] for kind in dep["dep_kinds"]}
            entry["all"].add(names[dep["pkg"]])
            if None in kinds:
                entry["normal"].add(names[dep["pkg"]])
    ours = {names[member] for member in metadata["workspace_members"]}
    return graph, ours


def path_to(graph, start, targets):
    """A chain of normal dependencies from `start` to one of `targets`, or None."""
    chains, seen = [[start]], {start}
    while chains:
        chain = chains.pop()
        for name in sorted(graph.get(chain[-1], {"normal": set()})["normal"] - seen):
            if name in targets:
                return chain + [name]
            seen.add(name)
            chains.append(chain + [name])
    return None


def broken_arrows(graph, ours):
    """Every arrow between our crates that no rule allows; dev-dependencies count too."""
    for crate in sorted(ours):
        if crate not in ALLOWED:
            yield f"{crate} is not in {pathlib.Path(__file__).name}: say there what it may use"
            continue
        for used in sorted((graph[crate]["all"] & ours) - ALLOWED[crate] - {crate}):
            yield f"{crate} must not use {used}"


def impure_rooms(graph, ours):
    """Every pure room with a socket in its tree, and every room with SQL that may not have it."""
    for crate in sorted(set(PURE) & ours):
        chain = path_to(graph, crate, NETWORK)
        if chain:
            yield f"{crate} must stay free of networks: {' → '.join(chain)}"
    for crate in sorted(ours - SQL_ROOMS):
        for used in sorted(graph[crate]["normal"] & SQL):
            yield f"{crate} must not speak SQL: it uses {used}"


def code_of(text):
    """The source without comments, so that prose may name what code may not."""
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    return re.sub(r"//[^\n]*", "", text)


def is_test(path):
    return path.name == "tests.rs" or "tests" in path.parts


def forbidden_words(files):
    """Every forbidden word in `files`, an iterable of (path relative to the root, text)."""
    for path, text in files:
        for folder, pattern in FORBIDDEN.items():
            if not path.is_relative_to(folder) or is_test(path):
                continue
            for number, line in enumerate(code_of(text).splitlines(), 1):
                found = re.search(pattern, line)
                if found:
                    yield f"{path}:{number}: {folder} must not name {found.group()}"


def sources():
    for folder in FORBIDDEN:
        for path in sorted((ROOT / folder).rglob("*.rs")):
            yield path.relative_to(ROOT), path.read_text()


def self_test():
    """Each rule, broken on purpose, must be noticed; and a sound graph must pass."""
    def graph(**extra):
        made = {crate: {"normal": set(uses), "all": set(uses)} for crate, uses in ALLOWED.items()}
        for name in ("tokio", "rusqlite", "helper"):
            made[name] = {"normal": set(), "all": set()}
        for crate, used in extra.items():
            made[crate.replace("_", "-")]["normal"] |= used
            made[crate.replace("_", "-")]["all"] |= used
        return made

    ours = set(ALLOWED)
    problems = lambda g, o=ours: [*broken_arrows(g, o), *impure_rooms(g, o)]
    source = lambda path, text: [*forbidden_words([(pathlib.Path(path), text)])]
    via_helper = graph(aside_engine={"helper"})
    via_helper["helper"]["normal"].add("tokio")
    cases = {
        "a sound graph passes": not problems(graph()),
        "client to relay": problems(graph(aside_engine={"aside-relay-core"})),
        "relay to client": problems(graph(aside_relay={"aside-store"})),
        "protocol knows nobody": problems(graph(aside_protocol={"aside-crypto"})),
        "transport and store are siblings": problems(graph(aside_transport={"aside-store"})),
        "nobody sees the tests": problems(graph(aside={"aside-tests"})),
        "a socket far down": problems(via_helper),
        "a runtime in the core": problems(graph(aside_relay_core={"tokio"})),
        "SQL in the engine": problems(graph(aside_engine={"rusqlite"})),
        "an unknown crate": problems({**graph(), "aside-new": {"normal": set(), "all": set()}}, ours | {"aside-new"}),
        "a clock in the engine": source("client/engine/src/outbox.rs", "let t = std::time::SystemTime::now();"),
        "a clock in the core": source("relay/core/src/a/b.rs", "use std::time::Instant;"),
        "randomness in the core": source("relay/core/src/a.rs", "getrandom::fill(&mut x)"),
        "SQL in the agent": source("client/src/agent.rs", "use rusqlite::Connection;"),
        "prose may name a clock": not source("client/engine/src/lib.rs", "//! Reads no SystemTime.\nfn f() {}"),
        "tests may read a clock": not source("relay/core/src/a/tests.rs", "Instant::now()"),
        "the edge may read a clock": not source("relay/src/listen.rs", "Instant::now()"),
    }
    return [f"self-test: {name} went wrong" for name, noticed in cases.items() if not noticed]


def main():
    if "--self-test" in sys.argv[1:]:
        problems = self_test()
    else:
        graph, ours = read_graph()
        problems = [*broken_arrows(graph, ours), *impure_rooms(graph, ours), *forbidden_words(sources())]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
