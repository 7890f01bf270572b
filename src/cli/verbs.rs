//! The verb table: one line per verb. What a verb needs is said beside the verb.

use crate::commands;

commands::verb::verbs! {
    pub(crate) enum Command {
        Get(commands::get::GetArgs),
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
        Stack(commands::stack::StackArgs),
        Runs(commands::runs::RunsArgs),
        Lock(commands::lock::LockArgs),
        History(commands::history::HistoryArgs),
        Doctor(commands::doctor::DoctorArgs),
        Auth(commands::auth::AuthArgs),
        Iam(commands::iam::IamArgs),
        Triage(commands::triage::TriageArgs),
        Explain(commands::explain::ExplainArgs),
        Whoami(commands::whoami::WhoamiArgs),
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
