//! Reads a query request (`Action=…&Names.member.1=…`) into the API's own terms.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::json::{Malformed, time};
use super::shape::{Api, Kind, Reference};

/// The parameters of a request as a tree: `A.member.1.B=x` is `A` → `member` → `1` → `B` = `x`.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    text: Option<String>,
    parts: BTreeMap<String, Parameters>,
}

/// No parameter of an API has so many parts. One that has is as unknown as any other, and is left out: a tree of
/// its depth would not fit on the stack.
const MOST_PARTS: usize = 32;

impl Parameters {
    /// Parses a form body or the query of an address.
    pub(crate) fn parse(form: &[u8]) -> Self {
        let mut root = Self::default();
        for (name, value) in form_urlencoded::parse(form) {
            if name.split('.').nth(MOST_PARTS).is_some() {
                continue;
            }
            let mut node = &mut root;
            for part in name.split('.') {
                node = node.parts.entry(part.to_owned()).or_default();
            }
            node.text = Some(value.into_owned());
        }
        root
    }

    /// The plain parameter called `name`.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.parts.get(name)?.text.as_deref()
    }

    /// The parameters as the structure called `shape`.
    pub(crate) fn read(&self, api: &Api, shape: &str) -> Result<Value, Malformed> {
        let shape = api.shape(shape);
        let ec2 = api.metadata.is_ec2();
        match shape.kind {
            Kind::Structure => {
                let mut known = Map::new();
                for (name, reference) in &shape.members {
                    let named = reference.location_name.as_deref().unwrap_or(name);
                    let sent = match &reference.query_name {
                        _ if !ec2 => named.to_owned(),
                        Some(queried) => queried.clone(),
                        None => capitalised(named),
                    };
                    if let Some(node) = self.parts.get(&sent) {
                        known.insert(name.clone(), node.read(api, &reference.shape)?);
                    }
                }
                Ok(Value::Object(known))
            }
            // `InstanceId.1`, without a name for the element.
            Kind::List if ec2 => self.elements(api, shape.member.as_deref()),
            Kind::List => self.list(api, shape.member.as_deref()),
            Kind::Map => self.map(api, shape.key.as_deref(), shape.value.as_deref()),
            kind => self.scalar(kind),
        }
    }

    /// `Names.member.1`, or with the element's own name instead of `member`. `Names=` is an empty list.
    fn list(&self, api: &Api, element: Option<&Reference>) -> Result<Value, Malformed> {
        let Some(element) = element else {
            return Ok(Value::Array(Vec::new()));
        };
        let named = element.location_name.as_deref().unwrap_or("member");
        let numbered = self.parts.get(named).or_else(|| self.parts.get("member"));
        let Some(numbered) = numbered else {
            return Ok(Value::Array(Vec::new()));
        };
        numbered.elements(api, Some(element))
    }

    /// What stands under the numbers of a list.
    fn elements(&self, api: &Api, element: Option<&Reference>) -> Result<Value, Malformed> {
        let Some(element) = element else {
            return Ok(Value::Array(Vec::new()));
        };
        self.in_order()?
            .map(|node| node.read(api, &element.shape))
            .collect::<Result<_, _>>()
            .map(Value::Array)
    }

    /// `Attributes.entry.1.key=…&Attributes.entry.1.value=…`.
    fn map(&self, api: &Api, key: Option<&Reference>, value: Option<&Reference>) -> Result<Value, Malformed> {
        let (Some(key), Some(value), Some(entries)) = (key, value, self.parts.get("entry")) else {
            return Ok(Value::Object(Map::new()));
        };
        let mut map = Map::new();
        for entry in entries.in_order()? {
            let name = entry.text(key.location_name.as_deref().unwrap_or("key"));
            let node = entry.parts.get(value.location_name.as_deref().unwrap_or("value"));
            if let (Some(name), Some(node)) = (name, node) {
                map.insert(name.to_owned(), node.read(api, &value.shape)?);
            }
        }
        Ok(Value::Object(map))
    }

    /// The parts by their numbers: `10` comes after `9`.
    fn in_order(&self) -> Result<impl Iterator<Item = &Self>, Malformed> {
        let mut numbered = Vec::with_capacity(self.parts.len());
        for (number, node) in &self.parts {
            let number: u32 = number.parse().map_err(|_| {
                Malformed(format!(
                    "Key {number} is not a valid position in a list: it must be a positive integer"
                ))
            })?;
            numbered.push((number, node));
        }
        numbered.sort_by_key(|(number, _)| *number);
        Ok(numbered.into_iter().map(|(_, node)| node))
    }

    fn scalar(&self, kind: Kind) -> Result<Value, Malformed> {
        let text = self
            .text
            .as_deref()
            .ok_or_else(|| Malformed("Unexpected complex element termination".to_owned()))?;
        read_scalar(kind, text)
    }
}

