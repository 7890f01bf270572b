//! The cloud assembly that the CDK app in `infra_dir` makes, and the values of its context.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use crate::change::Target;
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::process::{Ended, Program};
use crate::stacks::{Assembly, Environment, host_name};

/// Lines of a failed program in the error.
const LAST: usize = 8;

/// The folder that the CDK writes by itself.
const FOLDER: &str = "cdk.out";

/// Values of the CDK's context, `-c KEY=VALUE`.
pub(crate) type Context = BTreeMap<String, String>;

/// The account and region that templates are made for.
#[derive(Clone, Copy, Debug)]
pub(in crate::commands) struct Place<'a> {
    pub(in crate::commands) account: &'a str,
    pub(in crate::commands) region: &'a str,
}

impl<'a> From<&'a Target> for Place<'a> {
    fn from(target: &'a Target) -> Self {
        Self {
            account: &target.account,
            region: &target.region,
        }
    }
}

/// `npx`, in the app's folder.
#[derive(Clone, Debug)]
pub(in crate::commands) struct Npx {
    program: Program,
    folder: PathBuf,
    cancel: CancellationToken,
}

/// A stack that an assembly lacks.
pub(in crate::commands) fn no_such_stack(name: &str, assembly: &Assembly) -> CtlError {
    let known: Vec<&str> = assembly.stacks.iter().map(|stack| stack.name.as_str()).collect();
    CtlError::config(format!(
        "find stack `{name}`: there is no such stack in {}",
        assembly.folder.display()
    ))
    .hint(format!("it has {}", known.join(", ")))
}

/// The assembly that the app in `infra_dir` makes with `context`.
///
/// # Errors
/// There is no app, it fails, or its assembly is none for this account.
pub(super) async fn app(
    ctx: &Ctx,
    place: Place<'_>,
    here: Environment<'_>,
    context: &Context,
) -> Result<Assembly> {
    let npx = Npx::find(ctx, place)?;
    ctx.ui.status("Making the templates: npx cdk synth");
    let mut words: Vec<String> = ["cdk", "synth", "--quiet", "--output", FOLDER]
        .map(str::to_owned)
        .into();
    for (key, value) in context {
        words.extend(["-c".to_owned(), format!("{key}={value}")]);
    }
    let progress = ctx.ui.progress("Making the templates");
    let made = npx.run("make the templates", &words).await;
    drop(progress);
    made?;
    Assembly::read(&npx.folder.join(FOLDER), here)
}

impl Npx {
    /// # Errors
    /// There is no app of the CDK where `infra_dir` says, or no npx.
    pub(in crate::commands::stack) fn find(ctx: &Ctx, place: Place<'_>) -> Result<Self> {
        let Some(setting) = &ctx.settings.infra_dir else {
            return Err(
                CtlError::config("find the infrastructure code: `infra_dir` is not set").hint((
                    "name the folder with `--infra-dir DIR`, BPCTL_INFRA_DIR or for good with",
                    CommandLine::bpctl(["config", "set", "infra_dir"]).args(["../app/infrastructure"]),
                )),
            );
        };
        let folder = ctx.cwd.join(&setting.value);
        if !folder.join("cdk.json").is_file() {
            return Err(CtlError::config(format!(
                "find the infrastructure code: there is no `cdk.json` in `{}`, from {}",
                folder.display(),
                setting.source
            )));
        }
        let mut env = ctx.env.clone();
        for (name, value) in [
            ("AWS_REGION", Some(place.region)),
            ("CDK_DEFAULT_REGION", Some(place.region)),
            ("CDK_DEFAULT_ACCOUNT", Some(place.account)),
            (
                "AWS_PROFILE",
                ctx.settings
                    .profile
                    .as_ref()
                    .map(|profile| profile.value.as_str()),
            ),
        ] {
            if let Some(value) = value {
                env.insert(name.to_owned(), value.to_owned());
            }
        }
        let program = Program::find("npx", &env, &folder).ok_or_else(|| {
            CtlError::config("make the templates: npx is not on the PATH")
                .hint("install Node.js with npm: https://nodejs.org/en/download")
        })?;
        Ok(Self {
            program,
            folder,
            cancel: ctx.cancel.clone(),
        })
    }

    /// Runs `npx` with these words.
    ///
    /// # Errors
    /// It does not start, or fails; with its last lines.
    pub(super) async fn run(&self, what: &str, words: &[String]) -> Result<()> {
        self.run_heard(what, words, |_| {}).await
    }

    /// The same; what `hear` gets are its lines.
    ///
    /// # Errors
    /// It does not start, or fails; with its last lines.
    pub(in crate::commands::stack) async fn run_heard(
        &self,
        what: &str,
        words: &[String],
        hear: impl Fn(&str),
    ) -> Result<()> {
        let last = RefCell::new(VecDeque::new());
        let hear = |line: &str| {
            tracing::debug!(line, "npx");
            hear(line);
            let mut last = last.borrow_mut();
            if last.len() == LAST {
                last.pop_front();
            }
            last.push_back(line.to_owned());
        };
        match self.program.run(words, None, &self.cancel, hear).await {
            Ok(Ended::Exited(0)) => Ok(()),
            Ok(Ended::Exited(status)) => {
                let error = CtlError::new(ErrorKind::Failed, format!("{what}: npx ended with {status}"));
                let last = last.into_inner();
                Err(last.iter().fold(error, |error, line| {
                    error.cause(crate::redact::redact(line).to_string())
                }))
            }
            Ok(Ended::Interrupted) => Err(CtlError::new(
                ErrorKind::Interrupted,
                format!("{what}: interrupted, and npx was ended"),
            )),
            Err(error) => {
                Err(CtlError::new(ErrorKind::Failed, format!("{what}: npx does not start")).source(&error))
            }
        }
    }
}

