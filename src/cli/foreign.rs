//! Verbs that the hands know from kubectl, gh, aws, docker or vapor, and what bpctl has for them.

use crate::error::{CommandLine, Hint};

/// Words as they would be typed, where they would be typed, and ours.
struct Foreign {
    /// The command of bpctl that was to have the verb; empty for bpctl itself.
    below: &'static str,
    verbs: &'static [&'static str],
    /// What ours does, in words that go before the command.
    says: &'static str,
    ours: &'static [&'static str],
}

const fn at_the_top(
    verbs: &'static [&'static str],
    says: &'static str,
    ours: &'static [&'static str],
) -> Foreign {
    Foreign {
        below: "",
        verbs,
        says,
        ours,
    }
}

const TABLE: &[Foreign] = &[
    at_the_top(
        &["get", "ls", "list", "ps"],
        "fleets are listed by",
        &["fleet", "list"],
    ),
    at_the_top(
        &["describe", "top", "nodes", "pods", "autoscaling"],
        "fleets with their capacity, queue and alarms are shown by",
        &["fleet", "status"],
    ),
    at_the_top(
        &["logs", "log", "tail", "events"],
        "the lines of the logs that matter are quoted by",
        &["triage"],
    ),
    at_the_top(
        &[
            "status",
            "health",
            "doctor",
            "diagnose",
            "check",
            "rollout",
            "services",
            "tasks",
            "ecs",
            "alarms",
            "cloudwatch",
            "debug",
        ],
        "services, deployments, tasks and alarms are looked at by",
        &["triage"],
    ),
    at_the_top(
        &["ssh", "exec", "shell", "attach", "connect", "tinker"],
        "bpctl opens no shell; what is wrong with a task, and the command that gets into it, is told by",
        &["triage"],
    ),
    at_the_top(
        &["login", "logout", "auth", "sso", "sts", "who", "team"],
        "bpctl uses the credentials of the AWS command line and signs in nowhere; whose they are is told by",
        &["whoami"],
    ),
    at_the_top(
        &["scale", "autoscale", "stop", "drain", "down"],
        "fleets are taken to zero by",
        &["fleet", "scale-to-zero", "--help"],
    ),
    at_the_top(
        &["artisan", "database", "db", "migrations", "migration", "command"],
        "databases are migrated by",
        &["migrate", "--help"],
    ),
    at_the_top(
        &[
            "context",
            "contexts",
            "ctx",
            "use",
            "switch",
            "use-context",
            "profile",
        ],
        "contexts are listed by",
        &["config", "get-contexts"],
    ),
    at_the_top(
        &["configure", "settings", "set", "env"],
        "the settings in force, and where each came from, are shown by",
        &["config", "view"],
    ),
    at_the_top(
        &["local", "dev", "up", "start", "emulator", "localstack"],
        "a simulated account is started by",
        &["sandbox", "start"],
    ),
    at_the_top(
        &["test", "simulate"],
        "a fleet is simulated by",
        &["fleet", "simulate", "--help"],
    ),
    at_the_top(
        &["completions", "autocomplete"],
        "completion is installed by",
        &["completion", "--install"],
    ),
    at_the_top(&["manual", "docs"], "the manual page is printed by", &["man"]),
    at_the_top(
        &["errors", "codes", "status-codes"],
        "the exit statuses are printed by",
        &["exit-codes"],
    ),
    Foreign {
        below: "fleet",
        verbs: &["get", "show", "ps"],
        says: "fleets are listed by",
        ours: &["fleet", "list"],
    },
    Foreign {
        below: "fleet",
        verbs: &["describe", "top", "health"],
        says: "a fleet is shown by",
        ours: &["fleet", "status"],
    },
    Foreign {
        below: "fleet",
        verbs: &["stop", "drain", "down", "zero"],
        says: "fleets are taken to zero by",
        ours: &["fleet", "scale-to-zero", "--help"],
    },
    Foreign {
        below: "config",
        verbs: &["list", "ls", "contexts", "list-contexts"],
        says: "contexts are listed by",
        ours: &["config", "get-contexts"],
    },
    Foreign {
        below: "config",
        verbs: &["show", "get", "current"],
        says: "the settings in force are shown by",
        ours: &["config", "view"],
    },
    Foreign {
        below: "config",
        verbs: &["use", "switch"],
        says: "a context is chosen by",
        ours: &["config", "use-context", "--help"],
    },
    Foreign {
        below: "sandbox",
        verbs: &["up", "create"],
        says: "a sandbox is started by",
        ours: &["sandbox", "start"],
    },
    Foreign {
        below: "sandbox",
        verbs: &["down", "delete", "rm", "kill"],
        says: "the sandbox is stopped by",
        ours: &["sandbox", "stop"],
    },
    Foreign {
        below: "sandbox",
        verbs: &["exec", "shell"],
        says: "a command is run against a sandbox by",
        ours: &["sandbox", "run", "--help"],
    },
];

/// What bpctl has for `verb`, typed below the command `below` (empty at the top).
pub(super) fn ours(below: &str, verb: &str) -> Option<Hint> {
    let row = TABLE
        .iter()
        .find(|row| row.below == below && row.verbs.contains(&verb))?;
    Some(Hint::new(row.says).command(CommandLine::bpctl(row.ours.iter().copied())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command_tree;

    /// A verb that has become ours, or is there twice, is struck off.
    #[test]
    fn no_verb_of_the_table_is_ours_or_there_twice() {
        let mut tree = command_tree();
        tree.build();
        let mut seen = std::collections::BTreeSet::new();
        for row in TABLE {
            let parent = match row.below {
                "" => &tree,
                below => tree.find_subcommand(below).unwrap(),
            };
            for verb in row.verbs {
                assert!(parent.find_subcommand(verb).is_none(), "`{verb}` is ours by now");
                assert!(seen.insert((row.below, verb)), "`{verb}` is there twice");
            }
        }
    }

    #[test]
    fn every_answer_is_a_command_of_ours() {
        for row in TABLE {
            let words = std::iter::once("bpctl").chain(row.ours.iter().copied());
            if let Err(error) = command_tree().try_get_matches_from(words) {
                assert_eq!(
                    error.kind(),
                    clap::error::ErrorKind::DisplayHelp,
                    "{:?}: {error}",
                    row.ours
                );
            }
        }
    }
}
