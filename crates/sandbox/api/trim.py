#!/usr/bin/env python3
"""Writes the API shapes that the sandbox speaks from botocore's service models.

Names, types and constraints only, for the operations below and what they reach.
To add an operation: add its name, run `python3 crates/sandbox/api/trim.py`, and give it a line in
its service's `operations!` table and a call in `tests/botocore_check.py`.
"""

import gzip
import json
import pathlib
import sys

import botocore

# What the committed shapes were written with; an older one would take members away from them.
OLDEST_BOTOCORE = (1, 44, 5)

OPERATIONS = {
    "acm": ["DescribeCertificate", "ListCertificates", "RequestCertificate"],
    "application-autoscaling": ["DescribeScalableTargets", "RegisterScalableTarget"],
    "autoscaling": [
        "CancelInstanceRefresh",
        "DescribeAutoScalingGroups",
        "DescribeAutoScalingInstances",
        "DescribeInstanceRefreshes",
        "DescribeLifecycleHooks",
        "DescribePolicies",
        "DescribeScalingActivities",
        "DescribeScheduledActions",
        "ResumeProcesses",
        "RollbackInstanceRefresh",
        "SetDesiredCapacity",
        "SetInstanceProtection",
        "StartInstanceRefresh",
        "SuspendProcesses",
        "TerminateInstanceInAutoScalingGroup",
        "UpdateAutoScalingGroup",
    ],
    "budgets": ["CreateBudget", "DescribeBudget", "DescribeNotificationsForBudget"],
    "cloudformation": [
        "ContinueUpdateRollback",
        "CreateChangeSet",
        "DeleteChangeSet",
        "DeleteStack",
        "DescribeChangeSet",
        "DescribeStackDriftDetectionStatus",
        "DescribeStackEvents",
        "DescribeStackResourceDrifts",
        "DescribeStackResources",
        "DescribeStacks",
        "DetectStackDrift",
        "ExecuteChangeSet",
        "GetTemplate",
        "ListChangeSets",
        "ListExports",
        "ListImports",
        "ListStackResources",
        "ListStacks",
        "UpdateTerminationProtection",
        "ValidateTemplate",
    ],
    "cloudtrail": ["LookupEvents"],
    "cloudwatch": [
        "DeleteAlarms",
        "DescribeAlarmHistory",
        "DescribeAlarms",
        "GetDashboard",
        "GetMetricData",
        "GetMetricStatistics",
        "ListMetrics",
        "PutMetricAlarm",
        "PutMetricData",
        "SetAlarmState",
    ],
    "ec2": [
        "AuthorizeSecurityGroupIngress",
        "CreateImage",
        "CreateSecurityGroup",
        "DeleteSecurityGroup",
        "DeleteSnapshot",
        "DeregisterImage",
        "DescribeAddresses",
        "DescribeImages",
        "DescribeInstanceTypeOfferings",
        "DescribeInstanceTypes",
        "DescribeInstances",
        "DescribeLaunchTemplateVersions",
        "DescribeLaunchTemplates",
        "DescribeNatGateways",
        "DescribeNetworkInterfaces",
        "DescribeRouteTables",
        "DescribeSecurityGroups",
        "DescribeSnapshots",
        "DescribeSpotPriceHistory",
        "DescribeSubnets",
        "DescribeVolumes",
        "DescribeVpcs",
        "RevokeSecurityGroupIngress",
        "RunInstances",
        "StopInstances",
        "TerminateInstances",
    ],
    "ecr": [
        "BatchDeleteImage",
        "BatchGetImage",
        "DeleteRepository",
        "DescribeImageScanFindings",
        "DescribeImages",
        "DescribeRepositories",
        "GetAuthorizationToken",
        "GetDownloadUrlForLayer",
        "PutImage",
    ],
    "ecs": [
        "DeleteService",
        "DescribeClusters",
        "DescribeServiceDeployments",
        "DescribeServiceRevisions",
        "DescribeServices",
        "DescribeTaskDefinition",
        "DescribeTasks",
        "ExecuteCommand",
        "ListServiceDeployments",
        "ListServices",
        "ListTaskDefinitions",
        "ListTasks",
        "RegisterTaskDefinition",
        "RunTask",
        "StopServiceDeployment",
        "StopTask",
        "UpdateService",
    ],
    "elasticache": ["DescribeCacheClusters", "DescribeReplicationGroups"],
    "elbv2": ["DescribeListeners", "DescribeLoadBalancers", "DescribeTargetGroups", "DescribeTargetHealth"],
    "iam": [
        "CreateOpenIDConnectProvider",
        "CreateRole",
        "DeleteRolePolicy",
        "GetOpenIDConnectProvider",
        "GetRole",
        "GetRolePolicy",
        "ListRolePolicies",
        "ListRoles",
        "PutRolePolicy",
        "SimulatePrincipalPolicy",
    ],
    "lambda": ["GetFunction", "GetFunctionConfiguration", "ListFunctions"],
    "logs": [
        "CreateLogGroup",
        "CreateLogStream",
        "DeleteLogGroup",
        "DescribeLogGroups",
        "DescribeLogStreams",
        "FilterLogEvents",
        "GetLogEvents",
        "PutLogEvents",
        "PutRetentionPolicy",
        "StartLiveTail",
    ],
    "pricing": ["GetProducts"],
    "rds": [
        "CreateDBSnapshot",
        "DeleteDBInstance",
        "DeleteDBSnapshot",
        "DeleteDBSubnetGroup",
        "DescribeDBInstances",
        "DescribeDBSnapshots",
        "DescribeDBSubnetGroups",
        "DescribeEvents",
        "ModifyDBInstance",
        "StartDBInstance",
        "StopDBInstance",
    ],
    "route53": [
        "ChangeResourceRecordSets",
        "CreateHostedZone",
        "GetChange",
        "ListHostedZonesByName",
        "ListResourceRecordSets",
    ],
    "s3": [
        "AbortMultipartUpload",
        "CompleteMultipartUpload",
        "CopyObject",
        "CreateMultipartUpload",
        "DeleteBucket",
        "DeleteObject",
        "DeleteObjectTagging",
        "DeleteObjects",
        "GetBucketLocation",
        "GetBucketVersioning",
        "GetObject",
        "GetObjectTagging",
        "HeadBucket",
        "HeadObject",
        "ListBuckets",
        "ListMultipartUploads",
        "ListObjectVersions",
        "ListObjectsV2",
        "ListParts",
        "PutBucketVersioning",
        "PutObject",
        "PutObjectTagging",
        "UploadPart",
        "UploadPartCopy",
    ],
    "secretsmanager": [
        "BatchGetSecretValue",
        "CreateSecret",
        "DeleteSecret",
        "DescribeSecret",
        "GetSecretValue",
        "ListSecretVersionIds",
        "ListSecrets",
        "PutSecretValue",
        "RestoreSecret",
        "UpdateSecret",
        "UpdateSecretVersionStage",
    ],
    "service-quotas": ["ListServiceQuotas"],
    "sns": [
        "GetTopicAttributes",
        "ListSubscriptionsByTopic",
        "ListTopics",
        "Subscribe",
        "Unsubscribe",
    ],
    "ssm": [
        "CancelCommand",
        "DeleteParameter",
        "DeleteParameters",
        "DescribeInstanceInformation",
        "DescribeParameters",
        "GetCommandInvocation",
        "GetParameter",
        "GetParameterHistory",
        "GetParameters",
        "GetParametersByPath",
        "LabelParameterVersion",
        "ListCommandInvocations",
        "PutParameter",
        "ResumeSession",
        "SendCommand",
        "StartSession",
        "TerminateSession",
    ],
    "sts": ["AssumeRole", "GetCallerIdentity"],
}

