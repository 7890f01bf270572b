#!/usr/bin/env python3
"""Benchmarks of bpctl beside the aws command line, in one run on one machine.

Usage: python3 examples/bench/run.py [path of a release build of bpctl]

Prints medians of whole-process wall time and peak memory: start-up, a one-call command, the runbook's calls for the
state of 2 and of 200 fleets, a deployment to its verdict, the difference between templates and stacks, a program in a
container, hashing a file, triage of 2, 20 and 200 fleets with 40 ms added to every API call, a dump of 100,000 log
events (CPU time), how long after its event a line is shown, and what the live view of 20 and of 200 fleets costs.

Beside bpctl run the `aws` command line, `sha256sum` and `openssl`, and, where they are installed, `awslogs`, `ecs`
(pip install awslogs ecs-deploy), `cdk` (npm) and Session Manager's plugin. Every API call goes to bpctl's own sandbox on
the loopback interface.
"""

import json
import fcntl
import os
import platform
import pty
import re
import shlex
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import urllib.request
from pathlib import Path

import hashing

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


def row(what: str, milliseconds: float, peak: float | None, more: str = "") -> None:
    print(f"| {what} | {milliseconds:.1f} | {'' if peak is None else f'{peak:.1f}'} | {more} |")


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
    for count in (2, 200):
        with Sandbox(bpctl, "--fleets", str(count)) as sandbox:
            ours, memory, _ = measure([bpctl, "fleet", "list"], sandbox.environment, 20)
            row(f"`bpctl fleet list`, {count} fleets", ours, memory)
            script = (
                f"{aws} cloudformation list-stacks --stack-status-filter CREATE_COMPLETE UPDATE_COMPLETE &&"
                f" {aws} autoscaling describe-auto-scaling-groups"
            )
            theirs, memory, _ = measure(["sh", "-c", script], sandbox.environment, 5)
            row("the runbook's two `aws` calls", theirs, memory, f"{theirs / ours:.0f} times as long")


def cpu(command: list[str], environment: dict[str, str]) -> tuple[float, int]:
    """Median CPU seconds, user and system, of three runs after a warm-up, and the lines of the last one."""
    times, lines = [], 0
    for run in range(4):
        with tempfile.TemporaryFile() as out:
            process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            if os.waitstatus_to_exitcode(status) != 0:
                sys.exit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
            out.seek(0)
            lines = sum(1 for _ in out)
        if run:
            times.append(usage.ru_utime + usage.ru_stime)
    return statistics.median(times), lines


GROUP, EVENTS = "/bench", 100_000
LINES = [
    '10.0.1.17 - - [26/Nov/2026:07:47:18 +0000] "GET /up HTTP/1.1" 200 {n} "-" "ELB-HealthChecker/2.0"',
    '127.0.0.1 -  26/Nov/2026:07:47:20 +0000 "GET /index.php" {n}',
    "[2026-11-26 07:47:20] production.INFO: job {n} done",
    '10.0.1.69 - - [26/Nov/2026:07:47:27 +0000] "POST /api/videos/uploads HTTP/1.1" 201 {n} "-" "Mozilla/5.0"',
]


def written(aws: str, environment: dict[str, str], now: int) -> None:
    """Puts the events into a group of their own, in batches as large as PutLogEvents takes."""

    def call(*words: str) -> None:
        subprocess.run([aws, "logs", *words], env=environment, check=True, capture_output=True)

    call("create-log-group", "--log-group-name", GROUP)
    call("create-log-stream", "--log-group-name", GROUP, "--log-stream-name", "app/php-fpm/" + "0" * 32)
    batch = 5_000
    for begin in range(0, EVENTS, batch):
        events = [
            {"timestamp": now - EVENTS + n, "message": LINES[n % len(LINES)].format(n=n)}
            for n in range(begin, begin + batch)
        ]
        path = Path(environment["HOME"], "events.json")
        path.write_text(json.dumps(events))
        where = ["--log-group-name", GROUP, "--log-stream-name", "app/php-fpm/" + "0" * 32]
        call("put-log-events", *where, "--log-events", f"file://{path}")


def clock(environment: dict[str, str]) -> int:
    """The account's time in milliseconds."""
    with urllib.request.urlopen(environment["AWS_ENDPOINT_URL"] + "/_sandbox/clock") as answer:
        return json.load(answer)["now_ms"]


