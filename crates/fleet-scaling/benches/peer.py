"""The same fleet as a plain SimPy model, on the same scenario, next to the library.

    python3 -m venv /tmp/simpy && /tmp/simpy/bin/pip install simpy==4.1.2
    /tmp/simpy/bin/python crates/fleet-scaling/benches/peer.py [DAYS] [JOBS_PER_HOUR]

Runs `examples/simulate.rs` on `examples/fleet.toml` and the model below for a few seeds, and prints both and the ratio of
the best CPU times: of the library the best of many short runs, less the start of the program. The numbers must agree
as two samples of the same system do; the model shares no code with the library.
"""

import json
import math
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque

import simpy

RUNS = 30  # of the library for each seed

ROOT = pathlib.Path(__file__).resolve().parents[3]
MAX, TARGET, WARMUP, COLD, IN_SERVICE, REQUEST, ZERO = 10, 2.0, 300, 240, 180, 30, 15
SERVICE, PRICE = 60.0, 0.18


def alarm(points, needed, breaches, current):
    """CloudWatch's evaluation of N of N points with missing data as missing; newest last."""
    real, breaching, oldest = 0, 0, 0
    for age, point in enumerate(list(points)[: -(needed + 3) : -1]):
        if point is not None and real < needed:
            real, oldest = real + 1, age + 1
            breaching += breaches(point)
    if breaching >= needed:
        return "ALARM"
    if real == needed or real > breaching:
        return "OK"
    if real == 0:
        return "INSUFFICIENT_DATA"
    return "ALARM" if oldest >= needed else current


class Worker:
    def __init__(self, fleet):
        self.fleet, self.requested, self.busy, self.registered = fleet, fleet.env.now, False, False
        self.process = fleet.env.process(self.run())

    @property
    def warming(self):
        return self.fleet.env.now < self.requested + IN_SERVICE + WARMUP

    def run(self):
        fleet = self.fleet
        get = None
        try:
            yield fleet.env.timeout(COLD)
            self.registered = True
            while True:
                get = fleet.queue.get()
                arrived = yield get
                get, self.busy = None, True
                fleet.waits.append(fleet.env.now - arrived)
                yield fleet.env.timeout(fleet.random.expovariate(1 / SERVICE))
                self.busy = False
        except simpy.Interrupt:
            if get is not None:
                get.cancel()

    def end(self):
        ran = max(0.0, self.fleet.env.now - self.requested - REQUEST)
        self.fleet.ran += ran
        self.fleet.cost += max(60.0, ran) / 3600 * PRICE if ran > 0 else 0.0
        self.process.interrupt()


class Fleet:
    def __init__(self, per_hour, seed):
        self.env, self.random = simpy.Environment(), random.Random(seed)
        self.queue, self.workers, self.waits = simpy.Store(self.env), [], []
        self.desired, self.ran, self.cost = 0, 0.0, 0.0
        self.depths, self.backlogs = deque(maxlen=32), deque(maxlen=32)
        self.states = {"high": "INSUFFICIENT_DATA", "low": "INSUFFICIENT_DATA", "zero": "INSUFFICIENT_DATA"}
        self.env.process(self.arrive(per_hour))
        self.env.process(self.control())

    def arrive(self, per_hour):
        while True:
            yield self.env.timeout(self.random.expovariate(per_hour / 3600))
            yield self.queue.put(self.env.now)

    def control(self):
        while True:
            yield self.env.timeout(60)
            waiting = len(self.queue.items)
            registered = sum(worker.registered for worker in self.workers)
            busy = sum(worker.busy for worker in self.workers)
            warming = sum(worker.warming for worker in self.workers)
            self.depths.append(waiting)
            # The queue shared out among the workers, and the queue itself while there is none.
            self.backlogs.append(waiting / max(registered, 1))
            self.decide(waiting, busy, warming)
            while len(self.workers) < self.desired:
                self.workers.append(Worker(self))
            while len(self.workers) > self.desired:
                spare = [worker for worker in self.workers if not worker.busy]
                if not spare:
                    break
                victim = max(spare, key=lambda worker: (self.env.now - worker.requested - REQUEST) % 3600)
                self.workers.remove(victim)
                victim.end()

    def decide(self, waiting, busy, warming):
        states, value = self.states, self.backlogs[-1]
        states["high"] = alarm(self.backlogs, 3, lambda v: v > TARGET, states["high"])
        states["low"] = alarm(self.backlogs, 15, lambda v: v < 0.9 * TARGET, states["low"])
        states["zero"] = alarm(self.depths, ZERO, lambda v: v <= 0, states["zero"])
        value = next((v for v in reversed(self.backlogs) if v is not None), None)
        answers, desired = [], self.desired
        if waiting > 0:
            answers.append(max(desired, desired - warming + 1))
        if states["high"] == "ALARM" and value is not None:
            warm = max(desired - warming, 1)
            answers.append(max(math.ceil(warm * value / TARGET), warm + 1, desired))
        if states["low"] == "ALARM" and value is not None:
            # "Target tracking scaling policies": a metric that really is 0 takes the group to its minimum.
            wanted = min(math.ceil(desired * value / TARGET), desired)
            if wanted == desired or warming == 0:
                answers.append(wanted)
        if answers:
            self.desired = min(max(answers), MAX)
        if states["zero"] == "ALARM" and waiting == 0 and busy < self.desired and len(self.depths) >= ZERO:
            self.desired = busy

    def run(self, seconds):
        self.env.run(until=seconds)
        for worker in self.workers:
            worker.end()
        return statistics.fmean(self.waits), self.ran / 3600, self.cost


def cpu_time(command):
    """CPU seconds of one run, and what it prints."""
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        assert child.returncode == 0, command
        out.seek(0)
        return usage.ru_utime + usage.ru_stime, out.read()


def library(days, per_hour, seed):
    program = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/examples/simulate"
    fleet = "crates/fleet-scaling/examples/fleet.toml"
    # What reading the file and starting the program take is not the simulation's.
    start = min(cpu_time([str(program), fleet, "none", "1"])[0] for _ in range(RUNS))
    command = [str(program), fleet, f"poisson:{per_hour}/h", str(days), str(seed)]
    runs = [cpu_time(command) for _ in range(RUNS)]
    report = json.loads(runs[0][1])
    numbers = report["wait"]["mean"], report["fleet"]["instance_hours"], report["fleet"]["cost"]
    return numbers, min(seconds for seconds, _ in runs) - start


def main():
    days = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    per_hour = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    build = ["cargo", "build", "--quiet", "--release", "-p", "fleet-scaling", "--example", "simulate"]
    subprocess.run(build, cwd=ROOT, check=True)
    rows, times = {"library": [], "SimPy": []}, {"library": [], "SimPy": []}
    for seed in range(1, 6):
        numbers, seconds = library(days, per_hour, seed)
        rows["library"].append(numbers)
        times["library"].append(seconds)
        began = time.process_time()
        rows["SimPy"].append(Fleet(per_hour, seed).run(days * 86400))
        times["SimPy"].append(time.process_time() - began)
    print(f"{days} days, {per_hour} jobs per hour, 5 seeds (mean ± standard deviation)")
    for name, numbers in rows.items():
        cells = [
            f"{statistics.fmean(column):.2f} ± {statistics.stdev(column):.2f}" for column in zip(*numbers)
        ]
        best = min(times[name])
        print(f"{name:8} wait {cells[0]} s, {cells[1]} instance hours, {cells[2]} dollars, best {best:.6f} s")
    print(f"ratio of the best times: {min(times['SimPy']) / min(times['library']):.0f}")


main()
