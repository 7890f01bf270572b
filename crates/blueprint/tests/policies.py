#!/usr/bin/env python3
"""What the roles in the templates allow, by parliament, a policy linter that is not ours.

`policies.py DIR` takes the folder that the example `templates` writes. An action that does not exist, a resource that no
action of a statement takes, a condition key of another action is a finding.
"""

import json
import re
import sys
from pathlib import Path

from parliament import analyze_policy_string

PSEUDO = {"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "123456789012"}

# The attribute `Arn` of what the templates' own policies name.
ARNS = {
    "AWS::ECR::Repository": "arn:aws:ecr:us-east-1:123456789012:repository/name",
    "AWS::Logs::LogGroup": "arn:aws:logs:us-east-1:123456789012:log-group:name:*",
}

# The only thing that policies import.
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:name-AbCdEf"


def resolved(value, template):
    """`value` with what CloudFormation would put in the place of its functions."""
    if isinstance(value, list):
        return [resolved(item, template) for item in value]
    if not isinstance(value, dict):
        return value
    if "Fn::Sub" in value:
        return re.sub(r"\$\{([^}]+)\}", lambda found: PSEUDO[found[1]], value["Fn::Sub"])
    if "Fn::GetAtt" in value:
        return ARNS[template["Resources"][value["Fn::GetAtt"][0]]["Type"]]
    if "Fn::ImportValue" in value:
        return SECRET
    return {name: resolved(item, template) for name, item in value.items()}


def main():
    seen = bad = 0
    for path in sorted(Path(sys.argv[1]).glob("*/*.json")):
        template = json.loads(path.read_text())
        for logical, resource in template["Resources"].items():
            if resource["Type"] != "AWS::IAM::Role":
                continue
            for policy in resource["Properties"].get("Policies", []):
                seen += 1
                document = resolved(policy["PolicyDocument"], template)
                for finding in analyze_policy_string(json.dumps(document)).findings:
                    print(f"FAIL {path.parent.name}/{path.stem} {logical}: {finding.issue} {finding.detail}")
                    bad += 1
    print(f"{seen} policies, {bad} findings")
    sys.exit(bad > 0 or seen == 0)


main()