def logs(bpctl: str, aws: str) -> None:
    with Sandbox(bpctl, "--speed", "1") as sandbox:
        environment = sandbox.environment
        written(aws, environment, clock(environment))
        ours, lines = cpu([bpctl, "logs", "group", GROUP, "--since", "1h"], environment)
        row(f"`bpctl logs`, {lines} events, CPU", ours * 1000, None)
        command = [aws, "logs", "filter-log-events", "--log-group-name", GROUP, "--output", "text"]
        theirs, lines = cpu(command, environment)
        row(f"`aws logs filter-log-events`, {lines} lines, CPU", theirs * 1000, None, f"{theirs / ours:.0f} times as much")
        awslogs = shutil.which("awslogs")
        if awslogs:
            where = ["--aws-endpoint-url", environment["AWS_ENDPOINT_URL"], "--aws-region", "us-east-1"]
            command = [awslogs, "get", GROUP, "ALL", "--start", "1h ago", *where]
            theirs, lines = cpu(command, environment)
            row(f"`awslogs get`, {lines} lines, CPU", theirs * 1000, None, f"{theirs / ours:.0f} times as much")
        else:
            print("| `awslogs get` | | | not installed: pip install awslogs |")
        latency(bpctl, aws, environment)


def latency(bpctl: str, aws: str, environment: dict[str, str]) -> None:
    """From an event to its line. Live Tail tells once a second: half a second of it is the source's on average."""
    follow = [bpctl, "logs", "-f", "-o", "raw", "group", GROUP, "--since", "1s"]
    process = subprocess.Popen(follow, env=environment, stdout=subprocess.PIPE, text=True)
    time.sleep(3)
    late = []
    where = ["--log-group-name", GROUP, "--log-stream-name", "app/php-fpm/" + "0" * 32]
    for n in range(12):
        event = json.dumps([{"timestamp": clock(environment), "message": f"latency {n}"}])
        subprocess.run([aws, "logs", "put-log-events", *where, "--log-events", event], env=environment, check=True, capture_output=True)
        begin = time.perf_counter()
        while process.stdout.readline().strip() != f"latency {n}":
            pass
        late.append((time.perf_counter() - begin) * 1000)
    process.send_signal(signal.SIGINT)
    process.wait()
    row("`bpctl logs -f`, from event to line", statistics.median(late), None, f"at most {max(late):.0f}; Live Tail itself: up to 1000")


def deploy(bpctl: str, aws: str) -> None:
    """From the command to its verdict, while the sandbox passes 30 times as fast as the clock."""
    where = ["--cluster", "bp"]
    with Sandbox(bpctl) as sandbox:
        ours, memory, _ = measure([bpctl, "deploy", "backend", "--yes", "-q"], sandbox.environment, 5)
        row("`bpctl deploy backend`, to its verdict", ours, memory)
        update = shlex.join([aws, "ecs", "update-service", *where, "--service", "bp-backend", "--force-new-deployment"])
        wait = shlex.join([aws, "ecs", "wait", "services-stable", *where, "--services", "bp-backend"])
        theirs, memory, _ = measure(["sh", "-c", f"{update} && {wait}"], sandbox.environment, 3)
        row("`aws ecs update-service`, `wait services-stable`", theirs, memory, f"{theirs / ours:.0f} times as long; looks every 15 s")
    ecs_deploy(bpctl, ours)


def ecs_deploy(bpctl: str, ours: float) -> None:
    """The most used of the tools that deploy to ECS: a new revision, and a wait."""
    ecs = shutil.which("ecs")
    if not ecs:
        print("| `ecs deploy` | | | not installed: pip install ecs-deploy |")
        return
    with Sandbox(bpctl) as sandbox:
        command = [ecs, "deploy", "bp", "bp-backend", "--region", "us-east-1", "--timeout", "600"]
        theirs, memory, _ = measure(command, sandbox.environment, 3)
        row("`ecs deploy`, to its verdict", theirs, memory, f"{theirs / ours:.1f} times as long")


