//! What IAM is asked before an operation is carried out: actions, the resources they are on, and context.
//!
//! Actions, resource types and condition keys are those of the Service Authorization Reference, "Actions, resources,
//! and condition keys for …" of each service. Where that does not say what a service checks when a request names no
//! resource, the comment beside the case does.

use serde_json::Value;

use super::{secrets, stacks};
use crate::service::member::{list, text, texts};
use crate::service::{Service, autoscaling, budgets, ec2, route53, s3};
use crate::world::World;

/// One question to IAM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) action: String,
    pub(crate) resource: String,
    /// How a refusal calls the resource, where it does not use its ARN.
    pub(crate) shown: Option<String>,
    /// A refusal does not refuse the whole operation: the handler that carries it out asks for this part.
    pub(crate) in_part: bool,
    /// Condition keys and their values, beside those that every request has.
    pub(crate) context: Vec<(&'static str, String)>,
}

impl Ask {
    pub(super) fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            resource: resource.into(),
            shown: None,
            in_part: false,
            context: Vec::new(),
        }
    }

    /// A question of the policy simulator, whose context comes with the request.
    pub(crate) fn simulated(action: &str, resource: &str) -> Self {
        Self::new(action, resource)
    }

    fn when(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.context.push((key, value.into()));
        self
    }
}

/// Everything that must be allowed for `operation` to be carried out; empty for what needs no permission.
pub(crate) fn asked(world: &World, service: Service, operation: &str, input: &Value) -> Vec<Ask> {
    let arns = Arns {
        region: &world.options.region,
        account: &world.options.account_id,
    };
    let action = match service {
        Service::S3 => s3::action(operation),
        Service::Budgets => budgets::action(operation),
        _ => format!("{}:{operation}", service.iam_prefix()),
    };
    let resources = match service {
        Service::Ecs => return ecs(world, &arns, operation, &action, input),
        Service::Ssm => return ssm(&arns, operation, &action, input),
        Service::SecretsManager => return secrets::asks(world, operation, &action, input),
        Service::S3 => return objects(world, operation, &action, input),
        Service::Rds => return databases(&arns, operation, &action, input),
        Service::CloudFormation => return stacks::asks(&arns, operation, &action, input),
        // "No permissions are required to perform this operation" (STS API Reference, GetCallerIdentity).
        Service::Sts if operation == "GetCallerIdentity" => return Vec::new(),
        Service::Sts => vec![text(input, "RoleArn").unwrap_or("*").to_owned()],
        Service::Iam => identities(&arns, operation, input),
        Service::Logs => logs(&arns, operation, input),
        Service::AutoScaling => groups(world, &arns, operation, input),
        Service::Ec2 => return machines(world, &arns, operation, &action, input),
        Service::CloudWatch => alarms(&arns, operation, input),
        Service::Ecr if operation == "GetAuthorizationToken" => vec!["*".to_owned()],
        Service::Ecr => one(&arns, "ecr", "repository/", text(input, "repositoryName"), true),
        Service::Lambda => match operation {
            "ListFunctions" => vec!["*".to_owned()],
            _ => one(&arns, "lambda", "function:", text(input, "FunctionName"), true),
        },
        Service::Sns => match operation {
            "ListTopics" | "Unsubscribe" => vec!["*".to_owned()],
            _ => vec![text(input, "TopicArn").unwrap_or("*").to_owned()],
        },
        Service::ElastiCache => match operation {
            "DescribeReplicationGroups" => one(
                &arns,
                "elasticache",
                "replicationgroup:",
                text(input, "ReplicationGroupId"),
                true,
            ),
            _ => one(
                &arns,
                "elasticache",
                "cluster:",
                text(input, "CacheClusterId"),
                true,
            ),
        },
        // Service Authorization Reference: a target has an id of its own, which the request does not name.
        Service::ApplicationAutoScaling if operation == "RegisterScalableTarget" => {
            vec![arns.of("application-autoscaling", "scalable-target/*")]
        }
        // Listing and requesting are on no resource (Service Authorization Reference, "AWS Certificate Manager").
        Service::Acm => vec![text(input, "CertificateArn").unwrap_or("*").to_owned()],
        Service::Route53 => {
            let named = text(input, "HostedZoneId").or_else(|| text(input, "Id"));
            vec![route53::resource(operation, named)]
        }
        Service::Budgets => {
            let named = text(input, "BudgetName").or_else(|| text(&input["Budget"], "BudgetName"));
            vec![budgets::resource(arns.account, named)]
        }
        // "AWS Price List" has no resource types (Service Authorization Reference).
        Service::ApplicationAutoScaling
        | Service::CloudTrail
        | Service::Elb
        | Service::Pricing
        | Service::ServiceQuotas => {
            vec!["*".to_owned()]
        }
    };
    resources
        .into_iter()
        .map(|resource| Ask::new(action.as_str(), resource))
        .collect()
}

