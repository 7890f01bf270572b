#!/usr/bin/env python3
"""Calls every operation of the sandbox through botocore, and some through the `aws` command line.

An implementation that is not ours has to understand every answer: nothing required missing, nothing in the
answer that the API does not know, no value outside its enumeration. The operations are taken from `api/`, so an
operation without a call here fails the check.

    python3 crates/sandbox/tests/botocore_check.py [path of the built example `serve`]

It needs botocore 1.44.5 or newer, as `api/trim.py` does: an older one does not know every member.
"""

import contextlib
import datetime
import email.utils
import hashlib
import json
import os
import pathlib
import subprocess
import shutil
import sys
import tempfile
import time
import uuid
import urllib.request
import xml.etree.ElementTree

import botocore.config
import botocore.exceptions
import botocore.loaders
import botocore.parsers
import botocore.session

CRATE = pathlib.Path(__file__).resolve().parent.parent
REGION = "us-east-1"
ACCOUNT = "123456789012"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_PAGER": "",
}
# A file of 20 MB, made in `main`.
SAMPLE = pathlib.Path(tempfile.gettempdir(), f"bpctl-botocore-check-{os.getpid()}")
problems = []


def problem(text):
    problems.append(text)
    print(f"FAIL {text}")


class OneProtocol(botocore.loaders.Loader):
    """Loads service models as if they knew only one protocol."""

    protocol = None

    def load_service_model(self, service_name, type_name, api_version=None):
        model = super().load_service_model(service_name, type_name, api_version)
        if type_name == "service-2" and self.protocol in model["metadata"]["protocols"]:
            metadata = {**model["metadata"], "protocols": [self.protocol], "protocol": self.protocol}
            model = {**model, "metadata": metadata}
        return model


class Account:
    """Clients for one listener in one protocol, and the raw answer of the latest call."""

    def __init__(self, url, protocol=None):
        self.url = url
        self.session = botocore.session.Session()
        loader = OneProtocol(
            extra_search_paths=self.session.get_component("data_loader").search_paths,
        )
        loader.protocol = protocol
        self.session.register_component("data_loader", loader)
        self.clients = {}
        self.raw = None

    def client(self, service):
        if service not in self.clients:
            client = self.session.create_client(
                service,
                region_name=REGION,
                endpoint_url=self.url,
                # Live Tail has a host name of its own, which a loopback address has not.
                config=botocore.config.Config(retries={"total_max_attempts": 1}, inject_host_prefix=False),
            )
            client.meta.events.register("before-parse", self.keep)
            self.clients[service] = client
        return self.clients[service]

    def keep(self, response_dict, **_):
        self.raw = response_dict

    def call(self, service, operation, /, **parameters):
        client = self.client(service)
        method = {v: k for k, v in client.meta.method_to_api_mapping.items()}[operation]
        return getattr(client, method)(**parameters)


# What is asked of each operation: its parameters (or a function of the account that finds them out), and the member
# of the answer that must not be empty, since an empty answer would prove nothing.


def newest_deployment(account):
    listed = account.call("ecs", "ListServiceDeployments", cluster="bp", service="bp-backend")
    return listed["serviceDeployments"][0]["serviceDeploymentArn"]


def zone(account, name):
    answer = account.call("route53", "CreateHostedZone", Name=name, CallerReference=name)
    return answer["HostedZone"]["Id"]


def a_record(account, name):
    record = {"Name": f"a.{name}", "Type": "CNAME", "TTL": 300, "ResourceRecords": [{"Value": "b.example.net."}]}
    changes = [{"Action": "CREATE", "ResourceRecordSet": record}]
    return {"HostedZoneId": zone(account, name), "ChangeBatch": {"Comment": "check", "Changes": changes}}


def a_change(account, name):
    answer = account.call("route53", "ChangeResourceRecordSets", **a_record(account, name))
    return {"Id": answer["ChangeInfo"]["Id"]}


def certificate(account, name):
    answer = account.call("acm", "RequestCertificate", DomainName=name, ValidationMethod="DNS")
    return answer["CertificateArn"]


def a_budget(name):
    told = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80}
    return {
        "AccountId": ACCOUNT,
        "Budget": {
            "BudgetName": name,
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "500", "Unit": "USD"},
        },
        "NotificationsWithSubscribers": [
            {"Notification": told, "Subscribers": [{"SubscriptionType": "EMAIL", "Address": "a@example.com"}]}
        ],
    }


def described_budget(account, name):
    account.call("budgets", "CreateBudget", **a_budget(name))
    return {"AccountId": ACCOUNT, "BudgetName": name}


def unfinished_deployment(account):
    account.call("ecs", "UpdateService", cluster="bp", service="bp-frontend", forceNewDeployment=True)
    listed = account.call("ecs", "ListServiceDeployments", cluster="bp", service="bp-frontend")
    return listed["serviceDeployments"][0]["serviceDeploymentArn"]


def newest_revision(account):
    listed = account.call("ecs", "ListServiceDeployments", cluster="bp", service="bp-backend")
    return listed["serviceDeployments"][0]["targetServiceRevisionArn"]


READ_ONLY = ("taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt", "registeredBy")


def definition(account):
    known = account.call("ecs", "DescribeTaskDefinition", taskDefinition="bp-backend")["taskDefinition"]
    return {name: value for name, value in known.items() if name not in READ_ONLY}


def running_task(account):
    return account.call("ecs", "ListTasks", cluster="bp", serviceName="bp-backend")["taskArns"][0]


def to_a_port(account):
    task = account.call("ecs", "DescribeTasks", cluster="bp", tasks=[running_task(account)])["tasks"][0]
    container = next(container for container in task["containers"] if container["name"] == "nginx")
    return {
        "Target": f"ecs:bp_{task['taskArn'].rsplit('/', 1)[-1]}_{container['runtimeId']}",
        "DocumentName": "AWS-StartPortForwardingSession",
        "Parameters": {"portNumber": ["80"]},
    }


def port_session(account):
    return account.call("ssm", "StartSession", **to_a_port(account))["SessionId"]


def network(account):
    service = account.call("ecs", "DescribeServices", cluster="bp", services=["bp-backend"])["services"][0]
    return service["networkConfiguration"]


def balancer(account):
    return account.call("elbv2", "DescribeLoadBalancers", Names=["bp-alb"])["LoadBalancers"][0]


def backend_targets(account):
    groups = account.call("elbv2", "DescribeTargetGroups", Names=["bp-backend"])
    return groups["TargetGroups"][0]["TargetGroupArn"]


def backend_stream(account):
    streams = account.call("logs", "DescribeLogStreams", logGroupName="/ecs/bp-backend", limit=50)
    return next(s["logStreamName"] for s in streams["logStreams"] if s["logStreamName"].startswith("php/"))


def put_events(account):
    return {
        "logGroupName": "/ecs/bp-backend",
        "logStreamName": "check",
        "logEvents": [{"timestamp": now_ms(account), "message": "put by botocore"}],
    }


def versions(account):
    listed = account.call("secretsmanager", "ListSecretVersionIds", SecretId=APP_KEY)
    return {stage: v["VersionId"] for v in listed["Versions"] for stage in v.get("VersionStages", [])}


def database(account):
    """The instance; CloudFormation made its identifier."""
    return account.call("rds", "DescribeDBInstances")["DBInstances"][0]["DBInstanceIdentifier"]


# It can be stopped in either: after another size its storage is optimised for hours.
RUNS = ("available", "storage-optimization")


def database_in(account, *states):
    """The instance, once it is in one of these states: each takes its minutes."""
    name = {"DBInstanceIdentifier": database(account)}
    for _ in range(100):
        if account.call("rds", "DescribeDBInstances", **name)["DBInstances"][0]["DBInstanceStatus"] in states:
            return name
        time.sleep(1)
    raise AssertionError(f"the database is not {' or '.join(states)}")


def stopped_database(account):
    account.call("rds", "StopDBInstance", **database_in(account, *RUNS))
    return database_in(account, "stopped")


def topic(account):
    topics = account.call("sns", "ListTopics")["Topics"]
    return next(t["TopicArn"] for t in topics if t["TopicArn"].endswith(":bp-ops-alerts"))


