//! `bpctl doctor`: what is missing for bpctl to work, and how to get it.

mod aws;
mod machine;
pub(super) mod view;

use clap::Args;

use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use view::{Check, Report};

/// Check what bpctl needs, here and in AWS, and say how to get what is missing
///
/// Credentials and how long they last, the account guard, region, clock, the services' endpoints, the platform under
/// the names of the layout, tools, folders, configuration and completions. A check that cannot be made is `unknown`,
/// never `ok`. The exit status is 0 whatever is found; `-o json` tells it to programs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl doctor                       one table, with what to do
  bpctl doctor --fix                 make missing folders, install the shell's completion
  bpctl doctor --latest 0.9.0        also whether this bpctl is older
  bpctl sandbox run -- bpctl doctor  the same against a sandbox")]
pub(crate) struct DoctorArgs {
    /// Do what is safe: make missing folders, install the completion of the shell
    #[arg(long)]
    fix: bool,

    /// Compare with the newest release, as a package manager names it; bpctl asks no server by itself
    #[arg(long, value_name = "VERSION", value_parser = version)]
    latest: Option<[u64; 3]>,
}

/// `1.2.3`, with or without `v`.
fn version(text: &str) -> Result<[u64; 3], String> {
    let wrong = || format!("`{text}` is not a version: expected three numbers, e.g. 1.2.3");
    let parts: Vec<u64> = text
        .trim_start_matches('v')
        .split('.')
        .map(|part| part.parse().map_err(|_| wrong()))
        .collect::<Result<_, _>>()?;
    parts.try_into().map_err(|_| wrong())
}

impl Verb for DoctorArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
            Use::of("cloudformation:ListStacks", On::Anything),
            Use::of("cloudwatch:DescribeAlarms", On::PlatformAlarms),
            Use::of("ecs:DescribeServices", On::Services),
            Use::of("rds:DescribeDBInstances", On::Databases),
            Use::of("s3:GetObject", On::Bookkeeping),
            Use::of("s3:ListBucket", On::LogsBucket),
            Use::of("secretsmanager:ListSecrets", On::Anything),
            Use::of("ssm:DescribeParameters", On::Anything),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs {
            diagnoses: true,
            ..Needs::AWS.even_broken()
        }
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let mut checks: Vec<Check> = vec![machine::configuration(ctx)];
        checks.extend(
            ctx.unless_interrupted(async { Ok(aws::checks(ctx).await) })
                .await?,
        );
        checks.extend(machine::folders(ctx, self.fix));
        checks.push(machine::completion(ctx, self.fix));
        checks.extend(machine::tools(ctx).await);
        checks.extend(self.latest.map(release));
        ctx.emit(&Report::new(checks))?;
        Ok(ExitStatus::Done)
    }
}

/// Whether this bpctl is the newest.
fn release(latest: [u64; 3]) -> Check {
    let shown = |parts: [u64; 3]| parts.map(|part| part.to_string()).join(".");
    let own = version(env!("CARGO_PKG_VERSION")).unwrap_or_default();
    if own < latest {
        Check::problem(
            "release",
            format!("this is {}, the newest is {}", shown(own), shown(latest)),
        )
        .fix("install the newer one")
    } else {
        Check::ok("release", format!("{} is the newest", shown(own)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_three_numbers_and_compared_as_numbers() {
        assert_eq!(version("v1.10.0"), Ok([1, 10, 0]));
        assert!(version("1.10.0").unwrap() > version("1.9.9").unwrap());
        for wrong in ["", "1.2", "1.2.x", "1.2.3.4"] {
            assert!(version(wrong).is_err(), "{wrong}");
        }
    }
}
