//! A backup in a folder: files that are whole or not there, and the objects of a bucket as files.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use futures::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::manifest::SavedBucket;
use super::place::{BUCKETS, MANIFEST, SECRETS};
use super::skipped;
use crate::aws::s3::listing::{Entry, Listing};
use crate::bundle::{Hasher, Sha256};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::files::{Links, open_regular};

/// Objects that are read at once; each has one piece of its body in memory.
const AT_ONCE: usize = 8;

/// What names of files begin with that are not complete yet.
const PART: &str = ".bpctl-part-";

/// Bytes of a name in a path that every file system takes; ext4 and APFS take 255.
const LONGEST_NAME: usize = 200;

fn trouble(doing: &str, path: &Path, error: &io::Error) -> CtlError {
    CtlError::new(ErrorKind::Failed, format!("{doing} `{}`", path.display())).source(error)
}

/// Whether a backup may be written into this folder: it is not there, it is empty, or it has the parts of a backup alone.
///
/// # Errors
/// Another file in it, or something else in its place.
pub(super) fn check(path: &Path, given: &str) -> Result<()> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(CtlError::usage(format!("use `{given}` as the folder of a backup")).source(&error));
        }
    };
    for entry in entries {
        let entry = entry.map_err(|error| trouble("list", path, &error))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if ![MANIFEST, SECRETS, BUCKETS].contains(&&*name) && !name.starts_with(PART) {
            return Err(CtlError::usage(format!(
                "use `{given}` as the folder of a backup: it holds `{name}`, which is no part of one"
            ))
            .hint("name a folder that is empty or not there yet"));
        }
    }
    Ok(())
}

/// Makes a folder that the owner alone may enter.
fn make(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// A file that only the owner may read; one that an earlier run has left half written is begun anew.
fn begin(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = open_regular(path, &mut options, Links::Refuse)?;
    file.set_len(0)?;
    Ok(file)
}

/// Writes a part of the backup, whole or not at all, and reads it back.
///
/// # Errors
/// What the operating system refuses; that what was read back is something else.
pub(super) fn write(folder: &Path, part: &str, bytes: &[u8]) -> Result<()> {
    let (path, beside) = (folder.join(part), folder.join(format!("{PART}{part}")));
    let written = make(folder)
        .and_then(|()| begin(&beside))
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, &path))
        .and_then(|()| File::open(folder)?.sync_all())
        .and_then(|()| fs::read(&path));
    let read = written.map_err(|error| trouble("write", &path, &error))?;
    if Sha256::of(&read) != Sha256::of(bytes) {
        return Err(CtlError::new(
            ErrorKind::Failed,
            format!(
                "read `{}` back: it holds something else than was written",
                path.display()
            ),
        ));
    }
    Ok(())
}

/// A line of the list of a bucket's objects.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    key: String,
    size: u64,
    etag: String,
    sha256: Sha256,
    /// Below the folder of the bucket.
    file: String,
}

/// What stands for a text where many are kept: half of its digest.
type Mark = [u8; 16];

fn mark(parts: &[&str]) -> Mark {
    let mut hasher = Hasher::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    let digest = hasher.finish().to_string();
    let mut mark = [0; 16];
    for (byte, digits) in mark.iter_mut().zip(digest.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).unwrap_or_default();
        *byte = u8::from_str_radix(digits, 16).unwrap_or_default();
    }
    mark
}

/// The list of the objects that are there, to which one line is added for each. A line of a key counts more than the
/// lines of it before; the end of a line that was cut off is taken away.
struct List {
    path: PathBuf,
    file: File,
    /// By key: size, ETag and file.
    known: HashMap<Mark, Mark>,
}

impl List {
    fn open(path: PathBuf) -> Result<Self> {
        let failed = |error: io::Error| trouble("read", &path, &error);
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = open_regular(&path, &mut options, Links::Refuse).map_err(failed)?;
        let mut known = HashMap::new();
        let mut whole = 0;
        let mut reader = BufReader::new(file.try_clone().map_err(failed)?);
        let mut text = Vec::new();
        loop {
            text.clear();
            let length = reader.read_until(b'\n', &mut text).map_err(failed)?;
            let line: Option<Line> = serde_json::from_slice(&text).ok();
            let Some(line) = line.filter(|_| text.ends_with(b"\n")) else {
                break;
            };
            whole += length as u64;
            known.insert(
                mark(&[&line.key]),
                Self::content(line.size, &line.etag, &line.file),
            );
        }
        file.set_len(whole).map_err(failed)?;
        Ok(Self { path, file, known })
    }

    fn content(size: u64, etag: &str, file: &str) -> Mark {
        mark(&[&size.to_string(), etag, file])
    }

    fn has(&self, entry: &Entry, file: &str) -> bool {
        self.known.get(&mark(&[&entry.key])) == Some(&Self::content(entry.size, &entry.etag, file))
    }

    fn add(&mut self, line: &Line) -> Result<()> {
        let written = serde_json::to_vec(line)
            .map_err(io::Error::other)
            .and_then(|mut text| {
                text.push(b'\n');
                self.file.write_all(&text)
            });
        written.map_err(|error| trouble("write", &self.path, &error))
    }

