//! Validates a request against the API's constraints before any handler sees it, and refuses it in the
//! words of the service at hand.

use serde_json::Value;

use super::shape::{Api, Kind, Shape};
use crate::error::ApiError;
use crate::service::Service;

/// One constraint that the request does not keep.
#[derive(Debug, PartialEq)]
struct Violation {
    /// The member as the API names it.
    member: String,
    /// The place as AWS prints it: `metricDataQueries.1.member.id`.
    path: String,
    constraint: Constraint,
}

#[derive(Debug, PartialEq)]
enum Constraint {
    Missing,
    NotAllowed { given: String, allowed: Vec<String> },
    Range { given: String, rule: String },
}

/// Refuses an input that lacks required members or breaks the constraints that `service` enforces.
pub(crate) fn input(service: Service, operation: &str, input: &Value) -> Result<(), ApiError> {
    let api = Api::of(service);
    let Some(shape) = api
        .operations
        .get(operation)
        .and_then(|operation| operation.input.as_deref())
    else {
        return Ok(());
    };
    let mut violations = Vec::new();
    walk(api, shape, input, "", "", &mut violations);
    if !generic(service) {
        // These services check lengths and ranges in their own words, which is their handlers' business.
        violations.retain(|violation| violation.constraint == Constraint::Missing);
    }
    match violations.first() {
        None => Ok(()),
        Some(first) => Err(refusal(service, operation, first, &violations)),
    }
}

/// Whether the service answers with the generic `N validation errors detected: …`.
fn generic(service: Service) -> bool {
    match service {
        Service::ApplicationAutoScaling
        | Service::Acm
        | Service::AutoScaling
        | Service::Budgets
        | Service::CloudFormation
        | Service::CloudTrail
        | Service::CloudWatch
        | Service::Elb
        | Service::Logs
        | Service::SecretsManager
        | Service::Ssm
        | Service::Iam
        | Service::Sts
        | Service::Ecr
        | Service::Lambda
        | Service::Pricing
        | Service::ServiceQuotas => true,
        Service::Ec2
        | Service::Ecs
        | Service::ElastiCache
        | Service::Rds
        | Service::Route53
        | Service::S3
        | Service::Sns => false,
    }
}

fn refusal(service: Service, operation: &str, first: &Violation, all: &[Violation]) -> ApiError {
    match service {
        Service::Ecs => {
            let mut name = first.member.clone();
            name[..1].make_ascii_uppercase();
            ApiError::client("InvalidParameterException", format!("{name} cannot be empty."))
        }
        Service::Ec2 => ApiError::client(
            "MissingParameter",
            format!("The request must contain the parameter {}", first.member),
        ),
        Service::Rds | Service::ElastiCache => ApiError::client(
            "MissingParameter",
            format!("The request must contain the parameter {}.", first.member),
        ),
        Service::Route53 => {
            let message = match &first.constraint {
                Constraint::Missing => format!(
                    "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null",
                    first.path
                ),
                _ => detected(all),
            };
            ApiError::client("InvalidInput", message)
        }
        Service::S3 => ApiError::client(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        ),
        Service::Sns => ApiError::client(
            "InvalidParameter",
            format!(
                "Invalid parameter: {} Reason: no value for required parameter",
                first.member
            ),
        ),
        Service::CloudWatch
            if first.constraint == Constraint::Missing
                && Api::of(service).error(operation, "MissingParameter").is_some() =>
        {
            let missing = all
                .iter()
                .filter(|violation| violation.constraint == Constraint::Missing);
            let each: Vec<String> = missing
                .map(|violation| format!("The parameter {} is required.", violation.path_as_named()))
                .collect();
            ApiError::client("MissingParameter", each.join("\n"))
        }
        Service::Ecr => ApiError::client(
            "InvalidParameterException",
            format!(
                "Invalid parameter at '{}' failed to satisfy constraint: '{}'",
                first.path,
                first.rule()
            ),
        ),
        Service::Pricing if first.constraint == Constraint::Missing && first.member == "ServiceCode" => {
            ApiError::client(
                "InvalidParameterException",
                "Input Parameters are invalid. serviceCode cannot be null or empty",
            )
        }
        Service::Budgets | Service::Logs | Service::Pricing => {
            ApiError::client("InvalidParameterException", detected(all))
        }
        Service::Acm
        | Service::ApplicationAutoScaling
        | Service::CloudTrail
        | Service::Lambda
        | Service::SecretsManager
        | Service::Ssm => ApiError::client("ValidationException", detected(all)),
        Service::ServiceQuotas => ApiError::client("IllegalArgumentException", detected(all)),
        Service::AutoScaling
        | Service::CloudFormation
        | Service::CloudWatch
        | Service::Elb
        | Service::Iam
        | Service::Sts => ApiError::client("ValidationError", detected(all)),
    }
}