def execute(bpctl: str, aws: str) -> None:
    """A program in a container, from the command to its exit status. The sandbox keeps the clock's time."""
    with Sandbox(bpctl, "--speed", "1") as sandbox:
        ours, memory, _ = measure([bpctl, "exec", "backend", "--", "php", "--version"], sandbox.environment, 10)
        row("`bpctl exec backend -- php --version`", ours, memory)
        if not shutil.which("session-manager-plugin"):
            print("| `aws ecs execute-command` | | | needs Session Manager's plugin, which is not installed |")
            return
        listing = [aws, "ecs", "list-tasks", "--cluster", "bp", "--service-name", "bp-backend", "--output", "text"]
        listed = subprocess.run(
            [*listing, "--query", "taskArns[0]"], env=sandbox.environment, check=True, capture_output=True, text=True
        )
        task = ["--cluster", "bp", "--task", listed.stdout.strip(), "--container", "php-fpm", "--interactive"]
        command = [aws, "ecs", "execute-command", *task, "--command", "php --version"]
        theirs, memory, _ = measure(command, sandbox.environment, 5)
        row("`aws ecs execute-command`", theirs, memory, f"{theirs / ours:.1f} times as long")


def hashes(bpctl: str) -> None:
    """Bytes a second of one core: a bundle's files are hashed before they are uploaded."""
    for tool, rate in hashing.rates(bpctl, 512):
        print(f"| hashing 512 MiB, `{tool}` | | | {rate / 1e6:.0f} MB/s |")


def difference(bpctl: str) -> None:
    """Templates of a CDK app that are made already, beside the stacks of the account."""
    cdk = shutil.which("cdk")
    app = Path(os.environ.get("BPCTL_BENCH_CDK_OUT", ""))
    if not cdk or not (app / "manifest.json").exists():
        print("| `cdk diff` | | | `cdk` is not installed, or BPCTL_BENCH_CDK_OUT names no folder that `cdk synth` has written |")
        return
    with Sandbox(bpctl) as sandbox:
        ours, memory, _ = measure([bpctl, "stack", "diff", "-q", "--assembly", str(app)], sandbox.environment, 5)
        row("`bpctl stack diff` of a CDK app", ours, memory)
        theirs, memory, _ = measure([cdk, "diff", "--app", str(app)], sandbox.environment, 3)
        row("`cdk diff`", theirs, memory, f"{theirs / ours:.1f} times as long")


def triage(bpctl: str) -> None:
    for count in (2, 20, 200):
        with Sandbox(bpctl, "--fleets", str(count), "--latency", ROUND_TRIP) as sandbox:
            wall, memory, said = measure([bpctl, "triage", "--api-stats", "-q"], sandbox.environment, 7)
            calls = re.search(r"total\s+(\d+) calls", said)
            row(f"`bpctl triage`, {count} fleets, {ROUND_TRIP} per call", wall, memory, f"{calls.group(1)} calls" if calls else "")


def top(bpctl: str) -> None:
    """The live view for a minute, at the pace of the clock: its share of a core and its calls."""
    for count in (20, 200):
        with Sandbox(bpctl, "--fleets", str(count), "--speed", "1") as sandbox:
            main_end, terminal = pty.openpty()
            fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
            environment = sandbox.environment | {"TERM": "xterm-256color"}
            process = subprocess.Popen(
                [bpctl, "top"], env=environment, stdin=terminal, stdout=terminal, stderr=terminal,
                start_new_session=True,
            )
            os.close(terminal)
            threading.Thread(target=drained, args=(main_end,), daemon=True).start()
            seconds = 60
            time.sleep(seconds)
            os.write(main_end, b"q")
            _, status, usage = os.wait4(process.pid, 0)
            if os.waitstatus_to_exitcode(status) != 0:
                sys.exit(f"bpctl top ended with {os.waitstatus_to_exitcode(status)}")
            share = (usage.ru_utime + usage.ru_stime) / seconds * 100
            row(f"`bpctl top`, {count} fleets, CPU of a minute", share * seconds * 10, usage.ru_maxrss / 1024, f"{share:.1f} % of a core")


def drained(terminal: int) -> None:
    """A terminal shows what it gets: nobody waits for room in it."""
    try:
        while os.read(terminal, 65_536):
            pass
    except OSError:
        pass


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
    deploy(bpctl, aws)
    difference(bpctl)
    execute(bpctl, aws)
    hashes(bpctl)
    logs(bpctl, aws)
    triage(bpctl)
    top(bpctl)


if __name__ == "__main__":
    main()