def worker(account):
    """An instance that is in service and answers SSM now: on a slow machine a refresh has replaced earlier ones."""
    for _ in range(100):
        group = account.call("autoscaling", "DescribeAutoScalingGroups", AutoScalingGroupNames=[FLEET])
        managed = account.call("ssm", "DescribeInstanceInformation")["InstanceInformationList"]
        online = {one["InstanceId"] for one in managed if one["PingStatus"] == "Online"}
        instances = group["AutoScalingGroups"][0]["Instances"]
        usable = {one["InstanceId"] for one in instances if one["LifecycleState"] == "InService"} & online
        if usable:
            return max(usable)
        time.sleep(0.1)
    raise RuntimeError(f"no instance of {FLEET} is in service and online")


def keep_workers(account):
    """Without this the alarm on the empty queue takes every worker while the check runs."""
    account.call(
        "autoscaling", "SuspendProcesses", AutoScalingGroupName=FLEET, ScalingProcesses=["AlarmNotification"]
    )


def script(account):
    return {
        "DocumentName": "AWS-RunShellScript",
        "InstanceIds": [worker(account)],
        "Parameters": {"commands": ["true"], "executionTimeout": ["60"]},
        "CloudWatchOutputConfig": {"CloudWatchOutputEnabled": True},
    }


def command(account):
    return account.call("ssm", "SendCommand", **script(account))["Command"]["CommandId"]


def invocation(account):
    """A command that was just sent, and its instance; its invocation is there a moment later."""
    sent = account.call("ssm", "SendCommand", **script(account))["Command"]
    time.sleep(1.5)
    return {"CommandId": sent["CommandId"], "InstanceId": sent["InstanceIds"][0]}


def a_parameter(account):
    account.call("ssm", "PutParameter", Name="/bp/check/gone", Value="1", Type="String", Overwrite=True)
    return "/bp/check/gone"


def document(statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


TRUST = document({"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"})
LOOK_AT_TASKS = document({"Effect": "Allow", "Action": "ecs:DescribeTasks", "Resource": "*"})


ISSUER = "https://token.actions.githubusercontent.com"


def a_provider(account):
    provider = account.call("iam", "CreateOpenIDConnectProvider", Url="https://tokens.example.com", ClientIDList=["one"])
    return {"OpenIDConnectProviderArn": provider["OpenIDConnectProviderArn"]}


def deletable_policy(account):
    parameters = {"RoleName": "bp-viewer", "PolicyName": "to-delete"}
    account.call("iam", "PutRolePolicy", **parameters, PolicyDocument=LOOK_AT_TASKS)
    return parameters


def clock(account):
    answer = account.call("sts", "GetCallerIdentity")
    return email.utils.parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])


def span(account):
    now = clock(account)
    return now - datetime.timedelta(minutes=30), now


FLEET = "asg-production-gpu-default"
AMI = "/bp/ami/fleets/production/gpu-default"
APP_KEY = "/bp/laravel/app-key"
REDIS = "/bp/redis/auth-token"
QUEUE = [{"Name": "FleetSlug", "Value": "gpu-default"}, {"Name": "Stage", "Value": "production"}]
QUEUE_ALARM = "production-gpu-default-queue-has-jobs"


def statistics(account):
    start, end = span(account)
    return {
        "Namespace": "ComfyUI/Workers",
        "MetricName": "QueueDepth",
        "Dimensions": QUEUE,
        "StartTime": start,
        "EndTime": end,
        "Period": 60,
        "Statistics": ["Average", "Maximum"],
    }


def metric_data(account):
    start, end = span(account)
    metric = {"Namespace": "ComfyUI/Workers", "MetricName": "QueueDepth", "Dimensions": QUEUE}
    query = {"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Average"}}
    return {"MetricDataQueries": [query], "StartTime": start, "EndTime": end}


def after_a_change_of_state(account):
    # Whatever state it was in before, one of the two is a change.
    for state in ("OK", "ALARM"):
        account.call("cloudwatch", "SetAlarmState", AlarmName=QUEUE_ALARM, StateValue=state, StateReason="check")
    return {"AlarmName": QUEUE_ALARM}


def after_a_launch(account):
    group = account.call("autoscaling", "DescribeAutoScalingGroups", AutoScalingGroupNames=[FLEET])
    desired = group["AutoScalingGroups"][0]["DesiredCapacity"]
    account.call(
        "autoscaling", "SetDesiredCapacity", AutoScalingGroupName=FLEET, DesiredCapacity=min(desired + 1, 10)
    )
    # Half a minute of simulated time.
    time.sleep(1)
    return {"AutoScalingGroupName": FLEET}


def active_refreshes(account):
    found = account.call("autoscaling", "DescribeInstanceRefreshes", AutoScalingGroupName=FLEET)["InstanceRefreshes"]
    return [refresh for refresh in found if refresh["Status"] in ("Pending", "InProgress", "Cancelling")]


def new_group(_):
    return {"GroupName": f"check-{uuid.uuid4()}", "Description": "check"}


def a_group(account):
    return account.call("ec2", "CreateSecurityGroup", **new_group(account))["GroupId"]


def rule(account, cidr):
    permission = {"IpProtocol": "tcp", "FromPort": 8188, "ToPort": 8188, "IpRanges": [{"CidrIp": cidr}]}
    return {"GroupId": a_group(account), "IpPermissions": [permission]}


def machine(account):
    # Those that pointers name are deregistered by other checks.
    images = account.call("ec2", "DescribeImages", Owners=["self"])["Images"]
    return {
        "ImageId": next(image["ImageId"] for image in images if image["State"] == "available"),
        "InstanceType": "g4dn.xlarge",
        "MinCount": 1,
        "MaxCount": 1,
        "UserData": "#!/bin/sh\nshutdown -h +240\n",
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "check"}]}],
    }


def started(account):
    """An instance that runs: it begins as `pending`, from which it cannot be stopped."""
    instance = account.call("ec2", "RunInstances", **machine(account))["Instances"][0]["InstanceId"]
    for _ in range(100):
        found = account.call("ec2", "DescribeInstances", InstanceIds=[instance])["Reservations"]
        if found[0]["Instances"][0]["State"]["Name"] == "running":
            return instance
        time.sleep(0.1)
    raise RuntimeError(f"{instance} does not come up")


def without_a_refresh(account):
    if active_refreshes(account):
        # Simulated time goes on: it may end between the two calls.
        with contextlib.suppress(account.client("autoscaling").exceptions.ActiveInstanceRefreshNotFoundFault):
            account.call(
                "autoscaling",
                "CancelInstanceRefresh",
                AutoScalingGroupName=FLEET,
                WaitForTransitioningInstances=False,
            )
    return {
        "AutoScalingGroupName": FLEET,
        # The longest wait at a checkpoint, two days: it is still in progress when later checks look for it.
        "Preferences": {"CheckpointPercentages": [50, 100], "CheckpointDelay": 172_800, "InstanceWarmup": 30},
    }


def after_a_refresh_began(account):
    account.call("autoscaling", "StartInstanceRefresh", **without_a_refresh(account))
    # Some seconds of simulated time.
    time.sleep(0.3)
    return {"AutoScalingGroupName": FLEET}


def one_off(account):
    return {
        "cluster": "bp",
        "taskDefinition": "bp-backend",
        "launchType": "FARGATE",
        "networkConfiguration": network(account),
        "startedBy": "botocore-check",
        "overrides": {"containerOverrides": [{"name": "php-fpm", "command": ["php artisan about"]}]},
    }


def moved_stage(account):
    put = account.call("secretsmanager", "PutSecretValue", SecretId=APP_KEY, SecretString="base64:bmV3")
    return {
        "SecretId": APP_KEY,
        "VersionStage": "AWSCURRENT",
        "MoveToVersionId": versions(account)["AWSPREVIOUS"],
        "RemoveFromVersionId": put["VersionId"],
    }


def one_subscription(account):
    subscribed = account.call(
        "sns",
        "Subscribe",
        TopicArn=topic(account),
        Protocol="email",
        Endpoint="b@example.com",
        ReturnSubscriptionArn=True,
    )
    return subscribed["SubscriptionArn"]


def looked_for_drift(account, stack):
    return account.call("cloudformation", "DetectStackDrift", StackName=stack)["StackDriftDetectionId"]


