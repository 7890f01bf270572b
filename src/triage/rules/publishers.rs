//! How many publish the fleets' metrics: every backend task has a scheduler that does so once a minute, so a
//! metric has as many samples a minute as there are tasks.

use jiff::Timestamp;

use super::fleets;
use super::task_faults::app_of;
use crate::layout::{App, FLEET_NAMESPACE};
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node};
use crate::triage::snapshot::{Snapshot, Task};
use crate::triage::wording::{count, minutes_since};

/// What is compared: the minutes from the tenth before now to the second, whose values have all arrived.
const FROM: i64 = 10;
const UNTIL: i64 = 2;
/// A minute or two without any value is another rule's.
const ENOUGH: usize = 6;

const SCHEDULER: &str = "scheduler";

/// Fewer or more samples than backend tasks, for as long as the number of tasks did not change.
pub(super) fn rule(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    let Some(tasks) = steady(snapshot, now) else {
        return Vec::new();
    };
    let expected = tasks.len() as f64;
    let fleets = fleets::joined(snapshot);
    let measured: Vec<Vec<f64>> = fleets
        .iter()
        .filter_map(|fleet| fleet.metrics)
        .map(|metrics| {
            let ages = metrics
                .samples
                .0
                .iter()
                .map(|(at, value)| (minutes_since(now, *at), *value));
            ages.filter(|(age, _)| (UNTIL..=FROM).contains(age))
                .map(|(_, value)| value)
                .collect()
        })
        .filter(|samples: &Vec<f64>| samples.len() >= ENOUGH)
        .collect();
    // One run of a scheduler publishes all fleets: they agree, or it is something else.
    let all = |test: fn(f64, f64) -> bool| {
        !measured.is_empty() && measured.iter().flatten().all(|samples| test(*samples, expected))
    };
    let seen = measured.iter().flatten().copied();
    let evidence = format!(
        "QueueDepth has had {} a minute for {} min; {} of the backend",
        range(seen),
        FROM - UNTIL,
        if tasks.len() == 1 {
            "there is 1 task".to_owned()
        } else {
            format!("there are {} tasks", tasks.len())
        }
    );
    if all(|samples, tasks| samples < tasks) {
        return vec![missing(snapshot, &tasks, evidence)];
    }
    if all(|samples, tasks| samples > tasks) {
        return vec![surplus(evidence)];
    }
    Vec::new()
}

/// The running backend tasks, one-off ones among them: each has a scheduler. `None` while tasks come and go.
fn steady(snapshot: &Snapshot, now: Timestamp) -> Option<Vec<&Task>> {
    let backend = snapshot
        .tasks
        .as_ref()
        .ok()?
        .iter()
        .filter(|task| app_of(snapshot, task) == Some(App::Backend));
    let mut running = Vec::new();
    for task in backend {
        if task.state == "RUNNING" {
            task.started
                .filter(|at| minutes_since(now, *at) > FROM)
                .map(|_| running.push(task))?;
        } else if task.is_stopped() {
            let ran = task.started.is_some();
            if ran && task.stopped.is_none_or(|at| minutes_since(now, at) <= FROM + 1) {
                return None;
            }
        } else {
            return None;
        }
    }
    (!running.is_empty()).then_some(running)
}

/// `1 value`, `2 values`, `1 to 2 values`.
fn range(seen: impl Iterator<Item = f64> + Clone) -> String {
    let least = seen.clone().fold(f64::INFINITY, f64::min);
    let most = seen.fold(0.0, f64::max);
    if least < most {
        format!("{least:.0} to {most:.0} values")
    } else if most == 1.0 {
        "1 value".to_owned()
    } else {
        format!("{most:.0} values")
    }
}

