//! What the workflow that provisions fleets looks at first, and what CloudFormation would stumble over.

use fleet_templates::FleetScaling;
use serde_json::Value;

use crate::aws::cloudformation::Stack;
use crate::change::Blocker;
use crate::commands::stack::deploy::synth::Context;
use crate::commands::stack::deploy::{deployed, in_force};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::fleet::{Pointers, parameter_names};
use crate::layout::{FleetId, Layout};
use crate::stacks::InForce;

/// Stacks that the stack of a fleet reads from.
const BASE: &[&str] = &["network", "data", "compute", "monitoring", "gpu-shared"];

/// What a deployment brings into being.
#[derive(Clone, Copy, Debug)]
pub(super) struct Makes {
    pub(super) stack: bool,
    /// The log group of the fleet, whatever there is.
    pub(super) log_group: bool,
}

/// What was found.
pub(super) struct Facts {
    pointers: Pointers,
    stacks: Vec<Stack>,
    in_force: InForce,
    /// Whether the log group is there that the stack makes under a fixed name.
    has_log_group: bool,
    /// Whether the stack of the fleet has made it.
    owns_log_group: bool,
    /// State of the image that the pointer names; none when there is no such image.
    image: Option<String>,
}

impl Facts {
    /// # Errors
    /// Something that must be known could not be read.
    pub(super) async fn of(ctx: &Ctx, layout: &Layout, fleet: &FleetId) -> Result<Self> {
        let group = layout.fleet_log_group(fleet);
        let names = parameter_names(layout, fleet);
        let (read, stacks, has_log_group) = futures::try_join!(
            ctx.aws.parameters(&names),
            ctx.aws.stacks(),
            ctx.aws.has_log_group(&group),
        )?;
        let pointers = Pointers::of(layout, fleet, &read.found);
        let holds = stacks.iter().filter(|stack| stack.status != "REVIEW_IN_PROGRESS");
        let names: Vec<String> = holds.map(|stack| stack.name.clone()).collect();
        let in_force = in_force(ctx, layout, &names).await?;
        let image = match &pointers.ami {
            Some(pointer) if pointer.is_image() => {
                let images = ctx
                    .aws
                    .machine_images(std::slice::from_ref(&pointer.value))
                    .await?;
                images.into_iter().next().map(|image| image.state)
            }
            _ => None,
        };
        let own = layout.fleet_stack(fleet);
        let is_there = |stack: &Stack| {
            stack.name == own && !matches!(stack.status.as_str(), "ROLLBACK_COMPLETE" | "REVIEW_IN_PROGRESS")
        };
        let template = match has_log_group && stacks.iter().any(is_there) {
            true => deployed(ctx, &own).await?.unwrap_or_default(),
            false => Value::Null,
        };
        let resources = template["Resources"].as_object().into_iter().flatten();
        let owns_log_group = resources.into_iter().any(|(_, shape)| {
            shape["Type"] == "AWS::Logs::LogGroup" && shape["Properties"]["LogGroupName"] == group.as_str()
        });
        Ok(Self {
            pointers,
            stacks,
            in_force,
            has_log_group,
            owns_log_group,
            image,
        })
    }

    fn config(&self, fleet: &FleetId) -> Result<(&str, &str)> {
        let wrong = |what: &str| {
            CtlError::config(format!(
                "deploy the stack of {fleet}: its desired configuration {what}"
            ))
            .hint((
                "save the fleet on the admin pages, which writes it, then see it with",
                CommandLine::bpctl(["fleet", "status", &fleet.to_string()]),
            ))
        };
        let config = self
            .pointers
            .desired_config
            .as_ref()
            .ok_or_else(|| wrong("is not there"))?;
        if config.invalid {
            return Err(wrong("is no JSON object"));
        }
        match (&config.template_slug, &config.instance_type) {
            (Some(template), Some(kind)) => Ok((template, kind)),
            (None, _) => Err(wrong("names no template")),
            (_, None) => Err(wrong("names no instance type")),
        }
    }

    /// Adds what the app needs for this fleet, and what is in force.
    ///
    /// # Errors
    /// The desired configuration is missing or incomplete, or a value was given that it says.
    pub(super) fn complete(&self, fleet: &FleetId, context: &mut Context) -> Result<()> {
        let (template, kind) = self.config(fleet)?;
        let stage = fleet.stage.to_string();
        let slug = fleet.slug.to_string();
        for (key, value) in [
            ("fleetStage", stage.as_str()),
            ("fleetSlug", slug.as_str()),
            ("templateSlug", template),
            ("instanceType", kind),
        ] {
            if let Some(given) = context
                .insert(key.to_owned(), value.to_owned())
                .filter(|given| given != value)
            {
                return Err(CtlError::usage(format!(
                    "deploy the stack of {fleet}: `{key}` is {value} by its desired configuration, and `{given}` was given"
                )));
            }
        }
        for (key, value, _) in self.in_force.context() {
            context.entry(key.to_owned()).or_insert_with(|| value.to_owned());
        }
        Ok(())
    }

