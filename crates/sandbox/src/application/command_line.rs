//! From entry point and command to the commands that really run, as the container runtime and `sh` see them.

/// One simple command and when it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Clause {
    pub(crate) connector: Connector,
    pub(crate) words: Vec<String>,
    /// Who looks the command up and says that there is none, with status 127.
    pub(crate) shell: &'static str,
}

/// What the status of the command before decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connector {
    /// After `;` or a new line, or first.
    Always,
    /// After `&&`.
    And,
    /// After `||`.
    Or,
}

/// What a container runs. With a shell and `-c` as entry point only the first element of `command` is
/// the script; the others become `$0`, `$1`, … and are not run. Without an entry point the image's own
/// one, `docker-php-entrypoint`, executes the command as an argument list.
pub(crate) fn commands(entry_point: &[String], command: &[String]) -> Vec<Clause> {
    if let Some(shell) = entry_point
        .first()
        .map(|path| path.rsplit('/').next().unwrap_or(path))
        && matches!(shell, "sh" | "bash" | "dash" | "ash")
        && entry_point
            .get(1)
            .is_some_and(|flag| flag.starts_with('-') && flag.ends_with('c'))
    {
        return nested(script(command.first().map_or("", String::as_str), "/bin/sh"));
    }
    let words: Vec<String> = entry_point.iter().chain(command).cloned().collect();
    // `sh -c '…'` as a plain command is a shell as well.
    if let [shell, flag, text, ..] = words.as_slice()
        && matches!(shell.rsplit('/').next(), Some("sh" | "bash"))
        && flag.starts_with('-')
        && flag.ends_with('c')
    {
        return script(text, "/bin/sh");
    }
    if words.is_empty() {
        return Vec::new();
    }
    vec![Clause {
        connector: Connector::Always,
        words,
        shell: "/usr/local/bin/docker-php-entrypoint",
    }]
}

/// The commands of shells that a script calls with `-c`, in their place.
fn nested(clauses: Vec<Clause>) -> Vec<Clause> {
    clauses
        .into_iter()
        .flat_map(|clause| match clause.words.as_slice() {
            [shell, flag, text, ..]
                if matches!(shell.as_str(), "sh" | "bash" | "/bin/sh") && flag == "-c" =>
            {
                let mut inner = script(text, "/bin/sh");
                if let Some(first) = inner.first_mut() {
                    first.connector = clause.connector;
                }
                inner
            }
            _ => vec![clause],
        })
        .collect()
}