fn capitalised(name: &str) -> String {
    let mut name = name.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}

/// What a form, a parameter of an address, a header or an XML element says in text.
pub(crate) fn read_scalar(kind: Kind, text: &str) -> Result<Value, Malformed> {
    let value = match kind {
        Kind::Integer | Kind::Long => text.parse::<i64>().ok().map(Value::from),
        Kind::Float | Kind::Double => text
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .map(Value::from),
        Kind::Boolean if text.eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
        Kind::Boolean if text.eq_ignore_ascii_case("false") => Some(Value::Bool(false)),
        Kind::Boolean => None,
        Kind::Timestamp => return time(text),
        Kind::String | Kind::Blob | Kind::Structure | Kind::List | Kind::Map => {
            Some(Value::String(text.to_owned()))
        }
    };
    value.ok_or_else(|| Malformed(format!("Could not convert `{text}` to {kind:?}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::service::Service;

    fn read(service: Service, shape: &str, form: &str) -> Result<Value, Malformed> {
        Parameters::parse(form.as_bytes()).read(Api::of(service), shape)
    }

    #[test]
    fn lists_keep_the_order_of_their_numbers() {
        let form: String = (1..=11)
            .map(|n| format!("&AutoScalingGroupNames.member.{n}=asg-{n}"))
            .collect();
        let input = read(Service::AutoScaling, "AutoScalingGroupNamesType", &form).unwrap();
        assert_eq!(input["AutoScalingGroupNames"][10], "asg-11");
        assert_eq!(input["AutoScalingGroupNames"][1], "asg-2");
    }

    #[test]
    fn rds_names_its_list_elements() {
        let form = "Action=CreateDBSnapshot&DBSnapshotIdentifier=s&DBInstanceIdentifier=i&Tags.Tag.1.Key=k&Tags.Tag.1.Value=v";
        let input = read(Service::Rds, "CreateDBSnapshotMessage", form).unwrap();
        assert_eq!(input["Tags"], json!([{"Key": "k", "Value": "v"}]));
    }

    #[test]
    fn maps_numbers_flags_and_times_get_their_types() {
        let subscribe = "TopicArn=t&Protocol=email&ReturnSubscriptionArn=true&Attributes.entry.1.key=RawMessageDelivery&Attributes.entry.1.value=false";
        let input = read(Service::Sns, "SubscribeInput", subscribe).unwrap();
        assert_eq!(input["Attributes"], json!({"RawMessageDelivery": "false"}));
        assert_eq!(input["ReturnSubscriptionArn"], json!(true));
        let statistics = "StartTime=2026-01-15T09%3A00%3A00Z&Period=60";
        let input = read(Service::CloudWatch, "GetMetricStatisticsInput", statistics).unwrap();
        assert_eq!(input, json!({"Period": 60, "StartTime": 1_768_467_600.0}));
    }

    #[test]
    fn ec2_numbers_its_lists_without_a_name_for_the_element() {
        let form = "InstanceId.2=i-2&InstanceId.1=i-1&Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1&MaxResults=5&DryRun=true";
        let input = read(Service::Ec2, "DescribeInstancesRequest", form).unwrap();
        assert_eq!(
            input,
            json!({
                "InstanceIds": ["i-1", "i-2"],
                "Filters": [{"Name": "vpc-id", "Values": ["vpc-1"]}],
                "MaxResults": 5,
                "DryRun": true,
            })
        );
    }

    #[test]
    fn a_parameter_of_absurd_depth_is_left_out() {
        let form = format!("{}b=1&Action=ListTopics", "a.".repeat(150_000));
        let parameters = Parameters::parse(form.as_bytes());
        assert_eq!(parameters.text("Action"), Some("ListTopics"));
        assert_eq!(parameters.parts.len(), 1);
    }

    #[test]
    fn text_where_a_number_belongs_is_refused() {
        assert!(
            read(
                Service::AutoScaling,
                "SetDesiredCapacityType",
                "DesiredCapacity=two"
            )
            .is_err()
        );
        assert!(
            read(
                Service::AutoScaling,
                "AutoScalingGroupNamesType",
                "AutoScalingGroupNames.member.x=a"
            )
            .is_err()
        );
    }
}
