//! What is done by hand in the place of `runs undo`: of most verbs, because no step takes them back; of the others, for
//! the steps that have no way back. Told from the journal alone: AWS is not asked.

use crate::change::ApiCall;
use crate::change::journal::{Progress, Record, RecordedStep};
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};

/// Objects whose deletion is spelled out; the others are in the run's own plan.
const SPELLED_OUT: usize = 5;

/// What is done in the place of an undo.
struct Instead {
    hint: Hint,
    /// Whether the verb has steps that are taken back all the same.
    has_way_back: bool,
}

/// What is done by hand where no step takes `record` back.
pub(crate) fn by_hand(record: &Record) -> Hint {
    instead(record).hint
}

/// Refuses to take back a run of a verb that has no way back, if it may have done anything.
///
/// # Errors
/// [`ErrorKind::Usage`] with what is done by hand; [`ErrorKind::Conflict`] while the run goes on.
pub(crate) fn refuse_without_way_back(record: &Record) -> Result<()> {
    let instead = instead(record);
    let happened: Vec<&str> = happened(record).map(|step| step.summary.as_str()).collect();
    if instead.has_way_back || happened.is_empty() {
        return Ok(());
    }
    if record.going_on {
        return Err(CtlError::new(
            ErrorKind::Conflict,
            format!("undo run {}: it is still going on", record.run),
        ));
    }
    Err(crate::change::no_way_back(record, &happened, instead.hint))
}

/// Steps whose request may have arrived.
fn happened(record: &Record) -> impl Iterator<Item = &RecordedStep> {
    let may_have = |step: &&RecordedStep| match step.progress {
        Progress::Done | Progress::InDoubt => true,
        Progress::Planned | Progress::Failed => false,
    };
    record.steps.iter().filter(may_have)
}

fn instead(record: &Record) -> Instead {
    let verb = record.verb.as_str();
    let bpctl = |words: &[&str]| CommandLine::bpctl(words.iter().copied());
    let never = |hint: Hint| Instead {
        hint,
        has_way_back: false,
    };
    if let Some(hint) = of_fleets(record) {
        return never(hint);
    }
    match verb {
        "migrate" => never(
            Hint::new("write a migration that takes it back, and run it with")
                .command(bpctl(&["migrate"]))
                .and("; data that is lost comes back from a snapshot of the database only"),
        ),
        "run" | "seed" => never(
            Hint::new("only the application can take back what it did: correct its data in")
                .command(bpctl(&["tinker"])),
        ),
        "exec" | "tinker" | "port-forward" | "db tunnel" => never(
            Hint::new("what was done in a session is taken back in another one:")
                .command(CommandLine::bpctl(verb.split(' '))),
        ),
        "task stop" => never(
            Hint::new("ECS starts the tasks of a service anew by itself: see them with")
                .command(bpctl(&["task", "list"]))
                .and("; a task of another kind is started again by the command that had started it"),
        ),
        "deploy" | "rollout undo" => never(before(record)),
        "rollout abort" => never(revision(record)),
        "shutdown" => never(Hint::new("bring everything back with").command(bpctl(&["resume"]))),
        "resume" => never(Hint::new("shut everything down again with").command(shut_down_again(record))),
        "reset" => never(
            Hint::new("what was deleted does not come back: see what is left with")
                .command(bpctl(&["reset", "--list"])),
        ),
        "image gc" => never(
            Hint::new("what was deleted does not come back: check its commit out, and build it anew with")
                .command(bpctl(&["image", "push"])),
        ),
        "lock release" => never(
            Hint::new("nothing is to be done: the next run takes the lease anew; see all of them with")
                .command(bpctl(&["lock", "list"])),
        ),
        "bundle apply" => never(
            Hint::new("apply the bundle that the node had before, one of")
                .command(bpctl(&["bundle", "list"])),
        ),
        "bundle upload" | "bundle create" => never(deletions(record)),
        "backup" => never(
            Hint::new("a backup takes nothing away: delete its folder or its prefix, and its snapshot, which is among")
                .command(CommandLine::aws("rds", "describe-db-snapshots").option("--snapshot-type", "manual")),
        ),
        "domain request" => never(
            Hint::new("a certificate that nothing uses costs nothing, and one that is not validated goes by itself after three days; see it with")
                .command(bpctl(&["domain", "status"])),
        ),
        "monitoring subscribe" => never(
            Hint::new("what is not confirmed within two days goes by itself, and each message has a link that ends it; see who listens with")
                .command(bpctl(&["monitoring", "show"])),
        ),
        "smoke" => never(
            Hint::new("a test removes what it makes; what it could not remove is in its result, and the next one removes what a run that was cut off has left:")
                .command(bpctl(&["smoke"])),
        ),
        "image push" => Instead {
            hint: Hint::new(
                "what was pushed stays until it is deleted, and no service pulls it: see it with",
            )
            .command(bpctl(&["image", "list"])),
            has_way_back: true,
        },
        _ => Instead {
            hint: Hint::new("what was written has nothing before it: write what is to be there instead"),
            has_way_back: true,
        },
    }
}

