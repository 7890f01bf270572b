#!/usr/bin/env python3
"""Runs what triage says to do: every `aws` command of every scenario, by the real aws command line, against the sandbox.

    python3 tests/next_commands.py [path of bpctl] [scenario …]

Python's environment needs `awscli`. A command has to end with status 0; the line alone must say where it goes, so the
environment names neither endpoint nor region. What reads is run first, then what changes something, as a person would.
"""

import contextlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys

# What cannot be run here, and why.
UNTRIED = {
    ("rds", "wait"): "waits in real time for as long as the sandbox's database does",
}
# Refusals that are the answer: what was asked for is not there, as the operator suspected.
ANSWERS = {("ecr", "describe-images"): "ImageNotFoundException"}
# Kinds of commands that have to be seen, so that an empty report does not pass for a good one.
ENOUGH = 20
# What else is asked for its hints.
MIGRATIONS = ["migration-fails", "pull-error", "secret-missing"]
STAGED = ["secret-missing", "rds-storage-low", "spot-drought", "ecr-tag-missing"]


def steps(findings):
    for finding in findings:
        yield from finding["next"]
        yield from steps(finding["symptoms"])


def commands(step):
    if "command" in step:
        yield step["command"]
        yield from step.get("then", [])


def kinds(words):
    """Service and operation of a command, of all in a pipe."""
    line = words[2] if words[0] == "sh" else " ".join(words)
    return set(re.findall(r"\baws ([a-z0-9-]+) ([a-z0-9-]+)", line))


def run(driver, words):
    """The status and what was said on stderr."""
    if words[0] == "sh" or "file:///dev/stdin" in words:
        # Commands that ask for a value read it from stdin.
        done = subprocess.run(words, input="a value\n", capture_output=True, text=True, check=False)
        return done.returncode, done.stderr
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = driver.main(words[1:])
    return status, err.getvalue()


def inside(bpctl, scenario):
    """In the environment of a sandbox: one triage, then its commands."""
    import awscli.clidriver

    told = subprocess.run([bpctl, "triage", "--fail-on", "never", "-o", "json"], capture_output=True, text=True, check=False)
    if not told.stdout:
        # Without credentials there is no report: the hint is to sign in.
        return {"scenario": scenario, "ran": [], "failed": [], "untried": []}
    advice = list(steps(json.loads(told.stdout)["findings"]))
    if scenario in MIGRATIONS:
        migrated = subprocess.run([bpctl, "migrate", "--yes", "-o", "json"], capture_output=True, text=True, check=False)
        advice += json.loads(migrated.stderr.splitlines()[-1])["hints"]
    found = {False: [], True: []}
    for step in advice:
        for words in commands(step):
            if words[0] in ("aws", "sh") and words not in found[step["changes"]]:
                found[step["changes"]].append(words)
    for name in ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"]:
        os.environ.pop(name, None)
    driver = awscli.clidriver.create_clidriver()
    ran, failed, untried = [], [], []
    for words in found[False] + found[True]:
        if tuple(words[1:3]) in UNTRIED:
            untried.append(words)
            continue
        status, said = run(driver, words)
        ran.append(words)
        answer = ANSWERS.get(tuple(words[1:3]))
        if status != 0 and not (answer and answer in said):
            failed.append([words, said.strip()])
    return {"scenario": scenario, "ran": ran, "failed": failed, "untried": untried}


def scenarios(bpctl):
    listed = subprocess.run([bpctl, "sandbox", "scenario", "list", "-o", "name"], capture_output=True, text=True, check=True)
    return listed.stdout.split()


def main():
    bpctl = str(pathlib.Path(sys.argv[1]).resolve())
    operations, bad = set(), 0
    chosen = sys.argv[2:]
    runs = [(scenario, []) for scenario in chosen or scenarios(bpctl)]
    runs += [(scenario, ["--layout", "staged", "--stage", "staging"]) for scenario in STAGED if not chosen]
    for scenario, layout in runs:
        line = [bpctl, *layout, "sandbox", "run", "--scenario", scenario, "--"]
        line += [sys.executable, __file__, "--inside", bpctl, scenario]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(f"FAIL {scenario}: {done.stderr}")
            bad += 1
            continue
        report = json.loads(done.stdout)
        operations |= {kind for words in report["ran"] for kind in kinds(words)}
        for words, said in report["failed"]:
            print(f"FAIL {scenario}: {' '.join(words)}\n     {said}")
            bad += 1
        for words in report["untried"]:
            print(f"     {scenario}: not run, {UNTRIED[tuple(words[1:3])]}: {' '.join(words)}")
        print(f"     {scenario}: {len(report['ran'])} commands")
    if not chosen and len(operations) < ENOUGH:
        print(f"FAIL only {len(operations)} kinds of commands were seen: {sorted(operations)}")
        bad += 1
    print(f"{len(operations)} kinds of commands, {bad} failures")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    if sys.argv[1] == "--inside":
        json.dump(inside(*sys.argv[2:4]), sys.stdout)
    else:
        main()
