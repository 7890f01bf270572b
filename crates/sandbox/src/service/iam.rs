//! Identity and Access Management: roles, their inline policies, identity providers, and the policy simulator.
//!
//! A role that the account does not know (any role can be assumed here) may do everything; one that it knows may do
//! what its policies say.

use std::collections::BTreeMap;

mod provider;

use provider::Provider;
use serde_json::{Value, json};

use crate::error::{ApiError, OpResult};
use crate::iam::{Ask, Decision, Document, Malformed, Matched, decide};
use crate::options::{OPERATOR_ROLE, VIEWER_ROLE};
use crate::seed::names::Names;
use crate::service::member::{integer, list, present, text, texts};
use crate::service::sts;
use crate::service::table::operations;
use crate::time::SimTime;
use crate::world::World;

/// All inline policies of a role together, without white space (IAM User Guide, "IAM and AWS STS quotas").
const INLINE_LIMIT: usize = 10_240;
/// A trust policy, likewise.
const TRUST_LIMIT: usize = 2_048;

/// Roles by name, identity providers by ARN.
#[derive(Debug, Default)]
pub(crate) struct State {
    roles: BTreeMap<String, Role>,
    providers: BTreeMap<String, Provider>,
}

#[derive(Debug)]
struct Role {
    name: String,
    path: String,
    id: String,
    created: SimTime,
    description: Option<String>,
    trust: String,
    /// Inline policies by name.
    policies: BTreeMap<String, Policy>,
}

#[derive(Debug)]
struct Policy {
    text: String,
    document: Document,
}

operations! {
    Write CreateOpenIDConnectProvider => provider::create,
    Write CreateRole => create_role,
    Write DeleteRolePolicy => delete_role_policy,
    Read GetOpenIDConnectProvider => provider::get,
    Read GetRole => get_role,
    Read GetRolePolicy => get_role_policy,
    Read ListRolePolicies => list_role_policies,
    Read ListRoles => list_roles,
    Write PutRolePolicy => put_role_policy,
    Read SimulatePrincipalPolicy => simulate,
}

/// What an operator's role may do.
const EVERYTHING: &str =
    r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;

/// What the viewer's role may do.
const LOOK: &str = r#"{"Version": "2012-10-17", "Statement": [
  {"Sid": "Look", "Effect": "Allow", "Resource": "*", "Action": [
    "acm:Describe*", "acm:List*", "application-autoscaling:Describe*", "autoscaling:Describe*", "budgets:View*", "cloudformation:Describe*", "cloudformation:Get*", "cloudformation:List*",
    "cloudwatch:Describe*", "cloudwatch:Get*", "cloudwatch:List*", "ec2:Describe*", "ecr:BatchGetImage", "ecr:Describe*",
    "ecs:Describe*", "ecs:List*", "elasticache:Describe*", "elasticloadbalancing:Describe*", "iam:Get*", "iam:List*",
    "iam:SimulatePrincipalPolicy", "lambda:Get*", "lambda:List*", "logs:Describe*", "logs:FilterLogEvents",
    "logs:GetLogEvents", "logs:StartLiveTail", "pricing:GetProducts", "rds:Describe*", "route53:Get*", "route53:List*", "s3:Get*", "s3:List*", "secretsmanager:DescribeSecret",
    "secretsmanager:List*", "servicequotas:List*", "sns:Get*", "sns:List*", "ssm:Describe*", "ssm:Get*", "ssm:List*"]},
  {"Sid": "NoSecrets", "Effect": "Deny", "Resource": "arn:aws:ssm:*:*:parameter/*fleet-secret",
   "Action": ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParameterHistory"]}]}"#;

/// Makes the roles of the account: those of people, those of the tasks, and what the options bring.
pub(crate) fn seed(world: &mut World) {
    let compute = Names::new(&world.options).core("compute");
    let account = world.options.account_id.clone();
    let people = format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Principal": {{"AWS": "arn:aws:iam::{account}:root"}}, "Action": "sts:AssumeRole"}}]}}"#
    );
    let tasks = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}]}"#;
    for (name, policy) in [(OPERATOR_ROLE, EVERYTHING), (VIEWER_ROLE, LOOK)] {
        add(world, name, &people, Some(policy));
    }
    for (name, policy) in world.options.roles.clone() {
        add(world, &name, &people, Some(&policy));
    }
    for index in 0..world.services.ecs.definitions.len() {
        for arn in super::ecs::definition::roles(world, index) {
            let name = arn.rsplit('/').next().unwrap_or(&compute).to_owned();
            add(world, &name, tasks, None);
        }
    }
}