    fn finish(&self) -> Result<Sha256> {
        let failed = |error: io::Error| trouble("read", &self.path, &error);
        self.file.sync_all().map_err(failed)?;
        let mut hasher = Hasher::new();
        let mut reader = BufReader::new(File::open(&self.path).map_err(failed)?);
        loop {
            let block = reader.fill_buf().map_err(failed)?;
            if block.is_empty() {
                return Ok(hasher.finish());
            }
            hasher.update(block);
            let length = block.len();
            reader.consume(length);
        }
    }
}

/// Where the object of a key is kept: under its own name where a file system can have it, else under its digest.
struct Names {
    /// Below which the objects of the bucket are.
    root: PathBuf,
    /// Names of files that were given out, in small letters: some file systems know no others.
    files: HashSet<Mark>,
    /// The same of the folders above them.
    folders: HashSet<Mark>,
}

impl Names {
    fn of(&mut self, key: &str) -> String {
        let is_plain = |name: &str| {
            !matches!(name, "" | "." | ".." | OTHER)
                && name.len() <= LONGEST_NAME
                && !name.starts_with(PART)
                && !name.contains(|letter: char| letter.is_control() || letter == '\\')
        };
        if key.split('/').all(is_plain) && self.is_free(key) && self.give_out(&key.to_lowercase()) {
            return key.to_owned();
        }
        format!("{OTHER}/{}", Sha256::of(key.as_bytes()))
    }

    /// Whether no other key of this bucket has the name, or needs it for a folder.
    fn give_out(&mut self, name: &str) -> bool {
        let folders: Vec<Mark> = name
            .match_indices('/')
            .map(|(end, _)| mark(&[name.get(..end).unwrap_or_default()]))
            .collect();
        let file = mark(&[name]);
        if self.folders.contains(&file) || folders.iter().any(|folder| self.files.contains(folder)) {
            return false;
        }
        if !self.files.insert(file) {
            return false;
        }
        self.folders.extend(folders);
        true
    }

    /// Whether neither a folder lies in the place of the file nor a file in the place of one of its folders.
    fn is_free(&self, key: &str) -> bool {
        let path = self.root.join(key);
        let folders = path.ancestors().skip(1).take_while(|folder| *folder != self.root);
        !path.is_dir() && folders.into_iter().all(|folder| !folder.is_file())
    }
}

/// The folder of objects whose keys are no names of files.
const OTHER: &str = ".other";

/// What of the folder of a bucket's objects lies under no key, as the aws tool's filters have it: a `*` stands for slashes
/// too. No object has a name that begins so.
pub(super) const NO_KEYS: [&str; 3] = [".other/*", ".bpctl-part-*", "*/.bpctl-part-*"];

/// How many objects of a list are kept under digests: the last line of a key counts.
///
/// # Errors
/// What the operating system refuses; a line that is none.
pub(super) fn under_digests(list: &Path) -> io::Result<u64> {
    let file = open_regular(list, OpenOptions::new().read(true), Links::Refuse)?;
    let mut under: HashMap<Mark, bool> = HashMap::new();
    for text in BufReader::new(file).lines() {
        let line: Line = serde_json::from_str(&text?)?;
        let is_other = line.file.split('/').next() == Some(OTHER);
        under.insert(mark(&[&line.key]), is_other);
    }
    Ok(under.into_values().filter(|is_other| *is_other).count() as u64)
}

/// Copies the objects of a bucket: those that are in the list with the same size and ETag stay as they are.
///
/// # Errors
/// What S3 or the file system refuse; a body that is not as long as S3 said.
pub(super) async fn copy_bucket(
    ctx: &Ctx,
    (role, bucket): (&str, &str),
    folder: &Path,
    say: impl Fn(&str),
) -> Result<(SavedBucket, u64)> {
    let buckets = folder.join(BUCKETS);
    let root = buckets.join(role);
    make(&root).map_err(|error| trouble("make", &root, &error))?;
    let name = format!("{role}.jsonl");
    let mut list = List::open(buckets.join(&name))?;
    let mut names = Names {
        root: root.clone(),
        files: HashSet::new(),
        folders: HashSet::new(),
    };
    let mut saved = SavedBucket {
        role: role.to_owned(),
        bucket: bucket.to_owned(),
        objects: 0,
        bytes: 0,
        list: None,
    };
    let mut copied = 0;
    let mut listing = Listing::new(&ctx.aws, bucket, "");
    while let Some(page) = listing.page().await? {
        let mut left = Vec::new();
        for entry in page.into_iter().filter(|entry| !skipped(role, &entry.key)) {
            let file = names.of(&entry.key);
            let there = fs::metadata(root.join(&file)).is_ok_and(|found| found.len() == entry.size);
            if there && list.has(&entry, &file) {
                saved.objects += 1;
                saved.bytes += entry.size;
            } else {
                left.push((entry, file));
            }
        }
        let mut lines = stream::iter(&left)
            .map(|(entry, file)| fetch(ctx, bucket, entry, &root, file))
            .buffered(AT_ONCE);
        while let Some(line) = lines.next().await {
            if let Some(line) = line? {
                list.add(&line)?;
                saved.objects += 1;
                saved.bytes += line.size;
                copied += 1;
            }
        }
        if listing.has_more() {
            say(&format!("{role}: {} objects are there", saved.objects));
        }
    }
    saved.list = Some((format!("{BUCKETS}/{name}"), list.finish()?));
    Ok((saved, copied))
}

