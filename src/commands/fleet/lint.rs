//! `bpctl fleet lint`: what in the scaling of fleets works against itself.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use fleet_scaling::config::FleetConfig;
use fleet_scaling::lint::{Evidence, Finding, Severity};
use schemars::JsonSchema;
use serde::Serialize;

use super::assumptions::assumed;
use super::compute::compute;
use super::text::counted;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::exit::ExitStatus;
use crate::fleet::named_one;
use crate::fleet::scaling::{
    LeftOut, Model, facts_of, facts_of_all, model, read_file, suspended_processes, with_templates,
};
use crate::iam::{On, Use, Uses};
use crate::layout::FleetName;
use crate::output::{Render, View, paragraph};
use crate::ui::{Role, paint};

/// Find what in the scaling of fleets works against itself
///
/// Looks at group, policies and alarms together. What a finding says comes of it is simulated: the
/// configuration as it is and with the fix, on the same jobs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet lint                              every fleet
  bpctl fleet lint production/gpu-default       one fleet
  bpctl fleet lint --config fleet.toml          a configuration that is not deployed yet")]
pub(crate) struct LintArgs {
    /// Fleet, e.g. production/gpu-default; all of them by default
    #[arg(value_name = "FLEET", add = crate::completion::fleets())]
    fleet: Option<FleetName>,

    /// A configuration (TOML or JSON) instead of a live fleet's
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, conflicts_with = "fleet")]
    config: Option<PathBuf>,

    /// End with status 1 when there is a finding of this severity or worse
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY")]
    fail_on: FailOn,
}

/// `--fail-on`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Work is lost, or the fleet stays down
    #[default]
    Error,
    /// It costs money or time
    Warning,
    /// Anything at all
    Note,
    /// Whatever is found, end with status 0
    Never,
}

impl FailOn {
    fn status(self, worst: Option<Severity>) -> ExitStatus {
        let limit = match self {
            Self::Error => Severity::Error,
            Self::Warning => Severity::Warning,
            Self::Note => Severity::Note,
            Self::Never => return ExitStatus::Done,
        };
        if worst.is_some_and(|worst| worst >= limit) {
            ExitStatus::Failed
        } else {
            ExitStatus::Done
        }
    }
}

