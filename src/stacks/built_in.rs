//! Templates that bpctl makes itself, from settings in TOML: the platform without the CDK.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use blueprint::{Layout as Named, Settings, Sizes, Stage};
use toml::{Table, Value};

use super::assembly::{Assembly, Environment, StackArtifact};
use crate::error::{CtlError, Result};
use crate::files;
use crate::layout::{Layout, LayoutKind};

/// What the templates are made from, and where that stands.
#[derive(Debug)]
pub(crate) struct Blueprint {
    settings: Settings,
    /// The stage whose sizes and environment count where nothing else is said.
    preset: Option<Stage>,
    place: String,
}

impl Blueprint {
    /// The settings in `path` (TOML) with values of the app's `context`, for this account, region and layout.
    ///
    /// # Errors
    /// The file is none of settings, or is for another account, region, layout or stage; a value that the templates do not
    /// know.
    pub(crate) fn read(
        path: &Path,
        here: Environment<'_>,
        layout: &Layout,
        context: &BTreeMap<String, String>,
    ) -> Result<Self> {
        let place = path.display().to_string();
        let text = files::read_text(path, files::CONFIG_LIMIT)
            .map_err(|error| CtlError::config(format!("read `{place}`")).source(&error))?;
        let table: Table =
            toml::from_str(&text).map_err(|error| wrong(&place, "it is no TOML").cause(error.message()))?;
        Self::of(&place, table, here, layout, context)
    }

    /// The same of a table that stands in `place`; an empty one is the core of the platform as it is, without a domain
    /// and without fleets. In the staged layout the stage chooses the preset, and the fleets are its own.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(crate) fn of(
        place: &str,
        mut table: Table,
        here: Environment<'_>,
        layout: &Layout,
        context: &BTreeMap<String, String>,
    ) -> Result<Self> {
        for (key, value) in context {
            apply(place, layout, &mut table, key, value)?;
        }
        add_fleet(&mut table, context);
        let own_stage = stage_of(layout);
        if let Some(own) = own_stage {
            of_stage(&mut table, own);
        }
        let preset = match table.remove("preset") {
            None => own_stage,
            Some(Value::String(name)) => Some(stage(&name).ok_or_else(|| {
                wrong(place, &format!("there is no preset `{name}`")).hint("it is `staging` or `production`")
            })?),
            Some(other) => return Err(wrong(place, &format!("its `preset` is {other}, and no text"))),
        };
        let sizes = match preset {
            None => Sizes::single(),
            Some(stage) => Sizes::of(stage),
        };
        let mut whole = Table::try_from(&sizes).map_err(|error| wrong(place, "its sizes").source(&error))?;
        if let Some(Value::Table(given)) = table.get("sizes") {
            crate::settings::overlay(&mut whole, given);
            table.insert("sizes".to_owned(), Value::Table(whole));
        } else if !table.contains_key("sizes") {
            table.insert("sizes".to_owned(), Value::Table(whole));
        }
        if let Some(preset) = preset {
            let environment = Value::String(preset.as_str().to_owned());
            table.entry("environment".to_owned()).or_insert(environment);
        }
        let named = match layout.kind() {
            LayoutKind::Single => Named::Single,
            LayoutKind::Staged => Named::Staged,
        };
        let mut fixed = vec![
            ("account", here.account),
            ("region", here.region),
            ("prefix", layout.prefix()),
            ("layout", named.as_str()),
        ];
        fixed.extend(own_stage.map(|own| ("environment", own.as_str())));
        for (key, is) in fixed {
            let given = table
                .entry(key.to_owned())
                .or_insert_with(|| Value::String(is.to_owned()));
            if given.as_str() != Some(is) {
                return Err(wrong(place, &format!("its `{key}` is {given}, and this is {is}")));
            }
        }
        let settings = Value::Table(table).try_into().map_err(|error: toml::de::Error| {
            wrong(place, "a setting of it is wrong").cause(error.message())
        })?;
        Ok(Self {
            settings,
            preset,
            place: place.to_owned(),
        })
    }

    /// A log group that is there and that no stack of these templates is to make.
    #[must_use]
    pub(crate) fn beside_log_group(mut self, group: &str) -> Self {
        self.settings.existing_log_groups.push(group.to_owned());
        self
    }

    /// The same with the platform's own choices where those of bpctl differ.
    pub(crate) fn upstream_compatible(mut self) -> Self {
        self.settings.upstream_compatible = true;
        self
    }

    /// How large the platform becomes, in a line.
    pub(crate) fn told(&self) -> String {
        let Settings {
            sizes, environment, ..
        } = &self.settings;
        let preset = self.preset.map_or("no preset", Stage::as_str);
        let zones = match sizes.database_multi_az {
            true => "with a standby in a second zone",
            false => "in one zone",
        };
        let task = |size: blueprint::TaskSize| format!("{}/{}", size.cpu, size.memory);
        format!(
            "preset: {preset}: APP_ENV {}, database {} {zones}, Redis {}, NAT gateways {}, tasks {} and {}",
            environment.as_str(),
            sizes.database_class,
            sizes.cache_node_type,
            sizes.nat_gateways,
            task(sizes.backend),
            task(sizes.frontend),
        )
    }

    /// The stacks that the settings describe.
    ///
    /// # Errors
    /// The settings contradict each other.
    pub(crate) fn assembly(&self) -> Result<Assembly> {
        let stacks = blueprint::stacks(&self.settings).map_err(|problems| {
            let error = wrong(&self.place, "its settings do not fit together");
            problems.into_iter().fold(error, CtlError::cause)
        })?;
        Ok(Assembly {
            folder: PathBuf::from(&self.place),
            stacks: stacks.into_iter().map(artifact).collect(),
        })
    }
}