    /// A stack that is there and differs is not provisioned anew.
    pub(super) fn there_already(
        &self,
        layout: &Layout,
        fleet: &FleetId,
        apply: CommandLine,
    ) -> Option<Blocker> {
        let own = layout.fleet_stack(fleet);
        let present = self.stacks.iter().find(|stack| stack.name == own)?;
        let is_made_anew = matches!(
            present.status.as_str(),
            "ROLLBACK_COMPLETE" | "REVIEW_IN_PROGRESS"
        );
        (!is_made_anew).then(|| Blocker {
            kind: ErrorKind::Conflict,
            reason: format!("{own} is there already ({})", present.status),
            hint: ("bring it to the desired configuration with", apply).into(),
        })
    }

    /// The log group, where another stack has made it: an earlier one that kept it, or that of the other stage's fleet.
    pub(super) fn kept_log_group(&self, layout: &Layout, fleet: &FleetId) -> Option<String> {
        (self.has_log_group && !self.owns_log_group).then(|| layout.fleet_log_group(fleet))
    }

    pub(super) fn blockers(
        &self,
        layout: &Layout,
        fleet: &FleetId,
        makes: Makes,
        provision: CommandLine,
        // What takes a log group into the stack, and what then makes the rest of it.
        keeps: (CommandLine, CommandLine),
    ) -> Vec<Blocker> {
        let mut found = Vec::new();
        let mut block = |kind, reason: String, hint: Hint| found.push(Blocker { kind, reason, hint });
        let stack = |name: &str| self.stacks.iter().find(|stack| stack.name == name);
        for role in BASE {
            let Some(name) = layout.core_stack(role) else {
                continue;
            };
            match stack(&name) {
                None => block(
                    ErrorKind::NotFound,
                    format!("{name} is not there, which the stack of a fleet reads from"),
                    ("deploy it first:", CommandLine::bpctl(["stack", "deploy", role])).into(),
                ),
                Some(stack) if stack.status.ends_with("_IN_PROGRESS") => block(
                    ErrorKind::Conflict,
                    format!("{name} is {}", stack.status),
                    (
                        "follow it with",
                        CommandLine::bpctl(["stack", "status", role, "--watch"]),
                    )
                        .into(),
                ),
                Some(_) => {}
            }
        }
        let own = layout.fleet_stack(fleet);
        let present = stack(&own).filter(|stack| stack.status != "REVIEW_IN_PROGRESS");
        if present.is_none() && !makes.stack {
            block(
                ErrorKind::NotFound,
                format!("{own} is not there: {fleet} is not provisioned"),
                ("create it with", provision).into(),
            );
        }
        // A creation that was rolled back leaves what its template keeps.
        let is_made = present.is_none_or(|stack| stack.status == "ROLLBACK_COMPLETE");
        if makes.log_group && self.has_log_group && is_made {
            let group = layout.fleet_log_group(fleet);
            let (import, apply) = &keeps;
            block(
                ErrorKind::Conflict,
                format!(
                    "the log group {group} is there already, and the stack makes it under this name: CloudFormation would refuse"
                ),
                Hint::new(
                    "it was kept from an earlier stack, or belongs to the fleet of the other stage. Once its logs may go, delete it with",
                )
                .command(
                    CommandLine::aws("logs", "delete-log-group").option("--log-group-name", group.as_str()),
                )
                .and("; to keep them, unless it is the other fleet's, begin the stack with it:")
                .command(import.clone())
                .and(", and then")
                .command(apply.clone()),
            );
        }
        found.extend(self.image_blocker(layout, fleet));
        found.extend(self.type_blocker(fleet));
        found
    }

    /// What keeps new instances from starting.
    fn image_blocker(&self, layout: &Layout, fleet: &FleetId) -> Option<Blocker> {
        let images = || CommandLine::bpctl(["ami", "list", &fleet.to_string()]);
        let (kind, reason, hint) = match (&self.pointers.ami, self.image.as_deref()) {
            (Some(_), Some("available")) => return None,
            (None, _) => (
                ErrorKind::NotFound,
                format!("{fleet} has no image pointer ({})", layout.ami_parameter(fleet)),
                "build an image and promote it; see which there are with",
            ),
            (Some(pointer), _) if !pointer.is_image() => (
                ErrorKind::Conflict,
                format!(
                    "{} has data type `{}`: no launch template resolves it",
                    pointer.parameter, pointer.data_type
                ),
                "promote an image; see which there are with",
            ),
            (Some(pointer), state) => {
                let is =
                    state.map_or_else(|| "does not exist here".to_owned(), |state| format!("is {state}"));
                (
                    ErrorKind::Conflict,
                    format!("the image {} of {fleet} {is}", pointer.value),
                    "promote another one; see which there are with",
                )
            }
        };
        Some(Blocker {
            kind,
            reason,
            hint: (hint, images()).into(),
        })
    }

    fn type_blocker(&self, fleet: &FleetId) -> Option<Blocker> {
        let (template, kind) = self.config(fleet).ok()?;
        let known = FleetScaling::template(template)?;
        let is_allowed = known.instance_types.iter().any(|allowed| allowed == kind);
        (!is_allowed).then(|| Blocker {
            kind: ErrorKind::Conflict,
            reason: format!("template `{template}` does not allow instance type {kind}"),
            hint: Hint::new(format!("it allows {}", known.instance_types.join(", "))),
        })
    }

    pub(super) fn warnings(&self, fleet: &FleetId) -> Vec<String> {
        match self.config(fleet) {
            Ok((template, ..)) if FleetScaling::template(template).is_none() => vec![format!(
                "template `{template}` is not one that bpctl knows: its instance types are not checked"
            )],
            _ => Vec::new(),
        }
    }
}