/// Splits a script into simple commands: quotes, backslashes, `;`, `&&`, `||` and new lines.
pub(crate) fn script(text: &str, shell: &'static str) -> Vec<Clause> {
    let mut clauses = Vec::new();
    let mut connector = Connector::Always;
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars().peekable();
    let mut finish = |connector: &mut Connector, words: &mut Vec<String>, next: Connector| {
        undress(words);
        if !words.is_empty() {
            if words[0] == "exec" && words.len() > 1 {
                words.remove(0);
            }
            clauses.push(Clause {
                connector: *connector,
                words: std::mem::take(words),
                shell,
            });
        }
        *connector = next;
    };
    while let Some(character) = characters.next() {
        match character {
            '\'' => {
                let word = word.get_or_insert_default();
                word.extend(characters.by_ref().take_while(|c| *c != '\''));
            }
            '"' => {
                let word = word.get_or_insert_default();
                while let Some(quoted) = characters.next() {
                    match quoted {
                        '"' => break,
                        '\\' if matches!(characters.peek(), Some('"' | '\\' | '$' | '`')) => {
                            word.extend(characters.next());
                        }
                        other => word.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(characters.next()),
            ';' | '\n' => {
                words.extend(word.take());
                finish(&mut connector, &mut words, Connector::Always);
            }
            '&' if characters.next_if_eq(&'&').is_some() => {
                words.extend(word.take());
                finish(&mut connector, &mut words, Connector::And);
            }
            '|' if characters.next_if_eq(&'|').is_some() => {
                words.extend(word.take());
                finish(&mut connector, &mut words, Connector::Or);
            }
            // All of a pipeline runs; its status is that of its last command.
            '|' => {
                words.extend(word.take());
                finish(&mut connector, &mut words, Connector::Always);
            }
            space if space.is_whitespace() => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word.take());
    finish(&mut connector, &mut words, Connector::Always);
    clauses
}

/// Takes the marks of subshells and redirections off the words of a simple command: what is written to files is not
/// simulated.
fn undress(words: &mut Vec<String>) {
    if let Some(first) = words.first_mut() {
        *first = first.trim_start_matches('(').to_owned();
    }
    let mut is_target = false;
    words.retain(|word| {
        if std::mem::take(&mut is_target) {
            return false;
        }
        let mark = word.trim_start_matches(|c: char| c.is_ascii_digit());
        is_target = matches!(mark, ">" | ">>" | "<");
        // Whether `echo` writes to the other stream is simulated.
        word == ">&2" || word == "1>&2" || !(mark.starts_with('>') || mark.starts_with('<'))
    });
    if let Some(last) = words.last_mut() {
        *last = last.trim_end_matches(')').to_owned();
    }
    words.retain(|word| !word.is_empty());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    fn words(clauses: &[Clause]) -> Vec<Vec<String>> {
        clauses.iter().map(|clause| clause.words.clone()).collect()
    }

    #[test]
    fn a_shell_entry_point_runs_only_the_first_element() {
        let clauses = commands(&list(&["/bin/sh", "-lc"]), &list(&["php", "artisan", "migrate"]));
        assert_eq!(words(&clauses), [list(&["php"])]);
    }

    #[test]
    fn a_shell_entry_point_runs_one_string_as_a_script() {
        let clauses = commands(
            &list(&["/bin/sh", "-lc"]),
            &list(&["php artisan migrate --force"]),
        );
        assert_eq!(words(&clauses), [list(&["php", "artisan", "migrate", "--force"])]);
    }

    #[test]
    fn without_entry_point_the_command_is_an_argument_list() {
        let clauses = commands(&[], &list(&["php", "artisan", "db:seed", "--class=A B"]));
        assert_eq!(
            words(&clauses),
            [list(&["php", "artisan", "db:seed", "--class=A B"])]
        );
    }

    #[test]
    fn redirections_and_subshells_leave_the_commands_in_them() {
        let text = "cd /app; (umask 077; printf %s \"$KEY\" | base64 -d > \"$FILE\") 2>/dev/null || echo 'no base64' >&2; exec php-fpm";
        let clauses = commands(&list(&["/bin/sh", "-lc"]), &list(&[text]));
        let first: Vec<&str> = clauses.iter().map(|clause| clause.words[0].as_str()).collect();
        assert_eq!(first, ["cd", "umask", "printf", "base64", "echo", "php-fpm"]);
        assert_eq!(clauses[4].words, list(&["echo", "no base64", ">&2"]));
        assert_eq!(clauses[4].connector, Connector::Or);
    }

    #[test]
    fn quotes_and_connectors_are_those_of_a_shell() {
        let clauses = commands(
            &list(&["sh", "-c"]),
            &list(&["php artisan 'db:seed' --class='A\\B' && echo \"all done\" || exit 3; true"]),
        );
        assert_eq!(
            words(&clauses),
            [
                list(&["php", "artisan", "db:seed", "--class=A\\B"]),
                list(&["echo", "all done"]),
                list(&["exit", "3"]),
                list(&["true"])
            ]
        );
        let connectors: Vec<Connector> = clauses.iter().map(|clause| clause.connector).collect();
        assert_eq!(
            connectors,
            [
                Connector::Always,
                Connector::And,
                Connector::Or,
                Connector::Always
            ]
        );
    }
}
