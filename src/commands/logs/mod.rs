//! `bpctl logs`: lines of services, tasks, fleets and groups, those that were written and those that come.

mod observe;
mod print;
mod request;
pub(super) mod view;

use clap::Args;

use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, Result};
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::logs::{Follow, FollowEnd, history};
use observe::Place;
use print::Output;
use request::{Flags, Request, When};

/// Show the logs of services, tasks and fleets, and follow them
///
/// Lines of several groups come as one, in the order of their times. JSON of Laravel, nginx and others is shown
/// as text; values of secrets are taken out. With `--follow` new lines come through CloudWatch Logs Live Tail, which
/// AWS charges by the minute, and by searching every second where that cannot be used.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl logs                                   backend, the last ten minutes
  bpctl logs -f backend frontend               both, as they come
  bpctl logs -c php-fpm --since 2h --grep SQLSTATE
  bpctl logs backend --previous                the task that died last
  bpctl logs fleet gpu-default -f              the workers of a fleet
  bpctl logs task 0af1… -o raw                 one task, from its beginning
  bpctl logs group /aws/lambda/x --filter-pattern '{ $.level = \"ERROR\" }'")]
pub(crate) struct LogsArgs {
    /// backend, frontend, fleet FLEET, task ID, group NAME; several may be given [default: backend]
    #[arg(value_name = "WHAT", add = request::candidates())]
    what: Vec<String>,

    /// Go on with lines as they come, until Ctrl-C
    #[arg(short, long)]
    follow: bool,

    /// From when: how long ago (10m, 2h), or a time (2026-01-15T09:00:00Z) [default: 10m; a task's whole life]
    #[arg(long, value_name = "TIME", value_parser = request::when)]
    since: Option<When>,

    /// Until when, likewise [default: now]
    #[arg(long, value_name = "TIME", value_parser = request::when, conflicts_with = "follow")]
    until: Option<When>,

    /// Only these containers, e.g. php-fpm
    #[arg(short, long, value_name = "NAME", value_delimiter = ',')]
    container: Vec<String>,

    /// Only lines with this text
    #[arg(long, value_name = "TEXT", conflicts_with = "filter_pattern")]
    grep: Option<String>,

    /// Only lines that fit this filter pattern of CloudWatch Logs
    #[arg(long, value_name = "PATTERN")]
    filter_pattern: Option<String>,

    /// The task of the service that stopped last
    #[arg(long, conflicts_with = "follow")]
    previous: bool,

    /// At most the newest N of the lines that were written; with --follow all that come after them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max: Option<u32>,

    /// When each line was written
    #[arg(long)]
    timestamps: bool,
}

impl Verb for LogsArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("ecs:DescribeTasks", On::Tasks),
            Use::of("logs:DescribeLogStreams", On::Logs),
            Use::of("logs:FilterLogEvents", On::Logs),
        ]])
        .with("--follow", &[Use::of("logs:StartLiveTail", On::Logs)])
        .with(
            "--previous",
            &[
                Use::of("ecs:DescribeTaskDefinition", On::Anything),
                Use::of("ecs:ListTasks", On::AnythingInCluster),
            ],
        )
    }

    fn needs(&self) -> Needs {
        Needs {
            raw_lines: true,
            ends_by_interrupt: true,
            ..Needs::AWS
        }
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let request = Request::new(
            &Flags {
                what: &self.what,
                containers: &self.container,
                grep: self.grep.as_deref(),
                filter_pattern: self.filter_pattern.as_deref(),
                previous: self.previous,
                follow: self.follow,
                since: self.since,
                until: self.until,
            },
            &ctx.output,
            ctx.clock.now(),
        )?;
        let layout = ctx.layout()?;
        let observed = ctx
            .unless_interrupted(observe::places(ctx, &layout, &request))
            .await;
        let places = match observed {
            Err(error) if ctx.cancel.is_cancelled() => {
                tracing::debug!(%error, "let go");
                return Ok(ExitStatus::Interrupted);
            }
            observed => observed?,
        };
        let max = self.max.map(|max| usize::try_from(max).unwrap_or(usize::MAX));
        let output = Output::new(ctx, &places, max, self.timestamps);
        if self.follow {
            return follow(ctx, &request, &places, output).await;
        }
        read(ctx, &request, &places, output).await
    }
}

/// Shows what was written.
async fn read(ctx: &Ctx, request: &Request, place: &Place, mut output: Output<'_>) -> Result<ExitStatus> {
    let reading = history(
        &ctx.aws,
        &place.sources,
        request.pattern.as_deref(),
        place.from,
        request.until,
        |lines| output.take(lines),
    );
    let ended = tokio::select! {
        biased;
        () = ctx.cancel.cancelled() => None,
        read = Box::pin(reading) => Some(read?),
    };
    output.end()?;
    if ended.is_none() {
        return Ok(ExitStatus::Interrupted);
    }
    if output.is_empty() {
        let back = ctx.clock.now().duration_since(place.from);
        ctx.ui.status(&format!(
            "no lines since {}",
            place.from.strftime("%Y-%m-%dT%H:%M:%SZ")
        ));
        if request.since.is_none() && back.as_secs() < 3600 {
            ctx.ui.hint((
                "look further back with",
                CommandLine::bpctl(["logs"]).option("--since", "24h"),
            ));
        }
    }
    Ok(ExitStatus::Done)
}

/// Shows what was written and what comes.
async fn follow(ctx: &Ctx, request: &Request, place: &Place, mut output: Output<'_>) -> Result<ExitStatus> {
    let follow = Follow {
        aws: &ctx.aws,
        sources: &place.sources,
        pattern: request.pattern.as_deref(),
        from: place.from,
        cancel: &ctx.cancel,
    };
    let end = Box::pin(follow.run(&mut output)).await;
    output.end()?;
    Ok(match end? {
        FollowEnd::Interrupted => ExitStatus::Interrupted,
        FollowEnd::Enough => ExitStatus::Done,
    })
}