/// The stage of the whole system, where the layout has one.
fn stage_of(layout: &Layout) -> Option<Stage> {
    let own = layout.stage().filter(|_| layout.kind() == LayoutKind::Staged);
    own.and_then(|own| stage(own.as_str()))
}

/// What goes without saying in a system of one stage: its environment, and the stage of its fleets.
fn of_stage(table: &mut Table, own: Stage) {
    let own = Value::String(own.as_str().to_owned());
    table.entry("environment".to_owned()).or_insert(own.clone());
    let fleets = table.get_mut("fleets").and_then(Value::as_array_mut);
    for fleet in fleets.into_iter().flatten().filter_map(Value::as_table_mut) {
        fleet.entry("stage".to_owned()).or_insert(own.clone());
    }
}

fn stage(name: &str) -> Option<Stage> {
    Stage::ALL.into_iter().find(|stage| stage.as_str() == name)
}

/// Lays a value of the app's context on the settings; an empty one takes away what is there.
fn apply(place: &str, layout: &Layout, table: &mut Table, key: &str, value: &str) -> Result<()> {
    let text = Value::String(value.to_owned());
    let (name, part) = match key {
        "owner" => ("owner", None),
        "alertEmail" => ("alert_email", None),
        "budgetMonthlyUsd" => ("monthly_budget_usd", None),
        "domainName" => ("domain", Some("name")),
        "certificateArn" => ("domain", Some("certificate_arn")),
        "fleetStage" => ("fleets", Some("stage")),
        "fleetSlug" => ("fleets", Some("slug")),
        "templateSlug" => ("fleets", Some("template_slug")),
        "instanceType" => ("fleets", Some("instance_type")),
        other => {
            return Err(CtlError::usage(format!(
                "make the templates from `{place}`: `{other}` is a value of the CDK app, and no setting of bpctl's own \
                 templates"
            )));
        }
    };
    if name == "fleets" && layout.kind() == LayoutKind::Staged {
        return Err(CtlError::usage(format!(
            "make the templates from `{place}`: `{key}` adds a fleet to this deployment alone, and in layout `staged` all \
             fleets are in one stack: the next deployment would take it away"
        ))
        .hint("name the fleet in `fleets` of `[blueprint]`, where it stays"));
    }
    if value.is_empty() {
        table.remove(name);
        return Ok(());
    }
    match (name, part) {
        ("fleets", Some(_)) => {}
        (_, Some(part)) => {
            let entry = table
                .entry(name.to_owned())
                .or_insert_with(|| Value::Table(Table::new()));
            if let Some(members) = entry.as_table_mut() {
                members.insert(part.to_owned(), text);
            }
        }
        ("monthly_budget_usd", None) => {
            let amount: u32 = value.parse().map_err(|_| {
                CtlError::usage(format!(
                    "make the templates from `{place}`: `budgetMonthlyUsd` is `{value}`, and bpctl's own templates take \
                     whole dollars"
                ))
            })?;
            table.insert(name.to_owned(), Value::Integer(amount.into()));
        }
        (_, None) => {
            table.insert(name.to_owned(), text);
        }
    }
    Ok(())
}

