//! `bpctl get`: things of every kind, one a line.

pub(in crate::commands) mod kinds;
pub(in crate::commands) mod mixed;
mod order;
pub(in crate::commands) mod row;
pub(in crate::commands) mod selector;

use clap::Args;
use futures::FutureExt as _;
use futures::future::try_join_all;

use crate::commands::verb::{Needs, Verb};
use crate::commands::watch::{WatchArgs, watch};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::fleet::Gap;
use crate::iam::{On, Use, Uses};
use crate::kinds::{Kind, Wanted};
use crate::output::Render;
use crate::settings::nearest;
use mixed::{Item, Mixed, with_row};
use order::Order;
use row::{Listed, Row, Sheet};
use selector::Selector;

/// Show things of a kind, one a line
///
/// Kinds: services (svc), tasks (pods), deployments (deploy), images, alarms, fleets (asg), instances (nodes), stacks (cfn),
/// parameters (params), secrets (names only), runs, leases (locks). Several kinds stand with commas between them; a
/// kind may also stand before each name, as in `service/backend`. A name that nothing has ends with status 1.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl get services                             what runs, and how its newest deployment goes
  bpctl get svc backend -o json                  one service as a document
  bpctl get svc,fleets,alarms                    several kinds
  bpctl get service/backend fleet/gpu-default    things of several kinds by name
  bpctl get instances -l FleetSlug=gpu-default   those with a tag
  bpctl get tasks --sort-by -age                 the oldest first
  bpctl get deployments backend -w               again whenever something changes")]
pub(crate) struct GetArgs {
    /// What kinds of things, or one of them as `KIND/NAME`
    #[arg(value_name = "KIND", add = crate::completion::kinds())]
    kinds: String,

    /// Only these; all of them without a name
    #[arg(value_name = "NAME", add = crate::completion::names_of_kind())]
    names: Vec<String>,

    /// Only things with these tags: `key=value`, `key!=value`, `key`, `!key`, with commas between
    #[arg(short = 'l', long = "selector", value_name = "TAGS")]
    selector: Option<Selector>,

    /// Order by a member of their documents; a dash before it turns the order round
    #[arg(long, value_name = "MEMBER", allow_hyphen_values = true)]
    sort_by: Option<String>,

    #[command(flatten)]
    watch: WatchArgs,
}

impl Verb for GetArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
            Use::of("cloudformation:DescribeStacks", On::Anything),
            Use::of("cloudformation:ListStacks", On::Anything),
            Use::of("cloudwatch:DescribeAlarms", On::FleetAlarms),
            Use::of("cloudwatch:DescribeAlarms", On::PlatformAlarms),
            Use::of("ec2:DescribeInstances", On::Anything),
            Use::of("ecr:BatchGetImage", On::Repositories),
            Use::of("ecr:DescribeImages", On::Repositories),
            Use::of("ecr:GetDownloadUrlForLayer", On::Repositories),
            Use::of("ecs:DescribeServiceRevisions", On::Revisions),
            Use::of("ecs:DescribeServices", On::Services),
            Use::of("ecs:DescribeTasks", On::Tasks),
            Use::of("ecs:ListServiceDeployments", On::Services),
            Use::of("ecs:ListTasks", On::AnythingInCluster),
            Use::of("s3:GetObject", On::Bookkeeping),
            Use::of("s3:ListBucket", On::LogsBucket),
            Use::of("secretsmanager:ListSecrets", On::Anything),
            Use::of("ssm:DescribeParameters", On::Anything),
            Use::of("ssm:GetParameters", On::PlatformParameters),
            Use::of("ssm:GetParametersByPath", On::ParameterPaths),
        ]])
    }

    fn needs(&self) -> Needs {
        // The journals of this machine are read without AWS.
        let wanted = Wanted::read(&self.kinds, &self.names).unwrap_or_default();
        let only_runs = !wanted.is_empty() && wanted.iter().all(|one| one.kind == Kind::Run);
        if only_runs { Needs::SETTINGS } else { Needs::AWS }
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let wanted = Wanted::read(&self.kinds, &self.names)?;
        let how = How {
            selector: self.selector,
            order: self.sort_by.as_deref().map(Order::read),
        };
        for one in &wanted {
            with_row!(one.kind, R => how.check::<R>()?);
        }
        match wanted.as_slice() {
            [one] => with_row!(one.kind, R => {
                let look = async || ctx.unless_interrupted(listed::<R>(ctx, &how, &one.names)).await;
                show(ctx, &self.watch, look).boxed_local().await
            }),
            many => {
                let look = async || ctx.unless_interrupted(mixed(ctx, &how, many)).await;
                show(ctx, &self.watch, look).boxed_local().await
            }
        }
    }
}

/// Which of the things, and in which order.
#[derive(Default)]
pub(in crate::commands) struct How {
    selector: Option<Selector>,
    order: Option<Order>,
}

impl How {
    fn check<R: Row>(&self) -> Result<()> {
        if self.selector.is_some() && !R::TAGGED {
            let tagged: Vec<&str> = Kind::ALL
                .iter()
                .filter(|kind| with_row!(**kind, Other => Other::TAGGED))
                .map(|kind| kind.many())
                .collect();
            return Err(
                CtlError::usage(format!("choose {} by tags: AWS lists them without tags", R::KIND))
                    .hint(format!("`-l` works with {}", tagged.join(", "))),
            );
        }
        self.order.as_ref().map_or(Ok(()), Order::check::<R>)
    }
}

