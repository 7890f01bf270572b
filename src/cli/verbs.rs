//! The verb table: one line per verb. What a verb needs is said beside the verb.

use crate::commands;

commands::verb::verbs! {
    pub(crate) enum Command {
        Get(commands::get::GetArgs),
        Describe(commands::describe::DescribeArgs),
        Diff(commands::diff::DiffArgs),
        Deploy(commands::deploy::DeployArgs),
        Rollout(commands::rollout::RolloutArgs),
        Image(commands::image::ImageArgs),
        Migrate(commands::migrate::MigrateArgs),
        Run(commands::run::RunArgs),
        Seed(commands::run::SeedArgs),
        Task(commands::task::TaskArgs),
        Logs(commands::logs::LogsArgs),
        Exec(commands::exec::ExecArgs),
        Tinker(commands::tinker::TinkerArgs),
        PortForward(commands::port_forward::PortForwardArgs),
        Db(commands::db::DbArgs),
        Fleet(commands::fleet::FleetArgs),
        Ami(commands::ami::AmiArgs),
        Bundle(commands::bundle::BundleArgs),
        Secrets(commands::secrets::SecretsArgs),
        Cost(commands::cost::CostArgs),
        Shutdown(commands::shutdown::ShutdownArgs),
        Resume(commands::resume::ResumeArgs),
        Backup(commands::backup::BackupArgs),
        Restore(commands::secrets::restore::RestoreArgs),
        Teardown(commands::teardown::TeardownArgs),
        Reset(commands::reset::ResetArgs),
        Stack(commands::stack::StackArgs),
        Domain(commands::domain::DomainArgs),
        Monitoring(commands::monitoring::MonitoringArgs),
        Runs(commands::runs::RunsArgs),
        Lock(commands::lock::LockArgs),
        History(commands::history::HistoryArgs),
        Timeline(commands::timeline::TimelineArgs),
        Doctor(commands::doctor::DoctorArgs),
        Day1(commands::day1::Day1Args),
        Auth(commands::auth::AuthArgs),
        Iam(commands::iam::IamArgs),
        Workflow(commands::workflow::WorkflowArgs),
        Smoke(commands::smoke::SmokeArgs),
        Triage(commands::triage::TriageArgs),
        Top(commands::top::TopArgs),
        Explain(commands::explain::ExplainArgs),
        Whoami(commands::whoami::WhoamiArgs),
        Mcp(commands::mcp::McpArgs),
        Sandbox(commands::sandbox::SandboxArgs),
        Config(commands::config::ConfigArgs),
        Completion(commands::completion::CompletionArgs),
        Man(commands::man::ManArgs),
        Schema(commands::schema::SchemaArgs),
        Version(commands::version::VersionArgs),
        ExitCodes(commands::exit_codes::ExitCodesArgs),
        Options(commands::options::OptionsArgs),
    }
}

#[cfg(test)]
mod tests {
    use crate::error::{CommandLine, Effect};

    /// Verbs that change something and have no plan to show: a shell in a task, files and state of this machine, and
    /// what goes on with another run, which has the plan, and what serves those that do.
    const WITHOUT_PLAN: [&str; 17] = [
        "exec",
        "tinker",
        "mcp",
        "image build",
        "config use-context",
        "config set",
        "config unset",
        "config init",
        "workflow init",
        "sandbox start",
        "sandbox stop",
        "sandbox reset",
        "sandbox advance",
        "sandbox serve",
        "sandbox run",
        "sandbox scenario set",
        "sandbox scenario clear",
    ];

    /// The words of every command that does something by itself, and whether it has a dry run.
    fn leaves(command: &clap::Command, words: &[String], found: &mut Vec<(Vec<String>, bool)>) {
        if !words.is_empty() && !command.is_subcommand_required_set() {
            let plans = command.get_arguments().any(|arg| arg.get_id() == "dry_run");
            found.push((words.to_vec(), plans));
        }
        for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
            leaves(verb, &[words, &[verb.get_name().to_owned()]].concat(), found);
        }
    }

    #[test]
    fn a_printed_command_counts_as_a_change_exactly_when_its_verb_makes_one() {
        let mut found = Vec::new();
        leaves(&crate::cli::command_tree(), &[], &mut found);
        assert!(found.len() > 80, "{found:?}");
        let mut wrong = Vec::new();
        for (words, plans) in found {
            let line = words.join(" ");
            let command = CommandLine::bpctl(words);
            let changes = plans || WITHOUT_PLAN.contains(&line.as_str());
            if (command.effect() == Effect::Changes) != changes {
                wrong.push(line);
            }
        }
        assert!(wrong.is_empty(), "counted the wrong way: {wrong:#?}");
    }
}
