//! Commands of bpctl that the tools run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures::future::LocalBoxFuture;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::context::Ctx;
use crate::exit::ExitStatus;
use crate::process::{ChosenContext, Process, STACK};

/// How many commands run at the same time: an assistant may ask for everything at once, AWS has limits.
const AT_ONCE: usize = 4;

/// Variables that make a command leave its result with a runner of workflows as well.
const NOT_HANDED_ON: [&str; 1] = ["GITHUB_ACTIONS"];

/// Global flags without a value.
const SWITCHES: [&str; 2] = ["no-account-guard", "protected"];

/// What runs commands, in the place of the command line that serves.
pub(super) struct Calls {
    run: fn(Process) -> LocalBoxFuture<'static, ExitStatus>,
    place: Vec<String>,
    env: BTreeMap<String, String>,
    cwd: PathBuf,
    context: ChosenContext,
    cancel: CancellationToken,
    free: Arc<Semaphore>,
}

/// How a command ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Calls {
    pub(super) fn of(ctx: &Ctx) -> Self {
        let place = ctx
            .flags
            .iter()
            .map(|(name, value)| match SWITCHES.contains(name) {
                true => format!("--{name}"),
                false => format!("--{name}={value}"),
            });
        let mut env = ctx.env.clone();
        env.retain(|name, _| !NOT_HANDED_ON.contains(&name.as_str()));
        Self {
            run: ctx.run_beside,
            place: std::iter::once("--quiet".to_owned()).chain(place).collect(),
            env,
            cwd: ctx.cwd.clone(),
            context: ctx.chosen_context(),
            cancel: CancellationToken::new(),
            free: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Interrupts every command that runs.
    pub(super) fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Runs a command to its end; `cancel` is the assistant's wish to have it interrupted.
    ///
    /// # Errors
    /// The machine gives no thread.
    pub(super) async fn run(&self, words: Vec<String>, cancel: CancellationToken) -> Result<Ended, String> {
        let _free = self.free.acquire().await.map_err(|error| error.to_string())?;
        let (mut process, captured) = Process::captured(&[]);
        process
            .args
            .extend(self.place.iter().cloned().chain(words).map(Into::into));
        process.env.clone_from(&self.env);
        process.cwd.clone_from(&self.cwd);
        process.context = self.context.clone();
        process.cancel = self.cancel.child_token();
        let interrupted = process.cancel.clone();
        let run = self.run;
        let running = tokio::task::spawn_blocking(move || to_its_end(run, process));
        let heard = async move {
            cancel.cancelled().await;
            interrupted.cancel();
            std::future::pending::<()>().await;
        };
        let status = tokio::select! {
            status = running => status.map_err(|error| format!("run the command: {error}"))?,
            () = heard => ExitStatus::Interrupted,
        };
        Ok(Ended {
            status,
            stdout: captured.stdout(),
            stderr: captured.stderr(),
        })
    }
}

/// Runs a command in a thread and a runtime of its own: its futures stay in one thread, those of the server need not.
fn to_its_end(run: fn(Process) -> LocalBoxFuture<'static, ExitStatus>, process: Process) -> ExitStatus {
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else {
            return ExitStatus::Failed;
        };
        let status = runtime.block_on(run(process));
        runtime.shutdown_background();
        status
    };
    let running = std::thread::Builder::new()
        .name("command".to_owned())
        .stack_size(STACK)
        .spawn(work);
    let ended = running.map(std::thread::JoinHandle::join);
    ended.map_or(ExitStatus::Failed, |ended| ended.unwrap_or(ExitStatus::Failed))
}