/// A role with a text for a policy that is none may do nothing; [`check_policy`](crate::check_policy) says what is
/// wrong with it.
fn add(world: &mut World, name: &str, trust: &str, policy: Option<&str>) {
    let mut policies = BTreeMap::new();
    if let Some(text) = policy
        && let Ok(document) = Document::parse(text)
    {
        policies.insert(
            "permissions".to_owned(),
            Policy {
                text: text.to_owned(),
                document,
            },
        );
    }
    // Roles of IAM Identity Center have a path, which their sessions do not show.
    let (path, name) = match name.rsplit_once('/') {
        Some((path, name)) => (format!("/{path}/"), name),
        None => ("/".to_owned(), name),
    };
    let role = Role {
        name: name.to_owned(),
        path,
        id: id_of(name),
        created: world.now,
        description: None,
        trust: trust.to_owned(),
        policies,
    };
    world.services.iam.roles.insert(name.to_owned(), role);
}

/// The id of a role.
pub(crate) fn role_id(world: &World, input: &Value) -> Option<Value> {
    named(world, input).ok().map(|role| json!(role.id))
}

/// Gives a role another trust policy.
pub(crate) fn trust(world: &mut World, role: &str, document: &Value) {
    if let Some(role) = world.services.iam.roles.get_mut(role) {
        role.trust = document.to_string();
    }
}

pub(crate) use provider::{accept, remove as remove_provider};

/// Takes a role away with its policies.
pub(crate) fn remove_role(world: &mut World, role: &str) {
    world.services.iam.roles.remove(role);
}

/// Always the same for a name, so that roles draw no random numbers.
fn id_of(name: &str) -> String {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("AROA{:.17}", format!("{hash:016X}{:016X}", hash.rotate_left(29)))
}

/// What the policies of a role say.
pub(crate) fn decision(world: &World, role: &str, ask: &Ask) -> Decision {
    let Some(known) = world.services.iam.roles.get(role) else {
        return Decision::Allowed;
    };
    let documents: Vec<&Document> = known.policies.values().map(|policy| &policy.document).collect();
    let caller = sts::identity(world, &world.services.sts.caller);
    let context = [
        ("aws:PrincipalAccount", world.options.account_id.clone()),
        ("aws:PrincipalArn", arn(world, known)),
        ("aws:RequestedRegion", world.options.region.clone()),
        ("aws:CurrentTime", world.now.iso8601()),
        ("aws:SecureTransport", "true".to_owned()),
        ("aws:userid", caller.user_id),
    ];
    decide(&documents, ask, &context).0
}

fn arn(world: &World, role: &Role) -> String {
    format!(
        "arn:aws:iam::{}:role{}{}",
        world.options.account_id, role.path, role.name
    )
}

fn no_role(name: &str) -> ApiError {
    ApiError::client(
        "NoSuchEntity",
        format!("The role with name {name} cannot be found."),
    )
    .with_status(404)
}

fn malformed(error: &Malformed) -> ApiError {
    ApiError::client("MalformedPolicyDocument", error.to_string())
}

fn named<'a>(world: &'a World, input: &Value) -> Result<&'a Role, ApiError> {
    let name = text(input, "RoleName").unwrap_or_default();
    world.services.iam.roles.get(name).ok_or_else(|| no_role(name))
}

fn named_mut<'a>(world: &'a mut World, input: &Value) -> Result<&'a mut Role, ApiError> {
    let name = text(input, "RoleName").unwrap_or_default();
    world
        .services
        .iam
        .roles
        .get_mut(name)
        .ok_or_else(|| no_role(name))
}

fn shown(world: &World, role: &Role) -> Value {
    present(json!({
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": arn(world, role),
        "CreateDate": role.created.epoch_seconds(),
        "AssumeRolePolicyDocument": encoded(&role.trust),
        "Description": role.description,
        "MaxSessionDuration": 3600,
    }))
}

