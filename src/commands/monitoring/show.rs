//! `bpctl monitoring show`: what there is now.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::compare::kept_for;
use super::observe::{self, Look, USES};
use crate::aws::logs::Kept;
use crate::commands::get::kinds::alarms::AlarmRow;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, Hint, Result};
use crate::exit::ExitStatus;
use crate::fleet::Gap;
use crate::iam::Uses;
use crate::output::{Render, Table, View};

/// Show what watches the platform now
///
/// The dashboard with its widgets, the alarms of the platform and of its fleets, for how long logs are kept, who listens
/// to the topics of the alarms, and the budget. What cannot be looked at is said, and ends with status 7.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl monitoring show
  bpctl monitoring show -o json --query 'topics[].subscriptions[?!confirmed].endpoint'")]
pub(crate) struct ShowArgs {}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Monitoring {
    /// Null when it could not be read.
    dashboard: Option<Dashboard>,
    /// The alarms that there are; null when they could not be read.
    alarms: Option<Vec<AlarmRow>>,
    /// Null when they could not be read.
    log_groups: Option<Vec<LogGroup>>,
    topics: Vec<Topic>,
    /// Null when there is none, or when it could not be read.
    budget: Option<Budget>,
    /// What could not be looked at.
    unread: Vec<Gap>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Dashboard {
    name: String,
    exists: bool,
    /// Titles in their order.
    widgets: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct LogGroup {
    name: String,
    exists: bool,
    /// Null: for ever, where the group exists.
    retention_days: Option<i32>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Topic {
    name: String,
    /// Null when it could not be found out.
    exists: Option<bool>,
    subscriptions: Vec<Subscription>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Subscription {
    protocol: String,
    endpoint: String,
    /// Nothing is delivered before.
    confirmed: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Budget {
    name: String,
    /// E.g. `500 USD`.
    limit: Option<String>,
    notifications: Vec<Notification>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Notification {
    /// `ACTUAL` or `FORECASTED`.
    kind: String,
    threshold: f64,
    /// `PERCENTAGE` or `ABSOLUTE_VALUE`.
    threshold_type: String,
}

impl Verb for ShowArgs {
    fn uses() -> Uses {
        Uses::of(&[USES])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let look = ctx.unless_interrupted(observe::look(&ctx.aws, &layout)).await?;
        let shown = Monitoring::of(ctx, &layout.dashboard(), look);
        ctx.emit(&shown)?;
        if shown.unread.is_empty() {
            ctx.ui.hint(
                Hint::new("compare it with the platform's own by")
                    .command(CommandLine::bpctl(["monitoring", "check"])),
            );
            return Ok(ExitStatus::Done);
        }
        tell(ctx, &shown.unread);
        Ok(ExitStatus::Partial)
    }
}

/// Says what could not be looked at.
pub(super) fn tell(ctx: &Ctx, unread: &[Gap]) {
    for gap in unread {
        let text = format!("{} could not be looked at: {}", gap.what, gap.why);
        ctx.ui.warn_with(&text, &gap.hints);
    }
}

impl Monitoring {
    fn of(ctx: &Ctx, dashboard: &str, look: Look) -> Self {
        let now = ctx.clock.now();
        let unread = look.gaps();
        let alarms = look.alarms.ok().map(|alarms| {
            let found = &alarms.found;
            let wanted = alarms.wanted.iter();
            wanted
                .filter_map(|one| Some(AlarmRow::of(found.get(&one.name)?, one.fleet.clone(), now)))
                .collect()
        });
        let log_groups = look.log_groups.ok().map(|groups| {
            let groups = groups.into_iter().map(|(wanted, kept)| LogGroup {
                name: wanted.name,
                exists: kept.is_some(),
                retention_days: match kept {
                    Some(Kept::Days(days)) => Some(days),
                    Some(Kept::Always) | None => None,
                },
            });
            groups.collect()
        });
        let topics = look.topics.into_iter().map(|topic| Topic {
            name: topic.name,
            exists: topic.subscriptions.as_ref().ok().map(Option::is_some),
            subscriptions: topic
                .subscriptions
                .ok()
                .flatten()
                .unwrap_or_default()
                .into_iter()
                .map(|one| Subscription {
                    protocol: one.protocol,
                    endpoint: one.endpoint,
                    confirmed: one.confirmed,
                })
                .collect(),
        });
        let budget = look.budget.ok().and_then(|budget| budget.found);
        Self {
            dashboard: look.dashboard.ok().map(|found| Dashboard {
                name: dashboard.to_owned(),
                exists: found.is_some(),
                widgets: found.unwrap_or_default(),
            }),
            alarms,
            log_groups,
            topics: topics.collect(),
            budget: budget.map(|budget| Budget {
                name: budget.name,
                limit: budget.limit,
                notifications: budget
                    .notifications
                    .into_iter()
                    .map(|one| Notification {
                        kind: one.kind,
                        threshold: one.threshold,
                        threshold_type: one.threshold_type,
                    })
                    .collect(),
            }),
            unread,
        }
    }

    /// Name, what it is, and how it stands, line by line.
    fn lines(&self) -> Vec<[String; 3]> {
        let mut lines = Vec::new();
        let mut line =
            |what: &str, name: &str, text: String| lines.push([what.to_owned(), name.to_owned(), text]);
        if let Some(dashboard) = &self.dashboard {
            let text = match dashboard.exists {
                true => dashboard.widgets.join(" · "),
                false => "not there".to_owned(),
            };
            line("dashboard", &dashboard.name, text);
        }
        for alarm in self.alarms.iter().flatten() {
            line("alarm", &alarm.name, alarm.in_short());
        }
        for group in self.log_groups.iter().flatten() {
            let kept = match (group.exists, group.retention_days) {
                (false, _) => "not there".to_owned(),
                (true, Some(days)) => format!("kept for {}", kept_for(Kept::Days(days))),
                (true, None) => "kept for ever".to_owned(),
            };
            line("log group", &group.name, kept);
        }
        for topic in &self.topics {
            let listeners = topic.subscriptions.iter().map(|one| {
                let state = if one.confirmed { "" } else { " (pending)" };
                format!("{} {}{state}", one.protocol, one.endpoint)
            });
            let listeners: Vec<String> = listeners.collect();
            line(
                "topic",
                &topic.name,
                match topic.exists {
                    None => "could not be looked at".to_owned(),
                    Some(false) => "not there".to_owned(),
                    Some(true) if listeners.is_empty() => "nobody listens".to_owned(),
                    Some(true) => listeners.join(", "),
                },
            );
        }
        if let Some(budget) = &self.budget {
            let told = budget.notifications.iter().map(|one| {
                let unit = if one.threshold_type == "PERCENTAGE" {
                    " %"
                } else {
                    ""
                };
                format!("{} {}{unit}", one.kind, one.threshold)
            });
            let told: Vec<String> = told.collect();
            let limit = budget.limit.as_deref().unwrap_or("no fixed limit");
            line(
                "budget",
                &budget.name,
                format!("{limit}, tells at {}", told.join(", ")),
            );
        }
        lines
    }
}

impl Render for Monitoring {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["WHAT", "NAME", "HOW IT IS"]);
        for line in self.lines() {
            table.row(line);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.lines().into_iter().map(|[_, name, _]| name).collect()
    }
}
