//! Instances of the fleets: what their groups say, joined with what EC2 says.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::autoscaling::Instance;
use crate::aws::ec2::Machine;
use crate::commands::get::row::{Found, Row, or_dash, seconds_since};
use crate::commands::get::selector::Tags;
use crate::context::Ctx;
use crate::error::Result;
use crate::fleet::{Gap, known_groups};
use crate::kinds::Kind;
use crate::layout::FleetId;
use crate::output::age_at;

/// An instance of a fleet.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct InstanceRow {
    pub(in crate::commands) instance: String,
    pub(in crate::commands) fleet: FleetId,
    /// As Auto Scaling says it, e.g. `InService` or `Terminating:Wait`.
    pub(in crate::commands) lifecycle_state: String,
    pub(in crate::commands) healthy: bool,
    pub(in crate::commands) protected_from_scale_in: bool,
    pub(in crate::commands) instance_type: Option<String>,
    pub(in crate::commands) availability_zone: Option<String>,
    pub(in crate::commands) image: Option<String>,
    pub(in crate::commands) launch_template_version: Option<String>,
    /// As EC2 says it; null when EC2 could not be asked or has forgotten the instance.
    state: Option<String>,
    private_ip: Option<String>,
    spot: Option<bool>,
    launched: Option<Timestamp>,
    /// Since it was launched.
    age_seconds: Option<i64>,
    tags: Tags,
}

impl InstanceRow {
    pub(in crate::commands) fn of(
        fleet: &FleetId,
        instance: &Instance,
        machine: Option<&Machine>,
        now: Timestamp,
    ) -> Self {
        let launched = machine.and_then(|machine| machine.launched);
        Self {
            instance: instance.id.clone(),
            fleet: fleet.clone(),
            lifecycle_state: instance.state.clone(),
            healthy: instance.healthy,
            protected_from_scale_in: instance.protected,
            instance_type: instance.instance_type.clone(),
            availability_zone: instance.zone.clone(),
            image: machine
                .and_then(|machine| machine.image.clone())
                .or_else(|| instance.image.clone()),
            launch_template_version: instance.launch_template_version.clone(),
            state: machine.and_then(|machine| machine.state.clone()),
            private_ip: machine.and_then(|machine| machine.private_ip.clone()),
            spot: machine.map(|machine| machine.spot),
            launched,
            age_seconds: seconds_since(now, launched),
            tags: machine.map(|machine| machine.tags.clone()).unwrap_or_default(),
        }
    }

    pub(in crate::commands) fn lifecycle(&self) -> String {
        if self.healthy {
            self.lifecycle_state.clone()
        } else {
            format!("{}, unhealthy", self.lifecycle_state)
        }
    }
}

impl Row for InstanceRow {
    const KIND: Kind = Kind::Instance;
    const COLUMNS: &'static [&'static str] = &["INSTANCE", "FLEET", "STATE", "TYPE", "AGE"];
    const WIDE: &'static [&'static str] = &["ZONE", "ADDRESS", "IMAGE", "TEMPLATE", "SPOT", "PROTECTED"];
    const TAGGED: bool = true;

    fn name(&self) -> String {
        self.instance.clone()
    }

    fn cells(&self, now: Timestamp) -> Vec<String> {
        let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
        vec![
            self.instance.clone(),
            self.fleet.to_string(),
            self.lifecycle(),
            or_dash(self.instance_type.as_deref()),
            age_at(now, self.launched),
            or_dash(self.availability_zone.as_deref()),
            or_dash(self.private_ip.as_deref()),
            or_dash(self.image.as_deref()),
            or_dash(self.launch_template_version.as_deref()),
            self.spot.map_or_else(|| "?".to_owned(), yes),
            yes(self.protected_from_scale_in),
        ]
    }

    fn tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }

    async fn read(ctx: &Ctx, _names: &[String]) -> Result<Found<Self>> {
        let layout = ctx.layout()?;
        let known = known_groups(&ctx.aws, &layout).await?;
        let of_fleets: Vec<(&FleetId, &Instance)> = known
            .fleets
            .iter()
            .filter_map(|(id, fleet)| Some((id, fleet.group.as_ref()?)))
            .flat_map(|(id, group)| group.instances.iter().map(move |instance| (id, instance)))
            .collect();
        let ids: Vec<String> = of_fleets
            .iter()
            .map(|(_, instance)| instance.id.clone())
            .collect();
        let mut gaps = Vec::new();
        let machines = match ctx.aws.machines(&ids).await {
            Ok(machines) => machines,
            Err(error) => {
                gaps.push(Gap::new("instances in EC2", &error));
                BTreeMap::new()
            }
        };
        let now = ctx.clock.now();
        let rows = of_fleets
            .iter()
            .map(|(fleet, instance)| Self::of(fleet, instance, machines.get(&instance.id), now));
        Ok(Found {
            rows: rows.collect(),
            gaps,
        })
    }
}
