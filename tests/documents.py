#!/usr/bin/env python3
"""Runs every command of bpctl in a sandbox and holds each document that it writes against its JSON Schema.

    python3 tests/documents.py [path of bpctl] [scenario …]

Python's environment needs `jsonschema`. Schemas come from `bpctl schema NAME`. They are made strict: a member that no schema
tells of fails. A schema that no command of the tables gave a document for fails as well: a new document is a new line here.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

import jsonschema

FLEET = "production/gpu-default"

# Scenarios in which everything that only looks is run.
SCENARIOS = ["healthy", "crash-loop", "metrics-silent", "ami-missing", "rds-refused", "bundle-corrupt", "expired-credentials"]

# Its stacks can be deployed, and not changed.
HALF_WAY = "stack-rollback-failed"

# Commands that change nothing.
LOOKS = [
    "fleet list",
    "fleet status",
    f"fleet status {FLEET}",
    f"fleet explain {FLEET}",
    f"fleet explain {FLEET} --what-if queue=40,spot=none",
    "fleet lint",
    f"fleet replay {FLEET} --since 3h",
    "fleet instances",
    f"fleet activity {FLEET}",
    f"fleet config get {FLEET}",
    f"fleet activity {FLEET} --failed --since 2d",
    f"fleet refresh {FLEET} --force --dry-run",
    f"fleet refresh status {FLEET}",
    "image list",
    "image diff",
    "image gc --dry-run",
    "ami gc --keep 1 --older-than 1d --dry-run",
    "ami bake --fleet production/gpu-default --bundle c81d4e2e --dry-run",
    "triage --fail-on never",
    "triage",
    "whoami",
    "whoami --context sandbox,here",
    "diff contexts sandbox here",
    "auth can-i migrate",
    "auth can-i --list",
    "day1",
    "doctor",
    "iam policy --for migrate --trust github --repo o/r --environment e",
    "config view",
    "config explain protected",
    "config explain endpoint_url",
    "config get-contexts",
    "config current-context",
    "config names",
    "runs list",
    "runs prune --dry-run",
    "history",
    "timeline --since 1d",
    "lock list",
    "get runs",
    "get leases",
    "secrets list",
    "secrets get app-key",
    "secrets history app-key",
    "secrets diff --against sandbox",
    "secrets set app-key --generate --dry-run",
    "bundle list",
    "bundle show c81d4e2e",
    "bundle verify c81d4e2e --deep",
    "bundle diff 2f6c1f0e c81d4e2e",
    "bundle history --fleet staging/gpu-default",
    "logs backend --since 10m --max 5",
    "deploy --dry-run",
    "rollout status",
    "rollout history backend",
    "stack list",
    "stack status",
    "stack events --since 60d",
    "stack outputs",
    "stack drift",
    "stack template data",
    "domain status",
    "cost --forecast",
    "cost --by fleet",
    "monitoring show",
    "monitoring check",
    "task list",
    "task list --stopped",
    "ami list",
    "ami show ami-2f10e4d6feb0c82a8",
    "ami history --fleet production/gpu-default",
    "ami promote --from staging/gpu-default --to production/gpu-default --dry-run",
    "get services,fleets",
    "get services",
    "get tasks",
    "get deployments",
    "get images",
    "get alarms",
    "get fleets",
    "get instances",
    "get stacks",
    "get parameters",
    "get secrets",
    "get services none-such",
    "describe service backend",
    "describe fleet production/gpu-default",
    "describe stack/bp-compute secret/app-key parameter/models-bucket image/php-latest",
    "describe services none-such",
    "run --dry-run -- php artisan about",
    "sandbox status",
    "sandbox reveal",
    f"fleet scale {FLEET} --desired 1 --dry-run",
    f"fleet scale {FLEET} --desired 1 --print-aws",
    "fleet scale-to-zero --all --dry-run",
    "shutdown --dry-run",
    "teardown --dry-run",
    "reset --list",
    "migrate --dry-run",
    "migrate --print-aws",
    # Errors.
    "fleet status production/none-such",
    f"fleet scale {FLEET}",
    "runs show 20260115T090000Z-0123456789ab",
]

# Commands that do not depend on the scenario.
ANYWHERE = [
    f"fleet simulate {FLEET} --arrivals poisson:20/h --days 1 --points 5",
    f"fleet simulate {FLEET} --arrivals none --days 1",
    f"fleet tune {FLEET} --p95-wait 10m --arrivals poisson:20/h --days 1 --seeds 1 --max 4,10 --warmup 180 --backlog-target 2 --zero-minutes 5",
    "explain",
    "explain BP-ECS-003",
    "exit-codes",
    "version",
    "schema",
    "sandbox env",
    "sandbox scenario list",
]

# A day's work, one after the other in one sandbox; {run} is the newest run of this machine.
WORK = [
    "bundle apply c81d4e2e --instance {instance} --fleet production/gpu-default --yes",
    f"fleet scale {FLEET} --max 9 --yes",
    f"fleet config set {FLEET} --instance-type g5.xlarge --yes",
    f"fleet dev launch {FLEET} --cidr 203.0.113.7/32 --yes",
    "fleet dev list",
    "fleet dev terminate {dev} --cleanup --confirm sandbox",
    f"fleet drain {FLEET} --instance {{instance}} --force --confirm sandbox",
    f"fleet protect {FLEET} --all --yes",
    f"fleet protect {FLEET} --all --off --yes",
    "domain check app.example.com",
    "smoke --yes",
    "domain request app.example.com --no-wait --yes",
    "domain status",
    "monitoring subscribe --email night@example.com --yes",
    "--stage production monitoring check",
    "--stage production monitoring apply --yes",
    "image build --source {source} --tag 0af12cd",
    "image push --source {source} --tag 0af12cd --yes",
    "image gc --keep 1 --older-than 1d --confirm sandbox",
    "ami gc --keep 1 --older-than 1d --confirm sandbox",
    # The fleet's image has its active bundle.
    "ami bake --fleet staging/gpu-default --yes",
    f"fleet refresh {FLEET} --force --no-wait --yes",
    f"fleet refresh cancel {FLEET} --yes",
    "ami promote --from staging/gpu-default --to production/gpu-default --yes",
    f"fleet hold {FLEET} --for 2h --no-wait --yes",
    f"fleet release {FLEET} --yes",
    f"fleet scale {FLEET} --max 8 --yes",
    "runs show {run}",
    "runs undo {run} --dry-run",
    "runs undo {run} --yes",
    # A change by hand is what a replay finds.
    f"fleet scale {FLEET} --desired 4 --yes",
    "sandbox advance 10m",
    f"fleet replay {FLEET} --since 1h",
    "runs list",
    "get runs",
    "history",
    f"fleet scale-to-zero {FLEET} --force --confirm sandbox",
    "secrets set app-key --generate --yes",
    "secrets undo app-key --yes",
    "bundle activate c81d4e2e --fleet staging/gpu-default --yes",
    "bundle create --name again --from c81d4e2e --yes",
    "bundle upload {file} --kind lora --yes",
    "stack bootstrap --assembly {assembly} --yes",
    "stack diff staging/gpu-tiny --assembly {assembly}",
    "stack deploy staging/gpu-tiny --assembly {assembly} --yes",
    "stack delete staging/gpu-tiny --confirm sandbox",
    "stack import staging/gpu-tiny --assembly {assembly} --yes",
    "triage --bundle {assembly}/seen-{run}.json --fail-on never",
    "triage --from {assembly}/seen-{run}.json --fail-on never",
    "triage --diff {assembly}/seen-{run}.json {assembly}/seen-{run}.json",
    "exec -- true",
    "run --yes -- php artisan about",
    "deploy backend --yes",
    "rollout history backend",
    "task describe {task}",
    "task stop {task} --yes",
    "migrate --yes",
    "workflow init --dir {assembly}/.github/workflows",
    "workflow diff --dir {assembly}/.github/workflows",
    "workflow check --dir {assembly}/.github/workflows --repository o/r",
    "backup --to {assembly}/saved --recipient age17ut3zjm6gv2ffqaar8hy986z28p8acgee5acp4dwu54ngxfy5g3qlnjwec --yes",
    "shutdown --confirm sandbox",
    "resume --yes",
    "runs list",
    "history",
    "lock list",
]

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
FRACTION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z?")
FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time")
def is_time(value):
    return not isinstance(value, str) or TIME.fullmatch(value) is not None


def parts_of_others(schema):
    """Names of the definitions to which the schema beside the reference adds members."""
    if isinstance(schema, list):
        return set().union(*map(parts_of_others, schema))
    if not isinstance(schema, dict):
        return set()
    found = parts_of_others(list(schema.values()))
    if isinstance(schema.get("properties"), dict) and isinstance(schema.get("$ref"), str):
        found.add(schema["$ref"].rsplit("/", 1)[-1])
    return found


def strict(schema):
    """The schema, with every member that it does not tell of forbidden."""
    parts = parts_of_others(schema)

    def closed(schema, is_part):
        if isinstance(schema, list):
            return [closed(part, is_part) for part in schema]
        if not isinstance(schema, dict):
            return schema
        whole = isinstance(schema.get("properties"), dict)
        made = {}
        for name, value in schema.items():
            if name == "$defs":
                made[name] = {key: closed(part, key in parts) for key, part in value.items()}
            elif name in ("oneOf", "anyOf", "allOf"):
                # What is whole forbids the rest for its variants too.
                made[name] = closed(value, whole or is_part)
            elif name == "properties":
                made[name] = {key: closed(part, False) for key, part in value.items()}
            else:
                made[name] = closed(value, False)
        if whole and not is_part and "additionalProperties" not in schema:
            made["unevaluatedProperties"] = False
        return made

    return closed(schema, False)


class Checker:
    def __init__(self, bpctl):
        self.bpctl = bpctl
        self.seen = {}
        self.bad = []
        self.validators = {}
        for entry in json.loads(self.text("schema", "-o", "json"))["schemas"]:
            schema = json.loads(self.text("schema", entry["name"]))
            jsonschema.Draft202012Validator.check_schema(schema)
            self.validators[entry["name"]] = jsonschema.Draft202012Validator(strict(schema), format_checker=FORMATS)

    def text(self, *words):
        return subprocess.run([self.bpctl, *words], capture_output=True, text=True, check=True).stdout

    def document(self, line, document, error=False):
        name = document.get("schema")
        validator = self.validators.get(name)
        if validator is None:
            self.bad.append(f"{line}: no schema is called {name!r}")
            return
        self.seen[name] = self.seen.get(name, 0) + 1
        first = ["schema"] if error else ["schema", "context", "account", "region"]
        if list(document)[: len(first)] != first:
            self.bad.append(f"{line}: {name} begins with {list(document)[:4]}")
        if FRACTION.search(json.dumps(document)):
            self.bad.append(f"{line}: {name} has a time with a fraction of a second")
        for problem in sorted(validator.iter_errors(document), key=str)[:3]:
            self.bad.append(f"{line}: {name} at {problem.json_path}: {problem.message[:300]}")

    def run(self, command, format):
        # What stands behind `--` is not for bpctl.
        own, dashes, passed_on = command.partition(" -- ")
        line = f"{own} -o {format}{dashes}{passed_on}"
        done = subprocess.run([self.bpctl, *line.split()], capture_output=True, text=True, check=False)
        if format == "json" and done.stdout:
            self.document(line, json.loads(done.stdout))
        elif format == "jsonl":
            for text in done.stdout.splitlines():
                self.document(line, json.loads(text))
        # An error is a document; warnings and what goes on are words.
        errors = [text for text in done.stderr.splitlines() if text.startswith("{")]
        for text in errors:
            self.document(f"{line} (stderr)", json.loads(text), error=True)
        if not done.stdout and not errors and format == "json":
            self.bad.append(f"{line}: wrote no document and ended with {done.returncode}: {done.stderr[-300:]}")

    def forwarding(self, command, format):
        """A command that goes on until it is interrupted; its document comes first."""
        line = f"{command} -o {format}"
        words = [self.bpctl, *line.split()]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as going:
            threading.Timer(5, going.send_signal, [signal.SIGINT]).start()
            out, err = going.communicate(timeout=60)
        if going.returncode != 0:
            self.bad.append(f"{line}: ended with {going.returncode}: {err[-300:]}")
        for text in [out] if format == "json" else out.splitlines():
            self.document(line, json.loads(text))

    def both(self, command):
        self.run(command, "json")
        self.run(command, "jsonl")


def names(bpctl, *words):
    """The first name of a list, or the result of a query."""
    listed = subprocess.run([bpctl, *words], capture_output=True, text=True, check=True)
    return (listed.stdout.split() or ["none"])[0].strip('"')


def newest_run(bpctl):
    return names(bpctl, "runs", "list", "-o", "name")


def application(folder):
    """The application's repository, and a docker that pushes into this sandbox."""
    for name in ["infrastructure/docker/backend/Dockerfile.nginx", "infrastructure/docker/backend/Dockerfile.php-fpm", "frontend/Dockerfile"]:
        file = folder / "app" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("FROM scratch\n")
    for name in ["bin", "record"]:
        (folder / name).mkdir()
    (folder / "bin/docker").symlink_to(pathlib.Path(__file__).resolve().parent / "it/stand-in-docker")
    sandbox = json.loads(pathlib.Path(os.environ["BPCTL_SANDBOX_STATE"]).read_text())
    host, port = sandbox["url"].removeprefix("http://").split(":")
    os.environ |= {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "STAND_IN": str(folder / "record"),
        "STAND_IN_HOST": host,
        "STAND_IN_PORT": port,
        "STAND_IN_TOKEN": sandbox["token"],
    }
    return folder / "app"


