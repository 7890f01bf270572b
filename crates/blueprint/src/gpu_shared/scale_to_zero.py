"""Takes a GPU fleet to zero when its queue-empty alarm says so."""

import json
import re

import boto3

QUEUE_EMPTY = re.compile(r"^(staging|production)-(.+)-queue-empty$")
autoscaling = boto3.client("autoscaling")


def handler(event, context):
    for record in event["Records"]:
        print(answer(json.loads(record["Sns"]["Message"])))


def answer(message):
    alarm = message["AlarmName"]
    fleet = QUEUE_EMPTY.match(alarm)
    if not fleet:
        return f"{alarm} is no queue-empty alarm of a fleet"
    if message["NewStateValue"] != "ALARM":
        return f"{alarm} is {message['NewStateValue']}: nothing to do"
    name = f"asg-{fleet[1]}-{fleet[2]}"
    found = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    if not found["AutoScalingGroups"]:
        return f"{name} does not exist"
    desired = found["AutoScalingGroups"][0]["DesiredCapacity"]
    if desired == 0:
        return f"{name} is at zero already"
    autoscaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=0, HonorCooldown=False)
    return f"{name}: {desired} -> 0"
