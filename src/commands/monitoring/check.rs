//! `bpctl monitoring check`: where it differs from what the platform's stacks make.

use std::collections::BTreeSet;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::compare::{self, Difference, Part};
use super::observe::{self, Look, USES};
use super::show::tell;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::fleet::Gap;
use crate::iam::Uses;
use crate::layout::Layout;
use crate::output::{Render, Table, View, counted};

/// Compare what watches the platform with what its stacks make
///
/// Property by property: the alarms of the platform and of its fleets, the widgets of the dashboard, for how long logs
/// are kept, whether somebody who has confirmed listens to the alarms, and the budget where one is configured. Ends with
/// status 9 when something differs, and with 7 when something could not be compared: 0 means that all of it is as it
/// should be.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl monitoring check
  bpctl monitoring check -o jsonl
  bpctl monitoring apply          put alarms and logs right")]
pub(crate) struct CheckArgs {}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Comparison {
    differences: Vec<Difference>,
    /// What could not be compared.
    unread: Vec<Gap>,
    /// How many alarms were compared.
    alarms: usize,
    /// How many log groups were compared.
    log_groups: usize,
}

impl Verb for CheckArgs {
    fn uses() -> Uses {
        Uses::of(&[USES])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let look = ctx.unless_interrupted(observe::look(&ctx.aws, &layout)).await?;
        let compared = Comparison::of(&layout, &look);
        ctx.emit(&compared)?;
        tell(ctx, &compared.unread);
        hints(ctx, &compared.differences);
        Ok(
            match (compared.unread.is_empty(), compared.differences.is_empty()) {
                (false, _) => ExitStatus::Partial,
                (true, false) => ExitStatus::Differences,
                (true, true) => {
                    let alarms = counted(compared.alarms as u64, "alarm");
                    let groups = counted(compared.log_groups as u64, "log group");
                    ctx.ui.status(&format!(
                        "{alarms}, {groups}, dashboard and topics are as the platform has them"
                    ));
                    ExitStatus::Done
                }
            },
        )
    }
}

/// The next commands.
fn hints(ctx: &Ctx, differences: &[Difference]) {
    let any = |wanted: fn(&Difference) -> bool| differences.iter().any(wanted);
    if any(|one| matches!(one.part, Part::Alarm | Part::LogGroup)) {
        let apply = CommandLine::bpctl(["monitoring", "apply"]);
        ctx.ui
            .hint(Hint::new("put alarms and logs right with").command(apply));
    }
    let others = differences
        .iter()
        .filter(|one| matches!(one.part, Part::Dashboard | Part::Budget | Part::Topic));
    let stacks: BTreeSet<&String> = others.filter_map(|one| one.stack.as_ref()).collect();
    for stack in stacks {
        let deploy = CommandLine::bpctl(["stack", "deploy", stack]);
        ctx.ui
            .hint(Hint::new(format!("what comes from `{stack}` alone comes back with")).command(deploy));
    }
    if any(|one| one.part == Part::Topic && one.stack.is_none()) {
        let subscribe = CommandLine::bpctl(["monitoring", "subscribe", "--email", "ADDRESS"]);
        ctx.ui
            .hint(Hint::new("let somebody be told with").command(subscribe));
    }
}

impl Comparison {
    fn of(layout: &Layout, look: &Look) -> Self {
        let mut unread = look.gaps();
        let stacks = look.stacks.as_ref().ok();
        let monitoring = layout.core_stack("monitoring");
        let mut differences = Vec::new();
        if let Ok(alarms) = &look.alarms {
            for wanted in &alarms.wanted {
                differences.extend(compare::alarm(wanted, alarms.found.get(&wanted.name), stacks));
            }
            let blind: BTreeSet<&str> = alarms
                .wanted
                .iter()
                .filter(|wanted| wanted.dimensions.is_none())
                .map(|wanted| wanted.name.as_str())
                .collect();
            if !blind.is_empty() && look.targets.is_ok() {
                unread.push(not_found(&blind));
            }
        }
        if let Ok(found) = &look.dashboard {
            let (name, titles) = (layout.dashboard(), layout.dashboard_widgets());
            differences.extend(compare::dashboard(
                &name,
                titles,
                found.as_deref(),
                monitoring.as_deref(),
                stacks,
            ));
        }
        for (wanted, found) in look.log_groups.iter().flatten() {
            differences.extend(compare::log_group(wanted, *found));
        }
        for topic in &look.topics {
            if let Ok(found) = &topic.subscriptions {
                differences.extend(compare::topic(
                    &topic.name,
                    found.as_deref(),
                    topic.protocol,
                    topic.stack.as_deref(),
                ));
            }
        }
        if let Ok(budget) = &look.budget {
            let (name, found) = (&budget.name, budget.found.as_ref());
            differences.extend(compare::budget(
                name,
                budget.is_configured,
                found,
                monitoring.as_deref(),
            ));
        }
        Self {
            differences,
            unread,
            alarms: look.alarms.as_ref().map_or(0, |alarms| alarms.wanted.len()),
            log_groups: look.log_groups.as_ref().map_or(0, Vec::len),
        }
    }
}

fn not_found(alarms: &BTreeSet<&str>) -> Gap {
    let names: Vec<&str> = alarms.iter().copied().collect();
    let error = CtlError::new(
        ErrorKind::NotFound,
        format!(
            "compare what {} watch: the load balancer before the backend, or the platform's database, was not found",
            names.join(", ")
        ),
    );
    Gap::new("dimensions of alarms", &error)
}

impl Render for Comparison {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["NAME", "PROPERTY", "EXPECTED", "FOUND"]);
        for one in &self.differences {
            table.row([
                one.name.clone(),
                one.property.to_owned(),
                one.expected.clone(),
                one.found.clone(),
            ]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        let names: BTreeSet<&str> = self.differences.iter().map(|one| one.name.as_str()).collect();
        names.into_iter().map(str::to_owned).collect()
    }
}
