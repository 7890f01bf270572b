//! Whether a container that was killed had run out of memory, where ECS does not say so.

use crate::layout::App;
use crate::triage::snapshot::{Snapshot, Task};
use crate::triage::wording::at;

/// 128 + SIGKILL: who runs out of memory is killed, and so is who does not stop when told to.
pub(super) const KILLED: i32 = 137;

/// Percent of a task's memory from which it counts as used up: metrics are of whole minutes, and the moment of
/// the kill lies within one.
const AT_LIMIT: f64 = 95.0;

/// How many seconds before the end are looked at: the minute of the kill may hold too few values.
const BEFORE: i64 = 180;

/// The value of the metric that shows the tasks of the service at their limit when this one was killed.
pub(super) fn at_limit(snapshot: &Snapshot, app: App, task: &Task) -> Option<String> {
    // The metric is one of the service: it says nothing of one-off tasks.
    task.service?;
    let end = task.execution_stopped.or(task.stopped)?.as_second();
    let values = snapshot.metrics.as_ref().ok()?.memory(app);
    let (when, percent) = values
        .0
        .iter()
        .filter(|(at, _)| (end - BEFORE..=end).contains(&at.as_second()))
        .max_by(|(_, one), (_, other)| one.total_cmp(other))?;
    (*percent >= AT_LIMIT).then(|| {
        format!(
            "MemoryUtilization of the service: {percent:.0} % of a task's memory at {}",
            at(*when)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::catalog::Code;
    use crate::triage::rules::{sample, tasks};
    use crate::triage::snapshot::TaskFault;

    fn killed(status: i32, memory: f64) -> Snapshot {
        let mut snapshot = sample::healthy();
        snapshot.tasks = Ok(vec![sample::exited("a", App::Backend, "php-fpm", status)]);
        snapshot.metrics.as_mut().unwrap().backend_memory = sample::series(0..30, memory);
        snapshot
    }

    fn codes(snapshot: &Snapshot) -> Vec<Code> {
        tasks::rule(snapshot, sample::now())
            .iter()
            .map(|finding| finding.code)
            .collect()
    }

    #[test]
    fn a_kill_is_want_of_memory_only_at_the_limit() {
        assert_eq!(codes(&killed(KILLED, 99.0)), [Code::OutOfMemory]);
        assert_eq!(codes(&killed(KILLED, 60.0)), [Code::ContainerCrash]);
        // Another status is no kill, however full the memory.
        assert_eq!(codes(&killed(255, 99.0)), [Code::ContainerCrash]);
    }

    #[test]
    fn an_essential_container_that_was_killed_is_named_beside_one_that_ended_well() {
        let snapshot = |memory| {
            let mut snapshot = killed(KILLED, memory);
            let task = &mut snapshot.tasks.as_mut().unwrap()[0];
            task.essential = Some(vec!["nginx".to_owned(), "php-fpm".to_owned()]);
            task.ecs.containers.insert(0, sample::container("nginx", Some(0)));
            snapshot
        };
        assert_eq!(codes(&snapshot(60.0)), [Code::ContainerCrash]);
        let found = tasks::rule(&snapshot(99.0), sample::now());
        assert_eq!(found[0].code, Code::OutOfMemory);
        assert!(
            found[0].evidence[1].starts_with("`php-fpm` exited with status 137"),
            "{:?}",
            found[0].evidence
        );
    }

    #[test]
    fn a_container_that_cannot_end_the_task_proves_nothing() {
        let mut snapshot = killed(0, 99.0);
        let task = &mut snapshot.tasks.as_mut().unwrap()[0];
        task.essential = Some(vec!["php-fpm".to_owned()]);
        task.ecs
            .containers
            .push(sample::container("scheduler", Some(KILLED)));
        assert_eq!(codes(&snapshot), [Code::ContainerCrash]);
    }

    #[test]
    fn the_metric_is_quoted() {
        let found = tasks::rule(&killed(KILLED, 99.0), sample::now());
        let quoted = "MemoryUtilization of the service: 99 % of a task's memory at ";
        assert!(
            found[0].evidence.iter().any(|fact| fact.starts_with(quoted)),
            "{:?}",
            found[0].evidence
        );
        assert_eq!(
            found[0].node,
            crate::triage::finding::Node::Tasks(App::Backend, TaskFault::Memory)
        );
    }

    #[test]
    fn memory_at_another_time_proves_nothing() {
        let mut snapshot = killed(KILLED, 99.0);
        snapshot.metrics.as_mut().unwrap().backend_memory = sample::series(8..30, 99.0);
        assert_eq!(codes(&snapshot), [Code::ContainerCrash]);
        snapshot.metrics = Err(sample::blind());
        assert_eq!(codes(&snapshot), [Code::ContainerCrash]);
    }
}
