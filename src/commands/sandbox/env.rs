//! `bpctl sandbox env`: the environment in which any AWS tool talks to the running sandbox.

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::control::running;
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::output::{Render, View};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl sandbox env                  lines for `eval`, in bash and zsh
  bpctl sandbox env --shell fish     lines for `source`, in fish")]
pub(crate) struct EnvArgs {
    /// Shell that is to read it [default: that of SHELL]
    #[arg(long, value_enum, value_name = "SHELL")]
    shell: Option<Dialect>,
}

/// How a shell sets variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Dialect {
    /// bash, zsh and every other POSIX shell.
    #[value(aliases = ["bash", "zsh", "dash", "ksh"])]
    Sh,
    /// fish.
    Fish,
    /// PowerShell.
    #[value(alias = "pwsh")]
    Powershell,
}

impl Dialect {
    /// The dialect of the shell at this path; most are POSIX.
    fn of(shell: Option<&str>) -> Self {
        let name = shell.and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        match name {
            "fish" => Self::Fish,
            "pwsh" => Self::Powershell,
            _ => Self::Sh,
        }
    }

    /// The line that reads all this.
    fn usage(self) -> &'static str {
        match self {
            Self::Sh => r#"eval "$(bpctl sandbox env)""#,
            Self::Fish => "bpctl sandbox env --shell fish | source",
            Self::Powershell => "bpctl sandbox env --shell powershell | Out-String | Invoke-Expression",
        }
    }

    fn unset(self, names: &[&str]) -> String {
        match self {
            Self::Sh => format!("unset {}\n", names.join(" ")),
            Self::Fish => names.iter().map(|name| format!("set -e {name}\n")).collect(),
            Self::Powershell => names
                .iter()
                .map(|name| format!("Remove-Item Env:{name} -ErrorAction SilentlyContinue\n"))
                .collect(),
        }
    }

    /// Sets a variable to a value of letters, digits and `:/.-_` only.
    fn set(self, name: &str, value: &str) -> String {
        match self {
            Self::Sh => format!("export {name}={value}\n"),
            Self::Fish => format!("set -gx {name} {value}\n"),
            Self::Powershell => format!("$env:{name} = '{value}'\n"),
        }
    }
}

/// What an operator's environment says about other places than the sandbox.
pub(super) const FOREIGN: [&str; 9] = [
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "BPCTL_PROFILE",
    "BPCTL_REGION",
    "BPCTL_ENDPOINT_URL",
    "BPCTL_ROLE_ARN",
    "BPCTL_ACCOUNT_ID",
    "BPCTL_PREFIX",
];

/// The environment in which every AWS tool talks to the sandbox at `url`.
pub(super) fn environment(url: &str) -> Vec<(&'static str, String)> {
    vec![
        ("AWS_ENDPOINT_URL", url.to_owned()),
        ("AWS_ACCESS_KEY_ID", "sandbox".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "sandbox".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("BPCTL_CONTEXT", crate::settings::SANDBOX_CONTEXT.to_owned()),
    ]
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Environment {
    variables: serde_json::Map<String, Value>,
    #[serde(skip)]
    dialect: Dialect,
}

impl Render for Environment {
    fn human(&self, _view: &View) -> String {
        let mut text = format!("# run: {}\n", self.dialect.usage());
        text.push_str(&self.dialect.unset(&FOREIGN));
        for (name, value) in &self.variables {
            text.push_str(&self.dialect.set(name, value.as_str().unwrap_or_default()));
        }
        text
    }

    fn names(&self) -> Vec<String> {
        self.variables.keys().cloned().collect()
    }
}

pub(super) async fn run(ctx: &Ctx, args: &EnvArgs) -> Result<ExitStatus> {
    let state = running(ctx).await?;
    let variables = environment(&state.url)
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::String(value)))
        .collect();
    let shell = ctx.env.get("SHELL").map(String::as_str);
    ctx.emit(&Environment {
        variables,
        dialect: args.shell.unwrap_or_else(|| Dialect::of(shell)),
    })?;
    Ok(ExitStatus::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shell_gets_its_own_dialect() {
        let text = |shell: &str| {
            let dialect = Dialect::of(Some(shell));
            dialect.unset(&["A", "B"]) + &dialect.set("C", "http://127.0.0.1:1")
        };
        assert_eq!(text("/bin/zsh"), "unset A B\nexport C=http://127.0.0.1:1\n");
        assert_eq!(
            text("/usr/bin/fish"),
            "set -e A\nset -e B\nset -gx C http://127.0.0.1:1\n"
        );
        assert_eq!(
            text("pwsh"),
            "Remove-Item Env:A -ErrorAction SilentlyContinue\nRemove-Item Env:B -ErrorAction SilentlyContinue\n\
             $env:C = 'http://127.0.0.1:1'\n"
        );
    }
}
