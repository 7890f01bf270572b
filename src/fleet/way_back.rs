//! The way back of a pointer: what it held before.

use crate::aws::Aws;
use crate::aws::ssm::pointer::PointerVersion;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::layout::FleetId;

/// A version to go back to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum WayBack {
    To(String),
    /// The pointer has been moved back already.
    Already {
        value: String,
        why: String,
    },
}

/// The value to go back to among `versions`, the newest first; that of one version when its number is given. `verb` is
/// the group of commands that moves this pointer: `ami` or `bundle`. Pure.
///
/// Going back twice would go forward again, which is how a command that was killed and typed again would undo itself.
///
/// # Errors
/// [`ErrorKind::NotFound`] when there is nothing to go back to.
pub(crate) fn way_back(
    versions: &[PointerVersion],
    number: Option<i64>,
    fleet: &FleetId,
    verb: &str,
) -> Result<WayBack> {
    let history = CommandLine::bpctl([verb, "history"]).option("--fleet", fleet.to_string());
    let missing = |why: String| {
        CtlError::new(ErrorKind::NotFound, format!("roll back {fleet}: {why}"))
            .hint(("see its versions with", history.clone()))
    };
    let Some((newest, older)) = versions.split_first() else {
        return Err(missing("its pointer has no versions".to_owned()));
    };
    if let Some(number) = number {
        return versions
            .iter()
            .find(|version| version.version == number)
            .map(|version| WayBack::To(version.value.clone()))
            .ok_or_else(|| missing(format!("Parameter Store keeps no version {number}")));
    }
    let mut older = older.iter().skip_while(|version| version.value == newest.value);
    let Some(previous) = older.next() else {
        return Err(missing(format!("it has never pointed to another {verb}")));
    };
    if let Some(same) = older.find(|version| version.value == newest.value) {
        return Ok(WayBack::Already {
            value: newest.value.clone(),
            why: format!(
                "{fleet} has been moved back already, to what it was in version {}: `--to-version` goes elsewhere, `--to-version {}` forward again",
                same.version, previous.version
            ),
        });
    }
    Ok(WayBack::To(previous.value.clone()))
}

/// The versions of a pointer that Parameter Store keeps, the newest first.
///
/// # Errors
/// When it cannot be read, with the way to see which fleets there are.
pub(crate) async fn versions_of(aws: &Aws, parameter: &str) -> Result<Vec<PointerVersion>> {
    aws.pointer_versions(parameter).await.map_err(|error| {
        error.hint((
            "see the fleets of this context with",
            CommandLine::bpctl(["fleet", "list"]),
        ))
    })
}

/// The name at the end of the ARN that wrote a version.
pub(crate) fn writer(arn: &str) -> &str {
    arn.rsplit_once(':').map_or(arn, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(values: &[&str]) -> Vec<PointerVersion> {
        let mut versions: Vec<PointerVersion> = values
            .iter()
            .zip(1..)
            .map(|(value, version)| PointerVersion {
                version,
                value: (*value).to_owned(),
                modified: None,
                by: None,
            })
            .collect();
        versions.reverse();
        versions
    }

    fn back(values: &[&str], number: Option<i64>) -> Result<WayBack> {
        way_back(&versions(values), number, &"staging/a".parse().unwrap(), "bundle")
    }

    #[test]
    fn the_way_back_is_the_last_other_value() {
        for (values, before) in [
            (&["none", "a"][..], "none"),
            (&["none", "a", "b"], "a"),
            (&["none", "a", "b", "b"], "a"),
            (&["none", "a", "a", "b"], "a"),
        ] {
            let found = back(values, None).unwrap();
            assert_eq!(found, WayBack::To(before.to_owned()), "{values:?}");
        }
        assert!(back(&["a"], None).is_err());
        assert!(back(&[], None).is_err());
    }

    #[test]
    fn going_back_twice_does_not_go_forward() {
        let found = back(&["none", "a", "b", "a"], None).unwrap();
        assert!(
            matches!(found, WayBack::Already { ref value, .. } if value == "a"),
            "{found:?}"
        );
    }

    #[test]
    fn a_version_is_chosen_by_its_number() {
        let all = &["none", "a", "b"];
        assert_eq!(back(all, Some(2)).unwrap(), WayBack::To("a".to_owned()));
        assert!(back(all, Some(9)).is_err());
    }
}
