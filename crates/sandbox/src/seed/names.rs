//! The names that the two layouts give to fleets, alarms and topics (platform layouts, one place).

use crate::options::{FleetSeed, Layout, Options};

/// The names of an account.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    layout: Layout,
    stage: String,
}

impl Names {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            layout: options.layout,
            stage: options.stage.clone(),
        }
    }

    /// `bp-<what>` or `bp-<stage>-<what>`.
    pub(crate) fn core(&self, what: &str) -> String {
        format!("{}-{what}", self.system())
    }

    /// `bp` or `bp-<stage>`: the cluster, and the prefix of everything else.
    pub(crate) fn system(&self) -> String {
        match self.layout {
            Layout::Single => String::from("bp"),
            Layout::Staged => format!("bp-{}", self.stage),
        }
    }

    /// `p1-…` or `<stage>-p1-…`.
    pub(crate) fn platform_alarm(&self, what: &str) -> String {
        match self.layout {
            Layout::Single => what.to_owned(),
            Layout::Staged => format!("{}-{what}", self.stage),
        }
    }

    pub(crate) fn group(&self, fleet: &FleetSeed) -> String {
        format!("asg-{}-{}", fleet.stage, fleet.slug)
    }

    pub(crate) fn launch_template(&self, fleet: &FleetSeed) -> String {
        format!("lt-{}-{}", fleet.stage, fleet.slug)
    }

    pub(crate) fn ami(&self, fleet: &FleetSeed) -> String {
        match self.layout {
            Layout::Single => format!("/bp/ami/fleets/{}/{}", fleet.stage, fleet.slug),
            Layout::Staged => format!("/bp/ami/{}", fleet.slug),
        }
    }

    pub(crate) fn active_bundle(&self, fleet: &FleetSeed) -> String {
        match self.layout {
            Layout::Single => format!("/bp/fleets/{}/{}/active_bundle", fleet.stage, fleet.slug),
            Layout::Staged => format!("/bp/{}/assets/{}/active_bundle", fleet.stage, fleet.slug),
        }
    }

    /// Only the single layout has one: the staged layout compiles it into the stack.
    pub(crate) fn desired_config(&self, fleet: &FleetSeed) -> Option<String> {
        match self.layout {
            Layout::Single => Some(format!(
                "/bp/fleets/{}/{}/desired_config",
                fleet.stage, fleet.slug
            )),
            Layout::Staged => None,
        }
    }

    pub(crate) fn fleet_secret(&self, stage: &str) -> String {
        match self.layout {
            Layout::Single => format!("/bp/fleets/{stage}/fleet-secret"),
            Layout::Staged => format!("/bp/{stage}/fleet-secret"),
        }
    }

    /// The full name of a secret, such as `laravel/app-key`.
    pub(crate) fn secret(&self, name: &str) -> String {
        match self.layout {
            Layout::Single => format!("/bp/{name}"),
            Layout::Staged => format!("/bp/{}/{name}", self.stage),
        }
    }

    pub(crate) fn fleet_stack(&self, fleet: &FleetSeed) -> Option<String> {
        match self.layout {
            Layout::Single => Some(format!("bp-gpu-fleet-{}-{}", fleet.stage, fleet.slug)),
            Layout::Staged => None,
        }
    }

    /// The stack that holds a fleet: its own, or the one that holds all of them.
    pub(crate) fn holding_stack(&self, fleet: &FleetSeed) -> String {
        self.fleet_stack(fleet).unwrap_or_else(|| self.core("gpu"))
    }

    /// The logical id of a part of a fleet, as CDK makes it of the path of constructs: the words without what
    /// CloudFormation does not allow, and eight digits that tell equal ones apart.
    pub(crate) fn logical(&self, fleet: &FleetSeed, path: &[&str]) -> String {
        let construct = match self.layout {
            Layout::Single => format!("Fleet-{}", fleet.slug),
            Layout::Staged => format!("Wf-{}", fleet.slug),
        };
        let path = [&[construct.as_str()], path].concat();
        let words: String = path
            .iter()
            .flat_map(|word| word.chars())
            .filter(char::is_ascii_alphanumeric)
            .collect();
        format!("{words}{}", path_digits(&path.join("/")))
    }

    /// The construct of a fleet's Auto Scaling group.
    pub(crate) fn group_construct(&self) -> &'static str {
        match self.layout {
            Layout::Single => "AsgSpot",
            Layout::Staged => "Asg",
        }
    }

    pub(crate) fn metric_dimensions(&self, stage: &str, slug: &str) -> Vec<(String, String)> {
        match self.layout {
            Layout::Single => vec![
                ("FleetSlug".to_owned(), slug.to_owned()),
                ("Stage".to_owned(), stage.to_owned()),
            ],
            Layout::Staged => vec![("WorkflowSlug".to_owned(), slug.to_owned())],
        }
    }

    /// The tag that names a fleet on its group.
    pub(crate) fn slug_tag(&self) -> &'static str {
        match self.layout {
            Layout::Single => "FleetSlug",
            Layout::Staged => "WorkflowSlug",
        }
    }
}

/// Eight digits of a path, the same ones every time (FNV-1a).
pub(super) fn path_digits(path: &str) -> String {
    let hash = path.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    format!("{hash:08X}")
}

/// The identifier that CloudFormation gives to the database instance, in the small letters that RDS wants.
pub(crate) fn database(options: &Options) -> String {
    let stack = match options.layout {
        Layout::Single => "bp-data".to_owned(),
        Layout::Staged => format!("bp-{}-data", options.stage),
    };
    let digits = path_digits("Database").to_ascii_lowercase();
    format!("{stack}-database{digits}-{}", small_suffix(options, "Database"))
}

/// The identifier that CloudFormation gives to the Redis cluster.
pub(super) fn cache(options: &Options) -> String {
    format!("bp-re-{}", small_suffix(options, "Redis"))
}

/// Twelve small letters and digits of an account.
fn small_suffix(options: &Options, what: &str) -> String {
    let key = format!("{what}/{}/{}/{}", options.seed, options.account_id, options.stage);
    let text = format!("{}{}", path_digits(&key), path_digits(&format!("{key}/")));
    text[..12].to_ascii_lowercase()
}

/// The name that CloudFormation gives to a resource whose template states none: stack, logical id and twelve
/// letters and digits.
pub(crate) fn generated(ids: &mut crate::ids::Ids, stack: &str, logical: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let suffix: String = (0..12)
        .map(|_| char::from(LETTERS[ids.between(0, LETTERS.len() as u64 - 1) as usize]))
        .collect();
    format!("{stack}-{logical}-{suffix}")
}