# The root elements of REST-XML answers, which botocore's models leave out (Amazon S3 API Reference, "Response Syntax").
ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetObjectTagging": "Tagging",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}
# Route 53 calls it as the shape is called (Amazon Route 53 API Reference, "Response Syntax").
ROOTS_BY_SHAPE = ["route53"]

METADATA = [
    "apiVersion",
    "awsQueryCompatible",
    "endpointPrefix",
    "jsonVersion",
    "protocols",
    "signingName",
    "targetPrefix",
    "xmlNamespace",
]
# The sandbox refuses to load a trait that it does not honour, so that none is lost in silence.
MEMBER = ["location", "locationName", "queryName", "flattened", "timestampFormat", "xmlAttribute", "streaming"]
SHAPE = ["type", "required", "payload", "enum", "min", "max", "flattened", "timestampFormat", "eventstream"]


def model(service):
    root = pathlib.Path(botocore.__path__[0], "data", service)
    newest = max(path for path in root.iterdir() if path.is_dir())
    packed = newest / "service-2.json.gz"
    if packed.exists():
        return json.loads(gzip.decompress(packed.read_bytes()))
    return json.loads((newest / "service-2.json").read_bytes())


def kept(source, keys):
    return {key: source[key] for key in keys if key in source}


def reference(source):
    return {"shape": source["shape"], **kept(source, MEMBER)}


