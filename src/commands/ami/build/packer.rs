//! packer, as far as builds need it: its command lines, and what its machine-readable lines say.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::change::{Call, PACKER, Permit, Repeated, parameters};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::process::{Ended, Program};

/// Lines of a failed build in the error.
const LAST: usize = 8;

/// How long packer may take after an interrupt: it terminates its instance and deletes what it has made besides.
const CLEANS_UP: Duration = Duration::from_secs(10 * 60);

/// The name that packer gives its instances unless the template says otherwise (amazon-ebs builder, `run_tags`).
pub(super) const BUILDER: &str = "Packer Builder";

/// packer in the folder of its templates.
#[derive(Clone, Debug)]
pub(super) struct Packer {
    program: Program,
    cancel: CancellationToken,
    pub(super) folder: PathBuf,
}

impl Packer {
    /// # Errors
    /// No folder of templates, or no packer.
    pub(super) fn find(ctx: &Ctx, infrastructure: &Path, region: &str) -> Result<Self> {
        let folder = ctx.cwd.join(infrastructure).join("packer");
        if !folder.is_dir() {
            return Err(CtlError::config(format!(
                "build an image: there is no folder `{}`",
                folder.display()
            ))
            .hint("name the folder of the infrastructure with `--infra-dir`, or set `infra_dir`"));
        }
        let mut env = ctx.env.clone();
        env.insert("AWS_REGION".to_owned(), region.to_owned());
        // It colours lines and asks the internet for its newest version otherwise.
        env.insert("PACKER_NO_COLOR".to_owned(), "1".to_owned());
        env.insert("CHECKPOINT_DISABLE".to_owned(), "1".to_owned());
        if let Some(profile) = &ctx.settings.profile {
            env.insert("AWS_PROFILE".to_owned(), profile.value.clone());
        }
        if let Some(endpoint) = ctx.settings.endpoint("ec2") {
            env.insert("AWS_ENDPOINT_URL".to_owned(), endpoint.value.clone());
        }
        let program = Program::find("packer", &env, &folder).ok_or_else(|| {
            CtlError::config("build an image: packer is not on the PATH")
                .hint("install it: https://developer.hashicorp.com/packer/install")
        })?;
        Ok(Self {
            program: program.patient(CLEANS_UP),
            cancel: ctx.cancel.clone(),
            folder,
        })
    }

    /// Runs it; what `hear` gets are its lines.
    async fn run(&self, arguments: &[String], hear: impl Fn(&str)) -> Result<Ended> {
        let ended = self.program.run(arguments, None, &self.cancel, hear).await;
        ended
            .map_err(|error| CtlError::new(ErrorKind::Failed, "run packer: it does not start").source(&error))
    }
}

/// packer, and where its lines go.
pub(super) struct Building {
    pub(super) packer: Packer,
    pub(super) region: String,
    pub(super) lines: UnboundedSender<String>,
}

/// A build. packer makes an image under a name with the time in it: a second build is a second image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BuildImage {
    pub(super) arguments: Vec<String>,
    /// For locks.
    pub(super) resource: String,
}

impl Call for BuildImage {
    const SERVICE: &'static str = PACKER;
    const OPERATION: &'static str = "build";
    const REPEATED: Repeated = Repeated::Twice;
    type Via = Building;
    /// The id of the image.
    type Answer = String;

    fn parameters(&self) -> Map<String, Value> {
        let words: Vec<Value> = self.arguments.iter().map(|word| word.as_str().into()).collect();
        parameters([("arguments", words.into())])
    }

    fn resource(&self) -> String {
        self.resource.clone()
    }

    async fn send(&self, via: &Building, _permit: &Permit) -> Result<String> {
        let last: RefCell<VecDeque<String>> = RefCell::default();
        let image = RefCell::new(None);
        let tell = |text: String| {
            let mut last = last.borrow_mut();
            if last.len() == LAST {
                last.pop_front();
            }
            last.push_back(text.clone());
            // The receiver may have gone.
            let _ = via.lines.send(text);
        };
        let plain = |line: &str| tell(line.to_owned());
        // The plugins that the templates name, if they are not there yet.
        let init = ["init", "."].map(str::to_owned);
        outcome(via.packer.run(&init, plain).await?, &last)?;
        let machine_readable = |line: &str| match Line::read(line) {
            Line::Says(text) => tell(text),
            Line::Artifact(ids) => {
                if let Some(id) = of_region(&ids, &via.region) {
                    image.replace(Some(id));
                }
            }
            Line::Other => {}
        };
        outcome(via.packer.run(&self.arguments, machine_readable).await?, &last)?;
        image.into_inner().ok_or_else(|| {
            CtlError::new(
                ErrorKind::Unexpected,
                format!(
                    "build an image: packer has ended well and names no image in {}",
                    via.region
                ),
            )
        })
    }
}

