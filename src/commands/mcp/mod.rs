//! `bpctl mcp`: what bpctl can see and propose, as tools of the Model Context Protocol.

mod calls;
mod plans;
mod server;
mod tools;
mod words;

use std::sync::Arc;

use clap::Args;
use rmcp::ServiceExt as _;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::process::Signals;
use server::Server;

/// Bytes that wait between standard input or output and the server.
const BUFFER: usize = 64 * 1024;

/// Serve what bpctl can see to an assistant, over the Model Context Protocol
///
/// Speaks MCP on standard input and output, as assistants start it. Every command that only looks is a tool with a JSON
/// Schema; its answer is the command's JSON document. The place is that of this command line: no tool can leave it.
///
/// Changes are two tools. `plan` shows what a command would do and gives a token. `apply` carries out exactly that plan, once,
/// within fifteen minutes; it is there only with --allow-apply, never in a protected context, and never for what cannot be
/// undone. What it did is in the journal and in the shared history, with the assistant's name as the reason.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl mcp --context staging                         tools that look, and plans
  bpctl mcp --context staging --allow-apply           plans can be carried out, too

As an assistant's configuration:
  {\"mcpServers\": {\"bpctl\": {\"command\": \"bpctl\", \"args\": [\"mcp\", \"--context\", \"staging\"]}}}")]
pub(crate) struct McpArgs {
    /// Let the assistant carry out plans that can be undone
    #[arg(long)]
    allow_apply: bool,
}

impl Verb for McpArgs {
    fn needs(&self) -> Needs {
        // The tools ask AWS, each as a command of its own.
        Needs::SETTINGS.own_interrupts()
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        if ctx.ui.has_terminal_input() {
            return Err(
                CtlError::usage("serve MCP: standard input is a terminal, and not an assistant")
                    .hint("assistants start this command themselves: see the configuration in its help"),
            );
        }
        let server = Server::new(ctx, self.allow_apply);
        let (near, far) = tokio::io::duplex(BUFFER);
        let (from_server, mut to_server) = tokio::io::split(near);
        let mut input = crate::process::read_in_thread(ctx.ui.take_input())
            .map_err(|error| CtlError::new(ErrorKind::Failed, "read standard input").source(&error))?;
        let read = async {
            while let Some(bytes) = input.recv().await {
                if to_server.write_all(&bytes).await.is_err() {
                    break;
                }
            }
            // The assistant has gone; what it asked for last is still answered.
            let _ = to_server.shutdown().await;
        };
        let write = async {
            let mut lines = BufReader::new(from_server).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if !ctx.ui.stream(&format!("{line}\n"))? {
                    break;
                }
            }
            Ok(())
        };
        let calls = Arc::clone(&server.calls);
        let serve = async {
            // An assistant that goes away before it has said hello is no failure.
            if let Ok(running) = server.serve(tokio::io::split(far)).await {
                let _ = running.waiting().await;
            }
        };
        let mut signals = Signals::new();
        let status = tokio::select! {
            biased;
            () = signals.or_cancelled(&ctx.cancel) => {
                calls.cancel();
                ExitStatus::Interrupted
            }
            ((), written, ()) = futures::future::join3(read, write, serve) => written.map(|()| ExitStatus::Done)?,
        };
        Ok(status)
    }
}
