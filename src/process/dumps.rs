//! No core file of a process that holds secrets.

/// From here on a crash of this process leaves no core file behind, and no other process of the same user may read
/// its memory (proc(5), "PR_SET_DUMPABLE"). What the operating system refuses stays as it was: the values are in
/// memory only as long as they are needed in any case.
pub(crate) fn hold_back() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        if let Err(error) = setrlimit(Resource::Core, none) {
            tracing::debug!(%error, "core files stay possible");
        }
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
            tracing::debug!(%error, "the process stays dumpable");
        }
    }
}
