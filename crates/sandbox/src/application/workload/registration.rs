//! How the backend answers a worker that registers, and what both sides log of it.

use crate::scenario::Scenario;
use crate::service::ecs;
use crate::world::World;

/// An answer to `POST /api/worker/register`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The worker is known from now on.
    Welcome,
    /// The backend refuses with a status and a message.
    Refused(u16, &'static str),
    /// The load balancer redirects from http to https, and the client follows with a GET, as for a browser.
    Redirected,
    /// No backend task is there to answer: the load balancer does.
    NoTask,
}

/// The answer to workers that come with the placeholder or with a secret that the backend does not have.
pub(super) const WRONG_SECRET: Answer = Answer::Refused(401, "Invalid fleet secret.");

/// What a scenario makes of the registrations of the fleet that it breaks.
pub(crate) fn broken_by(scenario: Scenario) -> Option<Answer> {
    Some(match scenario {
        Scenario::FleetSecretStale => WRONG_SECRET,
        Scenario::WorkerLimit => Answer::Refused(403, "Worker limit reached."),
        Scenario::FleetUnknown => Answer::Refused(404, "Fleet not found."),
        Scenario::WorkersRegisteredTwice => Answer::Refused(409, "Worker is already registered."),
        Scenario::FleetWithoutWorkflow => Answer::Refused(422, "No workflow is assigned to this fleet."),
        Scenario::RegisterThrottled => Answer::Refused(429, "Too Many Attempts."),
        Scenario::BackendWithoutFleetSecret => Answer::Refused(503, "Fleet secret is not configured."),
        Scenario::WorkerAddressStale => Answer::Redirected,
        _ => return None,
    })
}

impl Answer {
    /// The line in the worker's own log.
    pub(super) fn told(self, instance: &str) -> String {
        let failed = "ERROR registration failed:";
        let again = "trying again in 30 s";
        match self {
            Self::Welcome => format!("INFO  registered as {instance} with the backend"),
            Self::Refused(status, message) => {
                format!(
                    "{failed} POST /api/worker/register -> {status} {{\"message\":\"{message}\"}}, {again}"
                )
            }
            Self::Redirected => {
                format!("{failed} POST /api/worker/register -> 301, GET /api/worker/register -> 405, {again}")
            }
            Self::NoTask => {
                format!("{failed} POST /api/worker/register -> 503 Service Temporarily Unavailable, {again}")
            }
        }
    }

    /// nginx of a backend task writes a line in its access log for every request that comes to it.
    pub(super) fn log(self, world: &mut World) {
        let (method, status) = match self {
            Self::Welcome => ("POST", 201),
            Self::Refused(status, _) => ("POST", status),
            Self::Redirected => ("GET", 405),
            Self::NoTask => return,
        };
        let stamp = jiff::Timestamp::from_millisecond(world.now.0)
            .map(|at| at.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string())
            .unwrap_or_default();
        let line = format!(
            "10.0.0.17 - - [{stamp}] \"{method} /api/worker/register HTTP/1.1\" {status} 47 \"-\" \"python-requests/2.32.3\""
        );
        ecs::write_line(world, "nginx", line);
    }
}
