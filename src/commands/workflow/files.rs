//! The files of the repository: read, compared with what would be written, written.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::files::{CONFIG_LIMIT, read_own};
use crate::workflows::{self, Choices, FOLDER, File, Found, State};

/// Where the workflows lie.
#[derive(Debug, Args)]
pub(super) struct Folder {
    /// Folder of the workflows; the action that installs bpctl lies beside it
    #[arg(long, value_name = "DIR", default_value = FOLDER, value_hint = clap::ValueHint::DirPath)]
    dir: PathBuf,
}

/// A file as it is to be, and what is there.
pub(super) struct Seen {
    pub(super) file: File,
    pub(super) found: Option<Found>,
}

impl Seen {
    pub(super) fn state(&self) -> State {
        self.file.state(self.found.as_ref())
    }

    /// The path as the operator wrote its folder.
    pub(super) fn shown(&self) -> String {
        self.file.path.display().to_string()
    }
}

impl Folder {
    /// Words that repeat the choice.
    pub(super) fn repeated(&self) -> Vec<String> {
        if self.dir == Path::new(FOLDER) {
            return Vec::new();
        }
        vec!["--dir".to_owned(), self.dir.display().to_string()]
    }

    /// Every file, with the error where it cannot be read.
    pub(super) fn look(&self, ctx: &Ctx) -> Vec<(File, Result<Seen>)> {
        let settings = &ctx.settings;
        let choices = Choices {
            layout: settings.layout.value,
            prefix: &settings.prefix.value,
            region: settings.region.as_ref().map(|region| region.value.as_str()),
        };
        workflows::files(&self.dir, &choices)
            .into_iter()
            .map(|file| {
                let found = read(&ctx.cwd.join(&file.path)).map_err(|error| {
                    let doing = format!("read `{}`", file.path.display());
                    CtlError::new(ErrorKind::Failed, doing).source(&error)
                });
                let seen = found.map(|found| Seen {
                    file: file.clone(),
                    found,
                });
                (file, seen)
            })
            .collect()
    }

    /// Every file.
    ///
    /// # Errors
    /// One that cannot be read.
    pub(super) fn all(&self, ctx: &Ctx) -> Result<Vec<Seen>> {
        self.look(ctx).into_iter().map(|(_, seen)| seen).collect()
    }
}

/// `None` where there is no file. A link is refused: what it leads to may belong to something else.
fn read(path: &Path) -> io::Result<Option<Found>> {
    let bytes = match read_own(path, CONFIG_LIMIT) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let text = String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))?;
    Ok(Some(Found {
        text,
        is_program: is_program(path)?,
    }))
}

#[cfg(unix)]
fn is_program(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::metadata(path)?.permissions().mode() & 0o111 != 0)
}

/// Elsewhere git alone knows which files are programs.
#[cfg(not(unix))]
fn is_program(_: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Writes a file and reads it back: a reader sees the old one or the new one, and a full disk leaves the old one.
///
/// # Errors
/// The operating system's, or that something else is there afterwards.
pub(super) fn write(folder: &Path, file: &File) -> io::Result<()> {
    let path = folder.join(&file.path);
    let parent = path.parent().unwrap_or(folder);
    fs::create_dir_all(parent)?;
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let beside = parent.join(format!(".{name}.{}.tmp", std::process::id()));
    let written = draft(&beside, file).and_then(|()| fs::rename(&beside, &path));
    if let Err(error) = written {
        let _ = fs::remove_file(&beside);
        return Err(error);
    }
    let found = read(&path)?;
    if file.state(found.as_ref()) == State::Current {
        Ok(())
    } else {
        Err(io::Error::other("it is another one than was written"))
    }
}

fn draft(path: &Path, file: &File) -> io::Result<()> {
    // One that a run with the same number has left behind.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if file.is_program { 0o755 } else { 0o644 });
    let mut draft = options.open(path)?;
    draft.write_all(file.text.as_bytes())?;
    draft.sync_all()
}
