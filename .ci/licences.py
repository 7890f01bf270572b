#!/usr/bin/env python3
"""Holds the dependency tree against the licences and sources that deny.toml allows, from cargo's metadata alone."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"


def allowed(expression: str, licences: set[str]) -> bool:
    """Whether an SPDX expression can be met with the allowed licences."""
    tokens = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))
    words = []
    skip = False
    for index, token in enumerate(tokens):
        if skip:
            skip = False
        elif token in ("(", ")"):
            words.append(token)
        elif token in ("AND", "OR"):
            words.append(token.lower())
        elif index + 1 < len(tokens) and tokens[index + 1] == "WITH":
            words.append(str(f"{token} WITH {tokens[index + 2]}" in licences or token in licences))
        elif token == "WITH":
            skip = True
        else:
            words.append(str(token in licences))
    return bool(eval(" ".join(words), {"__builtins__": {}}))  # Only words that were made above.


def main() -> int:
    rules = tomllib.loads((ROOT / "deny.toml").read_text())
    licences = set(rules["licenses"]["allow"])
    banned = {entry["crate"] for entry in rules["bans"]["deny"]}
    metadata = subprocess.run(
        ["cargo", "metadata", "--format-version=1", "--locked"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    packages = json.loads(metadata.stdout)["packages"]
    problems = []
    for package in packages:
        name = f"{package['name']} {package['version']}"
        if package["source"] not in (None, REGISTRY):
            problems.append(f"{name}: comes from {package['source']}")
        if package["name"] in banned:
            problems.append(f"{name}: is banned in deny.toml")
        if not package["license"]:
            problems.append(f"{name}: names no licence")
        elif not allowed(package["license"], licences):
            problems.append(f"{name}: {package['license']} is not allowed in deny.toml")
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(packages)} packages, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