fn detected(violations: &[Violation]) -> String {
    let plural = if violations.len() == 1 { "" } else { "s" };
    let each: Vec<String> = violations
        .iter()
        .map(|violation| {
            let given = match &violation.constraint {
                Constraint::Missing => "null".to_owned(),
                Constraint::NotAllowed { given, .. } | Constraint::Range { given, .. } => {
                    format!("'{given}'")
                }
            };
            format!(
                "Value {given} at '{}' failed to satisfy constraint: {}",
                violation.path,
                violation.rule()
            )
        })
        .collect();
    format!(
        "{} validation error{plural} detected: {}",
        violations.len(),
        each.join("; ")
    )
}

impl Violation {
    fn rule(&self) -> String {
        match &self.constraint {
            Constraint::Missing => "Member must not be null".to_owned(),
            Constraint::NotAllowed { allowed, .. } => {
                format!("Member must satisfy enum value set: [{}]", allowed.join(", "))
            }
            Constraint::Range { rule, .. } => rule.clone(),
        }
    }

    /// `MetricData.member.1.MetricName`, as CloudWatch names a missing parameter.
    fn path_as_named(&self) -> String {
        let parts: Vec<&str> = self.path.split('.').collect();
        let mut named = Vec::with_capacity(parts.len());
        let mut index = 0;
        while let Some(part) = parts.get(index) {
            match (parts.get(index + 1), part.parse::<usize>()) {
                (Some(&"member"), Ok(number)) => {
                    named.push(format!("member.{number}"));
                    index += 1;
                }
                _ => {
                    let mut part = (*part).to_owned();
                    if !part.is_empty() && part != "member" {
                        part[..1].make_ascii_uppercase();
                    }
                    named.push(part);
                }
            }
            index += 1;
        }
        named.join(".")
    }
}

/// Collects violations depth first. `path` is where `value` stands, `member` what it is called.
fn walk(api: &Api, shape: &str, value: &Value, path: &str, member: &str, found: &mut Vec<Violation>) {
    let shape = api.shape(shape);
    if let Some(constraint) = broken(shape, value) {
        found.push(Violation {
            member: member.to_owned(),
            path: path.to_owned(),
            constraint,
        });
    }
    match value {
        Value::Object(members) if shape.kind == Kind::Structure => {
            for name in shape.required.iter().filter(|name| !members.contains_key(*name)) {
                let violation = Violation {
                    member: name.clone(),
                    path: below(path, name),
                    constraint: Constraint::Missing,
                };
                found.push(violation);
            }
            for (name, reference) in &shape.members {
                if let Some(value) = members.get(name) {
                    walk(api, &reference.shape, value, &below(path, name), name, found);
                }
            }
        }
        Value::Array(elements) => {
            let Some(reference) = &shape.member else { return };
            for (index, value) in elements.iter().enumerate() {
                walk(
                    api,
                    &reference.shape,
                    value,
                    &format!("{path}.{}.member", index + 1),
                    member,
                    found,
                );
            }
        }
        _ => {}
    }
}

fn below(path: &str, name: &str) -> String {
    let mut name = name.to_owned();
    // AWS prints the Java property: `AutoScalingGroupName` is `autoScalingGroupName`.
    name[..1].make_ascii_lowercase();
    if path.is_empty() {
        name
    } else {
        format!("{path}.{name}")
    }
}

