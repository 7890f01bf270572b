//! Where values come from: a hidden question, stdin, a file. Never the command line, which every user of the
//! machine can read.

use std::io;
use std::path::Path;

use secrecy::zeroize::Zeroizing;

use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::files::read_regular;
use crate::redact::Secret;
use crate::secrets::encode_p8;

/// Bytes of a value: Secrets Manager takes 65,536 (API Reference, PutSecretValue).
const LIMIT: u64 = 65_536;

/// The content of a file, cleared when it goes.
///
/// # Errors
/// No regular file, or a larger one.
pub(super) fn read_file(ctx: &Ctx, path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    read_regular(&ctx.cwd.join(path), LIMIT)
        .map(Zeroizing::new)
        .map_err(|error| CtlError::usage(format!("read `{}`", path.display())).source(&error))
}

/// The text of a file.
///
/// # Errors
/// Also bytes that are no UTF-8.
pub(super) fn text_of_file(ctx: &Ctx, path: &Path) -> Result<Zeroizing<String>> {
    text(&read_file(ctx, path)?, &format!("read `{}`", path.display()))
}

/// A value from a file, without the line end that editors add.
pub(super) fn value_of_file(ctx: &Ctx, path: &Path) -> Result<Secret> {
    Ok(without_line_end(&text_of_file(ctx, path)?))
}

/// What Apple hands out as `.p8`, as the OAuth secret holds it.
///
/// # Errors
/// Another file.
pub(super) fn p8_of_file(ctx: &Ctx, path: &Path) -> Result<Secret> {
    let file = read_file(ctx, path)?;
    encode_p8(&file).map_err(|why| CtlError::usage(format!("read `{}`: {why}", path.display())))
}

/// A value that is asked for at the terminal, twice, or read from stdin.
///
/// # Errors
/// No terminal to ask on and nothing to read.
pub(super) async fn value_from_operator(ctx: &Ctx, question: &str) -> Result<Secret> {
    if ctx.ui.can_prompt() {
        let typed = ctx.ui.type_hidden(question, &ctx.cancel).await.map_err(|error| {
            let kind = if error.kind() == io::ErrorKind::Interrupted {
                ErrorKind::Interrupted
            } else {
                ErrorKind::Declined
            };
            CtlError::new(kind, "read the value: no answer, nothing was changed").source(&error)
        })?;
        let typed = Zeroizing::new(typed);
        return Ok(Secret::from(typed.as_str()));
    }
    let nothing = || {
        CtlError::usage("read the value: there is none on stdin and no terminal to ask on")
            .hint("write it to stdin, or give `--file FILE` or `--generate`")
    };
    if ctx.ui.has_terminal_input() {
        return Err(nothing());
    }
    let bytes = ctx
        .ui
        .read_input(LIMIT)
        .map(Zeroizing::new)
        .map_err(|error| CtlError::usage("read the value from stdin").source(&error))?;
    let value = without_line_end(&text(&bytes, "read the value from stdin")?);
    if value.expose().is_empty() {
        return Err(nothing());
    }
    Ok(value)
}

fn text(bytes: &[u8], doing: &str) -> Result<Zeroizing<String>> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        // The error's own text names a position alone, and so does this one.
        Err(error) => Err(CtlError::usage(format!(
            "{doing}: byte {} is not UTF-8",
            error.valid_up_to() + 1
        ))),
    }
}

/// `printf '%s\n'`, `echo` and editors end a line; no value of the platform ends with one.
fn without_line_end(text: &str) -> Secret {
    let text = text.strip_suffix('\n').unwrap_or(text);
    Secret::from(text.strip_suffix('\r').unwrap_or(text))
}