impl LintArgs {
    /// Whether AWS has to be asked.
    pub(super) fn is_live(&self) -> bool {
        self.config.is_none()
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Report {
    fleets: Vec<Linted>,
    summary: Summary,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
struct Summary {
    errors: usize,
    warnings: usize,
    notes: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Linted {
    name: String,
    findings: Vec<Row>,
    /// What could not be read and is taken for granted.
    assumptions: Vec<String>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Row {
    rule: &'static str,
    severity: Severity,
    field: String,
    problem: String,
    consequence: String,
    fix: String,
    /// Why it is not known whether it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Evidence>,
}

impl From<Finding> for Row {
    fn from(finding: Finding) -> Self {
        Self {
            rule: finding.rule,
            severity: finding.severity,
            field: finding.field,
            problem: finding.problem,
            consequence: finding.consequence,
            fix: finding.fix,
            unknown: finding.unknown,
            evidence: finding.evidence,
        }
    }
}

impl From<LeftOut> for Row {
    fn from(left_out: LeftOut) -> Self {
        let field = if left_out.what.starts_with("scale to zero") {
            "scale_to_zero"
        } else {
            "policies"
        };
        let (rule, severity, consequence, fix) = if left_out.broken {
            (
                "not-connected",
                Severity::Error,
                "it never acts on this fleet",
                "mend it in the stack's template and deploy the stack",
            )
        } else {
            (
                "not-modelled",
                Severity::Note,
                "what it does is not known, and findings that it could refute are notes",
                "judge it by hand",
            )
        };
        Self {
            rule,
            severity,
            field: field.to_owned(),
            problem: left_out.what,
            consequence: consequence.to_owned(),
            fix: fix.to_owned(),
            unknown: None,
            evidence: None,
        }
    }
}

/// Fleets made from one template have one configuration: each is simulated once.
#[derive(Default)]
struct Linter(Vec<(FleetConfig, Vec<Row>)>);

impl Linter {
    fn lint(&mut self, model: Model) -> Linted {
        let known = self
            .0
            .iter()
            .find(|(config, _)| config.spec() == model.config.spec());
        let rows = if let Some((_, rows)) = known {
            rows.clone()
        } else {
            let rows: Vec<Row> = fleet_scaling::lint(&model.config)
                .into_iter()
                .map(Row::from)
                .collect();
            self.0.push((model.config, rows.clone()));
            rows
        };
        let mut findings: Vec<Row> = model.left_out.into_iter().map(Row::from).collect();
        findings.extend(rows);
        findings.sort_by_key(|row| std::cmp::Reverse(row.severity));
        Linted {
            name: model.name,
            findings,
            assumptions: model.assumptions,
        }
    }
}

impl Report {
    fn new(models: Vec<Model>) -> Self {
        let mut linter = Linter::default();
        let fleets: Vec<Linted> = models.into_iter().map(|model| linter.lint(model)).collect();
        let count = |severity| {
            fleets
                .iter()
                .flat_map(|fleet| &fleet.findings)
                .filter(|row| row.severity == severity)
                .count()
        };
        Self {
            summary: Summary {
                errors: count(Severity::Error),
                warnings: count(Severity::Warning),
                notes: count(Severity::Note),
            },
            fleets,
        }
    }

    fn worst(&self) -> Option<Severity> {
        let rows = self.fleets.iter().flat_map(|fleet| &fleet.findings);
        rows.map(|row| row.severity).max()
    }
}

fn word(severity: Severity) -> (&'static str, Role) {
    match severity {
        Severity::Error => ("error", Role::Error),
        Severity::Warning => ("warning", Role::Warning),
        _ => ("note", Role::Dim),
    }
}

impl Render for Report {
    fn human(&self, view: &View) -> String {
        let mut out = String::new();
        for fleet in &self.fleets {
            let name = paint(view.color, Role::Strong, &fleet.name);
            if fleet.findings.is_empty() {
                let good = paint(view.color, Role::Good, "nothing works against itself");
                out.push_str(&format!("{name}: {good}\n\n"));
                continue;
            }
            out.push_str(&format!("{name}\n"));
            for (position, row) in fleet.findings.iter().enumerate() {
                let (severity, role) = word(row.severity);
                let severity = paint(view.color, role, severity);
                out.push_str(&format!(
                    "{}. {severity} {} ({})\n",
                    position + 1,
                    row.rule,
                    row.field
                ));
                paragraph(&mut out, view, "   ", &row.problem);
                if let Some(unknown) = &row.unknown {
                    paragraph(&mut out, view, "   ", unknown);
                }
                paragraph(&mut out, view, "   so:  ", &row.consequence);
                paragraph(&mut out, view, "   fix: ", &row.fix);
            }
            out.push('\n');
        }
        let Summary {
            errors,
            warnings,
            notes,
        } = self.summary;
        let number = |count: usize, what| counted(count as u64, what);
        out.push_str(&format!(
            "{}: {}, {}, {}\n",
            number(self.fleets.len(), "fleet"),
            number(errors, "error"),
            number(warnings, "warning"),
            number(notes, "note")
        ));
        out
    }

    fn names(&self) -> Vec<String> {
        let bad = self.fleets.iter().filter(|fleet| !fleet.findings.is_empty());
        bad.map(|fleet| fleet.name.clone()).collect()
    }
}

impl Verb for LintArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
            Use::of("autoscaling:DescribeLifecycleHooks", On::Anything),
            Use::of("autoscaling:DescribePolicies", On::Anything),
            Use::of("autoscaling:DescribeScheduledActions", On::Anything),
            Use::of("cloudformation:GetTemplate", On::Stacks),
            Use::of("cloudwatch:DescribeAlarms", On::FleetAlarms),
            Use::of("cloudwatch:GetMetricData", On::Anything),
            Use::of("sns:ListSubscriptionsByTopic", On::ScaleToZeroTopic),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::aws_if(self.is_live())
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        run(ctx, &self).await
    }
}

async fn run(ctx: &Ctx, args: &LintArgs) -> Result<ExitStatus> {
    let models = ctx.unless_interrupted(models(ctx, args)).await?;
    // Of many fleets the document tells; a terminal is no place for that.
    if let [model] = &models[..] {
        assumed(&ctx.ui, model);
    }
    let report = compute(ctx, "simulating what comes of it", move |_| Report::new(models)).await?;
    ctx.emit(&report)?;
    Ok(args.fail_on.status(report.worst()))
}

async fn models(ctx: &Ctx, args: &LintArgs) -> Result<Vec<Model>> {
    if let Some(file) = &args.config {
        return Ok(vec![read_file(&ctx.cwd.join(file), file)?]);
    }
    let layout = ctx.layout()?;
    let facts = async {
        let facts = match &args.fleet {
            Some(name) => {
                let fleet = named_one(&ctx.aws, &layout, name).await?;
                let facts = facts_of(&ctx.aws, &layout, &fleet).await?;
                vec![(fleet, facts)]
            }
            None => facts_of_all(&ctx.aws, &layout).await?,
        };
        Ok::<_, CtlError>(with_templates(&ctx.aws, &layout, facts).await)
    };
    facts
        .await?
        .iter()
        .map(|(fleet, facts)| {
            let mut model = model(&layout, fleet, facts)?;
            let suspended = suspended_processes(&facts.group);
            if !suspended.is_empty() {
                let what = format!("`{}` of the group is suspended", suspended.join("`, `"));
                model.left_out.push(LeftOut::broken(what));
            }
            Ok(model)
        })
        .collect()
}