/// Makes ARNs of this account and region.
pub(super) struct Arns<'a> {
    region: &'a str,
    account: &'a str,
}

impl Arns<'_> {
    pub(super) fn of(&self, service: &str, rest: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{rest}", self.region, self.account)
    }

    /// `named` may be an ARN already.
    fn named(&self, service: &str, before: &str, named: &str) -> String {
        if named.starts_with("arn:") {
            named.to_owned()
        } else {
            self.of(service, &format!("{before}{named}"))
        }
    }
}

/// One resource by name; without a name all of its type, or nothing in particular.
fn one(arns: &Arns<'_>, service: &str, before: &str, named: Option<&str>, of_type: bool) -> Vec<String> {
    vec![match named {
        Some(named) => arns.named(service, before, named),
        None if of_type => arns.of(service, &format!("{before}*")),
        None => "*".to_owned(),
    }]
}

fn ecs(world: &World, arns: &Arns<'_>, operation: &str, action: &str, input: &Value) -> Vec<Ask> {
    let cluster = text(input, "cluster")
        .and_then(|cluster| cluster.rsplit('/').next())
        .unwrap_or("default");
    let cluster_arn = arns.of("ecs", &format!("cluster/{cluster}"));
    let in_cluster = |kind: &str, named: &str| {
        let name = named.rsplit('/').next().unwrap_or(named);
        arns.of("ecs", &format!("{kind}/{cluster}/{name}"))
    };
    let ask = |resource: String| Ask::new(action, resource).when("ecs:cluster", cluster_arn.as_str());
    let each = |kind: &str, member: &str| {
        let named = texts(input, member);
        named
            .iter()
            .map(|named| ask(in_cluster(kind, named)))
            .collect::<Vec<_>>()
    };
    match operation {
        "DescribeServices" => each("service", "services"),
        "DescribeTasks" => each("task", "tasks"),
        "DeleteService" | "ListServiceDeployments" | "UpdateService" => {
            vec![ask(in_cluster("service", text(input, "service").unwrap_or("*")))]
        }
        "StopTask" => vec![ask(in_cluster("task", text(input, "task").unwrap_or("*")))],
        "ExecuteCommand" => vec![
            ask(cluster_arn.clone()),
            ask(in_cluster("task", text(input, "task").unwrap_or("*"))),
        ],
        "DescribeServiceDeployments" => of_services(action, &texts(input, "serviceDeploymentArns")),
        "DescribeServiceRevisions" => of_services(action, &texts(input, "serviceRevisionArns")),
        "StopServiceDeployment" => {
            let named = text(input, "serviceDeploymentArn").unwrap_or("*");
            of_services(action, &[named.to_owned()])
        }
        "DescribeClusters" => {
            let named = texts(input, "clusters");
            named
                .iter()
                .map(|named| Ask::new(action, arns.named("ecs", "cluster/", named)))
                .collect()
        }
        "RegisterTaskDefinition" => {
            let family = text(input, "family").unwrap_or("*");
            let definition = arns.of("ecs", &format!("task-definition/{family}:*"));
            let mut asks = vec![Ask::new(action, definition.as_str())];
            asks.extend(tagging(input, &definition, operation));
            let roles =
                ["taskRoleArn", "executionRoleArn"].map(|member| text(input, member).map(str::to_owned));
            asks.extend(roles.into_iter().flatten().map(|role| passed(role, TASKS)));
            asks
        }
        "RunTask" => run_task(world, arns, action, input, ask, cluster),
        // Tasks of a whole cluster are listed on no resource; only the key `ecs:cluster` narrows it.
        _ => vec![ask("*".to_owned())],
    }
}

