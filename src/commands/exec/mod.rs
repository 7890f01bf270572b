//! `bpctl exec`: a program or a shell in a container of a running task.

pub(crate) mod open;
pub(crate) mod place;
mod streams;
pub(crate) mod terminal;
pub(crate) mod view;

use std::time::Duration;

use clap::Args;
use futures::FutureExt as _;

use crate::aws::ecs::ExecuteCommand;
use crate::change::{Attendance, Attended, Call as _, Proposed, SessionArgs};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::iam::{HISTORY, On, SESSION, Use, Uses};
use crate::output::OutputFormat;
use crate::process::{interrupt, read_in_thread};
use crate::session::wrapper::{Connection, command_line};
use crate::session::{Talk, Uuid};
use open::{SessionLink, give_up, open, while_it_goes_on};
use place::{Place, Wanted, find};
use streams::{Input, Streams};
use terminal::{End, attend};
use view::ExecResult;

/// How long standard input may take to show that it is empty.
const EMPTY_INPUT: Duration = Duration::from_millis(50);

/// Run a program or a shell in a container of a running task
///
/// Without a program: a shell at this terminal. With one: it runs without a terminal, its standard output and standard error
/// come back byte for byte on their own streams, what is piped into bpctl is piped into it, and its exit status is
/// bpctl's. The arguments reach it as they are; no shell reads them.
///
/// Session Manager's plugin is not needed. A session that does not answer is left with Enter, `~`, `.`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl exec                                       a shell in php-fpm of a backend task
  bpctl exec frontend                              a shell in the frontend
  bpctl exec backend -- php artisan about          one command
  bpctl exec backend -c nginx -t -- vi /etc/nginx/nginx.conf
  bpctl exec -- sh -c 'tar c storage' > storage.tar
  bpctl exec backend -o json -- php artisan db:show -v | jq -r .stdout.text")]
pub(crate) struct ExecArgs {
    /// Service (backend, frontend) or id of a task
    #[arg(value_name = "SERVICE|TASK", default_value = "backend", add = crate::completion::services())]
    target: String,

    /// Container [default: php-fpm or nextjs, or the only one]
    #[arg(short, long, value_name = "NAME")]
    container: Option<String>,

    /// Run the program at this terminal, e.g. an editor
    #[arg(short, long)]
    tty: bool,

    /// Hand standard input on even if it is a terminal
    #[arg(short = 'i', long, conflicts_with = "no_stdin")]
    stdin: bool,

    /// Do not hand standard input on
    #[arg(short, long, conflicts_with = "tty")]
    no_stdin: bool,

    #[command(flatten)]
    session: SessionArgs,

    /// Program and arguments
    #[arg(last = true, value_name = "PROGRAM")]
    program: Vec<String>,
}

