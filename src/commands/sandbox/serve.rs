//! `bpctl sandbox serve`: a sandbox in the foreground. `sandbox start` is this in the background.

use std::io::Read as _;
use std::path::PathBuf;

use bpctl_sandbox::Sandbox;
use bpctl_sandbox::transport::{Pace, ServeOptions, Server, serve};
use clap::Args;

use super::launch::{RELEASED, WorldArgs};
use super::state::{self, State};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl sandbox serve
  bpctl sandbox serve --scenario queue-surge --speed 60")]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    world: WorldArgs,

    /// Port on 127.0.0.1; 0 is any that is free
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,

    /// Where to write address and token instead of the usual place
    #[arg(long, value_name = "FILE", hide = true)]
    state_file: Option<PathBuf>,

    /// End with the process that started this one, until it says on stdin that it has taken over
    #[arg(long, hide = true)]
    until_released: bool,
}

/// Makes a world and binds a listener for it.
pub(super) async fn listen(ctx: &Ctx, world: &WorldArgs, port: u16) -> Result<(Server, State)> {
    let options = world.options(&ctx.settings, ctx.clock.now())?;
    let sandbox = Sandbox::new(options, Pace::Live { speed: world.speed });
    let options = ServeOptions {
        port,
        latency: world.latency,
        drill: world.is_drill(),
        ..ServeOptions::default()
    };
    let server = serve(sandbox, options).await.map_err(|error| {
        CtlError::new(ErrorKind::Failed, format!("listen on port {port} of 127.0.0.1")).source(&error)
    })?;
    let state = State {
        pid: std::process::id(),
        url: server.url(),
        token: server.token.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    Ok((server, state))
}

pub(super) async fn run(ctx: &Ctx, args: &ServeArgs) -> Result<ExitStatus> {
    let path = match &args.state_file {
        Some(path) => path.clone(),
        None => state::path(&ctx.env, ctx.state_dir.as_deref())?,
    };
    // Of two that start at once, one must see the other.
    let starting = state::lock(&path)?;
    if let Some(running) = state::live(&path).await? {
        return Err(CtlError::new(
            ErrorKind::Conflict,
            format!("serve: a sandbox runs already at {}", running.url),
        )
        .hint(("stop it with", CommandLine::bpctl(["sandbox", "stop"]))));
    }
    let (server, state) = listen(ctx, &args.world, args.port).await?;
    state::write(&path, &state)?;
    drop(starting);
    ctx.ui
        .status(&format!("Serving a sandbox at {}; Ctrl-C stops it", state.url));
    let stopper = server.stopper();
    let serving = server.run();
    tokio::pin!(serving);
    tokio::select! {
        () = &mut serving => {}
        () = crate::process::interrupt() => {
            stopper.stop();
            serving.await;
        }
        () = abandoned(args.until_released) => {
            stopper.stop();
            serving.await;
        }
    }
    state::remove(&path, &state);
    ctx.ui.status("Stopped");
    Ok(ExitStatus::Done)
}

/// The process that started this one ended before it took over.
async fn abandoned(until_released: bool) {
    if until_released {
        let listening = tokio::task::spawn_blocking(|| {
            let mut said = Vec::new();
            // An error is an end like any other.
            let _ = std::io::stdin().read_to_end(&mut said);
            said
        });
        if listening.await.ok().as_deref() != Some(RELEASED) {
            return;
        }
    }
    std::future::pending().await
}