def shape(source):
    out = kept(source, SHAPE)
    if "members" in source:
        out["members"] = {name: reference(member) for name, member in source["members"].items()}
    if "member" in source:
        out["member"] = reference(source["member"])
    if "key" in source:
        out["key"] = reference(source["key"])
        out["value"] = reference(source["value"])
    if "error" in source:
        out["error"] = kept(source["error"], ["code", "httpStatusCode"])
    return out


def children(source):
    for member in source.get("members", {}).values():
        yield member["shape"]
    for key in ("member", "key", "value"):
        if key in source:
            yield source[key]["shape"]


def trim(service, names):
    full = model(service)
    operations, wanted = {}, []
    for name in sorted(names):
        source = full["operations"][name]
        operation = {}
        for side in ("input", "output"):
            if side in source:
                operation[side] = source[side]["shape"]
                wanted.append(source[side]["shape"])
        if "resultWrapper" in source.get("output", {}):
            operation["resultWrapper"] = source["output"]["resultWrapper"]
        if full["metadata"]["protocol"].startswith("rest-"):
            operation["http"] = kept(source["http"], ["method", "requestUri", "responseCode"])
            if service in ROOTS_BY_SHAPE:
                operation["root"] = source["output"]["shape"]
            elif name in ROOTS:
                operation["root"] = ROOTS[name]
        operation["errors"] = sorted(error["shape"] for error in source.get("errors", []))
        wanted.extend(operation["errors"])
        operations[name] = operation
    shapes = {}
    while wanted:
        name = wanted.pop()
        if name not in shapes:
            shapes[name] = shape(full["shapes"][name])
            wanted.extend(children(full["shapes"][name]))
    return {
        "metadata": kept(full["metadata"], METADATA),
        "operations": operations,
        "shapes": dict(sorted(shapes.items())),
    }


def lines(document):
    """Compact, but one operation or shape per line, so that a diff can be read."""
    compact = {"separators": (",", ":"), "ensure_ascii": True}
    yield '{"metadata":' + json.dumps(document["metadata"], **compact) + ","
    for part, end in (("operations", "},"), ("shapes", "}}")):
        yield f'"{part}":{{'
        entries = [f"{json.dumps(k)}:{json.dumps(v, **compact)}" for k, v in document[part].items()]
        yield ",\n".join(entries)
        yield end


def main():
    if tuple(int(part) for part in botocore.__version__.split(".")) < OLDEST_BOTOCORE:
        sys.exit(f"botocore {botocore.__version__} is too old: pip install --upgrade botocore")
    here = pathlib.Path(__file__).resolve().parent
    changed = False
    for service, names in OPERATIONS.items():
        text = "\n".join(lines(trim(service, names))) + "\n"
        target = here / f"{service}.json"
        if not target.exists() or target.read_text() != text:
            changed = True
            if "--check" not in sys.argv:
                target.write_text(text)
    if changed and "--check" in sys.argv:
        sys.exit("the API shapes differ from what botocore gives: run crates/sandbox/api/trim.py")


if __name__ == "__main__":
    main()