/// The same for fleets, their images and the stacks.
fn of_fleets(record: &Record) -> Option<Hint> {
    let bpctl = |words: &[&str]| CommandLine::bpctl(words.iter().copied());
    Some(match record.verb.as_str() {
        "fleet hold" => Hint::new("release it with").command(bpctl(&["fleet", "release", fleet(record)])),
        "fleet release" => Hint::new("hold it again with").command(hold_again(record)),
        "fleet dev launch" => Hint::new("terminate it with its security group; see its id with")
                .command(bpctl(&["fleet", "dev", "list"])),
        "fleet dev stop" => Hint::new("started again in the console it has no timer, and another address: see it with")
                .command(bpctl(&["fleet", "dev", "list"])),
        "fleet dev terminate" => Hint::new("its disk does not come back: launch another one; see those that are there with")
                .command(bpctl(&["fleet", "dev", "list"])),
        "fleet drain" => Hint::new("an instance does not come back; see how many the fleet has with")
                .command(bpctl(&["fleet", "status", drained(record)]))
                .and("; another desired capacity lets it start another one"),
        "fleet refresh" => Hint::new("as long as it goes on, end it with")
                .command(bpctl(&["fleet", "refresh", "cancel", fleet(record)]))
                .and("; to replace its instances by those of the image before, first")
                .command(bpctl(&["ami", "rollback", "--fleet", fleet(record)])),
        "fleet refresh cancel" => Hint::new("start another one with").command(bpctl(&["fleet", "refresh", fleet(record)])),
        "stack deploy" => Hint::new("check out the infrastructure code that was deployed before, and deploy it with")
                .command(bpctl(&["stack", "deploy"]).args(done_steps(record))),
        "stack continue-rollback" => Hint::new("the stack is what it was before the update that failed: mend its cause, and deploy again with")
                .command(bpctl(&["stack", "deploy"]).args(done_steps(record))),
        "stack import" => Hint::new("deploy the stack once without these resources, whose `DeletionPolicy` keeps them, with")
                .command(bpctl(&["stack", "deploy"]).args(done_steps(record))),
        "stack bootstrap" => Hint::new("the stacks of the CDK need it: it stays until the last of them is gone; see them with")
                .command(bpctl(&["stack", "list"])),
        "stack delete" => Hint::new("deploy them again with").command(bpctl(&["stack", "deploy"]).args(done_steps(record))),
        "fleet apply-config" => Hint::new("write the desired configuration of before, and apply it with")
                .command(bpctl(&["fleet", "apply-config"]).args(provisioned(record))),
        "fleet provision" => Hint::new("delete the stack of the fleet with")
                .command(bpctl(&["stack", "delete"]).args(done_steps(record))),
        "ami bake" | "ami build" => Hint::new("the image stays until nothing needs it and it is old; see it with")
                .command(bpctl(&["ami", "list"]))
                .and("; then it goes with")
                .command(bpctl(&["ami", "gc"])),
        "ami gc" => Hint::new("what was deleted does not come back: build an image anew, and promote it; see which there are with")
            .command(bpctl(&["ami", "list"])),
        _ => return None,
    })
}

