#!/usr/bin/env python3
"""Measures a relay and two clients on this machine, with real processes, and prints one JSON object.

  python3 tests/measure.py                          builds a release and measures it
  python3 tests/measure.py --bin-dir target/debug   measures what is there
  python3 tests/measure.py --messages 5000          a longer loop

start_ms           from starting `aside-relay serve` to its first line; the median of several starts on one folder
first_start_ms     the same on an empty folder: identity and database are made
idle_rss_mib       memory of a relay that has nobody connected
send_ms            one `aside send --wait delivered` to somebody who is connected, process start included; the median
msgs_per_s         `aside talk` fed with N lines, from its start until `aside recv --follow` has printed the last one
loop_rss_mib       the relay's memory right after that

Needs nothing but Python; removes what it makes.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Longer than any step takes on a slow machine; reaching it fails the measurement.
PATIENCE_S = 300


def build():
    """Builds the release programs with the packages that ./test builds, and returns their folder."""
    subprocess.run(["cargo", "build", "--release", "--workspace", "--bins", "--locked"], cwd=ROOT, check=True)
    told = subprocess.run(["cargo", "metadata", "--no-deps", "--locked", "--format-version", "1"],
                          cwd=ROOT, check=True, capture_output=True, text=True)
    return pathlib.Path(json.loads(told.stdout)["target_directory"]) / "release"


class Relay:
    """A relay on a folder; `start_ms` is how long it took to listen."""

    def __init__(self, binaries, folder):
        began = time.monotonic()
        self.process = subprocess.Popen(
            [binaries / "aside-relay", "serve", "--json", "--listen", "127.0.0.1:0", "--data", folder],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.start_ms = (time.monotonic() - began) * 1000
        if not line:
            raise SystemExit("the relay did not start; what is above says why")
        self.invite = json.loads(line)["invite"]

    def rss_mib(self):
        told = subprocess.run(["ps", "-o", "rss=", "-p", str(self.process.pid)],
                              check=True, capture_output=True, text=True)
        return int(told.stdout) / 1024

    def settled_rss_mib(self):
        """Its memory once two looks in a row, half a second apart, agree."""
        before = self.rss_mib()
        while True:
            time.sleep(0.5)
            now = self.rss_mib()
            if abs(now - before) < 0.1:
                return now
            before = now

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(PATIENCE_S)


class Client:
    """Somebody with a home of their own."""

    def __init__(self, binaries, home, name, invite):
        self.program, self.name = binaries / "aside", name
        self.environment = {**os.environ, "ASIDE_HOME": str(home)}
        self.run("register", "-", "--name", name, "--recovery-file", f"{home}.words", text=invite)

    def popen(self, *arguments, **options):
        return subprocess.Popen([self.program, *arguments], env=self.environment, text=True, **options)

    def run(self, *arguments, text=""):
        done = subprocess.run([self.program, *arguments], env=self.environment, input=text, text=True,
                              capture_output=True, timeout=PATIENCE_S)
        if done.returncode:
            raise SystemExit(f"aside {arguments[0]} failed ({done.returncode}): {done.stderr}")
        return done.stdout


def one_by_one(alice, bob, count):
    """Milliseconds of each of `count` sends that wait for their delivery, while the other side is connected."""
    times = []
    reading = bob.popen("recv", "--follow", "--json", "--limit", str(count + 1), "--timeout", f"{PATIENCE_S}s",
                        stdout=subprocess.DEVNULL)
    # The first message founds the chat, and waits until the other side is there.
    alice.run("send", bob.name, "first", "--wait", "delivered", "--timeout", f"{PATIENCE_S}s")
    for number in range(count):
        began = time.monotonic()
        alice.run("send", bob.name, f"single {number}", "--wait", "delivered", "--timeout", f"{PATIENCE_S}s")
        times.append((time.monotonic() - began) * 1000)
    reading.wait(PATIENCE_S)
    return times


def in_a_loop(alice, bob, count):
    """Seconds from the start of `aside talk` until the other side has printed all lines; checks that none is missing."""
    texts = [f"message {number} of a loop that sends as fast as it can" for number in range(count)]
    reading = bob.popen("recv", "--follow", "--json", "--limit", str(count), "--timeout", f"{PATIENCE_S}s",
                        stdout=subprocess.PIPE)
    began = time.monotonic()
    talking = alice.popen("talk", bob.name, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    talking.stdin.write("".join(text + "\n" for text in texts))
    talking.stdin.close()
    got, took = [], 0.0
    for line in reading.stdout:
        got.append(json.loads(line)["text"])
        took = time.monotonic() - began
    talking.wait(PATIENCE_S)
    reading.wait(PATIENCE_S)
    if got != texts:
        raise SystemExit(f"{len(got)} of {count} messages came, or not in their order")
    return took


def measure(binaries, folder, messages, starts):
    data = folder / "relay"
    with Relay(binaries, data) as first:
        first_start_ms = first.start_ms
    start_ms = []
    for _ in range(starts):
        with Relay(binaries, data) as again:
            start_ms.append(again.start_ms)
    with Relay(binaries, data) as relay:
        idle = relay.settled_rss_mib()
        alice, bob = (Client(binaries, folder / name, name, relay.invite) for name in ("alice", "bob"))
        singles = one_by_one(alice, bob, 10)
        took = in_a_loop(alice, bob, messages)
        loop = relay.rss_mib()
    return {
        "start_ms": round(statistics.median(start_ms), 1),
        "first_start_ms": round(first_start_ms, 1),
        "idle_rss_mib": round(idle, 1),
        "send_ms": round(statistics.median(singles), 1),
        "messages": messages,
        "msgs_per_s": round(messages / took),
        "loop_rss_mib": round(loop, 1),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin-dir", type=pathlib.Path, help="where aside and aside-relay are; without it they are built")
    parser.add_argument("--messages", type=int, default=2000, help="lines of the loop")
    parser.add_argument("--starts", type=int, default=9, help="starts of the relay")
    arguments = parser.parse_args()
    binaries = (arguments.bin_dir or build()).resolve()
    with tempfile.TemporaryDirectory(prefix="aside-measure.") as folder:
        print(json.dumps(measure(binaries, pathlib.Path(folder), arguments.messages, arguments.starts)))


if __name__ == "__main__":
    sys.exit(main())
