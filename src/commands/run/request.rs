//! What the operator asked for, checked before AWS is asked.

use crate::error::{CommandLine, CtlError, Result};
use crate::layout::{App, Layout, SeederClass};
use crate::tasks::{Choices, artisan};

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
    pub(super) task: Choices,
    again: CommandLine,
}

impl Request {
    /// # Errors
    /// A container that no service has, a command that is none.
    pub(super) fn run(container: &str, words: Vec<String>, task: Choices) -> Result<Self> {
        let known = |app: &App| Layout::containers(*app).contains(&container);
        let Some(app) = [App::Backend, App::Frontend].into_iter().find(known) else {
            let names = [App::Backend, App::Frontend].map(|app| Layout::containers(app).join(", "));
            return Err(CtlError::usage(format!(
                "run the command in container `{container}`: there is none of that name"
            ))
            .hint(format!("there are {}", names.join(", "))));
        };
        let length: usize = words.iter().map(|word| word.len() + 3).sum();
        if words.first().is_none_or(String::is_empty) || length > LONGEST {
            return Err(CtlError::usage(format!(
                "run the command: it has no words, or more than the {LONGEST} bytes that ECS takes"
            ))
            .hint((
                "write it behind `--`, e.g.",
                CommandLine::bpctl(["run", "--", "php", "artisan", "about"]),
            )));
        }
        if words.iter().any(|word| word.contains('\0')) {
            return Err(CtlError::usage("run the command: a word has a zero byte in it")
                .hint("no program can be given one"));
        }
        let again = match container {
            "php-fpm" => task.repeated(CommandLine::bpctl(["run"])),
            other => task
                .repeated(CommandLine::bpctl(["run"]))
                .option("--container", other),
        };
        Ok(Self {
            app,
            container: container.to_owned(),
            again: again.args(["--"]).args(words.iter().cloned()),
            words,
            seeds: false,
            task,
        })
    }

    pub(super) fn seed(class: Option<&SeederClass>, task: Choices) -> Self {
        let again = task.repeated(CommandLine::bpctl(["seed"]));
        Self {
            app: App::Backend,
            container: "php-fpm".to_owned(),
            words: artisan::seed(class),
            seeds: true,
            again: match class {
                Some(class) => again.option("--class", class.to_string()),
                None => again,
            },
            task,
        }
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
        let words = words.iter().map(|&word| word.to_owned()).collect();
        Request::run(container, words, Choices::default())
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
        let choices = Choices {
            stop_on_interrupt: true,
            ..Choices::default()
        };
        let request = Request::seed(Some(&class), choices);
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
