//! A command in the form that a container will understand.

use crate::error::{CtlError, ErrorKind, Result};

/// Shells that take a script after `-c`.
const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "zsh", "ksh"];

/// `words` as the command override of a container with this entry point.
///
/// A shell with `-c` runs only the first element of the command and takes the others for its
/// positional parameters: it gets one string. Everything else gets the words as they are.
pub(crate) fn for_entry_point(entry_point: &[String], words: &[String]) -> Result<Vec<String>> {
    if !runs_a_script(entry_point) {
        return Ok(words.to_vec());
    }
    Ok(vec![shell_line(words)?])
}

/// `words` as one line for a POSIX shell.
pub(crate) fn shell_line(words: &[String]) -> Result<String> {
    shlex::try_join(words.iter().map(String::as_str))
        .map_err(|error| CtlError::new(ErrorKind::Unexpected, "quote the command for a shell").source(&error))
}

/// Whether the entry point ends in a shell's `-c`, so that what follows is its script. What stands
/// before the shell (`env`, `tini --`) does not matter.
fn runs_a_script(entry_point: &[String]) -> bool {
    let is_flag = |word: &String| word.starts_with('-') && !word.starts_with("--");
    let flags = entry_point.iter().rev().take_while(|word| is_flag(word)).count();
    let (before, flags) = entry_point.split_at(entry_point.len() - flags);
    let shell = before
        .last()
        .and_then(|path| path.rsplit('/').next())
        .is_some_and(|name| SHELLS.contains(&name));
    shell
        && flags
            .last()
            .is_some_and(|flag| flag.ends_with('c') && flag[1..].bytes().all(|b| b.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn a_shell_with_c_gets_one_string() {
        let command = words(&["php", "artisan", "tenancy:pools-migrate", "--tenant"]);
        for entry_point in [
            &["/bin/sh", "-lc"][..],
            &["/bin/sh", "-c"],
            &["sh", "-l", "-c"],
            &["bash", "-euo", "-c"],
            &["/usr/bin/env", "bash", "-exc"],
            &["/sbin/tini", "--", "/bin/ash", "-c"],
        ] {
            assert_eq!(
                for_entry_point(&words(entry_point), &command).unwrap(),
                ["php artisan tenancy:pools-migrate --tenant"],
                "{entry_point:?}"
            );
        }
    }

    #[test]
    fn everything_else_gets_the_words() {
        let command = words(&["php", "artisan", "migrate", "--force"]);
        for entry_point in [
            &[][..],
            &["docker-php-entrypoint"],
            &["/bin/sh"],
            &["/bin/sh", "-l"],
            &["/bin/sh", "/entrypoint.sh"],
            &["/bin/sh", "-c", "exec \"$@\"", "--"],
            &["/usr/bin/php", "-c"],
            &["tini", "--"],
            &["/bin/sh", "--c"],
        ] {
            assert_eq!(
                for_entry_point(&words(entry_point), &command).unwrap(),
                command,
                "{entry_point:?}"
            );
        }
    }

    #[test]
    fn the_string_means_the_same_words_to_a_shell() {
        let command = words(&[
            "php",
            "artisan",
            "x",
            "--class=A\\B",
            "it's",
            "",
            "$(id) `id` \"q\" ; & | *",
            "new\nline",
        ]);
        let line = for_entry_point(&words(&["/bin/sh", "-lc"]), &command).unwrap();
        assert_eq!(line.len(), 1);
        assert_eq!(shlex::split(&line[0]).unwrap(), command);
        let run = std::process::Command::new("/bin/sh")
            .arg("-c")
            .arg(line[0].replacen("php", "printf '%s\\0'", 1))
            .output()
            .unwrap();
        let said: Vec<String> = String::from_utf8(run.stdout)
            .unwrap()
            .split_terminator('\0')
            .map(str::to_owned)
            .collect();
        assert_eq!(said, command[1..]);
    }
}
