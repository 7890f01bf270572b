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
        &["ls", "list", "ps"],
        "things of every kind are listed by",
        &["get", "--help"],
    ),
    at_the_top(
        &["nodes", "pods", "autoscaling", "metrics", "ec2"],
        "fleets with their capacity, queue and alarms are shown by",
        &["fleet", "status"],
    ),
    at_the_top(
        &["log", "tail", "events"],
        "the lines of containers are shown by",
        &["logs"],
    ),
    at_the_top(
        &[
            "status",
            "health",
            "diagnose",
            "check",
            "services",
            "ecs",
            "alarms",
            "cloudwatch",
            "debug",
            "rds",
            "elbv2",
            "cache",
        ],
        "services, deployments, tasks and alarms are looked at by",
        &["triage"],
    ),
    at_the_top(
        &["stacks", "cloudformation", "cfn", "cdk"],
        "the stacks of the platform are looked at by",
        &["stack", "status"],
    ),
    at_the_top(
        &["bootstrap", "cdk-bootstrap"],
        "an account is prepared for the stacks of the CDK by",
        &["stack", "bootstrap", "--help"],
    ),
    at_the_top(
        &["ssh", "shell", "attach", "connect", "cp", "ssm"],
        "a container of a running task is entered by",
        &["exec", "--help"],
    ),
    at_the_top(
        &["proxy", "forward", "tunnel"],
        "a port of a task is reached on this machine by",
        &["port-forward", "--help"],
    ),
    at_the_top(
        &["login", "logout", "sso", "sts", "who", "team", "cluster-info"],
        "bpctl uses the credentials of the AWS command line and signs in nowhere; whose they are is told by",
        &["whoami"],
    ),
    at_the_top(
        &["apply", "redeploy", "release", "update"],
        "images and task definitions are deployed by",
        &["deploy", "--help"],
    ),
    at_the_top(
        &["rollback"],
        "a service goes back to what ran before by",
        &["rollout", "undo", "--help"],
    ),
    at_the_top(
        &["deployments"],
        "deployments of a service are listed by",
        &["rollout", "history", "--help"],
    ),
    at_the_top(
        &["scale", "autoscale", "resize"],
        "the capacity of a fleet is set by",
        &["fleet", "scale", "--help"],
    ),
    at_the_top(
        &[
            "stop", "drain", "down", "cordon", "delete", "remove", "rm", "destroy",
        ],
        "things are deleted below what they are, e.g. `stack delete`; fleets are taken to zero by",
        &["fleet", "scale-to-zero", "--help"],
    ),
    at_the_top(
        &["job", "jobs", "retry", "rerun"],
        "runs that changed something are listed by",
        &["runs", "list"],
    ),
    at_the_top(
        &["undo", "revert"],
        "a run is taken back by",
        &["runs", "undo", "--help"],
    ),
    at_the_top(
        &["audit", "activity", "cloudtrail"],
        "who changed what is told by",
        &["history"],
    ),
    at_the_top(
        &["locks", "unlock", "force-unlock"],
        "which runs keep others out is told by",
        &["lock", "list"],
    ),
    at_the_top(&["tasks"], "tasks are listed by", &["get", "tasks"]),
    at_the_top(
        &["wait", "watch"],
        "a list is shown again whenever it changes by",
        &["fleet", "list", "--watch"],
    ),
    at_the_top(
        &["secret", "secretsmanager"],
        "secrets and parameters are listed by",
        &["secrets", "list"],
    ),
    at_the_top(
        &["s3", "api-resources"],
        "the names of stacks, buckets, parameters, secrets and alarms are listed by",
        &["config", "names"],
    ),
    at_the_top(
        &["artisan", "database", "migrations", "migration", "command"],
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
            "get-contexts",
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
        verbs: &["watch", "wait"],
        says: "fleets are shown again whenever they change by",
        ours: &["fleet", "status", "--watch"],
    },
    Foreign {
        below: "fleet",
        verbs: &["stop", "down", "zero"],
        says: "fleets are taken to zero by",
        ours: &["fleet", "scale-to-zero", "--help"],
    },
    Foreign {
        below: "fleet",
        verbs: &["resize", "set", "up", "start", "set-capacity"],
        says: "the capacity of a fleet is set by",
        ours: &["fleet", "scale", "--help"],
    },
    Foreign {
        below: "fleet",
        verbs: &["why", "logs", "events"],
        says: "why a fleet has the capacity that it has is told by",
        ours: &["fleet", "explain", "--help"],
    },
    Foreign {
        below: "stack",
        verbs: &["create", "update", "apply", "up"],
        says: "stacks are made and updated by",
        ours: &["stack", "deploy", "--help"],
    },
    Foreign {
        below: "stack",
        verbs: &["adopt", "take-over"],
        says: "resources that are there already are taken into a stack by",
        ours: &["stack", "import", "--help"],
    },
    Foreign {
        below: "stack",
        verbs: &["rollback", "continue-update-rollback", "resume"],
        says: "a rollback that has stopped half way is gone on with by",
        ours: &["stack", "continue-rollback", "--help"],
    },
    Foreign {
        below: "stack",
        verbs: &["rm", "destroy", "down", "remove"],
        says: "stacks are deleted by",
        ours: &["stack", "delete", "--help"],
    },
    Foreign {
        below: "stack",
        verbs: &["synth", "synthesize", "get-template"],
        says: "a template that bpctl makes is printed by",
        ours: &["stack", "template", "--help"],
    },
    Foreign {
        below: "runs",
        verbs: &["get", "ps"],
        says: "runs are listed by",
        ours: &["runs", "list"],
    },
    Foreign {
        below: "runs",
        verbs: &["view", "describe", "logs", "watch"],
        says: "a run is shown by",
        ours: &["runs", "show", "--help"],
    },
    Foreign {
        below: "runs",
        verbs: &["rerun", "retry", "continue"],
        says: "a run that was cut off is gone on with by",
        ours: &["runs", "resume", "--help"],
    },
    Foreign {
        below: "runs",
        verbs: &["delete", "rm", "clean"],
        says: "journals of old runs are removed by",
        ours: &["runs", "prune", "--help"],
    },
    Foreign {
        below: "lock",
        verbs: &["delete", "rm", "unlock", "force-unlock"],
        says: "what a dead run left behind is released by",
        ours: &["lock", "release", "--help"],
    },
    Foreign {
        below: "config",
        verbs: &["list", "ls", "contexts", "list-contexts"],
        says: "contexts are listed by",
        ours: &["config", "get-contexts"],
    },
    Foreign {
        below: "config",
        verbs: &["show", "get"],
        says: "the settings in force are shown by",
        ours: &["config", "view"],
    },
    Foreign {
        below: "config",
        verbs: &["current"],
        says: "the context in force is printed by",
        ours: &["config", "current-context"],
    },
    Foreign {
        below: "config",
        verbs: &["set-context", "add", "create"],
        says: "a context is added by",
        ours: &["config", "init", "--help"],
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

/// What bpctl has for `verb`, typed below the command `below` (empty at the top). Of vapor's `env:pull` the word
/// before the colon counts.
pub(super) fn ours(below: &str, verb: &str) -> Option<Hint> {
    let verb = verb.split(':').next().unwrap_or(verb);
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