/// A result, and the names that nothing has.
type Looked<T> = (T, Option<CtlError>);

async fn show<T: Render + Counted>(
    ctx: &Ctx,
    watching: &WatchArgs,
    look: impl AsyncFn() -> Result<Looked<T>>,
) -> Result<ExitStatus> {
    if watching.is_on() {
        return watch(ctx, watching, async || match look().await? {
            (result, None) => Ok(result),
            (_, Some(missing)) => Err(missing),
        })
        .await;
    }
    let (result, missing) = look().await?;
    match missing {
        Some(missing) if result.is_empty() => Err(missing),
        Some(missing) => ctx.emit_outcome(&result, Err(missing)),
        None => {
            if result.is_empty() {
                ctx.ui.status(&result.none());
            }
            ctx.emit(&result)?;
            Ok(ExitStatus::Done)
        }
    }
}

/// What may be empty.
trait Counted {
    fn is_empty(&self) -> bool;
    /// That there is nothing, in words.
    fn none(&self) -> String;
}

impl<R: Row> Counted for Listed<R> {
    fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    fn none(&self) -> String {
        format!("There are no {}", R::KIND)
    }
}

impl Counted for Mixed {
    fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    fn none(&self) -> String {
        "There is nothing of these kinds".to_owned()
    }
}

async fn listed<R: Row>(ctx: &Ctx, how: &How, names: &[String]) -> Result<Looked<Listed<R>>> {
    let (rows, gaps, missing) = read::<R>(ctx, how, names).await?;
    let list = Listed {
        items: rows,
        gaps,
        now: ctx.clock.now(),
    };
    Ok((list, missing))
}

/// The rows of one kind, what could not be looked at, and the names that nothing has.
pub(in crate::commands) async fn read<R: Row>(
    ctx: &Ctx,
    how: &How,
    names: &[String],
) -> Result<(Vec<R>, Vec<Gap>, Option<CtlError>)> {
    let found = R::read(ctx, names).boxed_local().await?;
    for gap in &found.gaps {
        ctx.ui.warn_with(
            &format!("the {} could not be read: {}", gap.what, gap.why),
            &gap.hints,
        );
    }
    let mut rows = found.rows;
    let all: Vec<String> = rows.iter().map(Row::name).collect();
    let mut missing = Vec::new();
    if names.is_empty() {
        crate::completion::remember(ctx, R::KIND.many(), all.iter().cloned());
    } else {
        let mut chosen = Vec::new();
        for name in names {
            let (called, others): (Vec<R>, Vec<R>) = rows.into_iter().partition(|row| row.is_called(name));
            if called.is_empty() && !chosen.iter().any(|row: &R| row.is_called(name)) {
                missing.push(name.as_str());
            }
            chosen.extend(called);
            rows = others;
        }
        rows = chosen;
    }
    if let Some(selector) = &how.selector {
        rows.retain(|row| row.tags().is_some_and(|tags| selector.holds(tags)));
    }
    if let Some(order) = &how.order {
        order.sort(&mut rows)?;
    }
    let missing = (!missing.is_empty()).then(|| unknown(R::KIND, &missing, &all));
    Ok((rows, found.gaps, missing))
}

/// The error for names that nothing has, with what there is.
pub(in crate::commands) fn unknown(kind: Kind, missing: &[&str], known: &[String]) -> CtlError {
    const MOST: usize = 8;
    let error = CtlError::new(
        ErrorKind::NotFound,
        format!(
            "find {} `{}`: there is none of this name",
            kind.one(),
            missing.join("`, `")
        ),
    );
    let all = CommandLine::bpctl(["get", kind.many()]);
    let near = missing
        .first()
        .and_then(|name| nearest(name, known.iter().map(String::as_str)));
    match (near, known.len()) {
        (Some(near), _) => error.hint((format!("did you mean `{near}`?"), all, "shows all of them")),
        (None, 0) => error.hint(format!("there are no {kind} at all")),
        (None, 1..=MOST) => error.hint(format!("there are {}", known.join(", "))),
        (None, _) => error.hint(("see what there is with", all)),
    }
}

/// Things of several kinds, read side by side.
async fn mixed(ctx: &Ctx, how: &How, wanted: &[Wanted]) -> Result<Looked<Mixed>> {
    let now = ctx.clock.now();
    let read_one = |one: &'_ Wanted| {
        let names = one.names.clone();
        with_row!(one.kind, R => async move {
            let (rows, gaps, missing) = read::<R>(ctx, how, &names).await?;
            let sheet = Sheet::of(&rows, now);
            let names: Vec<String> = rows
                .iter()
                .map(|row| format!("{}/{}", R::KIND.one(), row.name()))
                .collect();
            let items: Vec<Item> = rows.into_iter().map(Into::into).collect();
            Ok::<_, CtlError>((items, gaps, missing, sheet, names))
        }
        .boxed_local())
    };
    let mut mixed = Mixed::default();
    let mut unknown: Option<CtlError> = None;
    for (items, gaps, missing, sheet, names) in try_join_all(wanted.iter().map(read_one)).await? {
        mixed.items.extend(items);
        mixed.gaps.extend(gaps);
        mixed.sheets.push(sheet);
        mixed.names.extend(names);
        unknown = match (unknown, missing) {
            (Some(first), Some(next)) => Some(first.cause(format!("failed to {next}"))),
            (first, next) => first.or(next),
        };
    }
    Ok((mixed, unknown))
}