def assembly(folder, more=None):
    """A cloud assembly with one stack, that of a fleet: a log group that stays, and `more`."""
    stack = "bp-gpu-fleet-staging-gpu-tiny"
    logs = {"Type": "AWS::Logs::LogGroup", "DeletionPolicy": "Retain", "Properties": {"LogGroupName": "/gpu-workers/gpu-tiny"}}
    properties = {"templateFile": f"{stack}.template.json"}
    artifacts = {stack: {"type": "aws:cloudformation:stack", "environment": "aws://unknown-account/unknown-region", "properties": properties}}
    made = folder / "cdk.out"
    made.mkdir(exist_ok=True)
    (made / f"{stack}.template.json").write_text(json.dumps({"Resources": {"Logs": logs, **(more or {})}}))
    (made / "manifest.json").write_text(json.dumps({"version": "55.0.0", "artifacts": artifacts}))
    return made


def work(checker, format):
    instance = names(checker.bpctl, "fleet", "status", FLEET, "--query", "fleets[0].capacity.instances[0].id")
    with tempfile.NamedTemporaryFile(suffix=".safetensors") as file, tempfile.TemporaryDirectory() as folder:
        source, made = application(pathlib.Path(folder)), assembly(pathlib.Path(folder))
        file.write(b"weights")
        file.flush()
        for command in WORK:
            run, task = newest_run(checker.bpctl), names(checker.bpctl, "task", "list", "-o", "name")
            if "{instance}" in command or "{dev}" in command:
                instance = names(checker.bpctl, "fleet", "status", FLEET, "--query", "fleets[0].capacity.instances[0].id")
            dev = names(checker.bpctl, "fleet", "dev", "list", "-o", "name") if "{dev}" in command else ""
            checker.run(command.format(run=run, task=task, instance=instance, file=file.name, source=source, assembly=made, dev=dev), format)
    for command in ["port-forward backend :80", "db tunnel --local-port 0"]:
        checker.forwarding(command, format)
    # A run that is killed leaves a lease and a journal without an end.
    migrating = subprocess.Popen([checker.bpctl, "migrate", "--yes"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        if "ecs/" in subprocess.run([checker.bpctl, "lock", "list"], capture_output=True, text=True, check=False).stdout:
            break
        time.sleep(0.05)
    migrating.kill()
    migrating.wait()
    for command in ["runs list", "lock list", "get leases"]:
        checker.run(command, format)
    leases = subprocess.run([checker.bpctl, "lock", "list", "-o", "name"], capture_output=True, text=True, check=True)
    for resource in leases.stdout.split():
        checker.run(f"lock release {resource} --yes --confirm sandbox", format)
    checker.run("teardown --confirm sandbox", format)
    # With its database the network goes as well, and then nothing stands in the way of a reset.
    account = json.loads(checker.text("whoami", "-o", "json"))["account"]
    checker.run(f"teardown --database delete --confirm {account}", format)
    checker.run(f"reset --everything --keep logs --confirm {account}", format)
    checker.run(f"reset --everything --confirm {account}", format)


def half_rolled_back(checker):
    """A stack whose update fails, and whose rollback does, because its group may not be changed."""
    machine = {"ImageId": "ami-0123456789abcdef0", "InstanceType": "t3.micro"}
    template = {"Type": "AWS::EC2::LaunchTemplate", "Properties": {"LaunchTemplateData": machine}}
    version = {"LaunchTemplateId": {"Ref": "Template"}, "Version": {"Fn::GetAtt": ["Template", "LatestVersionNumber"]}}
    outputs = json.loads(checker.text("stack", "outputs", "network", "-o", "json"))["outputs"]
    subnets = next(one["value"] for one in outputs if one["key"] == "PrivateSubnets").split(",")
    with tempfile.TemporaryDirectory() as folder:
        before, after = (f"{folder}/{name}.json" for name in ["before", "after"])
        checker.run(f"triage --bundle {before} --fail-on never", "json")
        for most in ["1", "2"]:
            sizes = {"MinSize": "0", "MaxSize": most, "VPCZoneIdentifier": subnets, "LaunchTemplate": version}
            group = {"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": sizes}
            made = assembly(pathlib.Path(folder), {"Template": template, "Group": group})
            checker.run(f"stack deploy staging/gpu-tiny --assembly {made} --yes", "json")
        checker.run(f"triage --bundle {after} --fail-on never", "json")
        checker.both(f"triage --diff {before} {after}")
    checker.run("stack continue-rollback staging/gpu-tiny --skip Group --yes", "json")


def inside(bpctl, what):
    """In the environment of a sandbox."""
    checker = Checker(bpctl)
    # A second context of the same account, which sees the fleets of one stage only.
    contexts = tempfile.NamedTemporaryFile("w", suffix=".toml")
    contexts.write('[contexts.here]\nregion = "us-east-1"\nstage = "staging"\n')
    contexts.flush()
    os.environ["BPCTL_CONFIG"] = contexts.name
    if what in ("json", "jsonl"):
        work(checker, what)
    elif what == HALF_WAY:
        half_rolled_back(checker)
    else:
        for command in LOOKS + (ANYWHERE if what == "healthy" else []):
            checker.both(command)
    print(json.dumps({"seen": checker.seen, "bad": checker.bad}))


def main():
    bpctl = str(pathlib.Path(sys.argv[1]).resolve())
    seen, bad = {}, 0
    for what in sys.argv[2:] or [*SCENARIOS, HALF_WAY, "json", "jsonl"]:
        scenario = "healthy" if what in ("json", "jsonl") else what
        line = [bpctl, "sandbox", "run", "--scenario", scenario, "--", sys.executable, __file__, "--inside", bpctl, what]
        # Each has journals of its own.
        with tempfile.TemporaryDirectory() as state:
            done = subprocess.run(line, capture_output=True, text=True, check=False, env=os.environ | {"XDG_STATE_HOME": state})
        if done.returncode != 0:
            print(f"FAIL {what}: {done.stderr}")
            bad += 1
            continue
        report = json.loads(done.stdout)
        for name, count in report["seen"].items():
            seen[name] = seen.get(name, 0) + count
        for problem in report["bad"]:
            print(f"FAIL {what}: {problem}")
            bad += 1
    known = json.loads(subprocess.run([bpctl, "schema", "-o", "json"], capture_output=True, text=True, check=True).stdout)
    for entry in known["schemas"]:
        if entry["name"] not in seen and not sys.argv[2:]:
            print(f"FAIL no document of {entry['name']} was seen: give a command that writes one")
            bad += 1
    print(f"{sum(seen.values())} documents of {len(seen)} schemas, {bad} problems")
    return 1 if bad else 0


if __name__ == "__main__":
    if sys.argv[1] == "--inside":
        inside(sys.argv[2], sys.argv[3])
    else:
        sys.exit(main())