fn missing(snapshot: &Snapshot, tasks: &[&Task], evidence: String) -> Finding {
    let layout = &snapshot.layout;
    let ended: Vec<(&str, i32)> = tasks
        .iter()
        .filter_map(|task| Some((task.id(), task.container(SCHEDULER)?.exit_code?)))
        .collect();
    let mut finding = Finding::new(
        Code::PublisherMissing,
        Node::Publishers,
        layout.service(App::Backend),
    )
    .evidence(evidence);
    for (task, status) in &ended {
        finding = finding
            .evidence(format!(
                "`{SCHEDULER}` of task `{task}` has exited with status {status}"
            ))
            .next(commands::container_log(SCHEDULER, task));
    }
    let cause = if ended.is_empty() {
        "the scheduler of a backend task hangs or fails: nothing restarts it, and with the last one the metrics fall silent"
    } else {
        "the container is not essential, so ECS lets its task run on without it; with the last scheduler the metrics fall silent"
    };
    finding
        .cause(cause)
        .next(commands::container_lines(App::Backend, SCHEDULER))
        .next(commands::redeploy(App::Backend))
}

fn surplus(evidence: String) -> Finding {
    Finding::new(Code::PublisherSurplus, Node::Publishers, count(1, "publisher") + " too many")
        .evidence(evidence)
        .cause("something that is no backend task of this platform publishes its fleets' metrics, and alarms take the largest value: fleets can be started or kept for jobs that are not there")
        .next(commands::queue_metrics(FLEET_NAMESPACE))
        .next("find the other copy of the application with credentials of this account (a laptop, a second deployment, a host with its own cron) and end it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;

    fn running(id: &str, minutes: i64) -> Task {
        let mut task = sample::task(id, App::Backend);
        task.ecs.state = "RUNNING".to_owned();
        task.ecs.started = Some(sample::before(minutes));
        task.ecs.stopped = None;
        task.ecs.containers = vec![
            sample::container("php-fpm", None),
            sample::container(SCHEDULER, None),
        ];
        task
    }

    fn with(tasks: Vec<Task>, samples: f64) -> Snapshot {
        let mut snapshot = sample::healthy();
        snapshot.tasks = Ok(tasks);
        for metrics in snapshot.fleet_metrics.as_mut().unwrap().values_mut() {
            metrics.samples = sample::series(0..60, samples);
        }
        snapshot
    }

    fn codes(snapshot: &Snapshot) -> Vec<Code> {
        rule(snapshot, sample::now())
            .iter()
            .map(|finding| finding.code)
            .collect()
    }

    #[test]
    fn one_value_for_each_task_is_right() {
        let two = || vec![running("a", 600), running("b", 90)];
        assert_eq!(codes(&with(two(), 2.0)), []);
        assert_eq!(codes(&with(two(), 1.0)), [Code::PublisherMissing]);
        assert_eq!(codes(&with(two(), 3.0)), [Code::PublisherSurplus]);
    }

    #[test]
    fn a_scheduler_that_ended_is_named() {
        let mut tasks = vec![running("a", 600), running("b", 90)];
        tasks[1].ecs.containers[1].exit_code = Some(255);
        let found = rule(&with(tasks, 1.0), sample::now());
        assert_eq!(
            found[0].evidence,
            [
                "QueueDepth has had 1 value a minute for 8 min; there are 2 tasks of the backend",
                "`scheduler` of task `b` has exited with status 255"
            ]
        );
        assert_eq!(found[0].next[0], "bpctl logs task b --container scheduler");
    }

    #[test]
    fn while_tasks_come_and_go_nothing_is_said() {
        assert_eq!(codes(&with(vec![running("a", 600), running("b", 5)], 1.0)), []);
        let mut gone = sample::task("b", App::Backend);
        gone.ecs.stopped = Some(sample::before(4));
        assert_eq!(codes(&with(vec![running("a", 600), gone], 2.0)), []);
        let mut pending = running("b", 600);
        pending.ecs.state = "PENDING".to_owned();
        assert_eq!(codes(&with(vec![running("a", 600), pending], 2.0)), []);
    }

    #[test]
    fn a_one_off_task_publishes_too() {
        let mut migration = running("m", 30);
        migration.service = None;
        assert_eq!(codes(&with(vec![running("a", 600), migration], 2.0)), []);
    }

    #[test]
    fn one_odd_minute_is_no_finding() {
        let mut snapshot = with(vec![running("a", 600)], 1.0);
        for metrics in snapshot.fleet_metrics.as_mut().unwrap().values_mut() {
            metrics.samples.0[55].1 = 2.0;
        }
        assert_eq!(codes(&snapshot), []);
    }
}
