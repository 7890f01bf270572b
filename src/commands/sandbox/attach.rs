//! The context `sandbox`: finds the running sandbox, or starts one and says so.

use std::collections::BTreeMap;
use std::path::Path;

use bpctl_sandbox::transport::Remote;
use jiff::Timestamp;

use super::{launch, state};
use crate::aws::is_loopback_url;
use crate::clock::Clock;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::settings::{Settings, Source, Sourced};
use crate::ui::Ui;

/// Points `settings` at a sandbox and gives back its clock.
///
/// An explicit endpoint wins; else the sandbox that the state file names; else a new one in the background.
///
/// # Errors
/// An endpoint that is not on this machine, or a sandbox that cannot be started.
pub(crate) async fn attach(
    ui: &Ui,
    settings: &mut Settings,
    env: &BTreeMap<String, String>,
    state_dir: Option<&Path>,
) -> Result<Clock> {
    let remote = match &settings.endpoint_url {
        Some(endpoint) => {
            if !is_loopback_url(&endpoint.value) {
                return Err(CtlError::config(format!(
                    "use the context `sandbox` with the endpoint {} (from {}): it is not on this machine",
                    endpoint.value, endpoint.source
                ))
                .hint("unset it, or choose another context with `--context`"));
            }
            // The address is all that a reader needs; the token is for those who pull strings.
            Remote::new(&endpoint.value.replace("localhost", "127.0.0.1"), "")
                .map_err(|error| unreachable(&error))?
        }
        None => {
            let path = state::path(env, state_dir)?;
            let found = match state::live(&path).await? {
                Some(found) => found,
                None => {
                    let args = launch::layout_args(settings);
                    let started = match launch::background(ui, &path, &args).await {
                        Ok(started) => started,
                        // Another bpctl may have started one in the same moment.
                        Err(error) => match state::live(&path).await? {
                            Some(found) => found,
                            None => return Err(error),
                        },
                    };
                    ui.tell((
                        format!("Started a sandbox at {};", started.url),
                        CommandLine::bpctl(["sandbox", "stop"]).without_place(),
                        "stops it",
                    ));
                    started
                }
            };
            settings.endpoint_url = Some(Sourced {
                value: found.url.clone(),
                source: Source::Sandbox,
            });
            found.remote()?
        }
    };
    adopt_layout(settings, &remote).await?;
    let (now, speed) = remote.clock().await.map_err(|error| unreachable(&error))?;
    let now = Timestamp::from_millisecond(now)
        .map_err(|error| CtlError::new(ErrorKind::Unexpected, "read the sandbox's clock").source(&error))?;
    Ok(Clock::starting_at(now, speed))
}

/// A sandbox knows its layout; what the operator says explicitly still wins.
async fn adopt_layout(settings: &mut Settings, remote: &Remote) -> Result<()> {
    let status = remote.status().await.map_err(|error| unreachable(&error))?;
    if settings.layout.source == Source::Default
        && let Some(value) = status["layout"].as_str().and_then(|layout| layout.parse().ok())
    {
        settings.layout = Sourced {
            value,
            source: Source::Sandbox,
        };
    }
    let staged = status["layout"] == "staged";
    if staged && settings.stage.is_none() {
        let stage = status["stage"].as_str().and_then(|stage| stage.parse().ok());
        settings.stage = stage.map(|value| Sourced {
            value,
            source: Source::Sandbox,
        });
    }
    Ok(())
}

fn unreachable(error: &std::io::Error) -> CtlError {
    CtlError::new(ErrorKind::Unreachable, "reach the sandbox")
        .source(error)
        .hint((
            "start one with",
            CommandLine::bpctl(["sandbox", "start"]),
            ", or unset AWS_ENDPOINT_URL",
        ))
}
