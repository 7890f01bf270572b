#!/usr/bin/env python3
"""What stands inside the templates in other languages, run as it is deployed.

`embedded.py DIR` takes the folder that the example `templates` writes. The function that scales to zero is run against a
stand-in for boto3, with every message that the topic may bring. The boot script of every fleet is run in a folder with
stand-ins for the programs that it calls. The start of every container is read by the shell that runs it.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import types
from pathlib import Path

GROUP = "asg-production-gpu-default"


class AutoScaling:
    """Knows one group, and refuses what the service refuses."""

    def __init__(self, desired):
        self.desired = desired
        self.calls = []

    def describe_auto_scaling_groups(self, AutoScalingGroupNames):
        known = [name for name in AutoScalingGroupNames if name == GROUP]
        return {"AutoScalingGroups": [{"DesiredCapacity": self.desired, "MinSize": 0} for _ in known]}

    def set_desired_capacity(self, AutoScalingGroupName, DesiredCapacity, HonorCooldown):
        assert AutoScalingGroupName == GROUP, AutoScalingGroupName
        self.calls.append((DesiredCapacity, HonorCooldown))
        self.desired = DesiredCapacity


def invoke(code, desired, *messages):
    """The calls that change something after `messages`, each (alarm, state)."""
    service = AutoScaling(desired)
    sys.modules["boto3"] = types.SimpleNamespace(client=lambda name: service)
    names = {"__name__": "index"}
    exec(compile(code, "index.py", "exec"), names)
    records = [
        {"Sns": {"Message": json.dumps({"AlarmName": alarm, "NewStateValue": state})}} for alarm, state in messages
    ]
    with contextlib.redirect_stdout(None):
        names["handler"]({"Records": records}, None)
    return service.calls


def check_function(code):
    empty = "production-gpu-default-queue-empty"
    to_zero = [(0, False)]
    for desired, messages, expected in [
        (3, [(empty, "ALARM")], to_zero),
        (3, [(empty, "ALARM"), (empty, "ALARM")], to_zero),
        (0, [(empty, "ALARM")], []),
        (3, [(empty, "OK")], []),
        (3, [(empty, "INSUFFICIENT_DATA")], []),
        (3, [("production-gpu-default-queue-has-jobs", "ALARM")], []),
        (3, [("development-gpu-default-queue-empty", "ALARM")], []),
        (3, [("staging-gpu-default-queue-empty", "ALARM")], []),
        (3, [("staging-other-queue-empty", "ALARM"), (empty, "ALARM")], to_zero),
    ]:
        calls = invoke(code, desired, *messages)
        assert calls == expected, f"{desired} {messages}: {calls}, and not {expected}"


def reads(shell, script):
    done = subprocess.run([shell, "-n"], input=script, text=True, capture_output=True)
    # bash says what is wrong with a condition, and ends with 0 all the same.
    assert done.returncode == 0 and not done.stderr, f"{shell}: {done.stderr}\n{script}"


# What the boot script calls. Every call is a line of the file `calls`.
PROGRAMS = {
    "aws": """
        case "$*" in
            *"--name $SECRET "*) echo the-secret ;;
            *"--name $POINTER "*) [ -n "$ACTIVE" ] && echo "$ACTIVE" ;;
            "s3 sync "*)
                while [ "$1" != --no-progress ]; do shift; done
                echo "sync $2 ${3#$ROOT}" >>"$ROOT/calls"
                exit "$UNREADABLE" ;;
        esac""",
    "systemctl": 'echo "systemctl $*" >>"$ROOT/calls"',
    "curl": """
        case "$*" in
            *api/token*) echo a-token ;;
            *"X-aws-ec2-metadata-token: a-token"*instance-id*) echo i-0123 ;;
            *system_stats*) ;;
            *) exit 22 ;;
        esac""",
    "install": 'for file; do :; done; mkdir -p "${file%/*}"; : >"$file"',
    "sleep": ":",
}


def boot(script, names, active, baked, applies=True):
    """Status, calls and the worker's environment after an instance has started."""
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        for name, text in PROGRAMS.items():
            put(folder / "bin" / name, text)
        put(
            folder / "opt/comfyui/bin/apply-bundle.sh",
            f'echo "apply $MODELS_BUCKET $BUNDLE_PREFIX" >>"$ROOT/calls"; exit {int(not applies)}',
        )
        if baked:
            (folder / "opt/comfyui/.baked_bundle_id").write_text(f"{baked}\n")
        for outside in ["/opt/", "/var/log/"]:
            script = script.replace(outside, f"{root}{outside}")
        (folder / "var/log").mkdir(parents=True)
        environment = {"PATH": f"{root}/bin:{os.environ['PATH']}", "ROOT": root}
        environment |= {"ACTIVE": active, "UNREADABLE": str(int(not applies)), **names}
        done = subprocess.run(["bash"], input=script, env=environment, text=True, capture_output=True)
        calls = folder / "calls"
        worker = folder / "opt/worker/env"
        return (
            done.returncode,
            calls.read_text().splitlines() if calls.exists() else [],
            worker.read_text().splitlines() if worker.exists() else [],
        )


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