fn run_task(
    world: &World,
    arns: &Arns<'_>,
    action: &str,
    input: &Value,
    ask: impl Fn(String) -> Ask,
    cluster: &str,
) -> Vec<Ask> {
    use crate::service::ecs::definition;
    let named = text(input, "taskDefinition").unwrap_or("*");
    let Some(index) = definition::find(world, named) else {
        return vec![Ask::new(action, arns.named("ecs", "task-definition/", named))];
    };
    let found = &world.services.ecs.definitions[index];
    let mut asks = vec![ask(found.arn(world))];
    let tasks = arns.of("ecs", &format!("task/{cluster}/*"));
    asks.extend(tagging(input, &tasks, "RunTask"));
    let roles = definition::roles(world, index).into_iter();
    asks.extend(roles.map(|role| passed(role, TASKS)));
    asks
}

/// Tags on creation need a permission of their own (Amazon ECS Developer Guide, "Tag resources during creation").
fn tagging(input: &Value, resource: &str, operation: &str) -> Option<Ask> {
    let tagged = !list(input, "tags").is_empty();
    tagged.then(|| Ask::new("ecs:TagResource", resource).when("ecs:CreateAction", operation))
}

/// The service that takes roles for tasks.
const TASKS: &str = "ecs-tasks.amazonaws.com";

/// A role that is handed to a service.
pub(super) fn passed(role: impl Into<String>, service: &str) -> Ask {
    Ask::new("iam:PassRole", role).when("iam:PassedToService", service)
}

/// Deployments and revisions are checked together with the service that they are of.
fn of_services(action: &str, arns: &[String]) -> Vec<Ask> {
    let mut asks = Vec::new();
    for arn in arns {
        let context = |ask: Ask, cluster: &str, service: &str| {
            ask.when("ecs:cluster", cluster).when("ecs:service", service)
        };
        let Some((head, rest)) = arn.split_once('/') else {
            asks.push(Ask::new(action, arn.as_str()));
            continue;
        };
        let head = head.rsplit_once(':').map_or(head, |(head, _)| head);
        let mut parts = rest.split('/');
        let (cluster, service) = (parts.next().unwrap_or("*"), parts.next().unwrap_or("*"));
        let cluster_arn = format!("{head}:cluster/{cluster}");
        let service_arn = format!("{head}:service/{cluster}/{service}");
        for resource in [service_arn.as_str(), arn.as_str()] {
            asks.push(context(Ask::new(action, resource), &cluster_arn, &service_arn));
        }
    }
    asks
}

fn ssm(arns: &Arns<'_>, operation: &str, action: &str, input: &Value) -> Vec<Ask> {
    let parameter = |name: &str| {
        let name = name.split(':').next().unwrap_or(name).trim_start_matches('/');
        Ask::new(action, arns.of("ssm", &format!("parameter/{name}")))
    };
    // Documents of AWS belong to no account.
    let document = |name: &str| {
        let arn = match name.strip_prefix("AWS-") {
            Some(_) => format!("arn:aws:ssm:{}::document/{name}", arns.region),
            None => arns.named("ssm", "document/", name),
        };
        Ask::new(action, arn)
    };
    match operation {
        "DeleteParameter"
        | "GetParameter"
        | "GetParameterHistory"
        | "LabelParameterVersion"
        | "PutParameter" => text(input, "Name").map(parameter).into_iter().collect(),
        "DeleteParameters" | "GetParameters" => {
            texts(input, "Names").iter().map(|name| parameter(name)).collect()
        }
        "GetParametersByPath" => text(input, "Path").map(parameter).into_iter().collect(),
        "SendCommand" => {
            let mut asks: Vec<Ask> = text(input, "DocumentName").map(document).into_iter().collect();
            let instances = texts(input, "InstanceIds");
            asks.extend(
                instances
                    .iter()
                    .map(|id| Ask::new(action, arns.of("ec2", &format!("instance/{id}")))),
            );
            asks
        }
        "StartSession" => {
            let target = text(input, "Target").unwrap_or("*");
            let of_task = target.strip_prefix("ecs:").map(|rest| rest.split('_'));
            let resource = match of_task {
                Some(mut parts) => {
                    let (cluster, task) = (parts.next().unwrap_or("*"), parts.next().unwrap_or("*"));
                    arns.of("ecs", &format!("task/{cluster}/{task}"))
                }
                None => arns.of("ec2", &format!("instance/{target}")),
            };
            // Without a name it is the document of the account's preferences (Systems Manager User Guide,
            // "Session document access check").
            let named = text(input, "DocumentName").unwrap_or("SSM-SessionManagerRunShell");
            vec![Ask::new(action, resource), document(named)]
        }
        "ResumeSession" | "TerminateSession" => one(arns, "ssm", "session/", text(input, "SessionId"), true)
            .into_iter()
            .map(|session| Ask::new(action, session))
            .collect(),
        _ => vec![Ask::new(action, "*")],
    }
}

