//! Reading files that another program may have prepared: only regular ones, only up to a size.
//!
//! A FIFO waits for a writer, a device or `/proc` file may never end, and a link in the state folder may
//! point at a file that matters. Each of them is an error here, before anything is read.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

/// What people write: configuration files.
pub(crate) const CONFIG_LIMIT: u64 = 4 * 1024 * 1024;

/// What programs write: exports of metrics, journals.
pub(crate) const DATA_LIMIT: u64 = 64 * 1024 * 1024;

/// What to do with a symbolic link in the last place of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    /// The operator may keep a configuration file elsewhere.
    Follow,
    /// Files that bpctl itself makes are no links.
    Refuse,
}

/// The content of a regular file of at most `limit` bytes.
///
/// # Errors
/// What is there instead of a regular file, that it is larger, or what the operating system says.
pub(crate) fn read_regular(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read(
        open_regular(path, OpenOptions::new().read(true), Links::Follow)?,
        limit,
    )
}

/// [`read_regular`] for the files of bpctl's own folders: a link is refused as well.
///
/// # Errors
/// As [`read_regular`].
pub(crate) fn read_own(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read(
        open_regular(path, OpenOptions::new().read(true), Links::Refuse)?,
        limit,
    )
}

/// [`read_regular`] for text.
///
/// # Errors
/// As [`read_regular`], and the line of the first byte that is not UTF-8.
pub(crate) fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    String::from_utf8(read_regular(path, limit)?).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = &error.as_bytes()[..valid];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let said = format!("line {line} is not UTF-8 (byte {} of the file)", valid + 1);
        io::Error::new(io::ErrorKind::InvalidData, said)
    })
}

/// Opens a regular file with `options`; never waits for the other end of a FIFO.
///
/// `options` must not truncate: the file is looked at only after it is open. Use [`File::set_len`] then.
///
/// # Errors
/// What is there instead of a regular file, or what the operating system says.
pub(crate) fn open_regular(path: &Path, options: &mut OpenOptions, links: Links) -> io::Result<File> {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        if links == Links::Refuse {
            flags |= OFlags::NOFOLLOW;
        }
        std::os::unix::fs::OpenOptionsExt::custom_flags(options, flags.bits().cast_signed());
    }
    let file = options.open(path).map_err(|error| {
        let found = match links {
            Links::Follow => path.metadata(),
            Links::Refuse => path.symlink_metadata(),
        };
        // Folders, sockets and FIFOs without a reader have error texts of their own when they are opened.
        match found {
            Ok(found) if !found.is_file() => not_regular(&found),
            _ => error,
        }
    })?;
    let found = file.metadata()?;
    if found.is_file() {
        Ok(file)
    } else {
        Err(not_regular(&found))
    }
}

/// The rest of an open file, when it is at most `limit` bytes. The size that the file claims does not count:
/// files in `/proc` claim none.
fn read(file: File, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let claimed = file.metadata()?.len();
    if claimed <= limit {
        file.take(limit + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 <= limit {
            return Ok(bytes);
        }
    }
    Err(io::Error::new(
        io::ErrorKind::FileTooLarge,
        format!("it is larger than {}", size(limit)),
    ))
}

fn size(bytes: u64) -> String {
    const MIB: u64 = 1024 * 1024;
    if bytes >= MIB && bytes.is_multiple_of(MIB) {
        format!("{} MiB", bytes / MIB)
    } else {
        format!("{bytes} bytes")
    }
}

fn not_regular(found: &Metadata) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("it is {} and not a regular file", kind(found)),
    )
}

fn kind(found: &Metadata) -> &'static str {
    if found.is_dir() {
        return "a directory";
    }
    if found.is_symlink() {
        return "a symbolic link";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        let kind = found.file_type();
        if kind.is_fifo() {
            return "a named pipe (FIFO)";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    "something else"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_is_read_up_to_its_limit_and_not_beyond() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read_regular(&path, 5).unwrap(), b"12345");
        let error = read_regular(&path, 4).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 4 bytes");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        // A sparse file of 3 GiB takes no memory before it is refused.
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(3 << 30)
            .unwrap();
        assert_eq!(
            read_regular(&path, CONFIG_LIMIT).unwrap_err().to_string(),
            "it is larger than 4 MiB"
        );
    }

    #[test]
    fn text_that_is_not_utf_8_names_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, b"one\ntwo \xff\n").unwrap();
        assert_eq!(
            read_text(&path, 100).unwrap_err().to_string(),
            "line 2 is not UTF-8 (byte 9 of the file)"
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_named_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let status = std::process::Command::new("mkfifo").arg(at("pipe")).status();
        assert!(status.unwrap().success());
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        fs::write(at("file"), "x").unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        std::os::unix::fs::symlink(at("pipe"), at("link-to-pipe")).unwrap();
        for (path, expected) in [
            (at("pipe"), "it is a named pipe (FIFO) and not a regular file"),
            (
                at("link-to-pipe"),
                "it is a named pipe (FIFO) and not a regular file",
            ),
            (at("socket"), "it is a socket and not a regular file"),
            (at(""), "it is a directory and not a regular file"),
            ("/dev/zero".into(), "it is a device and not a regular file"),
        ] {
            assert_eq!(read_regular(&path, 100).unwrap_err().to_string(), expected);
            let write = open_regular(&path, OpenOptions::new().write(true), Links::Follow);
            assert_eq!(write.unwrap_err().kind(), io::ErrorKind::InvalidInput, "{path:?}");
        }
        assert_eq!(read_regular(&at("link"), 100).unwrap(), b"x");
        assert_eq!(
            read_own(&at("link"), 100).unwrap_err().to_string(),
            "it is a symbolic link and not a regular file"
        );
        assert_eq!(
            read_own(&at("missing"), 100).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }
}
