//! How an operator names a task.

use std::str::FromStr;

/// A task as the operator names it: its id or its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TaskName {
    pub(crate) id: String,
    /// Known when an ARN was given.
    pub(crate) cluster: Option<String>,
}

impl FromStr for TaskName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused =
            || format!("`{text}` is not a task: expected its id (32 hexadecimal digits) or its ARN");
        let (cluster, id) = if text.starts_with("arn:") {
            let (_, rest) = text.split_once(":task/").ok_or_else(refused)?;
            match rest.split_once('/') {
                Some((cluster, id)) => (Some(cluster.to_owned()), id),
                // The ARN format of before 2018 has no cluster in it.
                None => (None, rest),
            }
        } else {
            (None, text)
        };
        // Older ids are UUIDs with dashes.
        let is_id = (32..=36).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        if !is_id {
            return Err(refused());
        }
        Ok(Self {
            id: id.to_owned(),
            cluster,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_named_by_id_or_arn() {
        let id = "0123456789abcdef0123456789abcdef";
        let arn = format!("arn:aws:ecs:us-east-1:123456789012:task/bp/{id}");
        let named: TaskName = arn.parse().unwrap();
        assert_eq!((named.id.as_str(), named.cluster.as_deref()), (id, Some("bp")));
        assert_eq!(id.parse::<TaskName>().unwrap().cluster, None);
        for bad in [
            "",
            "latest",
            "0123",
            "arn:aws:ecs:us-east-1:123456789012:service/bp/bp-backend",
            "arn:aws:ecs:us-east-1:123456789012:task/bp/../../x",
            "0123456789abcdef0123456789abcde;",
        ] {
            assert!(bad.parse::<TaskName>().is_err(), "{bad}");
        }
    }
}