def image_of(account, stage):
    """The image that the pointer of a stage's fleet names."""
    name = f"/bp/ami/fleets/{stage}/gpu-default"
    return account.call("ssm", "GetParameter", Name=name)["Parameter"]["Value"]


def after_deregistration(account):
    """The snapshot of an image that is gone."""
    image = image_of(account, "production")
    mappings = account.call("ec2", "DescribeImages", ImageIds=[image])["Images"][0]["BlockDeviceMappings"]
    account.call("ec2", "DeregisterImage", ImageId=image)
    return {"SnapshotId": mappings[0]["Ebs"]["SnapshotId"]}


def after_drift_detection(account):
    looked_for_drift(account, "bp-cicd")
    # More than it takes for the few resources of that stack.
    time.sleep(1)
    return {"StackName": "bp-cicd"}


CHECKED = json.dumps(
    {
        "Parameters": {"Days": {"Type": "Number", "Default": 7, "Description": "How long"}},
        "Resources": {
            "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": {"Ref": "Days"}}},
            "Value": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Log"}}},
        },
        "Outputs": {"Log": {"Value": {"Ref": "Log"}}},
    }
)


def change_set(account, stack, name="check", template=CHECKED):
    """A change set that has been compared with its stack, which it makes unless it is there."""
    named = {"StackName": stack, "ChangeSetName": name}
    try:
        account.call("cloudformation", "DescribeStacks", StackName=stack)
        kind = "UPDATE"
    except botocore.exceptions.ClientError:
        kind = "CREATE"
    account.call("cloudformation", "CreateChangeSet", **named, ChangeSetType=kind, TemplateBody=template)
    for _ in range(100):
        seen = account.call("cloudformation", "DescribeChangeSet", **named)
        if not seen["Status"].endswith(("PENDING", "IN_PROGRESS")):
            return named
        time.sleep(0.1)
    raise RuntimeError(f"{seen['Status']} does not end")


def deployed(account, stack):
    """A stack whose deployment is over; answers its status."""
    account.call("cloudformation", "ExecuteChangeSet", **change_set(account, stack))
    for _ in range(200):
        seen = account.call("cloudformation", "DescribeStacks", StackName=stack)["Stacks"][0]
        if not seen["StackStatus"].endswith("IN_PROGRESS"):
            return seen["StackStatus"]
        time.sleep(0.1)
    raise RuntimeError(f"{seen['StackStatus']} does not end")


def deletable_stack(account):
    if deployed(account, "check-deleted") != "CREATE_COMPLETE":
        problem("the stack was not created")
    return {"StackName": "check-deleted", "ClientRequestToken": "check"}


def spot_prices(account):
    start, end = span(account)
    return {"InstanceTypes": ["g4dn.xlarge"], "StartTime": start, "EndTime": end}


def retagged(account):
    got = account.call("ecr", "BatchGetImage", repositoryName="bp-backend", imageIds=[{"imageTag": "php-latest"}])
    # Every run of the check is one more tag.
    tag = f"check-{time.monotonic_ns()}"
    return {"repositoryName": "bp-backend", "imageManifest": got["images"][0]["imageManifest"], "imageTag": tag}


def scanned(account):
    got = account.call("ecr", "BatchGetImage", repositoryName="bp-backend", imageIds=[{"imageTag": "php-latest"}])
    # An index is not scanned, the image in it is.
    image = json.loads(got["images"][0]["imageManifest"])["manifests"][0]["digest"]
    return {"repositoryName": "bp-backend", "imageId": {"imageDigest": image}}


def configured(account):
    """The configuration of the image that an index names, which its own manifest names in turn."""
    image = scanned(account)["imageId"]
    got = account.call("ecr", "BatchGetImage", repositoryName="bp-backend", imageIds=[image])
    config = json.loads(got["images"][0]["imageManifest"])["config"]["digest"]
    found = account.call("ecr", "GetDownloadUrlForLayer", repositoryName="bp-backend", layerDigest=config)
    with urllib.request.urlopen(found["downloadUrl"]) as answer:
        blob = answer.read()
    assert config == "sha256:" + hashlib.sha256(blob).hexdigest(), blob
    assert json.loads(blob)["architecture"] == "arm64", blob
    return {"repositoryName": "bp-backend", "layerDigest": config}


def zero_function(account):
    return account.call("lambda", "ListFunctions")["Functions"][0]["FunctionArn"]


LOGS = f"bp-logs-{ACCOUNT}"
MODELS = f"bp-models-{ACCOUNT}"


def stored(account, key="check/a b+ä.txt", bucket=LOGS, body=b"check"):
    account.call("s3", "PutObject", Bucket=bucket, Key=key, Body=body, Metadata={"run": "1"}, Tagging="a=1")
    return {"Bucket": bucket, "Key": key}


def begun(account):
    upload = account.call("s3", "CreateMultipartUpload", Bucket=LOGS, Key="check/parts", ChecksumAlgorithm="CRC32")
    return {"Bucket": LOGS, "Key": "check/parts", "UploadId": upload["UploadId"]}


def with_a_part(account):
    upload = begun(account)
    account.call("s3", "UploadPart", PartNumber=1, Body=b"1" * 10, **upload)
    return upload


def with_all_parts(account):
    upload = begun(account)
    parts = []
    for number, size in ((1, 5 * 1024 * 1024), (2, 10)):
        part = account.call("s3", "UploadPart", PartNumber=number, Body=b"x" * size, **upload)
        parts.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]})
    return {**upload, "MultipartUpload": {"Parts": parts}}