fn objects(world: &World, operation: &str, action: &str, input: &Value) -> Vec<Ask> {
    let bucket = text(input, "Bucket");
    let named: Vec<&Value> = match operation {
        "DeleteObjects" => list(&input["Delete"], "Objects").iter().collect(),
        _ => vec![input],
    };
    // A version goes by a permission of its own (Amazon S3 User Guide, "Deleting object versions from a
    // versioning-enabled bucket").
    let of = |object: &Value| {
        let key = text(object, "Key")?;
        let action = match text(object, "VersionId") {
            Some(_) if action == "s3:DeleteObject" => "s3:DeleteObjectVersion",
            _ => action,
        };
        Some(Ask::new(action, s3::resource(bucket, Some(key))))
    };
    let mut asks: Vec<Ask> = named.into_iter().filter_map(of).collect();
    if asks.is_empty() {
        asks.push(Ask::new(action, s3::resource(bucket, None)));
    }
    // Without it S3 does not say that an object is missing (Amazon S3 API Reference, GetObject, "Permissions").
    if let (Some(bucket), Some(key), "GetObject" | "HeadObject") = (bucket, text(input, "Key"), operation)
        && !s3::holds(world, bucket, key)
    {
        asks.push(Ask::new("s3:ListBucket", s3::resource(Some(bucket), None)));
    }
    for ask in &mut asks {
        if let Some(prefix) = text(input, "Prefix") {
            ask.context.push(("s3:prefix", prefix.to_owned()));
        }
    }
    // A copy also reads its source (Amazon S3 API Reference, CopyObject, "Permissions").
    if let Some(source) = text(input, "CopySource") {
        let source = source
            .trim_start_matches('/')
            .split('?')
            .next()
            .unwrap_or_default();
        let arn = format!("arn:aws:s3:::{source}");
        asks.push(Ask::new("s3:GetObject", arn.clone()));
        // And its tags, which go with a copy, if it has any.
        if operation == "CopyObject" && s3::has_tags(world, source) {
            asks.push(Ask::new("s3:GetObjectTagging", arn));
            let key = text(input, "Key");
            asks.push(Ask::new("s3:PutObjectTagging", s3::resource(bucket, key)));
        }
    }
    if text(input, "Tagging").is_some() && operation == "PutObject" {
        let key = text(input, "Key");
        asks.push(Ask::new("s3:PutObjectTagging", s3::resource(bucket, key)));
    }
    asks
}

fn databases(arns: &Arns<'_>, operation: &str, action: &str, input: &Value) -> Vec<Ask> {
    let instance = || one(arns, "rds", "db:", text(input, "DBInstanceIdentifier"), true);
    let snapshot = || {
        one(
            arns,
            "rds",
            "snapshot:",
            text(input, "DBSnapshotIdentifier"),
            true,
        )
    };
    let resources = match operation {
        "DescribeDBSnapshots" if text(input, "DBSnapshotIdentifier").is_some() => snapshot(),
        "DescribeDBSnapshots"
        | "DescribeDBInstances"
        | "ModifyDBInstance"
        | "StartDBInstance"
        | "StopDBInstance" => instance(),
        "CreateDBSnapshot" => [instance(), snapshot()].concat(),
        // Service Authorization Reference: checked on the instance, and on the snapshot that it leaves.
        "DeleteDBInstance" => {
            let last = text(input, "FinalDBSnapshotIdentifier");
            let last = last.map(|last| one(arns, "rds", "snapshot:", Some(last), true));
            [instance(), last.unwrap_or_default()].concat()
        }
        "DeleteDBSnapshot" => snapshot(),
        "DeleteDBSubnetGroup" | "DescribeDBSubnetGroups" => {
            one(arns, "rds", "subgrp:", text(input, "DBSubnetGroupName"), true)
        }
        _ => vec!["*".to_owned()],
    };
    let mut asks: Vec<Ask> = resources
        .into_iter()
        .map(|resource| Ask::new(action, resource))
        .collect();
    if operation == "CreateDBSnapshot" && !list(input, "Tags").is_empty() {
        asks.extend(
            snapshot()
                .into_iter()
                .map(|arn| Ask::new("rds:AddTagsToResource", arn)),
        );
    }
    asks
}

