//! What the operator asked for, checked before AWS is asked.

use std::collections::BTreeMap;

use crate::error::{CommandLine, CtlError, Result};
use crate::layout::{App, Layout, SecurityGroupId, SeederClass, SubnetId};
use crate::tasks::Chosen;

/// The most bytes that the overrides of a task may have (API reference of RunTask).
const LONGEST: usize = 8_192;

/// The command to run and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) app: App,
    pub(super) container: String,
    pub(super) words: Vec<String>,
    /// Seeders write to the database.
    pub(super) seeds: bool,
    pub(super) stop_on_interrupt: bool,
    /// `None`: those of the running service.
    pub(super) subnets: Option<Chosen>,
    pub(super) security_groups: Option<Chosen>,
    again: CommandLine,
}

/// The flags that [`Request`] is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flags<'a> {
    pub(super) container: &'a str,
    pub(super) words: &'a [String],
    pub(super) stop_on_interrupt: bool,
    pub(super) subnets: &'a [SubnetId],
    pub(super) security_groups: &'a [SecurityGroupId],
}

impl Request {
    /// # Errors
    /// A container that no service has, a command that is none; environment variables that are no ids.
    pub(super) fn run(flags: &Flags<'_>, env: &BTreeMap<String, String>) -> Result<Self> {
        let known = |app: &App| Layout::containers(*app).contains(&flags.container);
        let Some(app) = [App::Backend, App::Frontend].into_iter().find(known) else {
            let names = [App::Backend, App::Frontend].map(|app| Layout::containers(app).join(", "));
            return Err(CtlError::usage(format!(
                "run the command in container `{}`: there is none of that name",
                flags.container
            ))
            .hint(format!("there are {}", names.join(", "))));
        };
        let length: usize = flags.words.iter().map(|word| word.len() + 3).sum();
        if flags.words.first().is_none_or(String::is_empty) || length > LONGEST {
            return Err(CtlError::usage(format!(
                "run the command: it has no words, or more than the {LONGEST} bytes that ECS takes"
            ))
            .hint((
                "write it behind `--`, e.g.",
                CommandLine::bpctl(["run", "--", "php", "artisan", "about"]),
            )));
        }
        if flags.words.iter().any(|word| word.contains('\0')) {
            return Err(CtlError::usage("run the command: a word has a zero byte in it")
                .hint("no program can be given one"));
        }
        Self::new(app, flags, env, flags.words.to_vec(), |command| {
            let command = match flags.container {
                "php-fpm" => command,
                other => command.option("--container", other),
            };
            command.args(["--"]).args(flags.words.iter().cloned())
        })
    }

    /// # Errors
    /// Environment variables that are no ids.
    pub(super) fn seed(
        class: Option<&SeederClass>,
        flags: &Flags<'_>,
        env: &BTreeMap<String, String>,
    ) -> Result<Self> {
        let mut words: Vec<String> = ["php", "artisan", "db:seed", "--force"].map(str::to_owned).into();
        words.extend(class.map(|class| format!("--class={class}")));
        let request = Self::new(App::Backend, flags, env, words, |command| match class {
            Some(class) => command.option("--class", class.to_string()),
            None => command,
        })?;
        Ok(Self {
            seeds: true,
            ..request
        })
    }

    fn new(
        app: App,
        flags: &Flags<'_>,
        env: &BTreeMap<String, String>,
        words: Vec<String>,
        rest: impl FnOnce(CommandLine) -> CommandLine,
    ) -> Result<Self> {
        let subnets = Chosen::subnets(flags.subnets, env)?;
        let security_groups = Chosen::security_groups(flags.security_groups, env)?;
        let verb = if flags.words.is_empty() { "seed" } else { "run" };
        let mut again = CommandLine::bpctl([verb]);
        if flags.stop_on_interrupt {
            again = again.args(["--stop-on-interrupt"]);
        }
        let again = rest(Chosen::repeated(again, &subnets, &security_groups));
        Ok(Self {
            app,
            container: flags.container.to_owned(),
            words,
            seeds: false,
            stop_on_interrupt: flags.stop_on_interrupt,
            subnets,
            security_groups,
            again,
        })
    }

    /// The command that asks for the same again.
    pub(super) fn again(&self) -> CommandLine {
        self.again.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(container: &str, words: &[&str]) -> Result<Request> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let flags = Flags {
            container,
            words: &words,
            stop_on_interrupt: false,
            subnets: &[],
            security_groups: &[],
        };
        Request::run(&flags, &BTreeMap::new())
    }

    #[test]
    fn the_container_says_which_service_and_the_command_can_be_typed_again() {
        let request = run("php-fpm", &["php", "artisan", "x", "it's"]).unwrap();
        assert_eq!(request.app, App::Backend);
        assert_eq!(
            request.again().to_string(),
            r#"bpctl run -- php artisan x "it's""#
        );
        let request = run("nextjs", &["node", "-v"]).unwrap();
        assert_eq!(request.app, App::Frontend);
        assert_eq!(
            request.again().to_string(),
            "bpctl run --container nextjs -- node -v"
        );
    }

    #[test]
    fn what_cannot_run_is_refused() {
        for (container, words) in [
            ("php", &["x"][..]),
            ("php-fpm", &[]),
            ("php-fpm", &[""]),
            ("php-fpm", &["a\0b"]),
            ("php-fpm", &["x", &"y".repeat(9_000)]),
        ] {
            assert_eq!(
                run(container, words).unwrap_err().exit_status().code(),
                2,
                "{container}"
            );
        }
    }

    #[test]
    fn seeders_are_named_by_classes_and_nothing_else() {
        let class = r"Database\Seeders\PlansSeeder".parse().unwrap();
        let flags = Flags {
            container: "php-fpm",
            words: &[],
            stop_on_interrupt: true,
            subnets: &[],
            security_groups: &[],
        };
        let request = Request::seed(Some(&class), &flags, &BTreeMap::new()).unwrap();
        assert_eq!(
            request.words,
            [
                "php",
                "artisan",
                "db:seed",
                "--force",
                r"--class=Database\Seeders\PlansSeeder"
            ]
        );
        assert!(
            request
                .again()
                .to_string()
                .starts_with("bpctl seed --stop-on-interrupt --class ")
        );
        for bad in ["", "a b", "x;id", "a-b", "$(id)", "a/b"] {
            assert!(bad.parse::<SeederClass>().is_err(), "{bad}");
        }
    }
}
