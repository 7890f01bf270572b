#!/usr/bin/env python3
"""Lints the policies of `bpctl iam policy` with parliament, a policy linter that is not ours.

It knows every action, resource type and condition key of AWS: an action that does not exist, a resource that an
action does not take, a condition key of another action, a malformed ARN is a finding.

    python3 tests/policies.py target/debug/bpctl
"""

import json
import os
import re
import subprocess
import sys
import tempfile

from parliament import analyze_policy_string

ACCOUNT = "123456789012"
LAYOUTS = [["--layout", "single"], ["--layout", "staged", "--stage", "staging"]]
WITH_FLAGS = ["migrate --snapshot", "deploy --image", "deploy --abort-on-first-failure", "logs --follow", "logs --previous"]

# Findings that AWS' own documentation contradicts: the issue, what it is about, and why it stands.
KNOWN = [
    # Tasks of a whole cluster are listed on no resource; the policy narrows it by `ecs:cluster` (Amazon ECS Developer
    # Guide, "Identity-based policy examples", "List or describe Amazon ECS tasks").
    ("RESOURCE_STAR", "'ecs:ListTasks'"),
    # By the physical id of a resource no stack is named: whether any has it is the question (AWS CloudFormation API
    # Reference, DescribeStackResources, PhysicalResourceId).
    ("RESOURCE_STAR", "['cloudformation:DescribeStackResources']"),
    # Younger than parliament's data (Amazon ECS API Reference, StopServiceDeployment).
    ("UNKNOWN_ACTION", "ecs:StopServiceDeployment"),
    # Documents of AWS have no account in their ARN (Systems Manager User Guide, "Run Command", example policies).
    ("RESOURCE_MISMATCH", "'ssm:SendCommand', 'required_format': 'arn:*:ssm:*:*:document/*'"),
    # Claims of an identity provider are keys under its own name (IAM User Guide, "Available keys for AWS OIDC
    # federation").
    ("UNKNOWN_CONDITION_FOR_ACTION", "token.actions.githubusercontent.com:"),
]


def bpctl(program, home, *arguments):
    environment = {"HOME": home, "PATH": os.environ["PATH"]}
    command = [program, "iam", "policy", "--account-id", ACCOUNT, "--region", "us-east-1", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def verbs(home, program):
    """Every verb that needs a permission, from the record of calls."""
    recorded = json.load(open("docs/api-calls.json"))
    return sorted({verb.split(" --")[0] for verb in recorded} - {"whoami"}) + WITH_FLAGS


def findings(document, **options):
    analyzed = analyze_policy_string(json.dumps(document), **options)
    for finding in analyzed.findings:
        text = f"{finding.issue} {finding.detail} {finding.location}"
        if not any(finding.issue == issue and action in text for issue, action in KNOWN):
            yield text


def main():
    program, bad, seen = os.path.abspath(sys.argv[1]), 0, 0
    with tempfile.TemporaryDirectory() as home:
        for layout in LAYOUTS:
            for verb in verbs(home, program):
                done = bpctl(program, home, *layout, "--for", verb)
                if done.returncode != 0:
                    print(f"FAIL {verb}: {done.stderr}")
                    bad += 1
                    continue
                seen += 1
                for finding in findings(json.loads(done.stdout)):
                    print(f"FAIL {' '.join(layout)} {verb}: {finding}")
                    bad += 1
        trust = bpctl(
            program, home, "--for", "migrate", "--trust", "github", "--repo", "o/r",
            "--environment", "staging-migrations", "-o", "json", "--query", "trust",
        )
        document = json.loads(trust.stdout)
        # parliament lints permissions and resource policies; a trust policy is one on a role, without `Resource`.
        statement = {**document["Statement"][0], "Resource": f"arn:aws:iam::{ACCOUNT}:role/r"}
        principal = statement.pop("Principal")
        if not re.fullmatch(rf"arn:aws:iam::{ACCOUNT}:oidc-provider/[a-z.]+", principal["Federated"]):
            print(f"FAIL the trust policy's principal is {principal}")
            bad += 1
        for finding in findings({**document, "Statement": [statement]}):
            print(f"FAIL trust: {finding}")
            bad += 1
    print(f"{seen} policies and a trust policy, {bad} problems")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