/// The constraint of `shape` itself that `value` breaks.
fn broken(shape: &Shape, value: &Value) -> Option<Constraint> {
    let (given, size, what) = match value {
        Value::String(text) if !shape.allowed.is_empty() => {
            return (!shape.allowed.contains(text)).then(|| Constraint::NotAllowed {
                given: text.clone(),
                allowed: shape.allowed.clone(),
            });
        }
        Value::String(text) => (text.clone(), text.chars().count() as f64, "length"),
        Value::Array(elements) => (listed(elements), elements.len() as f64, "length"),
        Value::Number(number) => (number.to_string(), number.as_f64().unwrap_or_default(), "value"),
        Value::Object(entries) if shape.kind == Kind::Map => {
            ("{…}".to_owned(), entries.len() as f64, "length")
        }
        _ => return None,
    };
    let rule = match (shape.min, shape.max) {
        (Some(min), _) if size < min => format!("Member must have {what} greater than or equal to {min}"),
        (_, Some(max)) if size > max => format!("Member must have {what} less than or equal to {max}"),
        _ => return None,
    };
    Some(Constraint::Range { given, rule })
}

/// A list as Java prints it.
fn listed(elements: &[Value]) -> String {
    let elements: Vec<String> = elements
        .iter()
        .map(|element| {
            element
                .as_str()
                .map_or_else(|| element.to_string(), ToOwned::to_owned)
        })
        .collect();
    format!("[{}]", elements.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(service: Service, operation: &str, given: &Value) -> (String, String) {
        let error = input(service, operation, given).unwrap_err();
        (error.code, error.message)
    }

    #[test]
    fn a_missing_member_is_refused_as_each_service_does() {
        for (service, operation, given, code, message) in [
            (
                Service::AutoScaling,
                "SetDesiredCapacity",
                json!({"DesiredCapacity": 1}),
                "ValidationError",
                "1 validation error detected: Value null at 'autoScalingGroupName' failed to satisfy constraint: Member must not be null",
            ),
            (
                Service::Ssm,
                "GetParameter",
                json!({}),
                "ValidationException",
                "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null",
            ),
            (
                Service::Ecs,
                "DescribeServices",
                json!({}),
                "InvalidParameterException",
                "Services cannot be empty.",
            ),
            (
                Service::Rds,
                "CreateDBSnapshot",
                json!({"DBSnapshotIdentifier": "s"}),
                "MissingParameter",
                "The request must contain the parameter DBInstanceIdentifier.",
            ),
            (
                Service::CloudWatch,
                "PutMetricData",
                json!({"Namespace": "n", "MetricData": [{"Value": 1.0}, {"MetricName": "m", "Dimensions": [{"Name": "d"}]}]}),
                "MissingParameter",
                "The parameter MetricData.member.1.MetricName is required.\nThe parameter MetricData.member.2.Dimensions.member.1.Value is required.",
            ),
            (
                Service::Sns,
                "Unsubscribe",
                json!({}),
                "InvalidParameter",
                "Invalid parameter: SubscriptionArn Reason: no value for required parameter",
            ),
        ] {
            assert_eq!(
                refused(service, operation, &given),
                (code.to_owned(), message.to_owned())
            );
        }
    }

    #[test]
    fn lengths_ranges_and_enums_are_enforced_where_aws_enforces_them() {
        let names: Vec<String> = (0..11).map(|n| format!("p{n}")).collect();
        let (code, message) = refused(Service::Ssm, "GetParameters", &json!({"Names": names}));
        assert_eq!(code, "ValidationException");
        assert!(
            message.starts_with("1 validation error detected: Value '[p0, p1, "),
            "{message}"
        );
        assert!(message.ends_with(
            "at 'names' failed to satisfy constraint: Member must have length less than or equal to 10"
        ));
        let state = json!({"AlarmName": "a", "StateValue": "BROKEN", "StateReason": "r"});
        let (code, message) = refused(Service::CloudWatch, "SetAlarmState", &state);
        assert_eq!(code, "ValidationError");
        assert!(message.contains("Value 'BROKEN' at 'stateValue' failed to satisfy constraint: Member must satisfy enum value set: ["));
        let (_, message) = refused(
            Service::Logs,
            "FilterLogEvents",
            &json!({"logGroupName": "g", "limit": 10_001}),
        );
        assert!(
            message.ends_with("Member must have value less than or equal to 10000"),
            "{message}"
        );
    }

    #[test]
    fn several_violations_are_counted() {
        let (_, message) = refused(Service::Sts, "AssumeRole", &json!({}));
        assert!(
            message.starts_with("2 validation errors detected: Value null at 'roleArn'"),
            "{message}"
        );
    }
}
