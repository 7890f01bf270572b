#!/usr/bin/env python3
"""Prints how fast bpctl hashes files beside `sha256sum` and `openssl speed`, on one core each, in one run.

    python3 examples/bench/hashing.py [bpctl] [MiB]

`bpctl bundle upload --dry-run` hashes a file before anything else, against a sandbox of its own. Its rate is that of
the line "hashed 1 file, …".
"""

import os
import re
import subprocess
import sys
import tempfile
import time


def openssl():
    """Bytes a second of one core, for blocks of 16 KiB."""
    out = subprocess.run(
        ["openssl", "speed", "-seconds", "2", "-bytes", "16384", "sha256"], capture_output=True, text=True, check=True
    ).stdout
    return float(re.search(r"^sha256\s+([\d.]+)k", out, re.M).group(1)) * 1000


def sha256sum(path, size):
    began = time.monotonic()
    subprocess.run(["sha256sum", path], stdout=subprocess.DEVNULL, check=True)
    return size / (time.monotonic() - began)


def bpctl(program, path):
    command = [program, "bundle", "upload", path, "--kind", "other", "--dry-run"]
    out = subprocess.run(
        ["taskset", "-c", "0", program, "sandbox", "run", "--", *command], capture_output=True, text=True, check=True
    ).stderr
    rate = re.search(r"hashed 1 file, .*, ([\d.]+) (\wB)/s", out)
    return float(rate.group(1)) * {"kB": 1e3, "MB": 1e6, "GB": 1e9}[rate.group(2)]


def rates(program, mebibytes):
    """Tools with bytes a second of one core, on a file of this size."""
    size = mebibytes * 1024 * 1024
    with tempfile.NamedTemporaryFile(prefix="bpctl-hash-", suffix=".bin") as file:
        block = os.urandom(1024 * 1024)
        for _ in range(mebibytes):
            file.write(block)
        file.flush()
        # Once before, so that all read from memory.
        sha256sum(file.name, size)
        return [
            ("openssl speed", openssl()),
            ("sha256sum", max(sha256sum(file.name, size) for _ in range(3))),
            ("bpctl bundle upload", max(bpctl(program, file.name) for _ in range(3))),
        ]


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "target/release/bpctl"
    print(f"{'tool':<20} {'MB/s':>8}")
    for tool, rate in rates(program, int(sys.argv[2]) if len(sys.argv) > 2 else 1024):
        print(f"{tool:<20} {rate / 1e6:>8.0f}")


if __name__ == "__main__":
    main()
