#!/usr/bin/env python3
"""Benchmarks of bpctl beside the aws command line, in one run on one machine.

Usage: python3 examples/bench/run.py [path of a release build of bpctl]

Prints medians of whole-process wall time and peak memory: start-up, a one-call command, the runbook's calls for the
state of the fleets, and triage of 2, 20 and 200 fleets with 40 ms added to every API call. Every API call goes to
bpctl's own sandbox on the loopback interface.
"""

import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
ROUND_TRIP = "40ms"


def measure(command: list[str], environment: dict[str, str], runs: int) -> tuple[float, float, str]:
    """Median milliseconds, largest peak memory in MiB, and stderr of the last run; one warm-up first."""
    times, peaks, said = [], [], ""
    for run in range(runs + 1):
        with tempfile.TemporaryFile() as errors:
            begin = time.perf_counter()
            process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=errors)
            _, status, usage = os.wait4(process.pid, 0)
            elapsed = (time.perf_counter() - begin) * 1000
            errors.seek(0)
            said = errors.read().decode(errors="replace")
        if os.waitstatus_to_exitcode(status) not in (0, 1):
            sys.exit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}:\n{said}")
        if run:
            times.append(elapsed)
            peaks.append(usage.ru_maxrss / 1024)
    return statistics.median(times), max(peaks), said


class Sandbox:
    """A sandbox of its own for one measurement."""

    def __init__(self, bpctl: str, *options: str):
        self.home = tempfile.mkdtemp(prefix="bpctl-bench-")
        self.bpctl = bpctl
        self.environment = {"HOME": self.home, "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        subprocess.run([bpctl, "sandbox", "start", "-q", *options], env=self.environment, check=True, capture_output=True)
        listing = subprocess.run([bpctl, "sandbox", "env"], env=self.environment, check=True, capture_output=True, text=True)
        self.environment |= dict(re.findall(r"^export (\w+)=(.*)$", listing.stdout, re.MULTILINE))

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run([self.bpctl, "sandbox", "stop", "-q"], env=self.environment, check=True, capture_output=True)
        shutil.rmtree(self.home)


def row(what: str, milliseconds: float, peak: float, more: str = "") -> None:
    print(f"| {what} | {milliseconds:.1f} | {peak:.1f} | {more} |")


def start_up(bpctl: str, aws: str) -> None:
    environment = {"HOME": "/nonexistent", "PATH": os.environ["PATH"]}
    ours, memory, _ = measure([bpctl, "--version"], environment, 30)
    row("`bpctl --version`", ours, memory)
    theirs, memory, _ = measure([aws, "--version"], environment, 10)
    row("`aws --version`", theirs, memory, f"{theirs / ours:.0f} times as long")


def one_call(bpctl: str, aws: str) -> None:
    with Sandbox(bpctl) as sandbox:
        ours, memory, _ = measure([bpctl, "whoami"], sandbox.environment, 20)
        row("`bpctl whoami` (one call)", ours, memory)
        theirs, memory, _ = measure([aws, "sts", "get-caller-identity"], sandbox.environment, 10)
        row("`aws sts get-caller-identity`", theirs, memory, f"{theirs / ours:.0f} times as long")


def fleets(bpctl: str, aws: str) -> None:
    """The runbook asks for stacks, groups and alarms one after the other."""
    with Sandbox(bpctl) as sandbox:
        ours, memory, _ = measure([bpctl, "fleet", "list"], sandbox.environment, 20)
        row("`bpctl fleet list`", ours, memory)
        script = (
            f"{aws} cloudformation list-stacks --stack-status-filter CREATE_COMPLETE UPDATE_COMPLETE &&"
            f" {aws} autoscaling describe-auto-scaling-groups"
        )
        theirs, memory, _ = measure(["sh", "-c", script], sandbox.environment, 5)
        row("the runbook's two `aws` calls", theirs, memory, f"{theirs / ours:.0f} times as long")


def triage(bpctl: str) -> None:
    for count in (2, 20, 200):
        with Sandbox(bpctl, "--fleets", str(count), "--latency", ROUND_TRIP) as sandbox:
            wall, memory, said = measure([bpctl, "triage", "--api-stats", "-q"], sandbox.environment, 7)
            calls = re.search(r"total\s+(\d+) calls", said)
            row(f"`bpctl triage`, {count} fleets, {ROUND_TRIP} per call", wall, memory, f"{calls.group(1)} calls" if calls else "")


def main() -> None:
    bpctl = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "target/release/bpctl")
    aws = shutil.which("aws")
    if not aws or not Path(bpctl).exists():
        sys.exit("needs the aws command line, and a release build: cargo build --release")
    version = subprocess.run([aws, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{platform.platform()}, {os.cpu_count()} cores; {version}\n")
    print("| command | median ms | peak MiB | |\n|---|---|---|---|")
    start_up(bpctl, aws)
    one_call(bpctl, aws)
    fleets(bpctl, aws)
    triage(bpctl)


if __name__ == "__main__":
    main()
