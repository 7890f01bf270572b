//! `bpctl db tunnel`: the database on this machine, through a task that reaches it.

use clap::Args;
use futures::FutureExt as _;
use futures::future::try_join;
use schemars::JsonSchema;
use serde::Serialize;

use super::instances::{self, ENDPOINT_OUTPUT, NoEndpoint};
use crate::aws::rds::platform_instance;
use crate::aws::sessions::StartSession;
use crate::change::SessionArgs;
use crate::commands::exec::place::{Wanted, find};
use crate::commands::port_forward::session::Forward;
use crate::commands::port_forward::{Ports, interrupted, listen};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{HISTORY, On, SESSION, Use, Uses};
use crate::layout::Layout;
use crate::output::{Render, View, paragraph};
use crate::process::interrupt;

/// MariaDB's port on RDS; the task definitions name no other.
const PORT: u16 = 3306;
/// A port on this machine that is not that of a database of its own.
const LOCAL: u16 = 13_306;
/// The central database.
const DATABASE: &str = "bp";

/// Reach the database on this machine through a backend task, until Ctrl-C
///
/// Listens on 127.0.0.1 alone. The password is neither read nor printed; where it is kept is said.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl db tunnel                                  the database on 127.0.0.1:13306
  bpctl db tunnel --local-port 3307
  bpctl db tunnel -o json                          the address and the client's command in a document")]
pub(crate) struct TunnelArgs {
    /// Port on this machine; 0 for any free one
    #[arg(long, value_name = "PORT", default_value_t = LOCAL)]
    local_port: u16,

    /// Task that the connections go through [default: the newest of the backend]
    #[arg(
        long,
        value_name = "TASK",
        default_value = "backend",
        hide_default_value = true
    )]
    through: String,

    #[command(flatten)]
    session: SessionArgs,
}

/// The document, written as soon as connections are taken.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Tunnel {
    /// Address and port on this machine.
    listen: String,
    /// The database's own host and port.
    database: String,
    task: String,
    /// A client's command line, without the password.
    connect: String,
    /// The secret of Secrets Manager with user and password.
    secret: String,
}

impl Verb for TunnelArgs {
    fn uses() -> Uses {
        Uses::of(&[
            HISTORY,
            SESSION,
            &[
                Use::of("cloudformation:DescribeStacks", On::DataStack),
                Use::of("ecs:DescribeServices", On::Services),
                Use::of("ecs:DescribeTasks", On::Tasks),
                Use::of("ecs:ListTasks", On::AnythingInCluster),
                Use::of("rds:DescribeDBInstances", On::Databases),
                Use::of("ssm:StartSession", On::PortThroughTasks),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS.own_interrupts()
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let wanted = Wanted::parse(&layout, &self.through)?;
        let ports = Ports {
            local: self.local_port,
            remote: PORT,
        };
        let listener = listen(ports).await?;
        let prepare = async {
            let (database, place) =
                try_join(endpoint(ctx, &layout), find(ctx, &layout, &wanted, None)).await?;
            let Endpoint { host, user } = database;
            let call = StartSession {
                target: place.target()?,
                host: Some(host.clone()),
                port: PORT,
                task: place.task.id().to_owned(),
            };
            let forward = Forward {
                ctx,
                verb: "db tunnel",
                title: format!("forward {host}:{PORT} through {}", place.told()),
                remote: format!("{host}:{PORT}"),
                place,
                call,
            };
            let approved = forward.approved(&self.session).await?;
            Ok(approved.map(|(forward, attended)| (forward, attended, user)))
        };
        let approved = tokio::select! {
            biased;
            approved = prepare.boxed_local() => approved?,
            () = interrupt() => return Err(interrupted()),
        };
        let (forward, attended, user) = match approved {
            Ok(approved) => approved,
            Err(status) => return Ok(status),
        };
        let address = listener.address();
        let secrets = layout.secrets();
        let secret = secrets.into_iter().find(|(role, _)| *role == "rds");
        let in_secret = match &user {
            Some(_) => "user and password are in a secret; this prints them:",
            None => {
                "add `--user` with the name from the secret, which has the password too; this prints them:"
            }
        };
        let document = Tunnel {
            listen: address.to_string(),
            database: forward.remote.clone(),
            task: forward.place.task.id().to_owned(),
            connect: client(&address.ip().to_string(), address.port(), user.as_deref()),
            secret: secret.map(|(_, name)| name).unwrap_or_default(),
        };
        let ready = || {
            ctx.emit(&document)?;
            ctx.ui.hint(
                Hint::new(in_secret).command(
                    CommandLine::aws("secretsmanager", "get-secret-value")
                        .option("--secret-id", &document.secret),
                ),
            );
            Ok(())
        };
        forward.serve(attended, listener, &ready).boxed_local().await
    }
}

/// The command line of a client, which asks for the password itself. The hint asks for a user that is not known.
fn client(host: &str, port: u16, user: Option<&str>) -> String {
    let mut line = CommandLine::other("mysql", ["--host", host]).option("--port", port.to_string());
    if let Some(user) = user {
        line = line.option("--user", user);
    }
    line.args(["--password", DATABASE]).to_string()
}

/// The platform's database.
struct Endpoint {
    host: String,
    /// Its master user, if RDS says so.
    user: Option<String>,
}

/// Where the platform's database is.
async fn endpoint(ctx: &Ctx, layout: &Layout) -> Result<Endpoint> {
    let instances = instances::look(ctx, layout).await?;
    let output = match instances.endpoint {
        Ok(output) => Some(output),
        Err(NoEndpoint {
            error: Some(error), ..
        }) => return Err(error),
        Err(NoEndpoint { error: None, .. }) => None,
    };
    let found = platform_instance(&instances.all, output.as_deref(), None);
    let Some((instance, _)) = found else {
        return Err(CtlError::new(
            ErrorKind::NotFound,
            format!(
                "find the platform's database: none of {} instances of this region is the one that {ENDPOINT_OUTPUT} of the data stack names",
                instances.all.len()
            ),
        )
        .hint(("layout, stage or region may be wrong:", CommandLine::bpctl(["whoami"]), "shows them")));
    };
    let host = instance.endpoint.clone().ok_or_else(|| {
        CtlError::new(
            ErrorKind::Failed,
            format!(
                "reach database {}: it is {} and has no address yet",
                instance.id, instance.status
            ),
        )
    })?;
    Ok(Endpoint {
        host,
        user: instance.master_user.clone(),
    })
}

impl Render for Tunnel {
    fn human(&self, view: &View) -> String {
        let told = format!(
            "{} is on {} now, through task {}.",
            self.database, self.listen, self.task
        );
        let mut text = String::new();
        paragraph(&mut text, view, "", &told);
        format!("{text}\n    {}\n", self.connect)
    }

    fn names(&self) -> Vec<String> {
        vec![self.listen.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_the_user_that_is_known_and_no_placeholder() {
        assert_eq!(
            client("127.0.0.1", 13_306, Some("bp_admin")),
            "mysql --host 127.0.0.1 --port 13306 --user bp_admin --password bp"
        );
        assert_eq!(
            client("127.0.0.1", 13_306, None),
            "mysql --host 127.0.0.1 --port 13306 --password bp"
        );
    }
}
