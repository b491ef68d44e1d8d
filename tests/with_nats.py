#!/usr/bin/env python3
"""Runs a command beside a NATS server of its own, and ends the server whatever happens.

    python3 tests/with_nats.py cargo nextest run -p aside-relay --test relay

The server has JetStream, a store in a temporary folder, and a port that the system chose; the command finds its address in
ASIDE_RELAY_NATS. The server is ASIDE_NATS_SERVER, or the first nats-server on PATH. The exit code is the command's.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# How long the server may take to listen.
START = 30


def ended(number, frame):
    """Signals unwind like an interrupt, so that the server is ended."""
    sys.exit(128 + number)


def config(folder):
    """Written into the folder: records of the relay's log are longer than what NATS takes by itself."""
    path = folder / "nats.conf"
    path.write_text(
        'listen: "127.0.0.1:-1"\nmax_payload: 8MB\n'
        f"jetstream {{ store_dir: {json.dumps(str(folder))} }}\n"
        f"ports_file_dir: {json.dumps(str(folder))}\n"
    )
    return path


def address(server, folder, log):
    """Waits until the server has written down where it listens."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline and server.poll() is None:
        for ports in folder.glob("*.ports"):
            try:
                return json.loads(ports.read_text())["nats"][0]
            except (ValueError, KeyError, IndexError):
                break  # It is being written.
        time.sleep(0.02)
    sys.exit(f"nats-server did not start:\n{log.read_text()}")


def main(command):
    if not command:
        sys.exit(__doc__)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ended)
    with tempfile.TemporaryDirectory(prefix="aside-nats-") as name:
        folder, log = Path(name), Path(name) / "nats.log"
        arguments = [os.environ.get("ASIDE_NATS_SERVER", "nats-server"), "-c", str(config(folder)), "-l", str(log)]
        try:
            # In a session of its own: an interrupt is for the command, the server is ended after it.
            server = subprocess.Popen(arguments, start_new_session=True)
        except OSError as error:
            sys.exit(f"nats-server cannot be run ({error}): put version 2.10 or newer on PATH, or name it in ASIDE_NATS_SERVER")
        try:
            environment = {**os.environ, "ASIDE_RELAY_NATS": address(server, folder, log)}
            return subprocess.call(command, env=environment)
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
