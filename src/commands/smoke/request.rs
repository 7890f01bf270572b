//! What was asked for: the token, the clip, the flags, each made sure of before anything is sent.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use secrecy::zeroize::Zeroizing;

use crate::bundle::Sha256;
use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::files::read_regular;
use crate::redact::Secret;

/// The variable that holds the token.
pub(super) const TOKEN: &str = "BPCTL_SMOKE_TOKEN";

/// The token of the sandbox's one tenant.
const SANDBOX_TOKEN: &str = "sandbox";

/// Bytes of a token: those of Sanctum have about fifty.
const LONGEST_TOKEN: u64 = 4096;

/// Bytes of a clip: it is held in memory, and a smoke test needs none that is large.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Two seconds of a square that moves: H.264 in MP4, 320 by 320, made for this test with libx264.
const CLIP: &[u8] = include_bytes!("clip.mp4");

/// "Allowed MIME types" (runbook, "Media upload flow"), by the extension of the file.
const KINDS: [(&str, &str); 4] = [
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
    ("mkv", "video/x-matroska"),
];

/// The bytes that are uploaded.
#[derive(Clone, Debug)]
pub(super) struct Clip {
    pub(super) bytes: Bytes,
    pub(super) kind: &'static str,
    /// The name that it is uploaded under: the application refuses some that files may have.
    pub(super) name: String,
    /// SHA-256 in hexadecimal digits.
    pub(super) digest: String,
    /// The file, where it is the operator's own.
    pub(super) path: Option<PathBuf>,
}

impl Clip {
    /// # Errors
    /// A file that is no regular one, too large, empty, or no video by its name.
    pub(super) fn of(ctx: &Ctx, path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else {
            return Ok(Self::new(Bytes::from_static(CLIP), "mp4", "video/mp4", None));
        };
        let wrong = |why: &str| CtlError::usage(format!("read the clip `{}`: {why}", path.display()));
        let extension = path.extension().and_then(|extension| extension.to_str());
        let extension = extension.unwrap_or_default().to_lowercase();
        let known = KINDS.iter().find(|(name, _)| *name == extension);
        let Some((extension, kind)) = known else {
            return Err(wrong("its name does not end with .mp4, .mov, .webm or .mkv"));
        };
        let bytes = read_regular(&ctx.cwd.join(path), LARGEST)
            .map_err(|error| CtlError::usage(format!("read the clip `{}`", path.display())).source(&error))?;
        if bytes.is_empty() {
            return Err(wrong("it is empty"));
        }
        Ok(Self::new(bytes.into(), extension, kind, Some(path.to_owned())))
    }

    fn new(bytes: Bytes, extension: &str, kind: &'static str, path: Option<PathBuf>) -> Self {
        Self {
            digest: Sha256::of(&bytes).to_string(),
            bytes,
            kind,
            name: format!("bpctl-smoke.{extension}"),
            path,
        }
    }
}

/// The bearer token of the customer that the test plays.
///
/// # Errors
/// None, or one that no header can hold.
pub(super) fn token(ctx: &Ctx, from_stdin: bool) -> Result<Secret> {
    let given = if from_stdin {
        if ctx.ui.has_terminal_input() {
            return Err(CtlError::usage("read the token: stdin is a terminal")
                .hint("write the token into it, e.g. from a password manager"));
        }
        let bytes = ctx.ui.read_input(LONGEST_TOKEN).map(Zeroizing::new);
        let bytes = bytes.map_err(|error| CtlError::usage("read the token from stdin").source(&error))?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| CtlError::usage("read the token from stdin: it is no text"))?;
        Some(Secret::from(text.trim()))
    } else {
        let set = ctx.env.get(TOKEN).map(|value| value.trim());
        set.filter(|value| !value.is_empty()).map(Secret::from)
    };
    let sandbox = || ctx.settings.is_sandbox().then(|| Secret::from(SANDBOX_TOKEN));
    let token = given.or_else(sandbox).ok_or_else(|| {
        CtlError::usage(format!("sign in to the application: there is no token in {TOKEN}"))
            .hint("a customer's token is what `POST /api/login` answers with: set the variable, or give it with `--token-stdin`")
    })?;
    let fits = |byte: u8| byte.is_ascii_graphic();
    if token.expose().is_empty() || !token.expose().bytes().all(fits) {
        return Err(CtlError::usage(
            "sign in to the application: the token is empty or has blanks or other signs in it that no token has",
        ));
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The `ftyp` box comes first (ISO/IEC 14496-12, section 4.3).
    #[test]
    fn the_clip_is_an_mp4() {
        assert_eq!(CLIP.get(4..8), Some(&b"ftyp"[..]));
        assert!(CLIP.windows(4).any(|box_type| box_type == b"moov"));
        assert!(CLIP.windows(4).any(|box_type| box_type == b"avc1"));
    }
}
