//! Every document that bpctl writes, with its name and number: one line for each.
//!
//! The number grows when a member goes away, gets another name or place, or changes its type or meaning. A member that
//! is added, or a further word where there was a list of them, does not change it.

use super::{
    ami, auth, backup, bundle, config, cost, day1, db, deploy, describe, diff, doctor, domain, exec,
    exit_codes, explain, fleet, get, history, iam, image, lock, logs, migrate, monitoring, port_forward,
    reset, resume, rollout, run, runs, sandbox, schema, secrets, shutdown, side_by_side, smoke, stack, task,
    teardown, timeline, version, whoami, workflow,
};
use crate::change::{PlanView, PrintedCommands, UndoResult};
use crate::commands::get::mixed::rows;
use crate::commands::get::row::Listed;
use crate::error::{ERROR_SCHEMA, ErrorDocument};
use crate::output::{Document, Shape};
use crate::triage::report;

macro_rules! documents {
    ($($document:ty = $name:literal $(of $items:literal)?, $about:literal;)+) => {
        $(impl Document for $document {
            const SCHEMA: &'static str = $name;
            $(const ITEMS: Option<&'static str> = Some($items);)?
        })+

        /// The shape of every document, and those of the items of lists.
        pub(crate) fn shapes() -> Vec<Shape> {
            let mut shapes = vec![Shape::without_place::<ErrorDocument>(
                ERROR_SCHEMA,
                "Why a command failed; one line on stderr with `-o json` and `-o jsonl`.",
            )];
            $(shapes.extend(Shape::of::<$document>($about));)+
            shapes.sort_by(|one, other| one.name.cmp(&other.name));
            shapes
        }
    };
}

documents! {
    PlanView = "bpctl.plan/2", "What a verb would do, with each call to AWS: `--dry-run` of every verb.";
    PrintedCommands = "bpctl.aws-commands/1", "A plan as commands of the aws tool: `--print-aws`.";
    UndoResult = "bpctl.runs.undo/1" of "steps", "How far the undoing of a run came.";
    side_by_side::SideBySide = "bpctl.contexts/1",
        "What a read found in each of several contexts: `--context a,b` and `--all-contexts`.";
    diff::contexts::Differences = "bpctl.diff.contexts/1" of "differences", "How two contexts differ: `diff contexts`.";
    report::Report = "bpctl.triage/2" of "findings", "What is wrong with the platform, and what was looked at.";
    crate::triage::difference::Difference = "bpctl.triage.diff/1" of "findings", "What changed between two triages: `triage --diff`.";
    timeline::Timeline = "bpctl.timeline/1" of "events", "What happened lately, from every source in one order.";
    explain::Catalogue = "bpctl.explain/1" of "findings", "What the codes of findings mean.";
    fleet::list::List = "bpctl.fleet.list/1" of "fleets", "Fleets and their sizes.";
    fleet::status::Status = "bpctl.fleet.status/2" of "fleets",
        "Everything that AWS knows of fleets: capacity, metrics, pointers, alarms, the last activity.";
    fleet::instances::InstanceTable = "bpctl.fleet.instances/1" of "instances",
        "What each instance of fleets runs, beside what the pointers say.";
    fleet::config::view::ConfigDetails = "bpctl.fleet.config.get/1",
        "The configuration of a fleet, what is wrong with it, and whether the fleet's group has it.";
    fleet::config::view::ConfigResult = "bpctl.fleet.config/1", "A fleet's configuration that was written: `set` and `edit`.";
    fleet::protect::ProtectResult = "bpctl.fleet.protect/1" of "instances", "Which instances of a fleet scale-in leaves alone.";
    fleet::drain::DrainResult = "bpctl.fleet.drain/1", "An instance that was taken out of a fleet.";
    fleet::dev::view::DevList = "bpctl.fleet.dev.list/1" of "instances", "Development instances.";
    fleet::dev::view::LaunchResult = "bpctl.fleet.dev.launch/1", "A development instance that was launched, and where it answers.";
    fleet::dev::view::EndingResult = "bpctl.fleet.dev.end/1" of "instances",
        "Development instances that were stopped or terminated: `fleet dev stop` and `fleet dev terminate`.";
    fleet::activity::Diary = "bpctl.fleet.activity/1" of "activities",
        "What the group of a fleet has done lately, and why.";
    cost::view::Costs = "bpctl.cost/1" of "rows",
        "What the platform costs by hour, day and month, what a shutdown saves, what is wasted, and what fleets will cost.";
    shutdown::view::ShutdownResult = "bpctl.shutdown/1" of "parts",
        "What went to zero, where it is on record what there was, and what a day of it saves.";
    resume::view::ResumeResult = "bpctl.resume/1" of "parts", "What services and fleets have beside what a shutdown has recorded.";
    fleet::scale::ScaleResult = "bpctl.fleet.scale/1", "The size of a fleet that was set.";
    fleet::hold::view::HoldResult = "bpctl.fleet.hold/1", "Whether a fleet is held, by whom, why and until when.";
    fleet::refresh::view::RefreshResult = "bpctl.fleet.refresh/1" of "instances",
        "How far a refresh of a fleet is, why it does not advance, and what each instance runs.";
    fleet::scale_to_zero::view::ScaleToZeroResult = "bpctl.fleet.scale-to-zero/1" of "fleets",
        "What became of each fleet that was to go to zero.";
    fleet::explain::Explanation = "bpctl.fleet.explain/2", "Why a fleet has as many instances as it has.";
    fleet::lint::Report = "bpctl.fleet.lint/1" of "fleets", "Mistakes in the scaling of fleets.";
    fleet::simulate::Simulation = "bpctl.fleet.simulate/2", "Waits, jobs and costs of a simulated fleet.";
    fleet::tune::outcome::Tuning = "bpctl.fleet.tune/1", "Configurations of a fleet and what each comes to.";
    fleet::replay::Replayed = "bpctl.fleet.replay/1" of "disagreements",
        "Where the past of a fleet differs from what its policies ask for.";
    domain::view::DomainStatus = "bpctl.domain.status/1" of "certificates", "The certificates for the platform's name.";
    domain::check::DomainCheck = "bpctl.domain.check/1" of "checks", "Whether people who visit the platform's name come to it.";
    domain::view::RequestResult = "bpctl.domain.request/1",
        "A certificate that was requested, and the record of DNS that it waits for.";
    monitoring::show::Monitoring = "bpctl.monitoring.show/1", "What watches the platform, and who is told.";
    monitoring::check::Comparison = "bpctl.monitoring.check/1" of "differences",
        "Where what watches the platform differs from what its stacks make, and what could not be compared.";
    monitoring::apply::view::ApplyResult = "bpctl.monitoring.apply/1" of "written", "Alarms and log groups that were put right.";
    monitoring::subscribe::SubscribeResult = "bpctl.monitoring.subscribe/1", "A subscriber of the alarms, and whether it has confirmed.";
    ami::list::ImageList = "bpctl.ami.list/1" of "images", "Machine images of the fleets.";
    ami::show::ImageDetails = "bpctl.ami.show/1", "One machine image, and what uses it.";
    ami::history::ImageHistory = "bpctl.ami.history/1" of "versions", "Which images fleets pointed to.";
    ami::pointer::view::PromoteResult = "bpctl.ami.promote/1",
        "The image that a fleet's new instances start from, and the replacement of those that run.";
    ami::bake::view::BakeResult = "bpctl.ami.bake/1", "A machine image that was made: `ami bake` and `ami build`.";
    ami::gc::GcResult = "bpctl.ami.gc/1" of "images", "Machine images and snapshots that were deleted.";
    bundle::list::BundleList = "bpctl.bundle.list/1" of "bundles", "Bundles of the models bucket.";
    bundle::show::BundleDetails = "bpctl.bundle.show/1" of "assets", "One bundle and its assets.";
    bundle::verify::Verification = "bpctl.bundle.verify/1" of "problems", "What is wrong with a bundle.";
    bundle::diff::BundleDiff = "bpctl.bundle.diff/1" of "differences", "What two bundles differ in.";
    bundle::upload::view::UploadResult = "bpctl.bundle.upload/1" of "assets", "Files that became assets.";
    bundle::create::view::CreateResult = "bpctl.bundle.create/1", "A bundle that was made.";
    bundle::apply::view::ApplyResult = "bpctl.bundle.apply/1", "What became of a bundle that was applied to a node.";
    bundle::pointer::view::PointerResult = "bpctl.bundle.activate/1" of "fleets",
        "Which bundle is active on fleets now, and what their nodes do: `bundle activate` and `bundle rollback`.";
    bundle::history::PointerHistory = "bpctl.bundle.history/1" of "versions", "Bundles that were active on fleets.";
    get::mixed::Mixed = "bpctl.get/1" of "items", "Things of several kinds.";
    Listed<rows::ServiceRow> = "bpctl.get.services/1" of "items", "Services and how their newest deployments go.";
    Listed<rows::TaskRow> = "bpctl.get.tasks/1" of "items", "Tasks that run, and those that stopped within the last hour.";
    Listed<rows::DeploymentRow> = "bpctl.get.deployments/1" of "items", "Deployments of the services, with their images.";
    Listed<rows::ImageRow> = "bpctl.get.images/1" of "items", "Images with a tag, and where they run.";
    Listed<rows::AlarmRow> = "bpctl.get.alarms/1" of "items", "Alarms of the platform and of its fleets.";
    Listed<rows::FleetRow> = "bpctl.get.fleets/1" of "items", "GPU fleets and their sizes.";
    Listed<rows::InstanceRow> = "bpctl.get.instances/1" of "items", "Instances of the fleets.";
    Listed<rows::StackRow> = "bpctl.get.stacks/1" of "items", "Stacks of the platform and of its fleets.";
    Listed<rows::ParameterRow> = "bpctl.get.parameters/1" of "items", "Parameters that are no secrets, with their values.";
    Listed<rows::SecretRow> = "bpctl.get.secrets/1" of "items", "Secrets by name, without values.";
    Listed<rows::RunRow> = "bpctl.get.runs/1" of "items", "Runs that this machine has a journal of.";
    Listed<rows::LeaseRow> = "bpctl.get.leases/1" of "items", "Leases of the account.";
    describe::view::Described = "bpctl.describe/1" of "items", "Things with what is looked up next: tasks, targets, events, instances, alarms, runs.";
    deploy::view::DeployResult = "bpctl.deploy/1" of "services", "What became of each service that was deployed.";
    rollout::status::Status = "bpctl.rollout.status/1" of "services", "How far the newest deployment of each service is.";
    rollout::history::History = "bpctl.rollout.history/1" of "deployments", "Deployments of a service, with what they brought.";
    image::list::ImageList = "bpctl.image.list/1" of "images", "Images of the services, and which of them run.";
    image::diff::ImageDiff = "bpctl.image.diff/1" of "containers", "Images that run beside those that a deployment would bring.";
    image::build::Built = "bpctl.image.build/1" of "images", "Images that were built on this machine.";
    image::push::view::PushResult = "bpctl.image.push/1" of "images", "Images that were pushed, and the tags that they carry.";
    image::gc::GcResult = "bpctl.image.gc/1" of "images", "Images that were deleted.";
    backup::view::BackupResult = "bpctl.backup/1" of "parts", "What became of a backup, and what it holds.";
    teardown::view::TeardownResult = "bpctl.teardown/1" of "kept",
        "What became of a teardown, what of the platform is still in the account, and what that costs.";
    reset::view::ResetResult = "bpctl.reset/1" of "left",
        "What became of a reset, what of the platform is still in the account, and what was left alone.";
    reset::view::LeftoverList = "bpctl.reset.list/1" of "leftovers",
        "What of the platform is in the account, and what that costs: `reset --list`.";
    stack::list::StackList = "bpctl.stack.list/1" of "stacks", "Stacks of the platform, those that are missing too.";
    stack::status::StackStatus = "bpctl.stack.status/1" of "stacks", "How stacks are, what failed, and what to do.";
    stack::events::StackEvents = "bpctl.stack.events/1" of "events", "What happened to stacks and their resources.";
    stack::outputs::StackOutputs = "bpctl.stack.outputs/1" of "outputs", "What stacks tell of themselves.";
    stack::bootstrap::view::BootstrapResult = "bpctl.stack.bootstrap/1", "How far an account is prepared for the CDK's stacks.";
    stack::continue_rollback::RollbackResult = "bpctl.stack.continue-rollback/1", "What the rollback of an update came to.";
    stack::import::ImportResult = "bpctl.stack.import/1" of "imported", "Resources that a stack took in.";
    stack::delete::StacksDeleted = "bpctl.stack.delete/1" of "stacks", "What a deletion of stacks came to.";
    stack::deploy::view::StacksDeployed = "bpctl.stack.deploy/1" of "stacks", "What a deployment of stacks came to.";
    stack::diff::StackDiff = "bpctl.stack.diff/1" of "stacks", "What templates would change.";
    stack::template::PrintedTemplate = "bpctl.stack.template/1", "A template that bpctl makes itself.";
    stack::drift::StackDrift = "bpctl.stack.drift/1" of "stacks", "What was changed beside stacks since they were deployed.";
    smoke::view::SmokeResult = "bpctl.smoke/1" of "checks",
        "What a test of the platform from the upload to the result found, and what it left.";
    auth::can_i::CanI = "bpctl.auth.can-i/1" of "verbs", "Whether the caller may run verbs, and what is missing.";
    day1::step::Checklist = "bpctl.day1/1" of "steps", "The steps of a first deployment, and which is next.";
    doctor::view::Report = "bpctl.doctor/1" of "checks", "What bpctl needs, and how to get what is missing.";
    iam::policy::Policy = "bpctl.iam.policy/1", "The least that verbs need of IAM, and who may take the role.";
    workflow::init::Written = "bpctl.workflow.init/1" of "files", "Files of the platform's workflows that were written, or would be.";
    workflow::diff::WorkflowDiff = "bpctl.workflow.diff/1" of "files",
        "How the workflows of a repository differ from what `workflow init` would write.";
    workflow::check::WorkflowCheck = "bpctl.workflow.check/1" of "checks",
        "Whether the workflows of a repository have what they need, and what only GitHub can tell.";
    migrate::view::MigrateResult = "bpctl.migrate/1", "What a migration came to.";
    run::view::RunResult = "bpctl.run/1", "What a command in a one-off task came to: `run` and `seed`.";
    task::view::TaskList = "bpctl.task.list/1" of "tasks", "Tasks of the services and one-off ones.";
    task::view::TaskDetails = "bpctl.task.describe/1", "One task: its containers, why it stopped, where its logs are.";
    task::view::Stopped = "bpctl.task.stop/1" of "tasks", "Tasks that were stopped.";
    logs::view::LogLines = "bpctl.logs/1" of "lines", "Lines of logs, in the order of their times.";
    secrets::list::SecretList = "bpctl.secrets.list/1" of "secrets",
        "Secrets and parameters of the platform with their states, without values.";
    secrets::get::Shown = "bpctl.secrets.get/1", "One secret: state, length and fingerprint; the value only with `--reveal`.";
    secrets::diff::SecretsDiff = "bpctl.secrets.diff/1" of "secrets", "Secrets of two contexts, compared by fingerprint.";
    secrets::history::SecretHistory = "bpctl.secrets.history/1" of "versions",
        "Versions of a secret: dates, writers and fingerprints.";
    secrets::written::WriteResult = "bpctl.secrets.write/1" of "secrets",
        "What became of each secret that was to be written: `set`, `undo`, `sync`, `rotate`.";
    exec::view::ExecResult = "bpctl.exec/1", "What a program in a container came to.";
    port_forward::view::Forwarding = "bpctl.port-forward/1", "Where a port of a task is reached on this machine.";
    db::tunnel::Tunnel = "bpctl.db.tunnel/1", "Where the database is reached on this machine, and how.";
    runs::list::RunList = "bpctl.runs.list/1" of "runs", "Runs that this machine has a journal of.";
    runs::show::RunDetails = "bpctl.runs.show/2", "One run, step by step.";
    runs::prune::Pruned = "bpctl.runs.prune/1", "Journals that were removed.";
    history::History = "bpctl.history/1" of "runs", "Who changed what in the account.";
    lock::list::LockList = "bpctl.lock.list/1" of "leases", "Leases of the account and locks of this machine.";
    lock::release::Released = "bpctl.lock.release/1", "A lease that was released.";
    whoami::Whoami = "bpctl.whoami/2", "Account, principal and endpoints that commands would use.";
    config::view::ConfigView = "bpctl.config.view/2" of "settings", "Settings in force, and where each comes from.";
    config::view::Explanation = "bpctl.config.explain/2", "What every layer says of a setting.";
    config::contexts::Contexts = "bpctl.config.contexts/1" of "contexts", "Contexts that can be chosen.";
    config::contexts::Current = "bpctl.config.current-context/1", "The context in force.";
    config::names::Names = "bpctl.config.names/1" of "names", "Names that the layout gives to the platform's parts.";
    sandbox::control::SandboxStatus = "bpctl.sandbox.status/1", "The running sandbox.";
    sandbox::control::Revelation = "bpctl.sandbox.reveal/1" of "scenarios", "What is broken in the sandbox.";
    sandbox::scenario::Scenarios = "bpctl.sandbox.scenarios/1" of "scenarios", "Ways in which the sandbox can break.";
    sandbox::env::Environment = "bpctl.sandbox.env/1", "Variables with which any AWS tool talks to the sandbox.";
    schema::Schemas = "bpctl.schema/1" of "schemas", "Documents that have a JSON Schema.";
    version::Version = "bpctl.version/1", "Which bpctl this is.";
    exit_codes::ExitCodes = "bpctl.exit-codes/1" of "exit_codes", "Exit statuses that scripts can rely on.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_shape_has_a_name_of_its_own_and_items_have_one_too() {
        let shapes = shapes();
        let mut by_short_name: BTreeMap<&str, &Shape> = BTreeMap::new();
        for shape in &shapes {
            let other = by_short_name.insert(shape.short_name(), shape);
            assert!(other.is_none(), "{} and {other:?}", shape.name);
            assert!(shape.about.ends_with('.'), "{}", shape.name);
        }
        let source = include_str!("documents.rs");
        let table = source.split("mod tests").next().unwrap_or_default();
        let with_items = table.matches("\" of \"").count();
        let items = shapes
            .iter()
            .filter(|shape| shape.short_name().ends_with(".item"));
        assert!(with_items > 10);
        assert_eq!(items.count(), with_items);
    }
}