/// Policies travel URL-encoded (API Reference, GetRolePolicy: "compliant with RFC 3986").
fn encoded(document: &str) -> String {
    let mut text = String::with_capacity(document.len() * 2);
    for byte in document.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// White space does not count (IAM User Guide, "IAM and AWS STS quotas").
fn size(document: &str) -> usize {
    document.chars().filter(|letter| !letter.is_whitespace()).count()
}

fn create_role(world: &mut World, input: &Value) -> OpResult {
    let name = text(input, "RoleName").unwrap_or_default().to_owned();
    if world.services.iam.roles.contains_key(&name) {
        let message = format!("Role with name {name} already exists.");
        return Err(ApiError::client("EntityAlreadyExists", message).with_status(409));
    }
    let trust = text(input, "AssumeRolePolicyDocument").unwrap_or_default();
    let statements = serde_json::from_str::<Value>(trust)
        .ok()
        .filter(|document| document.get("Statement").is_some_and(|found| !found.is_null()));
    if statements.is_none() {
        return Err(malformed(&Malformed(
            "This policy contains invalid Json".to_owned(),
        )));
    }
    if size(trust) > TRUST_LIMIT {
        return Err(too_long("ACLSizePerRole", TRUST_LIMIT));
    }
    let role = Role {
        id: format!("AROA{}", world.gateway.ids.hex(17).to_uppercase()),
        path: text(input, "Path").unwrap_or("/").to_owned(),
        created: world.now,
        description: text(input, "Description").map(str::to_owned),
        trust: trust.to_owned(),
        policies: BTreeMap::new(),
        name: name.clone(),
    };
    let answer = json!({"Role": shown(world, &role)});
    world.services.iam.roles.insert(name, role);
    Ok(answer)
}

fn too_long(what: &str, limit: usize) -> ApiError {
    ApiError::client(
        "LimitExceeded",
        format!("Cannot exceed quota for {what}: {limit}"),
    )
    .with_status(409)
}

fn get_role(world: &World, input: &Value) -> OpResult {
    Ok(json!({"Role": shown(world, named(world, input)?)}))
}

fn list_roles(world: &World, input: &Value) -> OpResult {
    let prefix = text(input, "PathPrefix").unwrap_or("/");
    let roles = world.services.iam.roles.values();
    let roles = roles.filter(|role| role.path.starts_with(prefix));
    let roles: Vec<Value> = roles.map(|role| shown(world, role)).collect();
    let (roles, marker) = paged(roles, input)?;
    Ok(present(
        json!({"Roles": roles, "IsTruncated": marker.is_some(), "Marker": marker}),
    ))
}

/// 100 on a page unless `MaxItems` says otherwise.
fn paged(items: Vec<Value>, input: &Value) -> Result<(Vec<Value>, Option<String>), ApiError> {
    let most = integer(input, "MaxItems").unwrap_or(100).clamp(1, 1000) as usize;
    super::member::page(items, text(input, "Marker"), most, || {
        ApiError::client("InvalidInput", "Invalid Marker.")
    })
}

fn list_role_policies(world: &World, input: &Value) -> OpResult {
    let role = named(world, input)?;
    let names: Vec<Value> = role.policies.keys().map(|name| json!(name)).collect();
    let (names, marker) = paged(names, input)?;
    Ok(present(
        json!({"PolicyNames": names, "IsTruncated": marker.is_some(), "Marker": marker}),
    ))
}

fn no_policy(name: &str) -> ApiError {
    let message = format!("The role policy with name {name} cannot be found.");
    ApiError::client("NoSuchEntity", message).with_status(404)
}

fn get_role_policy(world: &World, input: &Value) -> OpResult {
    let role = named(world, input)?;
    let name = text(input, "PolicyName").unwrap_or_default();
    let policy = role.policies.get(name).ok_or_else(|| no_policy(name))?;
    Ok(json!({"RoleName": role.name, "PolicyName": name, "PolicyDocument": encoded(&policy.text)}))
}

fn put_role_policy(world: &mut World, input: &Value) -> OpResult {
    let role = named_mut(world, input)?;
    let name = text(input, "PolicyName").unwrap_or_default().to_owned();
    let given = text(input, "PolicyDocument").unwrap_or_default();
    let document = Document::parse(given).map_err(|error| malformed(&error))?;
    let others = role.policies.iter().filter(|(other, _)| **other != name);
    let others: usize = others.map(|(_, policy)| size(&policy.text)).sum();
    if others + size(given) > INLINE_LIMIT {
        let message = format!(
            "Maximum policy size of {INLINE_LIMIT} bytes exceeded for role {}",
            role.name
        );
        return Err(ApiError::client("LimitExceeded", message).with_status(409));
    }
    let text = given.to_owned();
    role.policies.insert(name, Policy { text, document });
    Ok(json!({}))
}

fn delete_role_policy(world: &mut World, input: &Value) -> OpResult {
    let role = named_mut(world, input)?;
    let name = text(input, "PolicyName").unwrap_or_default();
    role.policies.remove(name).ok_or_else(|| no_policy(name))?;
    Ok(json!({}))
}

fn simulate(world: &World, input: &Value) -> OpResult {
    let source = text(input, "PolicySourceArn").unwrap_or_default();
    let account = &world.options.account_id;
    let Some(path) = source.strip_prefix(&format!("arn:aws:iam::{account}:role")) else {
        return Err(ApiError::client(
            "InvalidInput",
            format!("Invalid Entity Arn: {source}"),
        ));
    };
    let known = world
        .services
        .iam
        .roles
        .values()
        .find(|role| format!("{}{}", role.path, role.name) == path);
    let name = path.rsplit('/').next().unwrap_or(path);
    let role = known.ok_or_else(|| no_role(name))?;
    let mut sources: Vec<(String, Document, &str)> = role
        .policies
        .iter()
        .map(|(name, policy)| {
            (
                format!("role_{}_{name}", role.name),
                policy.document.clone(),
                policy.text.as_str(),
            )
        })
        .collect();
    let given = texts(input, "PolicyInputList");
    for (number, policy) in given.iter().enumerate() {
        let document = Document::parse(policy).map_err(|error| malformed(&error))?;
        sources.push((format!("PolicyInputList.{}", number + 1), document, policy));
    }
    let documents: Vec<&Document> = sources.iter().map(|(_, document, _)| document).collect();
    let entries: Vec<(String, String)> = list(input, "ContextEntries")
        .iter()
        .filter_map(|entry| {
            let values = texts(entry, "ContextKeyValues");
            Some((text(entry, "ContextKeyName")?.to_owned(), values.first()?.clone()))
        })
        .collect();
    let context: Vec<(&str, String)> = entries
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    let mut resources = texts(input, "ResourceArns");
    if resources.is_empty() {
        // "If you do not provide this parameter, then the value defaults to * (all resources)".
        resources.push("*".to_owned());
    }
    let mut results = Vec::new();
    for action in texts(input, "ActionNames") {
        if !action.contains(':') {
            return Err(ApiError::client(
                "InvalidInput",
                format!("Invalid Action Name: {action}"),
            ));
        }
        for resource in &resources {
            let ask = Ask::simulated(&action, resource);
            let (decision, matched) = decide(&documents, &ask, &context);
            let statements: Vec<Value> = matched.iter().map(|place| statement(&sources, *place)).collect();
            results.push(json!({
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": decision.as_str(),
                "MatchedStatements": statements,
                "MissingContextValues": missing(&documents, &action, &entries),
            }));
        }
    }
    let (results, marker) = paged(results, input)?;
    Ok(present(
        json!({"EvaluationResults": results, "IsTruncated": marker.is_some(), "Marker": marker}),
    ))
}

/// Keys of conditions of statements about an action that the request has no values for.
fn missing(documents: &[&Document], action: &str, given: &[(String, String)]) -> Vec<String> {
    let mut keys: Vec<String> = documents
        .iter()
        .flat_map(|document| &document.statements)
        .filter(|statement| statement.is_about(action))
        .flat_map(|statement| statement.conditions.iter().map(|(_, key, _)| key.clone()))
        .filter(|key| !given.iter().any(|(name, _)| name.eq_ignore_ascii_case(key)))
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

/// Where a statement that decided stands: the lines and columns of its policy.
fn statement(sources: &[(String, Document, &str)], (policy, place): Matched) -> Value {
    let Some((id, document, text)) = sources.get(policy) else {
        return Value::Null;
    };
    let sid = document
        .statements
        .get(place)
        .and_then(|statement| statement.sid.as_deref());
    let start = sid.and_then(|sid| text.find(&format!("\"{sid}\""))).unwrap_or(0);
    let position = |offset: usize| {
        let before = &text[..offset];
        let line = before.matches('\n').count() + 1;
        json!({"Line": line, "Column": offset - before.rfind('\n').map_or(0, |at| at + 1) + 1})
    };
    json!({
        "SourcePolicyId": id,
        "SourcePolicyType": if id.starts_with("PolicyInputList") { "none" } else { "role" },
        "StartPosition": position(start),
        "EndPosition": position(text.len()),
    })
}
