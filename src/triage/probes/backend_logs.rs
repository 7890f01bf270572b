//! Errors in the backend's log, read only when something points there.

use crate::aws::Aws;
use crate::error::Result;
use crate::layout::{App, Layout};
use crate::redact::redact;
use crate::triage::snapshot::{Alarm, Checked, LogLine, PlatformMetrics, Service, TargetGroup, Task};

use super::watch::Watch;

/// How far back the log is searched.
const MINUTES: u64 = 30;

/// How many pages are read: the service may need several to find anything at all.
const PAGES: usize = 2;

/// How many lines are kept, the newest.
const LINES: usize = 1_000;

/// What errors look like: Laravel's levels, PHP's and nginx's own words, and the exceptions of clients.
const PATTERN: &str = r#"?".ERROR:" ?".CRITICAL:" ?".ALERT:" ?".EMERGENCY:" ?"PHP Fatal error" ?"Uncaught " ?"SQLSTATE[" ?"connect() failed" ?"[emerg]" ?"cURL error" ?RedisException ?"Predis\\" ?NOAUTH ?WRONGPASS"#;

/// What was seen elsewhere. Whatever could not be checked does not clear the backend of suspicion.
#[derive(Debug)]
pub(super) struct Elsewhere<'a> {
    pub(super) services: &'a Checked<Vec<Service>>,
    pub(super) tasks: &'a Checked<Vec<Task>>,
    pub(super) targets: &'a Checked<Vec<TargetGroup>>,
    pub(super) alarms: &'a Checked<Vec<Alarm>>,
    pub(super) metrics: &'a Checked<PlatformMetrics>,
}

impl Elsewhere<'_> {
    /// Whether anything suggests that the backend has something to complain about.
    pub(super) fn is_suspicious(&self) -> bool {
        fn any<T>(seen: &Checked<T>, sign: impl FnOnce(&T) -> bool) -> bool {
            seen.as_ref().map_or(true, sign)
        }
        any(self.alarms, |alarms| alarms.iter().any(Alarm::is_on))
            || any(self.metrics, |metrics| {
                [&metrics.target_5xx, &metrics.balancer_5xx, &metrics.nat_errors]
                    .iter()
                    .any(|series| series.0.iter().any(|(_, value)| *value > 0.0))
            })
            || any(self.services, |services| {
                services.iter().any(|service| {
                    service.running < service.desired
                        || service.deployments.iter().any(|deployment| deployment.failed > 0)
                })
            })
            || any(self.targets, |groups| {
                groups
                    .iter()
                    .flat_map(|group| &group.targets)
                    .any(|target| target.state == "unhealthy")
            })
            || any(self.tasks, |tasks| tasks.iter().any(has_failed))
    }
}

fn has_failed(task: &Task) -> bool {
    task.stop_code.as_deref() == Some("EssentialContainerExited")
        && task
            .containers
            .iter()
            .any(|container| container.exit_code.is_some_and(|code| code != 0))
}

/// Error lines of the backend, oldest first.
pub(super) async fn search(aws: &Aws, watch: &Watch<'_>, layout: &Layout) -> Result<Vec<LogLine>> {
    let group = layout.log_group(App::Backend);
    let lines = aws
        .log_search(&group, PATTERN, watch.minutes_ago(MINUTES), PAGES)
        .await?;
    let surplus = lines.len().saturating_sub(LINES);
    Ok(lines
        .into_iter()
        .skip(surplus)
        .map(|line| LogLine {
            at: line.at,
            stream: line.stream,
            message: redact(&line.message).into_owned(),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::LayoutKind;
    use crate::triage::snapshot::{AlarmState, Container, Series, Snapshot, Target};

    fn suspicious(change: impl FnOnce(&mut Snapshot)) -> bool {
        let mut snapshot = Snapshot::empty(Layout::new(LayoutKind::Single, "bp", None).unwrap());
        change(&mut snapshot);
        Elsewhere {
            services: &snapshot.services,
            tasks: &snapshot.tasks,
            targets: &snapshot.targets,
            alarms: &snapshot.alarms,
            metrics: &snapshot.metrics,
        }
        .is_suspicious()
    }

    #[test]
    fn nothing_anywhere_leaves_the_log_alone() {
        assert!(!suspicious(|_| ()));
    }

    #[test]
    fn each_sign_is_enough() {
        assert!(suspicious(|snapshot| {
            snapshot.alarms = Ok(vec![Alarm {
                name: "p1-alb-5xx-critical".to_owned(),
                state: AlarmState::Alarm,
                since: None,
                reason: String::new(),
                actions_enabled: true,
                actions: Vec::new(),
                namespace: None,
                dimensions: Vec::new(),
            }]);
        }));
        assert!(suspicious(|snapshot| {
            let nat_errors = Series(vec![(jiff::Timestamp::UNIX_EPOCH, 1.0)]);
            snapshot.metrics = Ok(PlatformMetrics {
                nat_errors,
                ..PlatformMetrics::default()
            });
        }));
        assert!(suspicious(|snapshot| {
            let target = Target {
                id: "10.0.0.1".to_owned(),
                state: "unhealthy".to_owned(),
                reason: String::new(),
                description: String::new(),
            };
            snapshot.targets = Ok(vec![TargetGroup {
                app: App::Backend,
                arn: String::new(),
                targets: vec![target],
            }]);
        }));
        assert!(suspicious(|snapshot| {
            let container = Container {
                exit_code: Some(3),
                ..Container::default()
            };
            snapshot.tasks = Ok(vec![Task {
                stop_code: Some("EssentialContainerExited".to_owned()),
                containers: vec![container],
                ..Task::default()
            }]);
        }));
    }

    #[test]
    fn what_could_not_be_checked_clears_nobody() {
        assert!(suspicious(|snapshot| {
            snapshot.metrics = Err(crate::triage::snapshot::Blind {
                kind: crate::error::ErrorKind::AccessDenied,
                reason: String::new(),
                hints: Vec::new(),
                needs: None,
            });
        }));
    }
}
