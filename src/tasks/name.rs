//! How an operator names a task.

use std::str::FromStr;

use crate::error::{CtlError, Result};

/// A task as the operator names it: its id or its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TaskName {
    pub(crate) id: String,
    /// Known when an ARN was given.
    pub(crate) cluster: Option<String>,
}

impl TaskName {
    /// The task is in this cluster, as far as its name says.
    ///
    /// # Errors
    /// An ARN that names another cluster.
    pub(crate) fn in_cluster(&self, cluster: &str) -> Result<()> {
        match &self.cluster {
            Some(other) if other != cluster => Err(CtlError::usage(format!(
                "attach to task {}: it is in cluster {other}",
                self.id
            ))
            .hint(format!(
                "this context's cluster is {cluster}: choose another context or stage with `--context` or `--stage`"
            ))),
            Some(_) | None => Ok(()),
        }
    }
}

impl FromStr for TaskName {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
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
    fn a_task_of_another_cluster_is_not_attached_to() {
        let id = "0123456789abcdef0123456789abcdef";
        let arn = format!("arn:aws:ecs:us-east-1:123456789012:task/bp/{id}");
        let named: TaskName = arn.parse().unwrap();
        assert!(named.in_cluster("bp").is_ok());
        let error = named.in_cluster("bp-staging").unwrap_err();
        assert_eq!(error.exit_status().code(), 2);
        assert!(error.to_string().contains("it is in cluster bp"), "{error}");
        // An id alone does not say where the task is.
        let alone: TaskName = id.parse().unwrap();
        assert!(alone.in_cluster("bp-staging").is_ok());
    }

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
