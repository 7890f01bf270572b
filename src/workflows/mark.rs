//! The line by which bpctl recognises a file of its own that no operator has edited since.

use sha2::{Digest as _, Sha256};

/// What the line says before the digest of all other lines.
const MARK: &str = "# Written by bpctl (`workflow init`), which leaves it alone once it was edited. Digest: ";

/// The text with the line: first, or behind the line that names the program that runs it.
pub(super) fn marked(text: &str) -> String {
    let line = format!("{MARK}{}\n", digest(text));
    match text
        .split_inclusive('\n')
        .next()
        .filter(|first| first.starts_with("#!"))
    {
        Some(first) => format!("{first}{line}{}", &text[first.len()..]),
        None => line + text,
    }
}

/// Whether the digest in a text is that of its other lines.
pub(super) fn is_untouched(text: &str) -> bool {
    let mut lines = text.split_inclusive('\n').take(2);
    let Some(line) = lines.find(|line| line.starts_with(MARK)) else {
        return false;
    };
    line[MARK.len()..].trim_end() == digest(&text.replacen(line, "", 1))
}

/// Whether two texts differ in their line ends at most.
pub(super) fn same(one: &str, other: &str) -> bool {
    one.replace("\r\n", "\n") == other.replace("\r\n", "\n")
}

fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.replace("\r\n", "\n").as_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edited_text_is_told_from_one_that_is_as_it_was_written() {
        for text in ["", "name: x\n", "#!/bin/sh\nexit 0\n", "one\r\ntwo\r\n"] {
            let written = marked(text);
            assert!(is_untouched(&written), "{written:?}");
            assert!(
                is_untouched(&written.replace('\n', "\r\n").replace("\r\r", "\r")),
                "{written:?}"
            );
            assert!(!is_untouched(&format!("{written}#")), "{written:?}");
            assert!(!is_untouched(&written.replacen("Digest: ", "Digest: 0", 1)));
        }
        assert!(!is_untouched("name: x\n"));
        assert!(!is_untouched(&format!("a\nb\n{MARK}{}\n", digest("a\nb\n"))));
    }
}
