//! The name of this machine, for people who look for the holder of a lock.

/// The host name, or a word that says that there is none.
pub(crate) fn name() -> String {
    #[cfg(unix)]
    {
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    }
    #[cfg(not(unix))]
    {
        "this machine".to_owned()
    }
}