/// Adds the fleet that the values of the app's context name; it takes the place of one of the same name.
fn add_fleet(table: &mut Table, context: &BTreeMap<String, String>) {
    let mut fleet = Table::new();
    for (key, member) in [
        ("fleetStage", "stage"),
        ("fleetSlug", "slug"),
        ("templateSlug", "template_slug"),
        ("instanceType", "instance_type"),
    ] {
        let Some(value) = context.get(key).filter(|value| !value.is_empty()) else {
            return;
        };
        fleet.insert(member.to_owned(), Value::String(value.clone()));
    }
    let fleets = table
        .entry("fleets".to_owned())
        .or_insert_with(|| Value::Array(Vec::new()));
    if let Some(fleets) = fleets.as_array_mut() {
        fleets.retain(|one| one.get("stage") != fleet.get("stage") || one.get("slug") != fleet.get("slug"));
        fleets.push(Value::Table(fleet));
    }
}

/// Marks the templates that bpctl makes: a stack that others have made has other names inside.
const MARK: &str = "bpctl";

/// Whether a template is one of those that bpctl makes.
pub(crate) fn is_built_in(template: &serde_json::Value) -> bool {
    template["Metadata"][MARK].is_object()
}

fn artifact(stack: blueprint::Stack) -> StackArtifact {
    let mut template = stack.template;
    template["Metadata"] = serde_json::json!({ MARK: { "templates": "built-in" } });
    StackArtifact {
        name: stack.name,
        needs: stack.needs,
        template,
        tags: stack.tags,
        termination_protection: false,
        role: None,
        template_url: None,
        assets: None,
        has_files: false,
    }
}