fn identities(arns: &Arns<'_>, operation: &str, input: &Value) -> Vec<String> {
    let global = |rest: String| format!("arn:aws:iam::{}:{rest}", arns.account);
    if operation == "SimulatePrincipalPolicy" {
        return vec![text(input, "PolicySourceArn").unwrap_or("*").to_owned()];
    }
    if let Some(url) = text(input, "Url") {
        return vec![global(format!(
            "oidc-provider/{}",
            url.trim_start_matches("https://")
        ))];
    }
    if let Some(provider) = text(input, "OpenIDConnectProviderArn") {
        return vec![provider.to_owned()];
    }
    vec![match (text(input, "RoleName"), text(input, "PolicyArn")) {
        (Some(role), _) => global(format!("role/{role}")),
        (None, Some(policy)) => policy.to_owned(),
        (None, None) if operation == "ListRoles" => global("role/".to_owned()),
        (None, None) => "*".to_owned(),
    }]
}

fn logs(arns: &Arns<'_>, operation: &str, input: &Value) -> Vec<String> {
    let group = |named: &str| arns.named("logs", "log-group:", named.trim_end_matches(":*"));
    let named = text(input, "logGroupName").or_else(|| text(input, "logGroupIdentifier"));
    match (operation, named) {
        ("StartLiveTail", _) => texts(input, "logGroupIdentifiers")
            .iter()
            .map(|arn| group(arn))
            .collect(),
        ("GetLogEvents" | "PutLogEvents" | "CreateLogStream", Some(named)) => {
            let stream = text(input, "logStreamName").unwrap_or("*");
            vec![format!("{}:log-stream:{stream}", group(named))]
        }
        ("CreateLogGroup" | "PutRetentionPolicy", Some(named)) => vec![group(named)],
        // As refusals of CloudWatch Logs name it: the group with an empty stream.
        (_, Some(named)) => vec![format!("{}:log-stream:", group(named))],
        ("DescribeLogGroups", None) => vec![arns.of("logs", "log-group::log-stream:")],
        (_, None) => vec!["*".to_owned()],
    }
}

fn groups(world: &World, arns: &Arns<'_>, operation: &str, input: &Value) -> Vec<String> {
    if operation.starts_with("Describe") {
        return vec!["*".to_owned()];
    }
    // One operation names the instance, and is checked on the group that it is in.
    let of = text(input, "InstanceId").and_then(|id| {
        let mut all = autoscaling::groups(world);
        all.find(|group| group.instances().iter().any(|instance| instance.id == id))
    });
    let group = text(input, "AutoScalingGroupName").or(of.map(|group| group.spec().name.as_str()));
    one(
        arns,
        "autoscaling",
        "autoScalingGroup:*:autoScalingGroupName/",
        group,
        true,
    )
}

/// Images and snapshots belong to a region, not to an account, and are checked with their tags.
fn removal(world: &World, arns: &Arns<'_>, operation: &str, action: &str, input: &Value) -> Ask {
    let (kind, member) = match operation {
        "DeleteSnapshot" => ("snapshot", "SnapshotId"),
        _ => ("image", "ImageId"),
    };
    let id = text(input, member).unwrap_or("*");
    let ask = Ask::new(action, format!("arn:aws:ec2:{}::{kind}/{id}", arns.region));
    tagged(world, id, ask)
}

/// The same with what the resource's tag `ManagedBy` says.
fn tagged(world: &World, id: &str, ask: Ask) -> Ask {
    match ec2::managed_by(world, id) {
        Some(value) => ask.when("aws:ResourceTag/ManagedBy", value),
        None => ask,
    }
}

