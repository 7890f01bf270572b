//! The file that a picture is written to: checked before any work, replaced as a whole.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{CtlError, ErrorKind, Result};

/// A path that a picture can be written to, as far as can be told beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PictureFile {
    path: PathBuf,
    /// As it was given.
    shown: PathBuf,
}

impl PictureFile {
    /// Checks the path of `--plot`, which starts in `cwd` when it is relative.
    ///
    /// # Errors
    /// Another ending than `.svg`, or a folder that does not exist.
    pub(crate) fn new(cwd: &Path, given: &Path) -> Result<Self> {
        let path = cwd.join(given);
        let shown = given.display();
        if path.extension().is_none_or(|ending| ending != "svg") {
            return Err(
                CtlError::usage(format!("plot to `{shown}`: pictures are SVG files"))
                    .hint("give the file a name that ends in .svg"),
            );
        }
        if path.is_dir() {
            return Err(CtlError::usage(format!("plot to `{shown}`: it is a folder")));
        }
        if !folder(&path).is_dir() {
            return Err(CtlError::usage(format!(
                "plot to `{shown}`: there is no folder `{}`",
                folder(given).display()
            )));
        }
        Ok(Self {
            path,
            shown: given.to_owned(),
        })
    }

    /// Writes the picture beside the file, then puts it in its place: a reader sees the old one or
    /// the new one, and a full disk leaves the old one.
    ///
    /// # Errors
    /// The operating system's.
    pub(crate) fn write(&self, svg: &str) -> Result<()> {
        let mut name = OsString::from(".");
        name.push(self.path.file_name().unwrap_or_default());
        name.push(format!(".{}.tmp", std::process::id()));
        let beside = folder(&self.path).join(name);
        let written = fs::write(&beside, svg).and_then(|()| fs::rename(&beside, &self.path));
        written.map_err(|error| {
            let _ = fs::remove_file(&beside);
            CtlError::new(ErrorKind::Failed, format!("write `{}`", self.shown.display())).source(&error)
        })
    }

    /// As it was given.
    pub(crate) fn shown(&self) -> &Path {
        &self.shown
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_is_refused_beforehand() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |path: &str| {
            PictureFile::new(folder.path(), Path::new(path))
                .unwrap_err()
                .to_string()
        };
        assert!(refused("a.png") == "plot to `a.png`: pictures are SVG files");
        assert!(refused("a").ends_with("pictures are SVG files"));
        assert!(refused("no/a.svg") == "plot to `no/a.svg`: there is no folder `no`");
        fs::create_dir(folder.path().join("b.svg")).unwrap();
        assert!(refused("b.svg").ends_with("it is a folder"));
        assert!(PictureFile::new(folder.path(), Path::new("a.svg")).is_ok());
    }

    #[test]
    fn a_picture_replaces_the_one_before_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = PictureFile::new(folder.path(), Path::new("a.svg")).unwrap();
        let at = folder.path().join("a.svg");
        file.write("one").unwrap();
        file.write("two").unwrap();
        assert_eq!(fs::read_to_string(&at).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        // What cannot be put in place leaves nothing either.
        fs::remove_file(&at).unwrap();
        fs::create_dir(&at).unwrap();
        fs::write(at.join("x"), "").unwrap();
        assert!(file.write("three").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
