//! What an exit code means beyond the program's own business.

use crate::error::{CommandLine, Hint};

/// What an exit code of a container means, and what to do; `None` when only the program knows.
///
/// `reason` is ECS' own word about the container; `again` the command that started the task.
pub(crate) fn of_exit_code(code: i32, reason: &str, again: &CommandLine) -> Option<(&'static str, Hint)> {
    if reason.contains("OutOfMemory") {
        return Some((
            "the container ran out of memory",
            Hint::new("raise the memory of the task definition, or let the command work in smaller portions"),
        ));
    }
    let told = |meaning, hint: &str| (meaning, Hint::new(hint));
    Some(match code {
        126 => told(
            "126: the command cannot be executed",
            "check the image: the program is not executable for linux/arm64",
        ),
        127 => told(
            "127: the command was not found",
            "check the image: the service runs an image without `php` or without a shell",
        ),
        134 => told("134: aborted (SIGABRT)", "read the last lines of the log above"),
        // The kernel's answer to a lack of memory is SIGKILL, but so is that of ECS to a container that
        // does not end in time.
        137 => told(
            "137: killed (SIGKILL); ECS does not say that memory ran out",
            "read the last lines of the log above, and compare the task's memory metrics with its limit",
        ),
        139 => told(
            "139: segmentation fault (SIGSEGV)",
            "check the PHP extensions of the image",
        ),
        143 => (
            "143: terminated (SIGTERM)",
            Hint::from(("find out who stopped the task, then run", again.clone(), "again")),
        ),
        255 => told(
            "255: a PHP fatal error, most often while the application boots",
            "read the fatal error in the log above, mend it and deploy",
        ),
        _ => return None,
    })
}
