//! docker, as far as builds need it: whether it is there, the login, and builds as calls of a plan.

use std::cell::RefCell;
use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::source::Source;
use crate::aws::ecr::RegistryLogin;
use crate::change::{Call, DOCKER, Permit, Repeated, parameters};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::process::{Ended, Program};

/// Lines of a failed program in the error.
const LAST: usize = 6;

/// docker with buildx.
#[derive(Clone, Debug)]
pub(super) struct Docker {
    program: Program,
    cancel: CancellationToken,
}

impl Docker {
    /// # Errors
    /// docker or its buildx is missing.
    pub(super) async fn find(ctx: &Ctx, source: &Source) -> Result<Self> {
        let program = Program::find("docker", &ctx.env, &source.root).ok_or_else(|| {
            CtlError::config("build images: docker is not on the PATH")
                .hint("install Docker with its buildx plugin: https://docs.docker.com/engine/install/")
        })?;
        let docker = Self {
            program,
            cancel: ctx.cancel.clone(),
        };
        let found = docker.quietly(&["buildx", "version"], None).await?;
        if let Err(last) = found {
            let mut error = CtlError::config("build images: docker has no buildx")
                .hint("install the plugin: https://github.com/docker/buildx#installing");
            if let Some(line) = last.back() {
                error = error.cause(line.clone());
            }
            return Err(error);
        }
        Ok(docker)
    }

    /// Runs docker; `Err` inside: its last lines.
    async fn quietly(
        &self,
        words: &[&str],
        stdin: Option<&str>,
    ) -> Result<std::result::Result<(), VecDeque<String>>> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        self.run(&words, stdin, |_| {}).await
    }

    async fn run(
        &self,
        words: &[String],
        stdin: Option<&str>,
        hear: impl Fn(&str),
    ) -> Result<std::result::Result<(), VecDeque<String>>> {
        let last = RefCell::new(VecDeque::new());
        let heard = |line: &str| {
            let mut last = last.borrow_mut();
            if last.len() == LAST {
                last.pop_front();
            }
            last.push_back(line.to_owned());
            hear(line);
        };
        let ended = self.program.run(words, stdin, &self.cancel, heard).await;
        match ended {
            Ok(Ended::Exited(0)) => Ok(Ok(())),
            Ok(Ended::Exited(_)) => Ok(Err(last.into_inner())),
            Ok(Ended::Interrupted) => Err(CtlError::new(
                ErrorKind::Interrupted,
                "build images: interrupted, and docker was ended",
            )),
            Err(error) => {
                Err(CtlError::new(ErrorKind::Failed, "run docker: it does not start").source(&error))
            }
        }
    }

    /// Logs docker in. The password goes over its standard input: the command line of a program can be read by
    /// everybody on the machine.
    ///
    /// # Errors
    /// The registry refuses.
    pub(super) async fn login(&self, login: &RegistryLogin) -> Result<()> {
        let words = [
            "login",
            "--username",
            login.user.as_str(),
            "--password-stdin",
            login.registry.as_str(),
        ];
        let done = self.quietly(&words, Some(login.password.expose())).await?;
        done.map_err(|last| {
            let what = format!("log docker in to {}", login.registry);
            failed(&what, &last).hint(
                "the registry has to be reachable from here; in the sandbox there is none behind the account",
            )
        })
    }

    /// Builds.
    ///
    /// # Errors
    /// docker fails.
    pub(super) async fn build(&self, what: &str, words: &[String], hear: impl Fn(&str)) -> Result<()> {
        let done = self.run(words, None, hear).await?;
        done.map_err(|last| failed(&format!("build {what}"), &last))
    }
}

fn failed(what: &str, last: &VecDeque<String>) -> CtlError {
    let error = CtlError::new(ErrorKind::Failed, format!("{what}: docker failed"));
    last.iter().fold(error, |error, line| {
        error.cause(crate::redact::redact(line).to_string())
    })
}

/// docker, and where its lines go.
pub(super) struct Builder {
    pub(super) docker: Docker,
    pub(super) lines: UnboundedSender<String>,
}

/// A build that is pushed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BuildAndPush {
    /// `nginx`, `php` or `frontend`.
    pub(super) what: String,
    pub(super) repository: String,
    pub(super) tag: String,
    /// Registry, repository and tag.
    pub(super) name: String,
    pub(super) arguments: Vec<String>,
}

impl Call for BuildAndPush {
    const SERVICE: &'static str = DOCKER;
    const OPERATION: &'static str = "buildx build";
    /// The tag means the newer of the two afterwards.
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Builder;
    /// The digest that docker says it has pushed, where it says one.
    type Answer = Option<String>;

    fn parameters(&self) -> Map<String, Value> {
        let words: Vec<Value> = self.arguments.iter().map(|word| word.as_str().into()).collect();
        parameters([("arguments", words.into())])
    }

    fn resource(&self) -> String {
        format!("ecr/{}", self.repository)
    }

    async fn send(&self, via: &Builder, _permit: &Permit) -> Result<Option<String>> {
        let digest = RefCell::new(None);
        let hear = |line: &str| {
            if let Some(found) = pushed(line, &self.name) {
                *digest.borrow_mut() = Some(found);
            }
            // The receiver may have gone.
            let _ = via.lines.send(line.to_owned());
        };
        via.docker.build(&self.what, &self.arguments, hear).await?;
        Ok(digest.into_inner())
    }
}

/// The digest in a line such as `#9 pushing manifest for <name>@sha256:<digest> 0.8s done`.
fn pushed(line: &str, name: &str) -> Option<String> {
    let (_, rest) = line.split_once("pushing manifest for ")?;
    let digest = rest.strip_prefix(name)?.strip_prefix('@')?;
    let digest = digest.split_whitespace().next()?;
    let hex = digest.strip_prefix("sha256:")?;
    (hex.len() == 64 && hex.chars().all(|c| c.is_ascii_hexdigit())).then(|| digest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_read_from_the_line_of_the_pushed_name_only() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let name = "123456789012.dkr.ecr.us-east-1.amazonaws.com/bp-backend:php-0af12cd";
        let line = format!("#9 pushing manifest for {name}@{digest} 0.8s done");
        assert_eq!(pushed(&line, name), Some(digest.clone()));
        assert_eq!(pushed(&line, "other"), None);
        assert_eq!(pushed("#9 pushing layers 0.8s done", name), None);
        assert_eq!(
            pushed(&format!("pushing manifest for {name}@sha256:zz"), name),
            None
        );
    }
}