def check_boot(script, group, is_staged, upstream):
    _, stage, slug = group.split("-", 2)
    services = ["stop comfyui-worker", "start comfyui", "restart comfyui-worker"]
    started = [f"systemctl {service}.service" for service in services]
    if is_staged:
        names = {"SECRET": f"/bp/{stage}/fleet-secret", "POINTER": f"/bp/{stage}/assets/{slug}/active_bundle"}
        bundle, bucket = "b-2", f"s3://bp-models-123456789012-{stage}/bundles/{slug}/b-2"
        copies = [f"sync {bucket}/{folder}/ /opt/comfyui/{folder}/" for folder in ["models", "custom_nodes"]]
    else:
        fleets = f"/bp/fleets/{stage}"
        names = {"SECRET": f"{fleets}/fleet-secret", "POINTER": f"{fleets}/{slug}/active_bundle"}
        bundle, copies = "bundles/b-2", ["apply bp-models-123456789012 bundles/b-2"]
    for active, baked, calls in [
        (bundle, "b-1", [*copies, *started]),
        (f"{bundle}/", "", [*copies, *started]),
        (bundle, "b-2", started),
        ("none", "b-1", started),
        # No pointer: the parameter is not there.
        ("", "", started),
    ]:
        status, seen, worker = boot(script, names, active, baked)
        assert (status, seen) == (0, calls), f"{active} {baked}: {status} {seen}, and not {calls}"
        for line in [
            'WORKER_ID="i-0123"',
            'FLEET_SECRET="the-secret"',
            f'FLEET_SLUG="{slug}"',
            f'FLEET_STAGE="{stage}"',
            f'ASG_NAME="{group}"',
            *([f'WORKFLOW_SLUGS="{slug}"'] if is_staged else []),
        ]:
            assert line in worker, f"{line} is not in {worker}"
        region = any(line.startswith('AWS_DEFAULT_REGION="us-') for line in worker)
        assert region != upstream, worker
        address = [line for line in worker if line.startswith('API_BASE_URL="http')]
        assert len(address) == 1 and address[0].endswith('.example.com"'), worker
    # A worker without its bundle takes no jobs.
    status, seen, worker = boot(script, names, bundle, "b-1", applies=False)
    assert status != 0 and seen == copies[:1] and not worker, (status, seen, worker)


def text(part, template):
    """A part of a script as CloudFormation puts it there."""
    if isinstance(part, str):
        return part
    if "Fn::FindInMap" in part:
        found = template["Mappings"]
        for key in part["Fn::FindInMap"]:
            found = found[key]
        return found
    return "alb.example.com"


def groups(template):
    """Every group with its launch template's logical id."""
    for group in resources(template, "AWS::AutoScaling::AutoScalingGroup"):
        launch = group["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"]["LaunchTemplateId"]
        yield group["AutoScalingGroupName"], launch["Ref"]


def resources(template, kind):
    return [it["Properties"] for it in template["Resources"].values() if it["Type"] == kind]


def main():
    functions = scripts = containers = 0
    for path in sorted(Path(sys.argv[1]).glob("*/*.json")):
        template = json.loads(path.read_text())
        for function in resources(template, "AWS::Lambda::Function"):
            check_function(function["Code"]["ZipFile"])
            functions += 1
        platform = path.parent.name
        for group, logical in groups(template):
            launch = template["Resources"][logical]["Properties"]
            parts = launch["LaunchTemplateData"]["UserData"]["Fn::Base64"]["Fn::Join"][1]
            script = "".join(text(part, template) for part in parts)
            # EC2 takes 16 KB.
            assert len(script) < 16_384 and "@" not in script, script
            reads("bash", script)
            check_boot(script, group, platform.startswith("staged-"), platform.endswith("-upstream"))
            scripts += 1
        for task in resources(template, "AWS::ECS::TaskDefinition"):
            for container in task["ContainerDefinitions"]:
                if "EntryPoint" in container:
                    reads("sh", container["Command"][0])
                    containers += 1
    assert functions and scripts and containers, (functions, scripts, containers)
    print(f"{functions} functions, {scripts} boot scripts and {containers} containers' commands")


main()