impl Verb for ExecArgs {
    fn uses() -> Uses {
        Uses::of(&[
            HISTORY,
            SESSION,
            &[
                Use::of("ecs:DescribeServices", On::Services),
                Use::of("ecs:DescribeTasks", On::Tasks),
                Use::of("ecs:ExecuteCommand", On::CommandsInTasks),
                Use::of("ecs:ListTasks", On::AnythingInCluster),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS.own_interrupts()
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let request = Request {
            verb: "exec",
            wanted: Wanted::parse(&layout, &self.target)?,
            container: self.container,
            session: self.session,
            mode: Mode::decide(ctx, self.tty, self.stdin, self.no_stdin, &self.program)?,
            program: self.program,
        };
        request.run(ctx).await
    }
}

/// How a program is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Terminal,
    /// `input`: standard input is handed on.
    Streams {
        input: bool,
    },
}

impl Mode {
    pub(crate) fn decide(
        ctx: &Ctx,
        tty: bool,
        stdin: bool,
        no_stdin: bool,
        program: &[String],
    ) -> Result<Self> {
        let attached = &ctx.attached;
        let terminal = attached.stdin_is_terminal && attached.stdout_is_terminal;
        if let Some(argument) = program.iter().find(|argument| argument.contains('\0')) {
            return Err(CtlError::usage(format!(
                "run `{}`: an argument contains a NUL",
                argument.escape_debug()
            )));
        }
        if tty || (program.is_empty() && terminal && !no_stdin) {
            if !terminal {
                return Err(CtlError::usage(
                    "run the program at a terminal: standard input or output is none",
                )
                .hint("leave `--tty` out"));
            }
            if documents(ctx) {
                return Err(
                    CtlError::usage("write a document of a session at the terminal: there is none")
                        .hint("leave `-o` and `--query` out, or give a program behind `--`"),
                );
            }
            return Ok(Self::Terminal);
        }
        if program.is_empty() && (no_stdin || attached.stdin_is_terminal) {
            return Err(CtlError::usage(
                "open a shell: there is no terminal for it, and nothing is piped into it",
            )
            .hint(a_program()));
        }
        Ok(Self::Streams {
            input: !no_stdin && (stdin || !attached.stdin_is_terminal),
        })
    }
}

/// Whether a document is wanted instead of the program's own output.
fn documents(ctx: &Ctx) -> bool {
    let raw = matches!(ctx.output.format, OutputFormat::Table | OutputFormat::Wide);
    !raw || ctx.output.query.is_some()
}

/// A program in a container, before anything is asked of AWS.
pub(crate) struct Request {
    pub(crate) verb: &'static str,
    pub(crate) wanted: Wanted,
    pub(crate) container: Option<String>,
    pub(crate) session: SessionArgs,
    pub(crate) mode: Mode,
    pub(crate) program: Vec<String>,
}

impl Request {
    /// Finds the place, opens the session, and stays in it.
    ///
    /// # Errors
    /// Why it cannot be entered, or how the session broke.
    pub(crate) async fn run(mut self, ctx: &Ctx) -> Result<ExitStatus> {
        // Until the session is open, Ctrl-C means bpctl; then it means the program.
        let prepared = {
            let prepare = self.prepare(ctx).boxed_local();
            tokio::select! {
                biased;
                prepared = prepare => prepared?,
                () = interrupt() => {
                    return Err(CtlError::new(
                        ErrorKind::Interrupted,
                        "finish: interrupted while looking, no session was opened",
                    ));
                }
            }
        };
        let Prepared {
            attended,
            place,
            nonce,
            input,
            call,
        } = match prepared {
            Ok(prepared) => prepared,
            Err(status) => return Ok(status),
        };
        let outcome = self
            .hold(ctx, &attended, &place, &nonce, input, &call)
            .boxed_local()
            .await;
        let (told, result) = match outcome {
            Ok(status) => (Ok(format!("ended with {}", status.code())), Ok(status)),
            Err(error) => (Err(error.clone()), Err(error)),
        };
        let status = match &result {
            Ok(status) => *status,
            Err(error) => error.exit_status(),
        };
        attended.end(&told, status).boxed_local().await;
        result
    }

    async fn prepare<'a>(&mut self, ctx: &'a Ctx) -> Result<Result<Prepared<'a>, ExitStatus>> {
        let layout = ctx.layout()?;
        let place = find(ctx, &layout, &self.wanted, self.container.as_deref()).await?;
        let mut input = None;
        if let Mode::Streams { input: true } = self.mode {
            let read = |error: std::io::Error| {
                CtlError::new(ErrorKind::Failed, "read standard input").source(&error)
            };
            let mut rest = read_in_thread(ctx.ui.take_input()).map_err(read)?;
            // Most scheduled jobs have an empty one: nothing is asked of the container for it then.
            let patience = ctx.clock.from_real(EMPTY_INPUT);
            let first = tokio::select! {
                biased;
                first = rest.recv() => Some(first),
                () = ctx.clock.sleep(patience) => None,
            };
            match first {
                Some(None) => self.mode = Mode::Streams { input: false },
                Some(Some(first)) => {
                    input = Some(Input {
                        first: Some(first),
                        rest,
                    })
                }
                None => input = Some(Input { first: None, rest }),
            }
        }
        if self.program.is_empty() && self.mode != Mode::Terminal {
            if input.is_none() {
                return Err(CtlError::usage("open a shell: nothing is piped into it").hint(a_program()));
            }
            self.program = vec!["sh".to_owned()];
        }
        let nonce = Uuid::random()
            .map_err(|error| {
                CtlError::new(ErrorKind::Unexpected, "draw the number of the session").source(&error)
            })?
            .to_string()
            .replace('-', "");
        let connection = match self.mode {
            Mode::Terminal => Connection::Terminal,
            Mode::Streams { input } => Connection::Streams { input },
        };
        let call = ExecuteCommand {
            cluster: place.cluster.clone(),
            task: place.task.arn.clone(),
            container: place.container.clone(),
            command: command_line(&nonce, connection, &self.program),
        };
        let what = if self.program.is_empty() {
            "a shell".to_owned()
        } else {
            self.program.join(" ")
        };
        let proposed = Proposed {
            verb: self.verb,
            title: format!("run {what} in {}", place.told()),
            place: place.told(),
            opens: call.described(),
            if_needed: while_it_goes_on(&place),
        };
        Ok(match crate::change::attend(ctx, proposed, &self.session).await? {
            Attendance::Finished(status) => Err(status),
            Attendance::Approved(attended) => Ok(Prepared {
                attended,
                place,
                nonce,
                input,
                call,
            }),
        })
    }

