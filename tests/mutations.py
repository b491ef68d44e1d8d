#!/usr/bin/env python3
"""Proves that the simulation finds bugs: breaks the code on purpose, one patch at a time, and waits for a seed to fail.

    python3 tests/mutations.py [--seeds N] [NAME …]
    python3 tests/mutations.py --fit                    only checks, in a moment, that each patch still applies

Each tests/mutations/*.patch is applied to a copy of the sources under target/mutations; `simulate` is built there, with
a target folder that all of them share, and runs seeds until one fails. The unpatched copy runs first: a seed at which it
fails proves nothing about a mutation. A patch that no longer applies, a copy that does not build, or a mutation that
survives the seeds is a failure. Nothing outside target/mutations is changed.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "mutations"
SOURCES = ["Cargo.toml", "Cargo.lock", "protocol", "client", "relay", "tests", "bench"]


def sync(sources):
    """Copies what changed, with its time, so that cargo builds no more than that; forgets what is gone."""
    wanted = set()
    for name in SOURCES:
        start = ROOT / name
        for path in [start] if start.is_file() else start.rglob("*"):
            if not path.is_file() or "__pycache__" in path.parts:
                continue
            relative = path.relative_to(ROOT)
            wanted.add(relative)
            copy = sources / relative
            if not copy.exists() or copy.read_bytes() != path.read_bytes():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
    for copy in list(sources.rglob("*")):
        if copy.is_file() and copy.relative_to(sources) not in wanted:
            copy.unlink()


def run(command, **more):
    return subprocess.run(command, capture_output=True, text=True, **more)


def apply(patch, sources, *options):
    # Without a repository of its own the copy would be taken for a part of this one, and skipped.
    command = ["patch", "--strip=1", "--silent", "--forward", "--no-backup-if-mismatch", *options]
    with open(patch, encoding="utf-8") as text:
        return run(command, cwd=sources, stdin=text)


def build(sources):
    command = ["cargo", "build", "--locked", "--quiet", "-p", "aside-tests", "--bin", "simulate"]
    return run([*command, "--target-dir", str(WORK / "target")], cwd=sources)


def hunt(seeds):
    command = [str(WORK / "target" / "debug" / "simulate"), "--seeds", f"0..{seeds}", "--quiet"]
    return run(command, timeout=1800)


def does_not_fit(patch, sources):
    """Why a patch does not apply, without applying it; None if it does."""
    tried = apply(patch, sources, "--dry-run")
    return tried.stdout + tried.stderr if tried.returncode != 0 else None


def check_fit(patches):
    wrong = [(patch.stem, why) for patch in patches if (why := does_not_fit(patch, ROOT))]
    for name, why in wrong:
        print(f"  {name}: the patch no longer applies; mend it:\n{why}", flush=True)
    if wrong:
        sys.exit("some mutations do not fit the code any more")
    print(f"{len(patches)} mutations fit")


def check_unpatched(sources, seeds):
    """The code as it is holds at every seed, or no mutation is tried."""
    sync(sources)
    built = build(sources)
    if built.returncode != 0:
        sys.exit(f"the code does not build:\n{built.stderr[-3000:]}")
    found = hunt(seeds)
    if found.returncode != 0:
        sys.exit(f"the simulation fails without any mutation:\n{found.stdout}{found.stderr}")


def try_one(patch, sources, seeds):
    """What became of one mutation: None if it was caught, else what is wrong."""
    applied = apply(patch, sources)
    if applied.returncode != 0:
        return f"the patch no longer applies; mend it:\n{applied.stdout}{applied.stderr}"
    try:
        built = build(sources)
        if built.returncode != 0:
            return f"the mutated code does not build:\n{built.stderr[-3000:]}"
        began = time.monotonic()
        found = hunt(seeds)
        took = time.monotonic() - began
    finally:
        apply(patch, sources, "--reverse")
    said = found.stdout.strip().splitlines()
    match = re.search(r"seed (\d+) fails, the (\d+)\. tried: (.*)", found.stdout)
    if not match:
        return f"it survives {seeds} seeds: {said[:1]}"
    print(f"  {patch.stem}: caught by seed {match[1]}, the {match[2]}. tried, in {took:.0f} s: {match[3][:100]}", flush=True)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=400, help="how many seeds a mutation may survive")
    parser.add_argument("--fit", action="store_true", help="only check that the patches apply")
    parser.add_argument("names", nargs="*", help="only these")
    asked = parser.parse_args()
    patches = sorted((ROOT / "tests" / "mutations").glob("*.patch"))
    patches = [patch for patch in patches if not asked.names or patch.stem in asked.names]
    if len(patches) < (len(asked.names) or 3):
        sys.exit("there are fewer mutations than there should be")
    if asked.fit:
        return check_fit(patches)
    sources = WORK / "sources"
    sources.mkdir(parents=True, exist_ok=True)
    check_unpatched(sources, asked.seeds)
    wrong = []
    for patch in patches:
        sync(sources)
        problem = try_one(patch, sources, asked.seeds)
        if problem:
            print(f"  {patch.stem}: {problem}", flush=True)
            wrong.append(patch.stem)
    if wrong:
        sys.exit(f"not caught: {', '.join(wrong)}")
    print(f"{len(patches)} mutations caught")


if __name__ == "__main__":
    main()
