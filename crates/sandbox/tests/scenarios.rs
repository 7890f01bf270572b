//! Under every scenario, in both layouts, early and late: whatever an operator looks at is an answer AWS could give.

use std::time::Duration;

use bpctl_sandbox::{Layout, Options, Scenario, World};
use bytes::Bytes;
use serde_json::{Value, json};

/// Looks at everything in the account and notes every answer that is the sandbox's own failure.
struct Visitor<'a> {
    world: &'a mut World,
    failures: Vec<String>,
}

impl Visitor<'_> {
    fn json(&mut self, prefix: &str, operation: &str, input: &Value) -> Value {
        let request = http::Request::post("/")
            .header("x-amz-target", format!("{prefix}.{operation}"))
            .header("content-type", "application/x-amz-json-1.1")
            .body(Bytes::from(input.to_string()))
            .unwrap();
        let response = self.world.handle(&request);
        let answer = serde_json::from_slice(response.body()).unwrap_or_default();
        if response.status().is_server_error() {
            self.failures.push(format!("{operation} {input}: {answer}"));
        }
        answer
    }

    fn query(&mut self, version: &str, action: &str) -> String {
        let body = format!("Action={action}&Version={version}");
        let request = http::Request::post("/").body(Bytes::from(body)).unwrap();
        let response = self.world.handle(&request);
        let answer = String::from_utf8_lossy(response.body()).into_owned();
        if response.status().is_server_error() {
            self.failures.push(format!("{action}: {answer}"));
        }
        answer
    }

    fn ecs(&mut self, cluster: &str) {
        const ECS: &str = "AmazonEC2ContainerServiceV20141113";
        self.json(ECS, "DescribeClusters", &json!({"clusters": [cluster]}));
        let services = self.json(ECS, "ListServices", &json!({"cluster": cluster}))["serviceArns"].take();
        let described = self.json(
            ECS,
            "DescribeServices",
            &json!({"cluster": cluster, "services": services}),
        );
        for service in described["services"].as_array().into_iter().flatten() {
            self.json(
                ECS,
                "DescribeTaskDefinition",
                &json!({"taskDefinition": service["taskDefinition"]}),
            );
            let input = json!({"cluster": cluster, "service": service["serviceArn"]});
            let listed = self.json(ECS, "ListServiceDeployments", &input);
            let arns: Vec<&Value> = listed["serviceDeployments"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|deployment| &deployment["serviceDeploymentArn"])
                .collect();
            self.json(
                ECS,
                "DescribeServiceDeployments",
                &json!({"serviceDeploymentArns": arns}),
            );
        }
        for status in ["RUNNING", "STOPPED"] {
            let input = json!({"cluster": cluster, "desiredStatus": status});
            let tasks = self.json(ECS, "ListTasks", &input)["taskArns"].take();
            if tasks.as_array().is_some_and(|tasks| !tasks.is_empty()) {
                self.json(ECS, "DescribeTasks", &json!({"cluster": cluster, "tasks": tasks}));
            }
        }
    }

    fn logs_images_and_secrets(&mut self) {
        const LOGS: &str = "Logs_20140328";
        const ECR: &str = "AmazonEC2ContainerRegistry_V20150921";
        const SECRETS: &str = "secretsmanager";
        const SSM: &str = "AmazonSSM";
        let groups = self.json(LOGS, "DescribeLogGroups", &json!({}));
        for group in groups["logGroups"].as_array().into_iter().flatten() {
            let input = json!({"logGroupName": group["logGroupName"]});
            self.json(LOGS, "DescribeLogStreams", &input);
            self.json(LOGS, "FilterLogEvents", &input);
        }
        let repositories = self.json(ECR, "DescribeRepositories", &json!({}));
        for repository in repositories["repositories"].as_array().into_iter().flatten() {
            self.json(
                ECR,
                "DescribeImages",
                &json!({"repositoryName": repository["repositoryName"]}),
            );
        }
        let secrets = self.json(SECRETS, "ListSecrets", &json!({}));
        for secret in secrets["SecretList"].as_array().into_iter().flatten() {
            let input = json!({"SecretId": secret["ARN"]});
            for operation in ["DescribeSecret", "ListSecretVersionIds", "GetSecretValue"] {
                self.json(SECRETS, operation, &input);
            }
        }
        self.json(
            SSM,
            "GetParametersByPath",
            &json!({"Path": "/", "Recursive": true}),
        );
        let parameters = self.json(SSM, "DescribeParameters", &json!({}));
        for parameter in parameters["Parameters"].as_array().into_iter().flatten() {
            self.json(SSM, "GetParameterHistory", &json!({"Name": parameter["Name"]}));
        }
    }

    fn metrics(&mut self) {
        const CLOUDWATCH: &str = "GraniteServiceVersion20100801";
        self.json(CLOUDWATCH, "DescribeAlarms", &json!({}));
        self.json(CLOUDWATCH, "DescribeAlarmHistory", &json!({}));
        let (start, end) = (self.world.now - Duration::from_secs(3600), self.world.now);
        let metrics = self.json(CLOUDWATCH, "ListMetrics", &json!({}));
        for metric in metrics["Metrics"].as_array().into_iter().flatten() {
            let input = json!({
                "Namespace": metric["Namespace"],
                "MetricName": metric["MetricName"],
                "Dimensions": metric["Dimensions"],
                "StartTime": start.epoch_seconds(),
                "EndTime": end.epoch_seconds(),
                "Period": 60,
                "Statistics": ["Average", "Sum"],
            });
            self.json(CLOUDWATCH, "GetMetricStatistics", &input);
        }
    }

    fn the_rest(&mut self) {
        for (version, actions) in [
            (
                "2015-12-01",
                &["DescribeLoadBalancers", "DescribeTargetGroups"][..],
            ),
            ("2014-10-31", &["DescribeDBInstances", "DescribeDBSnapshots"]),
            (
                "2011-01-01",
                &[
                    "DescribeAutoScalingGroups",
                    "DescribeAutoScalingInstances",
                    "DescribePolicies",
                    "DescribeScalingActivities",
                ],
            ),
            ("2010-05-15", &["DescribeStacks", "ListStacks", "ListExports"]),
            ("2010-03-31", &["ListTopics"]),
        ] {
            for action in actions {
                let answer = self.query(version, action);
                for arn in between(&answer, "<TargetGroupArn>", "</TargetGroupArn>") {
                    self.query(version, &format!("DescribeTargetHealth&TargetGroupArn={arn}"));
                }
                for name in between(&answer, "<StackName>", "</StackName>") {
                    self.query(version, &format!("DescribeStackEvents&StackName={name}"));
                    self.query(version, &format!("DescribeStackResources&StackName={name}"));
                }
                for arn in between(&answer, "<TopicArn>", "</TopicArn>") {
                    self.query(version, &format!("GetTopicAttributes&TopicArn={arn}"));
                    self.query(version, &format!("ListSubscriptionsByTopic&TopicArn={arn}"));
                }
            }
        }
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    text.split(before)
        .skip(1)
        .filter_map(|rest| rest.split(after).next())
        .collect()
}

fn visit(layout: Layout) {
    let cluster = match layout {
        Layout::Single => "bp",
        Layout::Staged => "bp-staging",
    };
    for scenario in Scenario::ALL.iter().copied() {
        let scenarios = [scenario].into();
        let mut world = World::new(Options {
            layout,
            scenarios,
            ..Options::default()
        });
        let mut visitor = Visitor {
            world: &mut world,
            failures: Vec::new(),
        };
        for later in [0, 47, 1200] {
            let time = visitor.world.now + Duration::from_secs(later);
            visitor.world.advance(time);
            visitor.ecs(cluster);
            visitor.logs_images_and_secrets();
            visitor.metrics();
            visitor.the_rest();
        }
        assert!(visitor.failures.is_empty(), "{scenario}: {:#?}", visitor.failures);
    }
}

#[test]
fn every_answer_in_the_single_layout_is_of_its_shape() {
    visit(Layout::Single);
}

#[test]
fn every_answer_in_the_staged_layout_is_of_its_shape() {
    visit(Layout::Staged);
}