/// The fleet that a run was about: its steps bear its name.
fn fleet(record: &Record) -> &str {
    let names = record.steps.iter().map(|step| step.id.as_str());
    names.into_iter().find(|id| id.contains('/')).unwrap_or_default()
}

/// The stacks that a run has deployed.
fn done_steps(record: &Record) -> Vec<String> {
    happened(record).map(|step| step.id.clone()).collect()
}

/// The fleet as it was typed: a run of one fleet has the stack's name in its steps.
fn provisioned(record: &Record) -> Option<String> {
    let mut words = record
        .command_line
        .iter()
        .skip_while(|word| *word != "apply-config");
    words.nth(1).cloned()
}

fn shut_down_again(record: &Record) -> CommandLine {
    let shutdown = CommandLine::bpctl(["shutdown"]);
    let starts = |call: &ApiCall| call.operation == "StartDBInstance";
    if happened(record).any(|step| step.calls.iter().any(starts)) {
        shutdown.option("--rds", "stop")
    } else {
        shutdown
    }
}

/// The fleet that a drained instance was of: its step bears the instance's name.
fn drained(record: &Record) -> &str {
    let mut calls = record.steps.iter().flat_map(|step| &step.calls);
    let resource = calls.find_map(|call| call.resource.strip_prefix("asg/"));
    resource.unwrap_or_default()
}

fn hold_again(record: &Record) -> CommandLine {
    let hold = CommandLine::bpctl(["fleet", "hold", fleet(record)]);
    let mut calls = record.steps.iter().flat_map(|step| &step.calls);
    let launches = |call: &ApiCall| {
        let processes = call.parameters.get("ScalingProcesses");
        let mut names = processes.and_then(|names| names.as_array()).into_iter().flatten();
        names.any(|name| name == "Launch")
    };
    if calls.any(launches) {
        hold.args(["--launch"])
    } else {
        hold
    }
}

/// The services that a run has deployed.
fn services(record: &Record) -> Vec<&str> {
    let words = ["backend", "frontend"];
    let is_one = |word: &&str| happened(record).any(|step| step.id == *word);
    words.into_iter().filter(is_one).collect()
}

fn before(record: &Record) -> Hint {
    let commands = services(record)
        .into_iter()
        .map(|service| CommandLine::bpctl(["rollout", "undo", service]));
    let start = Hint::new("deploy what ran before with");
    let hint = commands.enumerate().fold(start, |hint, (at, command)| {
        let hint = if at == 0 { hint } else { hint.and("and") };
        hint.command(command)
    });
    let migrated = happened(record).any(|step| step.calls.iter().any(|call| call.operation == "RunTask"));
    if migrated {
        hint.and("; the databases stay migrated")
    } else {
        hint
    }
}

fn revision(record: &Record) -> Hint {
    let service = record.steps.first().map_or("backend", |step| step.id.as_str());
    Hint::new("see which revision it was for with")
        .command(CommandLine::bpctl(["rollout", "history", service]))
        .and("and deploy that one with `--task-definition`")
}

/// Deletes what a run has written.
fn deletions(record: &Record) -> Hint {
    let written = happened(record).filter_map(|step| {
        let call = step.calls.last()?;
        let text = |name: &str| call.parameters.get(name)?.as_str();
        let delete = CommandLine::aws("s3api", "delete-object");
        Some(
            delete
                .option("--bucket", text("Bucket")?)
                .option("--key", text("Key")?),
        )
    });
    let start = Hint::new("once no bundle and no fleet needs it, delete what it wrote with");
    written
        .take(SPELLED_OUT)
        .enumerate()
        .fold(start, |hint, (at, command)| {
            let hint = if at == 0 { hint } else { hint.and("and") };
            hint.command(command)
        })
}