/// # Errors
/// packer was interrupted, or has failed.
fn outcome(ended: Ended, last: &RefCell<VecDeque<String>>) -> Result<()> {
    let error = match ended {
        Ended::Exited(0) => return Ok(()),
        Ended::Exited(status) => CtlError::new(
            ErrorKind::Failed,
            format!("build an image: packer ended with {status}"),
        ),
        Ended::Interrupted => CtlError::new(
            ErrorKind::Interrupted,
            "build an image: interrupted, and packer has ended",
        ),
    };
    Err(last.borrow().iter().fold(error, |error, line| {
        error.cause(crate::redact::redact(line).to_string())
    }))
}

/// A line of `packer build -machine-readable`: `timestamp,target,type,data…`, with commas in data written as
/// `%!(PACKER_COMMA)` (Packer documentation, "Machine-readable output").
#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    /// What packer shows to people.
    Says(String),
    /// `region:ami-…`, one or several with commas between them.
    Artifact(String),
    Other,
}

impl Line {
    fn read(line: &str) -> Self {
        let mut parts = line.splitn(4, ',');
        let (Some(stamp), Some(_), Some(kind), Some(data)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Self::Says(line.to_owned());
        };
        if stamp.is_empty() || !stamp.bytes().all(|digit| digit.is_ascii_digit()) {
            // What programs of packer write beside it.
            return Self::Says(line.to_owned());
        }
        let plain = |text: &str| {
            let text = text.replace("%!(PACKER_COMMA)", ",");
            text.replace("\\n", "\n").replace("\\r", "")
        };
        match kind {
            "ui" => {
                let text = data.split_once(',').map_or(data, |(_, text)| text);
                Self::Says(plain(text).trim_end().to_owned())
            }
            "artifact" => match data.strip_prefix("0,id,") {
                Some(ids) => Self::Artifact(plain(ids)),
                None => Self::Other,
            },
            "error" => Self::Says(plain(data)),
            _ => Self::Other,
        }
    }
}

/// The image of a region in `region:ami-…,region:ami-…`.
fn of_region(ids: &str, region: &str) -> Option<String> {
    let mut pairs = ids.split(',').filter_map(|pair| pair.trim().split_once(':'));
    pairs
        .find(|(known, id)| *known == region && id.starts_with("ami-"))
        .map(|(_, id)| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_is_on_the_artifacts_line_of_its_region() {
        let line =
            "1700000000,amazon-ebs.comfyui,artifact,0,id,us-east-1:ami-1%!(PACKER_COMMA)us-west-2:ami-2";
        let Line::Artifact(ids) = Line::read(line) else {
            panic!("no artifact");
        };
        assert_eq!(of_region(&ids, "us-west-2").as_deref(), Some("ami-2"));
        assert_eq!(of_region(&ids, "eu-west-1"), None);
        let other = "1700000000,amazon-ebs.comfyui,artifact,0,builder-id,mitchellh.amazonebs";
        assert_eq!(Line::read(other), Line::Other);
        assert_eq!(
            Line::read("1700000000,x,artifact,1,id,us-east-1:ami-9"),
            Line::Other
        );
    }

    #[test]
    fn people_see_what_packer_says_to_people() {
        let says = |line: &str| match Line::read(line) {
            Line::Says(text) => text,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            says("1700000000,,ui,say,==> amazon-ebs.comfyui: Waiting%!(PACKER_COMMA) still"),
            "==> amazon-ebs.comfyui: Waiting, still"
        );
        assert_eq!(
            says("1700000000,,ui,error,Build 'x' errored"),
            "Build 'x' errored"
        );
        assert_eq!(
            says("panic: no machine wrote this"),
            "panic: no machine wrote this"
        );
        assert_eq!(Line::read("1700000000,,template-variable,a,b,0"), Line::Other);
    }
}
