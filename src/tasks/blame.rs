//! Which container ended a task.
//!
//! ECS gives no times of single containers, and lists them in any order. What is left are the exit codes:
//! when an essential container ends, ECS sends SIGTERM to the others and SIGKILL to those that do not listen
//! (ECS Developer Guide, "Amazon ECS task lifecycle"), so 143 and 137 are most often what followed.

use crate::aws::ecs::{Container, Task};

/// 128 + SIGKILL.
pub(crate) const KILLED: i32 = 137;
/// 128 + SIGTERM.
pub(crate) const TERMINATED: i32 = 143;

/// The container that ended a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blame<'a> {
    /// ECS says that it ran out of memory.
    OutOfMemory(&'a Container),
    /// It ended by itself.
    Exited(&'a Container, i32),
}

impl<'a> Blame<'a> {
    pub(crate) fn container(self) -> &'a Container {
        match self {
            Self::OutOfMemory(container) | Self::Exited(container, _) => container,
        }
    }
}

/// The container that ended the task, as far as that can be known.
///
/// `essential` says of a container's name whether the task ends with it; one that is not essential cannot
/// have ended the task. `None`: nothing tells the containers apart.
pub(crate) fn blame(task: &Task, essential: impl Fn(&str) -> bool) -> Option<Blame<'_>> {
    let able: Vec<&Container> = task
        .containers
        .iter()
        .filter(|container| essential(&container.name))
        .collect();
    if let Some(found) = able.iter().find(|container| ran_out_of_memory(container)) {
        return Some(Blame::OutOfMemory(found));
    }
    let exited = |wanted: &dyn Fn(i32) -> bool| -> Vec<Blame<'_>> {
        able.iter()
            .filter_map(|container| {
                let code = container.exit_code.filter(|code| wanted(*code))?;
                Some(Blame::Exited(container, code))
            })
            .collect()
    };
    // A failure of its own beats everything. Which of several ended first cannot be told; nor can it of 0 and
    // 137: nginx and php-fpm end with 0 when they are told to stop, and a container that does not listen is killed.
    let signs: [&dyn Fn(i32) -> bool; 3] = [
        &|code| !matches!(code, 0 | KILLED | TERMINATED),
        &|code| matches!(code, 0 | KILLED),
        &|code| code == TERMINATED,
    ];
    match signs
        .into_iter()
        .map(exited)
        .find(|found| !found.is_empty())?
        .as_slice()
    {
        [only] => Some(*only),
        _ => None,
    }
}

/// ECS' own word; an exit code of 137 alone is no such word.
pub(crate) fn ran_out_of_memory(container: &Container) -> bool {
    container
        .reason
        .as_deref()
        .is_some_and(|reason| reason.contains("OutOfMemory"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(exits: &[(&str, Option<i32>, Option<&str>)]) -> Task {
        Task {
            containers: exits
                .iter()
                .map(|(name, exit_code, reason)| Container {
                    name: (*name).to_owned(),
                    exit_code: *exit_code,
                    reason: reason.map(str::to_owned),
                    ..Container::default()
                })
                .collect(),
            ..Task::default()
        }
    }

    fn essential(name: &str) -> bool {
        matches!(name, "nginx" | "php-fpm")
    }

    fn blamed(exits: &[(&str, Option<i32>, Option<&str>)]) -> Option<(String, Option<i32>)> {
        let task = task(exits);
        blame(&task, essential).map(|blame| {
            let container = blame.container();
            (container.name.clone(), container.exit_code)
        })
    }

    fn is(name: &str, code: i32) -> Option<(String, Option<i32>)> {
        Some((name.to_owned(), Some(code)))
    }

    #[test]
    fn the_failed_essential_container_is_blamed_in_any_order() {
        let mut exits = [
            ("scheduler", Some(1), None),
            ("queue-worker", Some(137), None),
            ("nginx", Some(0), None),
            ("php-fpm", Some(255), None),
        ];
        for _ in 0..exits.len() {
            assert_eq!(blamed(&exits), is("php-fpm", 255));
            exits.rotate_left(1);
        }
        exits.reverse();
        assert_eq!(blamed(&exits), is("php-fpm", 255));
    }

    #[test]
    fn a_container_that_is_not_essential_is_never_blamed() {
        assert_eq!(
            blamed(&[("php-fpm", Some(143), None), ("scheduler", Some(1), None)]),
            is("php-fpm", 143)
        );
        assert_eq!(blamed(&[("scheduler", Some(1), None)]), None);
        assert_eq!(
            blamed(&[
                ("scheduler", Some(137), Some("OutOfMemoryError: killed")),
                ("php-fpm", Some(2), None)
            ]),
            is("php-fpm", 2)
        );
    }

    #[test]
    fn ecs_own_word_about_memory_beats_other_codes() {
        let exits = [
            ("nginx", Some(1), None),
            (
                "php-fpm",
                Some(137),
                Some("OutOfMemoryError: Container killed due to memory usage"),
            ),
        ];
        assert!(matches!(
            blame(&task(&exits), essential),
            Some(Blame::OutOfMemory(container)) if container.name == "php-fpm"
        ));
    }

    #[test]
    fn exit_codes_of_many_causes_name_no_cause() {
        assert_eq!(
            blamed(&[("nginx", Some(0), None), ("php-fpm", Some(0), None)]),
            None
        );
        assert_eq!(
            blamed(&[("nginx", Some(137), None), ("php-fpm", Some(137), None)]),
            None
        );
        assert_eq!(
            blamed(&[("nginx", Some(1), None), ("php-fpm", Some(255), None)]),
            None
        );
        assert_eq!(blamed(&[("nginx", None, None)]), None);
        // Either nginx ended and php-fpm did not listen, or php-fpm was killed and nginx listened.
        assert_eq!(
            blamed(&[("nginx", Some(0), None), ("php-fpm", Some(137), None)]),
            None
        );
    }

    #[test]
    fn one_that_ended_with_zero_ended_before_those_that_were_told_to_stop() {
        assert_eq!(
            blamed(&[("php-fpm", Some(143), None), ("nginx", Some(0), None)]),
            is("nginx", 0)
        );
        assert_eq!(
            blamed(&[("php-fpm", Some(137), None), ("nginx", Some(143), None)]),
            is("php-fpm", 137)
        );
    }
}
