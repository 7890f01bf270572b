//! What everything is called.

use crate::settings::{Fleet, Settings, Stage};

/// The names of one platform, all from its prefix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'a> {
    prefix: &'a str,
    account: &'a str,
}

impl<'a> Names<'a> {
    pub(crate) fn of(settings: &'a Settings) -> Self {
        Self {
            prefix: &settings.prefix,
            account: &settings.account,
        }
    }

    /// Cluster and dashboard.
    pub(crate) fn system(self) -> &'a str {
        self.prefix
    }

    /// Stacks, services, repositories and topics.
    pub(crate) fn core(self, what: &str) -> String {
        format!("{}-{what}", self.prefix)
    }

    pub(crate) fn fleet_stack(self, fleet: &Fleet) -> String {
        format!(
            "{}-gpu-fleet-{}-{}",
            self.prefix,
            fleet.stage.as_str(),
            fleet.slug
        )
    }

    /// Secrets and parameters: `/bp/<what>`.
    pub(crate) fn path(self, what: &str) -> String {
        format!("/{}/{what}", self.prefix)
    }

    pub(crate) fn fleet_secret(self, stage: Stage) -> String {
        self.path(&format!("fleets/{}/fleet-secret", stage.as_str()))
    }

    pub(crate) fn active_bundle(self, fleet: &Fleet) -> String {
        self.path(&format!(
            "fleets/{}/{}/active_bundle",
            fleet.stage.as_str(),
            fleet.slug
        ))
    }

    pub(crate) fn image(self, fleet: &Fleet) -> String {
        self.path(&format!("ami/fleets/{}/{}", fleet.stage.as_str(), fleet.slug))
    }

    pub(crate) fn bucket(self, what: &str) -> String {
        format!("{}-{what}-{}", self.prefix, self.account)
    }

    /// `backend` or `frontend`.
    pub(crate) fn service_logs(self, what: &str) -> String {
        format!("/ecs/{}-{what}", self.prefix)
    }
}

pub(crate) fn group(fleet: &Fleet) -> String {
    format!("asg-{}-{}", fleet.stage.as_str(), fleet.slug)
}

pub(crate) fn launch_template(fleet: &Fleet) -> String {
    format!("lt-{}-{}", fleet.stage.as_str(), fleet.slug)
}

/// The log group of a fleet's workers. Its name says neither prefix nor stage.
pub(crate) fn fleet_logs(slug: &str) -> String {
    format!("/gpu-workers/{slug}")
}

/// The logical id of a part of a fleet: the words of its path without what CloudFormation does not allow, and eight
/// digits that tell equal ones apart.
///
/// What Auto Scaling and CloudWatch show of a fleet carries these ids in its names, so they are those that the
/// platform's fleets have.
pub(crate) fn logical(fleet: &Fleet, path: &[&str]) -> String {
    let construct = format!("Fleet-{}", fleet.slug);
    let path = [&[construct.as_str()], path].concat();
    let words: String = path
        .iter()
        .flat_map(|word| word.chars())
        .filter(char::is_ascii_alphanumeric)
        .collect();
    format!("{words}{}", digits(&path.join("/")))
}

/// Eight digits of a text, the same ones every time (FNV-1a).
pub(crate) fn digits(text: &str) -> String {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    format!("{hash:08X}")
}