/// Reads one object into its file; `None` when it was deleted since the bucket was listed.
async fn fetch(ctx: &Ctx, bucket: &str, entry: &Entry, root: &Path, file: &str) -> Result<Option<Line>> {
    if ctx.cancel.is_cancelled() {
        return Err(CtlError::new(
            ErrorKind::Interrupted,
            format!("copy `{}` of bucket {bucket}: interrupted", entry.key),
        ));
    }
    let Some(mut body) = ctx.aws.open_object(bucket, &entry.key).await? else {
        return Ok(None);
    };
    let path = root.join(file);
    let folder = path.parent().unwrap_or(root);
    let beside = folder.join(format!("{PART}{}", Sha256::of(entry.key.as_bytes())));
    let failed = |error: io::Error| trouble("write", &path, &error);
    let mut out = make(folder).and_then(|()| begin(&beside)).map_err(failed)?;
    let (mut hasher, mut length) = (Hasher::new(), 0);
    while let Some(piece) = body.next().await? {
        let piece = piece.as_ref();
        hasher.update(piece);
        length += piece.len() as u64;
        out.write_all(piece).map_err(failed)?;
    }
    if length != body.size {
        return Err(CtlError::new(
            ErrorKind::Failed,
            format!(
                "copy `{}` of bucket {bucket}: {length} bytes came, and S3 has {}",
                entry.key, body.size
            ),
        ));
    }
    out.sync_all()
        .and_then(|()| fs::rename(&beside, &path))
        .and_then(|()| fs::metadata(&path))
        .and_then(|found| match found.len() == length {
            true => Ok(()),
            false => Err(io::Error::other("its size is another one than was written")),
        })
        .map_err(failed)?;
    Ok(Some(Line {
        key: entry.key.clone(),
        size: length,
        etag: body.etag.clone(),
        sha256: hasher.finish(),
        file: file.to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_no_name_of_a_file_is_kept_under_its_digest() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("folder")).unwrap();
        fs::write(folder.path().join("file"), "x").unwrap();
        let mut names = Names {
            root: folder.path().to_owned(),
            files: HashSet::new(),
            folders: HashSet::new(),
        };
        for plain in ["a", "A b/ü.mp4", "b/c/d", "folder/x"] {
            assert_eq!(names.of(plain), plain);
        }
        let long = "x".repeat(LONGEST_NAME + 1);
        for other in [
            "../x",
            "/x",
            "a//b",
            "c/",
            ".",
            "x\ny",
            "x\\y",
            "a B/Ü.mp4",
            "a/x",
            "b/c",
            "folder",
            "file/x",
            ".other/x",
            &long,
        ] {
            assert_eq!(
                names.of(other),
                format!(".other/{}", Sha256::of(other.as_bytes()))
            );
        }
    }

    #[test]
    fn a_list_goes_on_behind_its_last_whole_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("media.jsonl");
        let entry = |key: &str, etag: &str| Entry {
            key: key.to_owned(),
            size: 3,
            etag: etag.to_owned(),
            modified: None,
        };
        let line = |key: &str, etag: &str| Line {
            key: key.to_owned(),
            size: 3,
            etag: etag.to_owned(),
            sha256: Sha256::of(b"abc"),
            file: key.to_owned(),
        };
        let mut list = List::open(path.clone()).unwrap();
        list.add(&line("a", "1")).unwrap();
        list.add(&line("a", "2")).unwrap();
        list.add(&line("b", "1")).unwrap();
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 4]).unwrap();
        let mut list = List::open(path.clone()).unwrap();
        assert!(list.has(&entry("a", "2"), "a") && !list.has(&entry("a", "1"), "a"));
        assert!(!list.has(&entry("b", "1"), "b"));
        list.add(&line("b", "1")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole);
        assert_eq!(list.finish().unwrap(), Sha256::of(&whole));
    }

    #[test]
    fn only_a_folder_of_its_own_is_written_into() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        check(&path.join("not there"), "x").unwrap();
        check(path, "x").unwrap();
        write(path, SECRETS, b"sealed").unwrap();
        write(path, SECRETS, b"sealed anew").unwrap();
        check(path, "x").unwrap();
        assert_eq!(fs::read(path.join(SECRETS)).unwrap(), b"sealed anew");
        assert_eq!(fs::read_dir(path).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(path.join(SECRETS)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(path.join("notes.txt"), "x").unwrap();
        assert!(check(path, "x").unwrap_err().message().contains("`notes.txt`"));
        let error = check(&path.join("notes.txt"), "x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
    }
}