    /// Opens the session and stays until it ends.
    async fn hold(
        &self,
        ctx: &Ctx,
        attended: &Attended<'_, Ctx>,
        place: &Place,
        nonce: &str,
        input: Option<Input>,
        call: &ExecuteCommand,
    ) -> Result<ExitStatus> {
        if self.mode == Mode::Terminal {
            let others = match place.others {
                0 => String::new(),
                others => format!(", one of {}", others + 1),
            };
            ctx.ui.status(&format!(
                "Entering {}{others}; leave with `exit`, or with Enter ~ . if it does not answer",
                place.told()
            ));
        }
        let opened = open(ctx, attended, place, call).await?;
        let session = opened.id.clone();
        let link = SessionLink {
            ctx,
            attended,
            session: opened.id,
            url: opened.url,
            task: place.task.id().to_owned(),
        };
        let talk = Talk::begin(link, opened.token.expose().to_owned(), &ctx.clock)?;
        let ended = match self.mode {
            Mode::Terminal => {
                let read = |error: std::io::Error| {
                    CtlError::new(ErrorKind::Failed, "read the terminal").source(&error)
                };
                let keys = read_in_thread(ctx.ui.take_input()).map_err(read)?;
                attend(ctx, place, nonce, keys, talk)
                    .boxed_local()
                    .await
                    .map(|end| match end {
                        End::Status(status) => passed_on(status),
                        End::Left => ExitStatus::Done,
                    })
            }
            Mode::Streams { .. } => {
                let keeps = documents(ctx);
                let streams = Streams {
                    ctx,
                    place,
                    nonce,
                    input,
                    keeps,
                };
                match streams.follow(talk).boxed_local().await {
                    Ok(ended) if keeps => {
                        let status = passed_on(ended.status);
                        let document = ExecResult {
                            task: place.task.id().to_owned(),
                            container: place.container.clone(),
                            command: self.program.clone(),
                            exit_status: ended.status,
                            stdout: ended.stdout.into(),
                            stderr: ended.stderr.into(),
                        };
                        ctx.emit_outcome(&document, Ok(status))
                    }
                    Ok(ended) => Ok(passed_on(ended.status)),
                    Err(error) => Err(error),
                }
            }
        };
        if ended.is_err() {
            give_up(ctx, attended, &session, place.task.id()).await;
        }
        ended
    }
}

/// What the session needs once it is approved.
struct Prepared<'a> {
    attended: Box<Attended<'a, Ctx>>,
    place: Place,
    nonce: String,
    input: Option<Input>,
    call: ExecuteCommand,
}

/// What to type instead of nothing.
fn a_program() -> (&'static str, CommandLine) {
    let command = CommandLine::bpctl(["exec", "backend", "--", "php", "artisan", "about"]);
    ("give a program:", command)
}

/// The program's status is bpctl's.
fn passed_on(status: u8) -> ExitStatus {
    match status {
        0 => ExitStatus::Done,
        other => ExitStatus::External(other),
    }
}
