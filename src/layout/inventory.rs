//! Every name of a platform in one list, for people who must find things in the console or in policies.

use super::{AccountId, App, FleetAlarm, FleetId, Layout, Stage};

impl Layout {
    /// Kind and name of everything that the layout names: the core system's, and those of `fleets`.
    ///
    /// Bucket names hold the account id and are left out without one.
    pub(crate) fn inventory(
        &self,
        account: Option<&AccountId>,
        fleets: &[FleetId],
    ) -> Vec<(&'static str, String)> {
        let mut names: Vec<(&'static str, String)> = Vec::new();
        names.extend(self.core_stacks().into_iter().map(|name| ("stack", name)));
        names.push(("cluster", self.cluster()));
        for app in [App::Backend, App::Frontend] {
            names.push(("service", self.service(app)));
            names.push(("task definition", self.task_family(app)));
            for tag in Self::service_tags(app) {
                names.push(("image", format!("{}:{tag}", self.repository(app))));
            }
            names.push(("log group", self.log_group(app)));
        }
        names.extend(self.secrets().into_iter().map(|(_, name)| ("secret", name)));
        names.extend(self.parameters().into_iter().map(|(_, name)| ("parameter", name)));
        if let Some(account) = account {
            names.extend(
                self.buckets(account)
                    .into_iter()
                    .map(|(_, name)| ("bucket", name)),
            );
        }
        names.push(("topic", self.ops_topic()));
        names.push(("topic", self.scale_to_zero_topic()));
        names.push(("dashboard", self.dashboard()));
        names.extend(self.platform_alarms().into_iter().map(|name| ("alarm", name)));
        for stage in Stage::ALL {
            if fleets.iter().any(|fleet| fleet.stage == stage) {
                names.push(("parameter", self.fleet_secret_parameter(stage)));
            }
        }
        for fleet in fleets {
            names.extend(self.fleet_inventory(fleet));
        }
        names
    }

    fn fleet_inventory(&self, fleet: &FleetId) -> Vec<(&'static str, String)> {
        let mut names = vec![
            ("stack", self.fleet_stack(fleet)),
            ("auto scaling group", self.auto_scaling_group(fleet)),
            ("launch template", self.launch_template(fleet)),
            ("log group", self.fleet_log_group(fleet)),
            ("parameter", self.ami_parameter(fleet)),
            ("parameter", self.active_bundle_parameter(fleet)),
        ];
        names.extend(
            self.desired_config_parameter(fleet)
                .map(|name| ("parameter", name)),
        );
        names.extend(FleetAlarm::ALL.map(|alarm| ("alarm", self.fleet_alarm(alarm, fleet))));
        let dimensions: Vec<String> = self
            .metric_dimensions(fleet)
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        names.push(("metric dimensions", dimensions.join(",")));
        names
    }
}
