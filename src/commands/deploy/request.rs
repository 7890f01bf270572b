//! What was asked for: which services, and what they are to run.

use std::collections::BTreeMap;

use crate::error::{CommandLine, CtlError, Result};
use crate::layout::App;

/// What the services are to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The same task definition; its tags may mean newer images.
    Same,
    /// A revision in which every image of the platform carries the tag of this commit.
    Tag(String),
    /// A revision with other images: by container.
    Images(BTreeMap<String, String>),
    /// That revision of the service's family.
    Revision(u32),
    /// What ran before: a revision, and images by digest where its tags mean others by now.
    Before(u32, BTreeMap<String, String>),
}

/// A deployment that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) apps: Vec<App>,
    pub(crate) what: What,
    pub(crate) abort_on_first_failure: bool,
    pub(crate) rollback_on_timeout: bool,
    /// Takes the place of a deployment that is under way and does well.
    pub(crate) supersede: bool,
    pub(crate) migrate: Migrate,
}

/// When the databases are migrated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Migrate {
    /// Before any deployment: one that fails leaves the services with what they run.
    Before,
    /// Once the backend's deployment has completed.
    After,
    #[default]
    No,
}

/// Which services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Services {
    Backend,
    Frontend,
    /// Both, side by side.
    #[default]
    All,
}

impl Services {
    pub(crate) fn apps(self) -> Vec<App> {
        match self {
            Self::Backend => vec![App::Backend],
            Self::Frontend => vec![App::Frontend],
            Self::All => vec![App::Backend, App::Frontend],
        }
    }
}

impl Request {
    /// # Errors
    /// Flags that do not fit together.
    pub(super) fn check(&self) -> Result<()> {
        if matches!(self.what, What::Revision(_) | What::Before(..)) && self.apps.len() > 1 {
            return Err(
                CtlError::usage("deploy a revision: each service has task definitions of its own")
                    .hint("name one service"),
            );
        }
        if self.migrate != Migrate::No && !self.apps.contains(&App::Backend) {
            return Err(
                CtlError::usage("migrate with this deployment: only the backend has databases")
                    .hint("deploy the backend as well, or leave out `--migrate`"),
            );
        }
        Ok(())
    }

    /// The command that deploys the same to `apps`.
    pub(crate) fn command(&self, apps: &[App]) -> CommandLine {
        let which = match apps {
            [one] => one.word(),
            _ => "all",
        };
        if let What::Before(..) = self.what {
            return CommandLine::bpctl(["rollout", "undo", which]);
        }
        let mut command = CommandLine::bpctl(["deploy", which]);
        match &self.what {
            What::Same | What::Before(..) => {}
            What::Tag(tag) => command = command.option("--tag", tag),
            What::Images(images) => {
                for (container, image) in images {
                    command = command.option("--image", format!("{container}={image}"));
                }
            }
            What::Revision(revision) => command = command.option("--task-definition", revision.to_string()),
        }
        for (flag, given) in [
            ("--abort-on-first-failure", self.abort_on_first_failure),
            ("--rollback-on-timeout", self.rollback_on_timeout),
        ] {
            if given {
                command = command.args([flag]);
            }
        }
        if apps.contains(&App::Backend) {
            match self.migrate {
                Migrate::Before => command = command.option("--migrate", "before"),
                Migrate::After => command = command.option("--migrate", "after"),
                Migrate::No => {}
            }
        }
        command
    }
}

/// `--tag`: what a tag in ECR may consist of, so that `nginx-` and `php-` still fit in front.
pub(crate) fn tag(text: &str) -> Result<String, String> {
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins
        && text.len() <= 120
        && text.chars().all(letter)
        && !text.starts_with("php-")
        && !text.starts_with("nginx-")
    {
        Ok(text.to_owned())
    } else {
        Err("give the commit's part of the tag, e.g. `0af12cd` for `php-0af12cd`".to_owned())
    }
}

/// `--image`: `container=image`.
pub(super) fn image(text: &str) -> Result<(String, String), String> {
    let wanted = || "write `container=repository:tag` or `container=repository@sha256:…`".to_owned();
    let (container, image) = text.split_once('=').ok_or_else(wanted)?;
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let visible = |c: char| c.is_ascii_graphic();
    let good = !container.is_empty()
        && container.chars().all(name)
        && !image.is_empty()
        && image.len() <= 1024
        && image.chars().all(visible);
    if good {
        Ok((container.to_owned(), image.to_owned()))
    } else {
        Err(wanted())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_commits_part_of_a_tag_is_taken() {
        for good in ["0af12cd", "v1.2.3", "release_7"] {
            assert!(tag(good).is_ok(), "{good}");
        }
        for bad in ["", "-x", "php-0af12cd", "nginx-0af12cd", "a b", "a:b", "a;b"] {
            assert!(tag(bad).is_err(), "{bad}");
        }
        assert!(image("php-fpm=r/bp-backend:php-1").is_ok());
        for bad in ["php-fpm", "=x", "php-fpm=", "php fpm=x", "php-fpm=a b"] {
            assert!(image(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_command_that_goes_on_says_the_same() {
        let mut request = Request {
            apps: vec![App::Backend, App::Frontend],
            what: What::Tag("0af12cd".to_owned()),
            abort_on_first_failure: true,
            rollback_on_timeout: false,
            supersede: false,
            migrate: Migrate::Before,
        };
        assert_eq!(
            request.command(&[App::Backend]).to_string(),
            "bpctl deploy backend --tag 0af12cd --abort-on-first-failure --migrate before"
        );
        request.apps = vec![App::Frontend];
        assert!(request.check().is_err());
        request.apps = vec![App::Backend, App::Frontend];
        assert_eq!(
            request.command(&[App::Frontend]).to_string(),
            "bpctl deploy frontend --tag 0af12cd --abort-on-first-failure"
        );
        assert!(request.check().is_ok());
        request.what = What::Revision(3);
        assert!(request.check().is_err());
        request.what = What::Same;
        assert_eq!(
            request.command(&request.apps).to_string(),
            "bpctl deploy all --abort-on-first-failure --migrate before"
        );
    }
}