CALLS = {
    "autoscaling": {
        "CancelInstanceRefresh": (after_a_refresh_began, "InstanceRefreshId"),
        "DescribeAutoScalingGroups": ({}, "AutoScalingGroups"),
        "DescribeAutoScalingInstances": ({}, "AutoScalingInstances"),
        "DescribeInstanceRefreshes": (after_a_refresh_began, "InstanceRefreshes"),
        "DescribeLifecycleHooks": ({"AutoScalingGroupName": FLEET}, None),
        "DescribePolicies": ({"AutoScalingGroupName": FLEET}, "ScalingPolicies"),
        "DescribeScalingActivities": (after_a_launch, "Activities"),
        "DescribeScheduledActions": ({"AutoScalingGroupName": FLEET}, None),
        "ResumeProcesses": ({"AutoScalingGroupName": FLEET, "ScalingProcesses": ["AZRebalance"]}, None),
        "SetDesiredCapacity": ({"AutoScalingGroupName": FLEET, "DesiredCapacity": 3}, None),
        "SetInstanceProtection": (
            lambda a: {"AutoScalingGroupName": FLEET, "InstanceIds": [worker(a)], "ProtectedFromScaleIn": True},
            None,
        ),
        "StartInstanceRefresh": (without_a_refresh, "InstanceRefreshId"),
        "TerminateInstanceInAutoScalingGroup": (
            lambda a: {"InstanceId": worker(a), "ShouldDecrementDesiredCapacity": False},
            "Activity",
        ),
        "SuspendProcesses": ({"AutoScalingGroupName": FLEET, "ScalingProcesses": ["AZRebalance"]}, None),
        "UpdateAutoScalingGroup": ({"AutoScalingGroupName": FLEET, "MinSize": 0}, None),
    },
    "acm": {
        "DescribeCertificate": (lambda a: {"CertificateArn": certificate(a, "a.example.com")}, "Certificate"),
        "ListCertificates": (lambda a: certificate(a, "b.example.com") and {}, "CertificateSummaryList"),
        "RequestCertificate": (
            {"DomainName": "c.example.com", "ValidationMethod": "DNS", "IdempotencyToken": "check"},
            "CertificateArn",
        ),
    },
    "budgets": {
        "CreateBudget": (a_budget("check"), None),
        "DescribeBudget": (lambda a: described_budget(a, "check-described"), "Budget"),
        "DescribeNotificationsForBudget": (lambda a: described_budget(a, "check-told"), "Notifications"),
    },
    "cloudformation": {
        "CreateChangeSet": (
            {"StackName": "check-create", "ChangeSetName": "check", "ChangeSetType": "CREATE", "TemplateBody": CHECKED},
            "Id",
        ),
        "DeleteChangeSet": (lambda a: change_set(a, "check-set-deleted"), None),
        "DeleteStack": (deletable_stack, None),
        "DescribeChangeSet": (lambda a: {**change_set(a, "check-described"), "IncludePropertyValues": True}, "Changes"),
        "DescribeStackDriftDetectionStatus": (
            lambda a: {"StackDriftDetectionId": looked_for_drift(a, "bp-data")},
            "DetectionStatus",
        ),
        "DescribeStackEvents": ({"StackName": "bp-compute"}, "StackEvents"),
        "DescribeStackResourceDrifts": (after_drift_detection, "StackResourceDrifts"),
        "DescribeStackResources": ({"StackName": "bp-compute"}, "StackResources"),
        "DescribeStacks": ({}, "Stacks"),
        "DetectStackDrift": ({"StackName": "bp-network"}, "StackDriftDetectionId"),
        "ExecuteChangeSet": (lambda a: change_set(a, "check-executed"), None),
        "GetTemplate": ({"StackName": "bp-gpu-fleet-production-gpu-default"}, "TemplateBody"),
        "ListChangeSets": (lambda a: {"StackName": change_set(a, "check-listed")["StackName"]}, "Summaries"),
        "ListExports": ({}, "Exports"),
        "ListImports": ({"ExportName": "bp-scale-to-zero-topic-arn"}, "Imports"),
        "ListStackResources": ({"StackName": "bp-compute"}, "StackResourceSummaries"),
        "ListStacks": ({}, "StackSummaries"),
        "UpdateTerminationProtection": (
            {"StackName": "bp-data", "EnableTerminationProtection": True},
            "StackId",
        ),
        "ValidateTemplate": ({"TemplateBody": CHECKED}, "Parameters"),
    },
    "cloudtrail": {
        "LookupEvents": ({"LookupAttributes": [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}]}, None),
    },
    "cloudwatch": {
        "DescribeAlarmHistory": (after_a_change_of_state, "AlarmHistoryItems"),
        "DescribeAlarms": ({}, "MetricAlarms"),
        "DeleteAlarms": ({"AlarmNames": ["p2-rds-cpu-warning"]}, None),
        "GetDashboard": ({"DashboardName": "bp"}, "DashboardBody"),
        "GetMetricData": (metric_data, "MetricDataResults"),
        "GetMetricStatistics": (statistics, "Datapoints"),
        "ListMetrics": ({}, "Metrics"),
        "PutMetricAlarm": (
            {
                "AlarmName": "check",
                "Namespace": "Check",
                "MetricName": "Number1",
                "Statistic": "Maximum",
                "Dimensions": QUEUE,
                "Period": 60,
                "EvaluationPeriods": 3,
                "DatapointsToAlarm": 2,
                "Threshold": 1.5,
                "ComparisonOperator": "LessThanThreshold",
                "TreatMissingData": "ignore",
                "Unit": "Count",
                "ActionsEnabled": False,
            },
            None,
        ),
        "PutMetricData": (
            {
                "Namespace": "Check",
                "MetricData": [
                    {"MetricName": f"Number{n}", "Value": 0.5, "Unit": "Count", "Dimensions": QUEUE}
                    for n in range(200)
                ],
            },
            None,
        ),
        "SetAlarmState": (
            {"AlarmName": QUEUE_ALARM, "StateValue": "INSUFFICIENT_DATA", "StateReason": "check"},
            None,
        ),
    },
    "ec2": {
        "CreateImage": (lambda a: {"InstanceId": worker(a), "Name": "check (1)"}, "ImageId"),
        "DeleteSnapshot": (after_deregistration, None),
        "DeregisterImage": (lambda a: {"ImageId": image_of(a, "staging")}, "Return"),
        "DescribeAddresses": ({}, "Addresses"),
        "DescribeImages": ({"Owners": ["self"], "Filters": [{"Name": "tag:ManagedBy", "Values": ["packer"]}]}, "Images"),
        "DescribeInstanceTypeOfferings": ({"LocationType": "availability-zone"}, "InstanceTypeOfferings"),
        "DescribeInstanceTypes": ({"InstanceTypes": ["g5.xlarge"]}, "InstanceTypes"),
        "DescribeInstances": (lambda a: {"InstanceIds": [worker(a)]}, "Reservations"),
        "DescribeLaunchTemplateVersions": (
            {"LaunchTemplateName": "lt-production-gpu-default", "Versions": ["$Latest"], "ResolveAlias": True},
            "LaunchTemplateVersions",
        ),
        "DescribeLaunchTemplates": ({}, "LaunchTemplates"),
        "DescribeNatGateways": ({"Filters": [{"Name": "state", "Values": ["available"]}]}, "NatGateways"),
        "DescribeNetworkInterfaces": ({"Filters": [{"Name": "status", "Values": ["in-use"]}]}, "NetworkInterfaces"),
        "DescribeRouteTables": ({}, "RouteTables"),
        "DescribeSecurityGroups": ({"Filters": [{"Name": "ip-permission.to-port", "Values": ["3306"]}]}, "SecurityGroups"),
        "DescribeSnapshots": ({"OwnerIds": ["self"], "MaxResults": 5}, "Snapshots"),
        "DescribeSpotPriceHistory": (spot_prices, "SpotPriceHistory"),
        "DescribeSubnets": ({"Filters": [{"Name": "tag:aws-cdk:subnet-name", "Values": ["priv*"]}]}, "Subnets"),
        "DescribeVolumes": ({}, "Volumes"),
        "DescribeVpcs": ({}, "Vpcs"),
        "AuthorizeSecurityGroupIngress": (lambda a: rule(a, "198.51.100.0/24"), "SecurityGroupRules"),
        "CreateSecurityGroup": (new_group, "GroupId"),
        "DeleteSecurityGroup": (lambda a: {"GroupId": a_group(a)}, "GroupId"),
        "RevokeSecurityGroupIngress": (lambda a: rule(a, "203.0.113.0/24"), "UnknownIpPermissions"),
        "RunInstances": (machine, "Instances"),
        "StopInstances": (lambda a: {"InstanceIds": [started(a)]}, "StoppingInstances"),
        "TerminateInstances": (lambda a: {"InstanceIds": [started(a)]}, "TerminatingInstances"),
    },
    "ecr": {
        "BatchGetImage": (
            {"repositoryName": "bp-backend", "imageIds": [{"imageTag": "php-latest"}, {"imageTag": "none"}]},
            "images",
        ),
        "BatchDeleteImage": (
            {"repositoryName": "bp-backend", "imageIds": [{"imageTag": "none"}]},
            "failures",
        ),
        "DescribeImages": ({"repositoryName": "bp-backend"}, "imageDetails"),
        "DescribeImageScanFindings": (scanned, "imageScanFindings"),
        "GetAuthorizationToken": ({}, "authorizationData"),
        "GetDownloadUrlForLayer": (configured, "downloadUrl"),
        "DescribeRepositories": ({}, "repositories"),
        "PutImage": (retagged, "image"),
    },
    "ecs": {
        "DescribeClusters": ({"clusters": ["bp"]}, "clusters"),
        "DescribeServiceDeployments": (
            lambda a: {"serviceDeploymentArns": [newest_deployment(a)]},
            "serviceDeployments",
        ),
        "DescribeServiceRevisions": (
            lambda a: {"serviceRevisionArns": [newest_revision(a)]},
            "serviceRevisions",
        ),
        "DescribeServices": ({"cluster": "bp", "services": ["bp-backend", "bp-frontend"]}, "services"),
        "DescribeTaskDefinition": ({"taskDefinition": "bp-backend"}, "taskDefinition"),
        "DescribeTasks": (lambda a: {"cluster": "bp", "tasks": [running_task(a)]}, "tasks"),
        "ExecuteCommand": (
            lambda a: {
                "cluster": "bp",
                "task": running_task(a),
                "container": "php-fpm",
                "interactive": True,
                "command": "ls",
            },
            "session",
        ),
        "ListServiceDeployments": ({"cluster": "bp", "service": "bp-backend"}, "serviceDeployments"),
        "ListServices": ({"cluster": "bp"}, "serviceArns"),
        "ListTaskDefinitions": ({"familyPrefix": "bp-backend", "sort": "DESC"}, "taskDefinitionArns"),
        "ListTasks": ({"cluster": "bp"}, "taskArns"),
        "RegisterTaskDefinition": (definition, "taskDefinition"),
        "RunTask": (one_off, "tasks"),
        "StopServiceDeployment": (
            lambda a: {"serviceDeploymentArn": unfinished_deployment(a), "stopType": "ROLLBACK"},
            "serviceDeploymentArn",
        ),
        "StopTask": (
            lambda a: {"cluster": "bp", "task": a.call("ecs", "RunTask", **one_off(a))["tasks"][0]["taskArn"]},
            "task",
        ),
        "UpdateService": ({"cluster": "bp", "service": "bp-backend", "forceNewDeployment": True}, "service"),
    },
    "elasticache": {
        "DescribeCacheClusters": ({"ShowCacheNodeInfo": True}, "CacheClusters"),
        # Redis is one node on its own.
        "DescribeReplicationGroups": ({}, None),
    },
    "elbv2": {
        "DescribeListeners": (lambda a: {"LoadBalancerArn": balancer(a)["LoadBalancerArn"]}, "Listeners"),
        "DescribeLoadBalancers": ({}, "LoadBalancers"),
        "DescribeTargetGroups": (lambda a: {"LoadBalancerArn": balancer(a)["LoadBalancerArn"]}, "TargetGroups"),
        "DescribeTargetHealth": (lambda a: {"TargetGroupArn": backend_targets(a)}, "TargetHealthDescriptions"),
    },
    "pricing": {
        "GetProducts": (
            {
                "ServiceCode": "AmazonEC2",
                "FormatVersion": "aws_v1",
                "MaxResults": 1,
                "Filters": [
                    {"Type": "TERM_MATCH", "Field": "regionCode", "Value": REGION},
                    {"Type": "TERM_MATCH", "Field": "productFamily", "Value": "NAT Gateway"},
                ],
            },
            "PriceList",
        ),
    },
    "route53": {
        "ChangeResourceRecordSets": (lambda a: a_record(a, "one.example"), "ChangeInfo"),
        "CreateHostedZone": (
            {
                "Name": "two.example",
                "CallerReference": "check",
                "HostedZoneConfig": {"Comment": "check", "PrivateZone": False},
            },
            "DelegationSet",
        ),
        "GetChange": (lambda a: a_change(a, "three.example"), "ChangeInfo"),
        "ListHostedZonesByName": (
            lambda a: zone(a, "four.example") and {"DNSName": "four.example", "MaxItems": "5"},
            "HostedZones",
        ),
        "ListResourceRecordSets": (
            lambda a: {"HostedZoneId": zone(a, "five.example"), "StartRecordName": "five.example"},
            "ResourceRecordSets",
        ),
    },
    "lambda": {
        "GetFunction": (lambda a: {"FunctionName": zero_function(a)}, "Configuration"),
        "GetFunctionConfiguration": (lambda a: {"FunctionName": zero_function(a)}, "Runtime"),
        "ListFunctions": ({}, "Functions"),
    },
    "logs": {
        "CreateLogGroup": ({"logGroupName": "/check/group"}, None),
        "DeleteLogGroup": ({"logGroupName": "/check/group"}, None),
        "CreateLogStream": ({"logGroupName": "/ecs/bp-backend", "logStreamName": "check"}, None),
        "DescribeLogGroups": ({}, "logGroups"),
        "DescribeLogStreams": ({"logGroupName": "/ecs/bp-backend"}, "logStreams"),
        "FilterLogEvents": ({"logGroupName": "/ecs/bp-backend"}, "events"),
        "GetLogEvents": (
            lambda a: {"logGroupName": "/ecs/bp-backend", "logStreamName": backend_stream(a), "startFromHead": True},
            "events",
        ),
        "PutRetentionPolicy": ({"logGroupName": "/ecs/bp-frontend", "retentionInDays": 14}, None),
        "PutLogEvents": (put_events, "nextSequenceToken"),
        "StartLiveTail": (
            {"logGroupIdentifiers": [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/ecs/bp-backend"]},
            "responseStream",
        ),
    },
    "rds": {
        "CreateDBSnapshot": (
            lambda a: {"DBInstanceIdentifier": database(a), "DBSnapshotIdentifier": "check", "Tags": [{"Key": "a", "Value": "b"}]},
            "DBSnapshot",
        ),
        "DescribeDBInstances": (lambda a: {"DBInstanceIdentifier": database(a)}, "DBInstances"),
        "DescribeDBSubnetGroups": ({}, "DBSubnetGroups"),
        "DescribeDBSnapshots": ({}, "DBSnapshots"),
        "DescribeEvents": ({"Duration": 1440}, "Events"),
        "ModifyDBInstance": (
            lambda a: {"DBInstanceIdentifier": database(a), "AllocatedStorage": 30, "ApplyImmediately": True},
            "DBInstance",
        ),
        "StartDBInstance": (stopped_database, "DBInstance"),
        "StopDBInstance": (lambda a: database_in(a, *RUNS), "DBInstance"),
    },
    "s3": {
        "AbortMultipartUpload": (with_a_part, None),
        "CompleteMultipartUpload": (with_all_parts, "ETag"),
        "CopyObject": (
            lambda a: {"Bucket": MODELS, "Key": "check/copy", "CopySource": stored(a), "TaggingDirective": "COPY"},
            "CopyObjectResult",
        ),
        "CreateMultipartUpload": ({"Bucket": LOGS, "Key": "check/parts"}, "UploadId"),
        "DeleteObject": (lambda a: stored(a, bucket=MODELS), "DeleteMarker"),
        "DeleteObjectTagging": (stored, None),
        "DeleteObjects": (
            lambda a: {"Bucket": LOGS, "Delete": {"Objects": [{"Key": stored(a)["Key"]}, {"Key": "none"}]}},
            "Deleted",
        ),
        "GetBucketLocation": ({"Bucket": LOGS}, None),
        "GetBucketVersioning": ({"Bucket": MODELS}, "Status"),
        "GetObject": (lambda a: {**stored(a), "Range": "bytes=0-2"}, "Metadata"),
        "GetObjectTagging": (stored, "TagSet"),
        "HeadBucket": ({"Bucket": LOGS}, "BucketRegion"),
        "HeadObject": (lambda a: {**stored(a), "ChecksumMode": "ENABLED"}, "ContentLength"),
        "ListBuckets": ({}, "Buckets"),
        "ListMultipartUploads": (lambda a: {"Bucket": begun(a)["Bucket"]}, "Uploads"),
        "ListObjectVersions": (lambda a: {"Bucket": stored(a, bucket=MODELS)["Bucket"]}, "Versions"),
        "ListObjectsV2": (lambda a: {"Bucket": stored(a)["Bucket"], "Prefix": "check/"}, "Contents"),
        "ListParts": (with_a_part, "Parts"),
        "PutBucketVersioning": ({"Bucket": MODELS, "VersioningConfiguration": {"Status": "Enabled"}}, None),
        "PutObject": ({"Bucket": LOGS, "Key": "check/new", "Body": b"x" * 100_000, "IfNoneMatch": "*"}, "ETag"),
        "PutObjectTagging": (
            lambda a: {**stored(a), "Tagging": {"TagSet": [{"Key": "b", "Value": "2"}]}},
            None,
        ),
        "UploadPart": (lambda a: {**begun(a), "PartNumber": 1, "Body": b"part"}, "ETag"),
        "UploadPartCopy": (
            lambda a: {**begun(a), "PartNumber": 1, "CopySource": stored(a), "CopySourceRange": "bytes=0-1"},
            "CopyPartResult",
        ),
    },
    "secretsmanager": {
        "BatchGetSecretValue": ({"SecretIdList": [APP_KEY, "/bp/none"]}, "SecretValues"),
        "CreateSecret": ({"Name": "/bp/check/made", "SecretString": "one"}, "VersionId"),
        "DeleteSecret": ({"SecretId": REDIS, "RecoveryWindowInDays": 7}, "DeletionDate"),
        "DescribeSecret": ({"SecretId": APP_KEY}, "VersionIdsToStages"),
        "GetSecretValue": ({"SecretId": APP_KEY}, "SecretString"),
        "ListSecretVersionIds": ({"SecretId": APP_KEY}, "Versions"),
        "ListSecrets": ({}, "SecretList"),
        "PutSecretValue": ({"SecretId": APP_KEY, "SecretString": "base64:b25l"}, "VersionId"),
        "RestoreSecret": ({"SecretId": REDIS}, "ARN"),
        "UpdateSecret": ({"SecretId": APP_KEY, "SecretString": "base64:dHdv"}, "VersionId"),
        "UpdateSecretVersionStage": (moved_stage, "ARN"),
    },
    "iam": {
        "CreateOpenIDConnectProvider": (
            {"Url": ISSUER, "ClientIDList": ["sts.amazonaws.com"], "Tags": [{"Key": "a", "Value": "b"}]},
            "OpenIDConnectProviderArn",
        ),
        "GetOpenIDConnectProvider": (a_provider, "ClientIDList"),
        "CreateRole": ({"RoleName": "made", "AssumeRolePolicyDocument": TRUST}, "Role"),
        "PutRolePolicy": ({"RoleName": "made", "PolicyName": "permissions", "PolicyDocument": LOOK_AT_TASKS}, None),
        "GetRole": ({"RoleName": "bp-operator"}, "Role"),
        "GetRolePolicy": ({"RoleName": "bp-viewer", "PolicyName": "permissions"}, "PolicyDocument"),
        "ListRolePolicies": ({"RoleName": "bp-viewer"}, "PolicyNames"),
        "ListRoles": ({}, "Roles"),
        "SimulatePrincipalPolicy": (
            {
                "PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:role/bp-viewer",
                "ActionNames": ["ecs:RunTask", "ecs:DescribeTasks", "ssm:GetParameters"],
                "ResourceArns": [f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/bp/fleets/production/fleet-secret"],
            },
            "EvaluationResults",
        ),
        "DeleteRolePolicy": (deletable_policy, None),
    },
    "application-autoscaling": {
        "DescribeScalableTargets": ({"ServiceNamespace": "ecs"}, "ScalableTargets"),
        "RegisterScalableTarget": (
            {
                "ServiceNamespace": "ecs",
                "ResourceId": "service/bp/bp-backend",
                "ScalableDimension": "ecs:service:DesiredCount",
                "MinCapacity": 0,
            },
            "ScalableTargetARN",
        ),
    },
    "service-quotas": {"ListServiceQuotas": ({"ServiceCode": "ec2"}, "Quotas")},
    "sns": {
        "GetTopicAttributes": (lambda a: {"TopicArn": topic(a)}, "Attributes"),
        "ListSubscriptionsByTopic": (lambda a: {"TopicArn": topic(a)}, "Subscriptions"),
        "ListTopics": ({}, "Topics"),
        "Subscribe": (
            lambda a: {"TopicArn": topic(a), "Protocol": "email", "Endpoint": "a@example.com"},
            "SubscriptionArn",
        ),
        "Unsubscribe": (lambda a: {"SubscriptionArn": one_subscription(a)}, None),
    },
    "ssm": {
        "CancelCommand": (lambda a: {"CommandId": command(a)}, None),
        "DeleteParameter": (lambda a: {"Name": a_parameter(a)}, None),
        "DeleteParameters": (lambda a: {"Names": [a_parameter(a), "/bp/none"]}, "DeletedParameters"),
        "DescribeInstanceInformation": ({}, "InstanceInformationList"),
        "GetCommandInvocation": (invocation, "StatusDetails"),
        "ListCommandInvocations": ({}, "CommandInvocations"),
        "SendCommand": (lambda a: script(a), "Command"),
        "DescribeParameters": ({}, "Parameters"),
        "GetParameter": ({"Name": AMI}, "Parameter"),
        "GetParameterHistory": ({"Name": AMI}, "Parameters"),
        "GetParameters": ({"Names": [AMI, "/bp/none"]}, "Parameters"),
        "GetParametersByPath": ({"Path": "/bp", "Recursive": True}, "Parameters"),
        "LabelParameterVersion": ({"Name": AMI, "Labels": ["check"]}, "ParameterVersion"),
        "PutParameter": ({"Name": "/bp/check", "Value": "1", "Type": "String"}, "Version"),
        "ResumeSession": (lambda a: {"SessionId": port_session(a)}, "TokenValue"),
        "StartSession": (to_a_port, "TokenValue"),
        "TerminateSession": (lambda a: {"SessionId": port_session(a)}, "SessionId"),
    },
    "sts": {
        "AssumeRole": (
            {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/bp-deploy", "RoleSessionName": "check"},
            "Credentials",
        ),
        "GetCallerIdentity": ({}, "Arn"),
    },
}

# One refusal per service and protocol: the code that callers branch on.
REFUSALS = [
    ("autoscaling", "SetDesiredCapacity", {"AutoScalingGroupName": "none", "DesiredCapacity": 1}, "ValidationError"),
    ("autoscaling", "RollbackInstanceRefresh", {"AutoScalingGroupName": FLEET}, "IrreversibleInstanceRefresh"),
    ("autoscaling", "StartInstanceRefresh", {"AutoScalingGroupName": FLEET}, "InstanceRefreshInProgress"),
    ("cloudformation", "DescribeStacks", {"StackName": "none"}, "ValidationError"),
    ("cloudformation", "ContinueUpdateRollback", {"StackName": "bp-data"}, "ValidationError"),
    ("cloudformation", "DeleteStack", {"StackName": "bp-data"}, "ValidationError"),
    ("cloudformation", "DescribeChangeSet", {"StackName": "bp-data", "ChangeSetName": "none"}, "ChangeSetNotFound"),
    (
        "cloudformation",
        "CreateChangeSet",
        {
            "StackName": "check-roles",
            "ChangeSetName": "check",
            "ChangeSetType": "CREATE",
            "TemplateBody": '{"Resources": {"R": {"Type": "AWS::IAM::InstanceProfile"}}}',
        },
        "InsufficientCapabilitiesException",
    ),
    ("cloudwatch", "SetAlarmState", {"AlarmName": "none", "StateValue": "OK", "StateReason": "r"}, "ResourceNotFound"),
    ("ec2", "DescribeInstances", {"InstanceIds": ["i-0123456789abcdef0"]}, "InvalidInstanceID.NotFound"),
    ("ec2", "CreateImage", {"InstanceId": "i-0123456789abcdef0", "Name": "check"}, "InvalidInstanceID.NotFound"),
    ("ec2", "CreateImage", {"InstanceId": "i-0123456789abcdef0", "Name": "check?"}, "InvalidAMIName.Malformed"),
    ("ec2", "DeleteSnapshot", {"SnapshotId": "snap-0123456789abcdef0"}, "InvalidSnapshot.NotFound"),
    ("ec2", "DeregisterImage", {"ImageId": "ami-0123456789abcdef0"}, "InvalidAMIID.NotFound"),
    ("ec2", "DescribeVpcs", {"DryRun": True}, "DryRunOperation"),
    ("ec2", "TerminateInstances", {"InstanceIds": ["i-0123456789abcdef0"]}, "InvalidInstanceID.NotFound"),
    ("ec2", "RebootInstances", {"InstanceIds": ["i-0123456789abcdef0"]}, "InvalidAction"),
    ("dynamodb", "ListTables", {}, "UnknownOperationException"),
    ("redshift", "DescribeClusters", {}, "InvalidAction"),
    ("apigateway", "GetRestApis", {}, "UnknownOperationException"),
    ("ecr", "DescribeImages", {"repositoryName": "none"}, "RepositoryNotFoundException"),
    ("ecr", "DeleteRepository", {"repositoryName": "bp-backend"}, "RepositoryNotEmptyException"),
    ("ecs", "DeleteService", {"cluster": "bp", "service": "bp-backend"}, "InvalidParameterException"),
    ("rds", "DeleteDBInstance", {"DBInstanceIdentifier": "none"}, "DBInstanceNotFound"),
    ("rds", "DeleteDBSnapshot", {"DBSnapshotIdentifier": "none"}, "DBSnapshotNotFound"),
    ("rds", "DeleteDBSubnetGroup", {"DBSubnetGroupName": "none"}, "DBSubnetGroupNotFoundFault"),
    ("s3", "DeleteBucket", {"Bucket": MODELS}, "BucketNotEmpty"),
    (
        "ecr",
        "GetDownloadUrlForLayer",
        {"repositoryName": "bp-backend", "layerDigest": "sha256:" + "0" * 64},
        "LayersNotFoundException",
    ),
    (
        "acm",
        "DescribeCertificate",
        {"CertificateArn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/00000000-0000-0000-0000-000000000000"},
        "ResourceNotFoundException",
    ),
    ("budgets", "DescribeBudget", {"AccountId": ACCOUNT, "BudgetName": "none"}, "NotFoundException"),
    ("pricing", "GetProducts", {"ServiceCode": "AmazonNothing"}, "NotFoundException"),
    ("pricing", "GetProducts", {"ServiceCode": ""}, "InvalidParameterException"),
    ("pricing", "GetProducts", {"ServiceCode": "AmazonEC2", "NextToken": "none"}, "InvalidNextTokenException"),
    ("cloudwatch", "GetDashboard", {"DashboardName": "none"}, "ResourceNotFound"),
    ("logs", "PutRetentionPolicy", {"logGroupName": "/ecs/bp-backend", "retentionInDays": 8}, "InvalidParameterException"),
    ("ecs", "ListTasks", {"cluster": "none"}, "ClusterNotFoundException"),
    ("elbv2", "DescribeLoadBalancers", {"Names": ["none"]}, "LoadBalancerNotFound"),
    ("route53", "ListResourceRecordSets", {"HostedZoneId": "Z0"}, "NoSuchHostedZone"),
    ("route53", "GetChange", {"Id": "C0"}, "NoSuchChange"),
    ("iam", "GetRole", {"RoleName": "none"}, "NoSuchEntity"),
    (
        "iam",
        "GetOpenIDConnectProvider",
        {"OpenIDConnectProviderArn": f"arn:aws:iam::{ACCOUNT}:oidc-provider/none.example.com"},
        "NoSuchEntity",
    ),
    ("iam", "CreateOpenIDConnectProvider", {"Url": "http://plain.example.com"}, "InvalidInput"),
    ("iam", "PutRolePolicy", {"RoleName": "made", "PolicyName": "p", "PolicyDocument": "{}"}, "MalformedPolicyDocument"),
    ("lambda", "GetFunction", {"FunctionName": "none"}, "ResourceNotFoundException"),
    ("lambda", "ListLayers", {}, "UnknownOperationException"),
    ("logs", "CreateLogGroup", {"logGroupName": "/ecs/bp-backend"}, "ResourceAlreadyExistsException"),
    ("logs", "DescribeLogStreams", {"logGroupName": "none"}, "ResourceNotFoundException"),
    ("logs", "StartLiveTail", {"logGroupIdentifiers": ["/ecs/bp-backend"]}, "InvalidParameterException"),
    ("rds", "DescribeDBInstances", {"DBInstanceIdentifier": "none"}, "DBInstanceNotFound"),
    ("s3", "GetObject", {"Bucket": LOGS, "Key": "none"}, "NoSuchKey"),
    ("s3", "HeadObject", {"Bucket": LOGS, "Key": "none"}, "404"),
    ("s3", "ListObjectsV2", {"Bucket": "bp-none"}, "NoSuchBucket"),
    ("s3", "PutObject", {"Bucket": LOGS, "Key": "check/new", "Body": b"y", "IfNoneMatch": "*"}, "PreconditionFailed"),
    ("s3", "PutObject", {"Bucket": LOGS, "Key": "none", "Body": b"y", "IfMatch": "e"}, "NoSuchKey"),
    ("s3", "PutObject", {"Bucket": LOGS, "Key": "k", "Body": b"y", "ChecksumCRC32": "AAAAAA=="}, "BadDigest"),
    ("s3", "PutObjectAcl", {"Bucket": LOGS, "Key": "check/new", "ACL": "private"}, "NotImplemented"),
    ("secretsmanager", "GetSecretValue", {"SecretId": "none"}, "ResourceNotFoundException"),
    ("secretsmanager", "DeleteSecret", {"SecretId": REDIS, "RecoveryWindowInDays": 6}, "InvalidParameterException"),
    ("secretsmanager", "DeleteSecret", {"SecretId": "/bp/none"}, "ResourceNotFoundException"),
    ("sns", "GetTopicAttributes", {"TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:none"}, "NotFound"),
    ("ssm", "GetParameter", {"Name": "/none"}, "ParameterNotFound"),
]

COMMANDS = [
    "sts get-caller-identity --query Account",
    "ecs describe-services --cluster bp --services bp-backend --query services[0].status",
    "ecs list-task-definitions --family-prefix bp-backend --query taskDefinitionArns[0]",
    "ecs list-tasks --cluster bp --max-items 2 --query length(taskArns)",
    "logs filter-log-events --log-group-name /ecs/bp-backend --max-items 5 --query length(events)",
    "logs put-log-events --log-group-name /ecs/bp-backend --log-stream-name check --log-events"
    " timestamp=1768467600000,message=x --query length(nextSequenceToken)",
    "cloudwatch describe-alarms --alarm-name-prefix p1- --query length(MetricAlarms)",
    "autoscaling describe-auto-scaling-groups --query length(AutoScalingGroups)",
    f"autoscaling describe-instance-refreshes --auto-scaling-group-name {FLEET} --query InstanceRefreshes[0].Status",
    f"autoscaling cancel-instance-refresh --auto-scaling-group-name {FLEET} --query InstanceRefreshId",
    "application-autoscaling register-scalable-target --service-namespace ecs --scalable-dimension"
    " ecs:service:DesiredCount --resource-id service/bp/bp-frontend --min-capacity 0 --query ScalableTargetARN",
    "application-autoscaling describe-scalable-targets --service-namespace ecs --query length(ScalableTargets)",
    "cloudformation describe-stacks --stack-name bp-network --query Stacks[0].StackStatus",
    # The command line reads the body, which is text in the answer, as the JSON that it holds.
    "cloudformation get-template --stack-name bp-gpu-fleet-production-gpu-default --query"
    " length(TemplateBody.Resources)",
    "ssm get-parameters-by-path --path /bp --recursive --query length(Parameters)",
    "rds describe-db-instances --query DBInstances[0].DBInstanceStatus",
    "secretsmanager list-secrets --query length(SecretList)",
    f"secretsmanager update-secret --secret-id {APP_KEY} --secret-string base64:Y2xp --query VersionId",
    f"secretsmanager batch-get-secret-value --secret-id-list {APP_KEY} --query SecretValues[0].VersionStages[0]",
    f"secretsmanager delete-secret --secret-id {REDIS} --query DeletionDate",
    "secretsmanager list-secrets --include-planned-deletion --query SecretList[?DeletedDate].Name|[0]",
    f"secretsmanager restore-secret --secret-id {REDIS} --query Name",
    f"secretsmanager list-secret-version-ids --secret-id {APP_KEY} --include-deprecated --query length(Versions)",
    "ssm put-parameter --name /bp/check-secret --type SecureString --value x --query Version",
    "ssm get-parameter-history --name /bp/check-secret --with-decryption --query Parameters[0].LastModifiedUser",
    "ec2 describe-instances --filters Name=instance-state-name,Values=running --query length(Reservations)",
    "ec2 describe-images --owners self --filters Name=tag:ManagedBy,Values=packer --query length(Images)",
    "ec2 describe-nat-gateways --filter Name=state,Values=available --query length(NatGateways)",
    "ec2 describe-security-groups --query length(SecurityGroups)",
    "iam list-roles --query length(Roles)",
    "iam get-role-policy --role-name bp-viewer --policy-name permissions --query PolicyDocument.Version",
    f"iam simulate-principal-policy --policy-source-arn arn:aws:iam::{ACCOUNT}:role/bp-operator"
    " --action-names ecs:RunTask --query EvaluationResults[0].EvalDecision",
    "lambda list-functions --query length(Functions)",
    "elasticache describe-cache-clusters --query length(CacheClusters)",
    "pricing get-products --service-code AWSELB --region us-east-1 --query length(PriceList)",
    "service-quotas list-service-quotas --service-code ec2 --query length(Quotas)",
    f"s3api list-objects-v2 --bucket {LOGS} --prefix check/ --max-items 1 --query length(Contents)",
    f"s3 ls s3://{LOGS}/check/",
    # Big enough to go up and come back in parts.
    f"s3 cp {SAMPLE} s3://{MODELS}/check/big",
    f"s3 cp s3://{MODELS}/check/big {SAMPLE}.copy",
    f"s3 mv s3://{MODELS}/check/big s3://{LOGS}/check/moved",
    f"s3 sync s3://{LOGS}/check/ {SAMPLE}.folder",
    f"s3 rm s3://{LOGS}/check/ --recursive",
]


def unknown(shape, raw, path):
    """What stands in a JSON or CBOR answer that its shape does not know, or lacks, or may not hold."""
    if shape.type_name == "structure":
        for name in shape.required_members:
            # What travels in a header is not in the body.
            if name not in raw and "location" not in shape.members[name].serialization:
                yield f"{path}.{name} is missing"
        for name, value in raw.items():
            if name not in shape.members:
                yield f"{path}.{name} is unknown"
            else:
                yield from unknown(shape.members[name], value, f"{path}.{name}")
    elif shape.type_name == "list":
        for index, value in enumerate(raw):
            yield from unknown(shape.member, value, f"{path}[{index}]")
    elif shape.type_name == "map":
        for key, value in raw.items():
            yield from unknown(shape.value, value, f"{path}[{key}]")
    elif getattr(shape, "enum", None) and raw not in shape.enum:
        yield f"{path} is {raw!r}, not one of {shape.enum}"
    elif raw is None:
        yield f"{path} is null"


def plain(shape, node):
    """An XML answer in the form of a JSON one."""

    def tag(element):
        return element.tag.rpartition("}")[2]

    if shape.type_name == "structure":
        names = {m.serialization.get("name", name): (name, m) for name, m in shape.members.items()}
        out = {}
        for child in node:
            name, member = names.get(tag(child), (tag(child), None))
            if member is not None and member.serialization.get("flattened"):
                out.setdefault(name, []).append(plain(member.member, child))
            else:
                out[name] = plain(member, child) if member is not None else child.text
        return out
    if shape.type_name == "list":
        expected = shape.member.serialization.get("name", "member")
        return [
            plain(shape.member, child) if tag(child) == expected else f"<{tag(child)}>" for child in node
        ]
    if shape.type_name == "map":
        return {entry[0].text: plain(shape.value, entry[1]) for entry in node}
    return node.text or ""


def members(model, raw):
    """The raw answer of a call by member names."""
    protocol = model.service_model.resolved_protocol
    # What travels in headers is not looked at here: botocore reads it by name.
    if model.output_shape is None or (protocol == "rest-xml" and not raw["body"]):
        return {}
    payload = model.output_shape.serialization.get("payload")
    if protocol == "rest-xml" and payload:
        inner = model.output_shape.members[payload]
        if inner.type_name != "structure":
            return {}
        return {payload: plain(inner, xml.etree.ElementTree.fromstring(raw["body"]))}
    if protocol in ("json", "rest-json"):
        return json.loads(raw["body"] or b"{}")
    if protocol == "smithy-rpc-v2-cbor":
        parser = botocore.parsers.create_parser(protocol)
        return parser.parse_data_item(parser.get_peekable_stream_from_bytes(raw["body"]))
    root = xml.etree.ElementTree.fromstring(raw["body"])
    wrapper = model.output_shape.serialization.get("resultWrapper")
    node = root.find(f"{{*}}{wrapper}") if wrapper else root
    found = plain(model.output_shape, node) if node is not None else {}
    if protocol == "ec2":
        # It stands beside the members there.
        found.pop("requestId", None)
    return found


def now_ms(account):
    """The account's time, off its newest event."""
    events = account.call("logs", "FilterLogEvents", logGroupName="/ecs/bp-backend")["events"]
    return events[-1]["timestamp"]


def check_live_tail(account):
    """What is put while a session is open comes through its stream, as botocore reads it."""
    parameters, _ = CALLS["logs"]["StartLiveTail"]
    try:
        stream = iter(account.call("logs", "StartLiveTail", **parameters)["responseStream"])
        start = next(stream)["sessionStart"]
        if start["logGroupIdentifiers"] != parameters["logGroupIdentifiers"] or not start["sessionId"]:
            problem(f"logs.StartLiveTail: the session began with {start}")
        account.call("logs", "PutLogEvents", **put_events(account))
        for _ in range(20):
            update = next(stream)["sessionUpdate"]
            if any(event["message"] == "put by botocore" for event in update["sessionResults"]):
                print("ok   logs.StartLiveTail")
                return
        problem("logs.StartLiveTail: the event did not come")
    except Exception as error:  # pylint: disable=broad-except
        problem(f"logs.StartLiveTail: {type(error).__name__}: {error}")


def check_operation(account, service, operation, protocol):
    if operation == "StartLiveTail":
        check_live_tail(account)
        return
    parameters, full = CALLS[service][operation]
    title = f"{service}.{operation}" + (f" ({protocol})" if protocol else "")
    try:
        if callable(parameters):
            parameters = parameters(account)
        answer = account.call(service, operation, **parameters)
        model = account.client(service).meta.service_model.operation_model(operation)
        if not answer["ResponseMetadata"].get("RequestId"):
            problem(f"{title}: no request id")
        raw = members(model, account.raw)
        if model.output_shape is not None:
            for text in unknown(model.output_shape, raw, ""):
                problem(f"{title}: {text}")
            lost = set(raw) - set(answer)
            if lost:
                problem(f"{title}: botocore did not read {sorted(lost)}")
        if full is not None and not answer.get(full):
            problem(f"{title}: `{full}` is empty")
    except Exception as error:  # pylint: disable=broad-except
        problem(f"{title}: {type(error).__name__}: {error}")
        return
    print(f"ok   {title}")


def check_refusals(account, protocol):
    for service, operation, parameters, code in REFUSALS:
        if protocol and service != "cloudwatch":
            continue
        title = f"{service}.{operation} refused" + (f" ({protocol})" if protocol else "")
        try:
            account.call(service, operation, **parameters)
            problem(f"{title}: it was not")
        except botocore.exceptions.ClientError as error:
            got = error.response["Error"]
            # The message may be empty: that of ParameterNotFound is, in AWS too.
            if got["Code"] != code or "Message" not in got:
                problem(f"{title}: {got} instead of {code}")
            else:
                print(f"ok   {title}: {code}")


def check_commands(url):
    for command in COMMANDS:
        done = subprocess.run(
            ["aws", "--endpoint-url", url, *command.split()], capture_output=True, text=True, check=False
        )
        answer = done.stdout.strip()
        if done.returncode != 0 or answer in ("", "0", "null"):
            problem(f"aws {command}: status {done.returncode}: {answer} {done.stderr.strip()[-200:]}")
        else:
            print(f"ok   aws {command.split(' --')[0]}: {answer.splitlines()[-1][:80]}")


def simulated():
    """The operations by service, as the sandbox's API shapes list them."""
    for path in sorted((CRATE / "api").glob("*.json")):
        yield path.stem, sorted(json.loads(path.read_text())["operations"])


def main():
    os.environ.update(CREDENTIALS)
    os.environ.pop("AWS_PROFILE", None)
    serve = sys.argv[1:] or ["cargo", "run", "--quiet", "--package", "bpctl-sandbox", "--example", "serve"]
    listener = subprocess.Popen(serve, stdout=subprocess.PIPE, text=True, cwd=CRATE)
    try:
        url, _token = listener.stdout.readline().split()
        for protocol in (None, "json", "query"):
            account = Account(url, protocol)
            if protocol is None:
                keep_workers(account)
            for service, operations in simulated():
                if protocol and service != "cloudwatch":
                    continue
                for operation in operations:
                    if operation not in CALLS.get(service, {}):
                        if any((service, operation) == refusal[:2] for refusal in REFUSALS):
                            # This account refuses it whatever is asked: check_refusals looks at the answer.
                            continue
                        problem(f"{service}.{operation}: no call in {pathlib.Path(__file__).name}")
                    else:
                        check_operation(account, service, operation, protocol)
            check_refusals(account, protocol)
        SAMPLE.write_bytes(os.urandom(20_000_000))
        check_commands(url)
        if SAMPLE.read_bytes() != pathlib.Path(f"{SAMPLE}.copy").read_bytes():
            problem("what came down is not what went up")
    finally:
        for left in (SAMPLE, pathlib.Path(f"{SAMPLE}.copy")):
            left.unlink(missing_ok=True)
        shutil.rmtree(f"{SAMPLE}.folder", ignore_errors=True)
        listener.terminate()
        listener.wait()
    print(f"{len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
