#!/usr/bin/env python3
"""Every platform's stacks, created one after the other in ministack, an emulator that is not ours.

`created.py MINISTACK DIR` takes the emulator and the folder that the example `templates` writes. Types that the emulator
does not know are left out, and what refers to them gets a text in their place; everything else must be created, with
what it imports from the stacks before it.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boto3
import botocore.exceptions

# What ministack refuses as "Unrecognized resource types".
UNKNOWN = set(Path(__file__).with_name("unknown_to_ministack.txt").read_text().split())

CORE = ["cicd", "network", "data", "compute", "monitoring", "gpu-shared"]
STAGED = ["cicd", "network", "data", "compute", "gpu", "monitoring"]


def known(value, gone):
    """`value` without the resources `gone`."""
    if isinstance(value, list):
        return [known(item, gone) for item in value if not (isinstance(item, str) and item in gone)]
    if not isinstance(value, dict):
        return value
    attribute = value.get("Fn::GetAtt")
    if value.get("Ref") in gone or (isinstance(attribute, list) and attribute[0] in gone):
        return "left-out"
    return {name: known(item, gone) for name, item in value.items() if name not in gone}


def start(command, folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {"PATH": os.environ["PATH"], "HOME": folder, "TMPDIR": folder, "LOG_LEVEL": "ERROR"}
    environment |= {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)}
    log = open(Path(folder) / "log", "w")
    server = subprocess.Popen([command], env=environment, stdout=log, stderr=log)
    client = boto3.client(
        "cloudformation",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="123456789012",
        aws_secret_access_key="none",
    )
    deadline = time.monotonic() + 60
    while True:
        try:
            client.list_exports()
            return server, client
        except botocore.exceptions.BotoCoreError:
            if time.monotonic() > deadline or server.poll() is not None:
                server.kill()
                raise
            time.sleep(0.2)


def create(client, name, template):
    """Why the stack was not created, `None` when it was."""
    body = json.dumps(template, separators=(",", ":"))
    client.create_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
    for _ in range(300):
        stack = client.describe_stacks(StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("IN_PROGRESS"):
            break
        time.sleep(0.2)
    missing = set(template["Outputs"]) - {output["OutputKey"] for output in stack.get("Outputs", [])}
    if stack["StackStatus"] != "CREATE_COMPLETE" or missing:
        events = client.describe_stack_events(StackName=name)["StackEvents"]
        failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
        reasons = [f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}" for event in failed]
        return f"{stack['StackStatus']} {reasons} without outputs: {sorted(missing)}"


def main():
    command, platforms = sys.argv[1], [path for path in sorted(Path(sys.argv[2]).iterdir()) if path.is_dir()]
    bad = created = 0
    for platform in platforms:
        # `bp`, or `bp-<stage>` in the staged layout, which has all fleets in one stack.
        [system] = [path.stem.removesuffix("-cicd") for path in platform.glob("bp*-cicd.json")]
        core = STAGED if (platform / f"{system}-gpu.json").exists() else CORE
        stacks = [*(platform / f"{system}-{what}.json" for what in core), *sorted(platform.glob("bp-gpu-fleet-*.json"))]
        assert len(stacks) == len(list(platform.glob("*.json"))), platform
        with tempfile.TemporaryDirectory() as folder:
            server, client = start(command, folder)
            try:
                for path in stacks:
                    template = json.loads(path.read_text())
                    gone = {it for it, resource in template["Resources"].items() if resource["Type"] in UNKNOWN}
                    why = create(client, path.stem, known(template, gone))
                    created += why is None
                    if why:
                        print(f"FAIL {platform.name}/{path.stem}: {why}")
                        bad += 1
            finally:
                server.terminate()
                server.wait()
    print(f"{created} stacks created, {bad} not")
    sys.exit(bad > 0 or created == 0)


main()