fn wrong(place: &str, what: &str) -> CtlError {
    CtlError::config(format!("make the templates from `{place}`: {what}"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const HERE: Environment<'static> = Environment {
        partition: "aws",
        account: "123456789012",
        region: "us-east-1",
    };

    fn made(text: &str) -> Result<Assembly> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("platform.toml");
        fs::write(&path, text).unwrap();
        Blueprint::read(&path, HERE, &single(), &BTreeMap::new())?.assembly()
    }

    fn single() -> Layout {
        Layout::new(LayoutKind::Single, "bp", None).unwrap()
    }

    fn staged(stage: crate::layout::Stage) -> Layout {
        Layout::new(LayoutKind::Staged, "bp", Some(stage)).unwrap()
    }

    fn with(text: &str, context: &[(&str, &str)]) -> Result<Blueprint> {
        within(&single(), text, context)
    }

    fn within(layout: &Layout, text: &str, context: &[(&str, &str)]) -> Result<Blueprint> {
        let context = context
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let table = toml::from_str(text).unwrap();
        Blueprint::of("here", table, HERE, layout, &context.collect())
    }

    #[test]
    fn a_preset_gives_the_sizes_that_are_not_given() {
        let staging = with(
            "preset = \"staging\"\nsizes = { database_multi_az = true }\n",
            &[],
        )
        .unwrap();
        assert_eq!(
            staging.told(),
            "preset: staging: APP_ENV staging, database db.t4g.small with a standby in a second zone, Redis \
             cache.t4g.micro, NAT gateways 1, tasks 512/1024 and 256/512"
        );
        let production = with("preset = \"production\"\nenvironment = \"staging\"\n", &[]).unwrap();
        assert_eq!(
            (production.settings.environment, production.settings.sizes.clone()),
            (Stage::Staging, Sizes::production())
        );
        let none = with("", &[]).unwrap();
        assert_eq!(none.settings.sizes, Sizes::single());
        assert!(none.told().starts_with("preset: no preset: APP_ENV production"));
        let wrong = with("preset = \"large\"\n", &[]).unwrap_err();
        assert!(wrong.to_string().contains("no preset `large`"), "{wrong}");
    }

    #[test]
    fn values_of_the_apps_context_are_laid_on_the_settings() {
        const CERTIFICATE: &str = "arn:aws:acm:us-east-1:123456789012:certificate/a";
        let fleet = [
            ("fleetStage", "staging"),
            ("fleetSlug", "a"),
            ("templateSlug", "gpu-default"),
            ("instanceType", "g5.xlarge"),
        ];
        let given = [
            ("alertEmail", "ops@example.com"),
            ("budgetMonthlyUsd", "500"),
            ("domainName", "app.example.com"),
            ("certificateArn", CERTIFICATE),
        ];
        let old = "alert_email = \"old@example.com\"\nfleets = [{ stage = \"staging\", slug = \"a\", template_slug = \
                   \"gpu-default\", instance_type = \"g4dn.xlarge\" }]\n";
        let made = with(old, &[&fleet[..], &given[..]].concat()).unwrap().settings;
        assert_eq!(made.alert_email.as_deref(), Some("ops@example.com"));
        assert_eq!(made.monthly_budget_usd, Some(500));
        assert_eq!(
            made.domain.as_ref().map(|domain| domain.name.as_str()),
            Some("app.example.com")
        );
        let types: Vec<&str> = made
            .fleets
            .iter()
            .map(|fleet| fleet.instance_type.as_str())
            .collect();
        assert_eq!(types, ["g5.xlarge"]);
        let gone = with(old, &[("alertEmail", "")]).unwrap().settings;
        assert_eq!((gone.alert_email, gone.fleets.len()), (None, 1));
        for wrong in [("budgetMonthlyUsd", "5.5"), ("stage", "staging")] {
            let error = with("", &[wrong]).unwrap_err();
            assert_eq!(error.exit_status().code(), 2, "{error}");
        }
    }

    #[test]
    fn an_empty_file_is_the_core_of_this_account() {
        let assembly = made("").unwrap();
        let names: Vec<&str> = assembly.stacks.iter().map(|stack| stack.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "bp-cicd",
                "bp-network",
                "bp-data",
                "bp-compute",
                "bp-monitoring",
                "bp-gpu-shared"
            ]
        );
        let compute = assembly.stack("bp-compute").unwrap();
        assert!(compute.needs.contains(&"bp-network".to_owned()));
        assert!(is_built_in(&compute.template));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, words) in [
            ("account = \"210987654321\"", "this is 123456789012"),
            ("region = \"eu-west-1\"", "this is us-east-1"),
            ("colour = \"red\"", "colour"),
            ("monthly_budget_usd = 5", "alert_email"),
            ("= 3", "no TOML"),
        ] {
            let error = made(text).unwrap_err();
            let said = format!("{error} {}", error.causes().join(" "));
            assert!(said.contains(words), "{said}");
            assert_eq!(error.exit_status().code(), 2);
        }
    }

    #[test]
    fn a_stage_has_its_own_preset_environment_and_fleets() {
        use crate::layout::Stage::{Production, Staging};
        let fleet =
            "[[fleets]]\nslug = \"a\"\ntemplate_slug = \"gpu-default\"\ninstance_type = \"g5.xlarge\"\n";
        let made = within(&staged(Staging), fleet, &[]).unwrap();
        assert!(
            made.told().starts_with("preset: staging: APP_ENV staging"),
            "{}",
            made.told()
        );
        let settings = made.settings;
        assert_eq!(
            (settings.layout, settings.environment, settings.fleets[0].stage),
            (Named::Staged, Stage::Staging, Stage::Staging)
        );
        let large = within(&staged(Staging), "preset = \"production\"\n", &[]).unwrap();
        assert_eq!(
            (large.settings.environment, large.settings.sizes),
            (Stage::Staging, Sizes::production())
        );
        for (text, words) in [
            ("environment = \"staging\"", "this is production"),
            ("layout = \"single\"", "this is staged"),
        ] {
            let error = within(&staged(Production), text, &[]).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
        let added = within(&staged(Staging), "", &[("fleetSlug", "a")]).unwrap_err();
        assert_eq!(added.exit_status().code(), 2, "{added}");
    }

    /// Every name that bpctl looks for is in the templates, and every alarm of them is one that it knows.
    #[test]
    fn names_are_those_of_the_layout() {
        use crate::layout::{AccountId, FleetAlarm, FleetId};
        let account: AccountId = HERE.account.parse().unwrap();
        let fleet: FleetId = "staging/image-to-video".parse().unwrap();
        let text = "fleets = [{ stage = \"staging\", slug = \"image-to-video\", template_slug = \"gpu-default\", \
                    instance_type = \"g5.xlarge\" }]\n";
        for layout in [single(), staged(crate::layout::Stage::Staging)] {
            let assembly = within(&layout, text, &[]).unwrap().assembly().unwrap();
            let text: String = assembly.stacks.iter().map(StackArtifact::body).collect();
            let core: Vec<&String> = assembly.stacks.iter().map(|stack| &stack.name).take(6).collect();
            assert_eq!(core, layout.core_stacks().iter().collect::<Vec<_>>());
            let names = layout.inventory(Some(&account), std::slice::from_ref(&fleet));
            for (kind, name) in &names {
                let is_there = match *kind {
                    "stack" => assembly.stack(name).is_some(),
                    "image" => text.contains(&format!("/{name}\"")),
                    "metric dimensions" => name.split(',').all(|one| {
                        let (name, value) = one.split_once('=').unwrap();
                        text.contains(&format!("{{\"Name\":\"{name}\",\"Value\":\"{value}\"}}"))
                    }),
                    // The backend writes what a fleet is to be.
                    "parameter" if name.ends_with("/desired_config") => true,
                    // The last words of what a policy or a launch template names.
                    "parameter" => text.contains(&format!("{name}\"")),
                    _ => text.contains(&format!("\"{name}\"")),
                };
                assert!(is_there, "{kind} {name}");
            }
            let alarms = |stack: &StackArtifact| -> Vec<String> {
                let resources = stack.template["Resources"].as_object().unwrap().values();
                let names = resources.filter_map(|one| one["Properties"]["AlarmName"].as_str());
                names.map(str::to_owned).collect()
            };
            for name in assembly.stacks.iter().flat_map(alarms) {
                assert!(names.contains(&("alarm", name.clone())), "{name}");
            }
            for alarm in FleetAlarm::ALL {
                let stack = assembly.stack(&layout.fleet_alarm_stack(alarm, &fleet)).unwrap();
                let name = layout.fleet_alarm(alarm, &fleet);
                assert!(alarms(stack).contains(&name), "{name} in {}", stack.name);
            }
        }
    }
}
