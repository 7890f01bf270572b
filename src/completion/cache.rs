//! Lists of names on this machine, one file per kind and context, readable by their owner only.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::files::{CONFIG_LIMIT, read_own};

/// How long a list is taken for the truth; fleets come and go slowly.
const LIFE: Duration = Duration::from_secs(10 * 60);

/// Where the names of a kind are kept.
pub(super) fn file(state: &Path, what: &str, context: &str) -> PathBuf {
    // The name of a context may hold anything; that of a file may not.
    let context: String = context
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02x}"),
        })
        .collect();
    state.join("completion").join(format!("{what}.{context}"))
}

/// Whether the list was written lately.
pub(super) fn is_fresh(path: &Path) -> bool {
    is_younger(path, LIFE)
}

/// Whether there is a file that was written less than `age` ago.
pub(super) fn is_younger(path: &Path, age: Duration) -> bool {
    fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .is_ok_and(|modified| modified.elapsed().is_ok_and(|elapsed| elapsed < age))
}

/// The list as it was last written, however long ago.
pub(super) fn read(path: &Path) -> Vec<String> {
    let text = read_own(path, CONFIG_LIMIT).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().map(str::to_owned).collect()
}

/// Replaces the list in one step: a shell that reads at the same moment sees the old or the new one.
pub(super) fn write(path: &Path, names: impl Iterator<Item = String>) -> io::Result<()> {
    let text: String = names.map(|name| name + "\n").collect();
    if let Some(folder) = path.parent() {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.create(true).write(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&draft)?.write_all(text.as_bytes())?;
    fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_do_not_share_a_file() {
        let file = |context: &str| file(Path::new("/s"), "fleets", context);
        assert_eq!(file("prod"), Path::new("/s/completion/fleets.prod"));
        assert_ne!(file("a/b"), file("a.b"));
        assert_eq!(file("../x").parent(), Some(Path::new("/s/completion")));
    }

    #[test]
    fn a_list_is_replaced_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), "fleets", "prod");
        assert!(!is_fresh(&path));
        write(&path, ["a".to_owned(), "b".to_owned()].into_iter()).unwrap();
        write(&path, ["c".to_owned()].into_iter()).unwrap();
        assert_eq!(read(&path), ["c"]);
        assert!(is_fresh(&path) && !is_younger(&path, Duration::ZERO));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        }
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