/// EC2 checks RunInstances on everything that it makes and uses, and tags on creation by an action of their own (EC2 User
/// Guide, "Grant permission to tag Amazon EC2 resources during creation"). Describe operations know no resources.
fn machines(world: &World, arns: &Arns<'_>, operation: &str, action: &str, input: &Value) -> Vec<Ask> {
    let of = |kind: &str, id: &str| Ask::new(action, arns.of("ec2", &format!("{kind}/{id}")));
    let mut asks = match operation {
        "RunInstances" => {
            let image = text(input, "ImageId").unwrap_or("*");
            // Images belong to a region, not to an account.
            let image = format!("arn:aws:ec2:{}::image/{image}", arns.region);
            let interface = list(input, "NetworkInterfaces").first().unwrap_or(input);
            let mut asks = vec![Ask::new(action, image)];
            asks.extend(["instance", "volume", "network-interface"].map(|kind| of(kind, "*")));
            asks.push(of("subnet", text(interface, "SubnetId").unwrap_or("*")));
            let groups = [texts(interface, "Groups"), texts(interface, "SecurityGroupIds")].concat();
            asks.extend(groups.iter().map(|id| of("security-group", id)));
            asks
        }
        "StopInstances" | "TerminateInstances" => texts(input, "InstanceIds")
            .iter()
            .map(|id| tagged(world, id, of("instance", id)))
            .collect(),
        "CreateSecurityGroup" => vec![
            of("security-group", "*"),
            of("vpc", text(input, "VpcId").unwrap_or("*")),
        ],
        "AuthorizeSecurityGroupIngress" | "DeleteSecurityGroup" | "RevokeSecurityGroupIngress" => {
            vec![of("security-group", text(input, "GroupId").unwrap_or("*"))]
        }
        "CreateImage" => {
            let made = |kind: &str| Ask::new(action, format!("arn:aws:ec2:{}::{kind}/*", arns.region));
            let instance = of("instance", text(input, "InstanceId").unwrap_or("*"));
            vec![instance, made("image"), made("snapshot")]
        }
        "DeleteSnapshot" | "DeregisterImage" => vec![removal(world, arns, operation, action, input)],
        _ => vec![Ask::new(action, "*")],
    };
    for kind in list(input, "TagSpecifications") {
        let kind = text(kind, "ResourceType").unwrap_or("*");
        let resource = match kind {
            "image" | "snapshot" => format!("arn:aws:ec2:{}::{kind}/*", arns.region),
            _ => arns.of("ec2", &format!("{kind}/*")),
        };
        asks.push(Ask::new("ec2:CreateTags", resource).when("ec2:CreateAction", operation));
    }
    let profile = &input["IamInstanceProfile"];
    let profile = text(profile, "Name").or_else(|| text(profile, "Arn"));
    if operation == "RunInstances"
        && let Some(profile) = profile
    {
        // The profile of the data stack and its role have the same name there.
        let name = profile.rsplit('/').next().unwrap_or(profile);
        let role = format!("arn:aws:iam::{}:role/{name}", world.options.account_id);
        asks.push(passed(role, "ec2.amazonaws.com"));
    }
    asks
}

fn alarms(arns: &Arns<'_>, operation: &str, input: &Value) -> Vec<String> {
    match operation {
        "DeleteAlarms" | "DescribeAlarms" => {
            let named = texts(input, "AlarmNames");
            if named.is_empty() {
                return vec![arns.of("cloudwatch", "alarm:*")];
            }
            let arn = |name: &String| arns.of("cloudwatch", &format!("alarm:{name}"));
            named.iter().map(arn).collect()
        }
        "DescribeAlarmHistory" | "PutMetricAlarm" | "SetAlarmState" => {
            one(arns, "cloudwatch", "alarm:", text(input, "AlarmName"), true)
        }
        // Dashboards belong to no region (Service Authorization Reference, "Amazon CloudWatch").
        "GetDashboard" => {
            let name = text(input, "DashboardName").unwrap_or("*");
            vec![format!("arn:aws:cloudwatch::{}:dashboard/{name}", arns.account)]
        }
        _ => vec!["*".to_owned()],
    }
}