/// Keys of the platform's app.
const KEYS: &[&str] = &[
    "alertEmail",
    "budgetMonthlyUsd",
    "certificateArn",
    "domainName",
    "fleetSlug",
    "fleetStage",
    "instanceType",
    "owner",
    "stage",
    "templateSlug",
];

/// `-c KEY=VALUE`.
pub(in crate::commands) fn pair(text: &str) -> std::result::Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| "write `KEY=VALUE`, e.g. `domainName=app.example.com`".to_owned())?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':' | '/' | '@' | '.');
    if key.is_empty() || !key.chars().all(plain) || value.chars().any(char::is_control) {
        return Err("write `KEY=VALUE`, e.g. `domainName=app.example.com`".to_owned());
    }
    Ok((key.to_owned(), value.to_owned()))
}

/// What is wrong with the values before anything is made of them (`platform`'s app checks the same, later and in other
/// words).
///
/// # Errors
/// A key that is close to one of the platform's, values that only come together, and those of the wrong form.
pub(in crate::commands) fn check(context: &Context, region: &str) -> Result<()> {
    for key in context.keys() {
        let close = crate::settings::nearest(key, KEYS.iter().copied());
        if !KEYS.contains(&key.as_str())
            && let Some(close) = close
        {
            return Err(wrong(format!("`{key}` is no value that the app reads"))
                .hint(format!("did you mean `{close}`?")));
        }
    }
    let given = |key: &str| {
        context
            .get(key)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    };
    if let Some(domain) = given("domainName")
        && let Err(why) = host_name(domain)
    {
        return Err(
            wrong(format!("`domainName` is a host name without a scheme: {why}"))
                .hint("write e.g. `-c domainName=app.example.com`"),
        );
    }
    for (one, other) in [
        ("domainName", "certificateArn"),
        ("alertEmail", "budgetMonthlyUsd"),
    ] {
        let (first, second) = (given(one), given(other));
        // An address alone is fine: a budget without one has nobody to tell.
        let lone_budget = other == "budgetMonthlyUsd" && first.is_some();
        if first.is_some() != second.is_some() && !lone_budget {
            let (there, missing) = if first.is_some() {
                (one, other)
            } else {
                (other, one)
            };
            return Err(wrong(format!("`{there}` needs `{missing}` beside it")));
        }
    }
    let fleet = ["fleetStage", "fleetSlug", "templateSlug", "instanceType"];
    let there = fleet.iter().filter(|key| given(key).is_some()).count();
    if there != 0 && there != fleet.len() {
        return Err(wrong(format!("{} go together or not at all", fleet.join(", "))));
    }
    if let Some(arn) = given("certificateArn") {
        let parts: Vec<&str> = arn.split(':').collect();
        match parts.as_slice() {
            ["arn", _, "acm", of, _, rest] if rest.starts_with("certificate/") => {
                if *of != region {
                    return Err(wrong(format!(
                        "the certificate is in {of}, and a load balancer in {region} takes only one of its own region"
                    )));
                }
            }
            _ => {
                return Err(wrong(format!(
                    "`certificateArn` is no ARN of a certificate: `{arn}`"
                )));
            }
        }
    }
    if let Some(budget) = given("budgetMonthlyUsd")
        && !budget
            .parse::<f64>()
            .is_ok_and(|amount| amount > 0.0 && amount.is_finite())
    {
        return Err(wrong(format!(
            "`budgetMonthlyUsd` is an amount above 0, not `{budget}`"
        )));
    }
    Ok(())
}

pub(super) fn wrong(what: String) -> CtlError {
    CtlError::usage(format!("deploy the stacks: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(pairs: &[&str]) -> Result<()> {
        let context: Context = pairs.iter().map(|text| pair(text).unwrap()).collect();
        check(&context, "us-east-1")
    }

    #[test]
    fn values_are_checked_before_anything_is_made_of_them() {
        const CERTIFICATE: &str = "certificateArn=arn:aws:acm:us-east-1:123456789012:certificate/a";
        for good in [
            &[][..],
            &["domainName=app.example.com", CERTIFICATE],
            &["alertEmail=ops@example.com"],
            &["alertEmail=ops@example.com", "budgetMonthlyUsd=500"],
            &["owner=platform", "@aws-cdk/core:flag=true"],
            // Taken away on purpose.
            &["domainName=", "certificateArn="],
        ] {
            assert!(checked(good).is_ok(), "{good:?}");
        }
        for (bad, words) in [
            (&["domainName=app.example.com"][..], "`certificateArn`"),
            (&[CERTIFICATE], "`domainName`"),
            (&["budgetMonthlyUsd=5"], "`alertEmail`"),
            (&["fleetSlug=a", "fleetStage=staging"], "together"),
            (&["domainName=https://app.example.com", CERTIFICATE], "scheme"),
            (&["domainName=localhost", CERTIFICATE], "host name"),
            (
                &[
                    "domainName=a.example.com",
                    "certificateArn=arn:aws:acm:eu-west-1:123456789012:certificate/a",
                ],
                "eu-west-1",
            ),
            (&["domainName=a.example.com", "certificateArn=x"], "no ARN"),
            (&["alertEmail=a@b.c", "budgetMonthlyUsd=lots"], "amount"),
            (&["domainname=a.example.com"], "`domainname`"),
        ] {
            let error = checked(bad).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
            assert_eq!(error.exit_status().code(), 2);
        }
        assert!(pair("novalue").is_err());
        assert!(pair("a b=c").is_err());
        assert!(pair("a=b\u{1b}").is_err());
    }
}
