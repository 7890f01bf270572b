//! What runs at the other end of a command session.
//!
//! The agent in a container splits the command line with `google/shlex` and starts the first word, without a shell
//! (`agent/session/shell/shell_unix.go`, `ContainerMode`). The simulated `sh` reads simple commands; of larger scripts it
//! knows the two of bpctl by the names that they give themselves, and does what they do.

use tokio::sync::mpsc;

use super::agent::{FromProgram, ToProgram};
use super::commands::Shell;
use super::place::Place;
use super::terminal::{HungUp, Terminal};
use crate::sandbox::Sandbox;

/// Runs a command line to its end.
pub(super) async fn run(
    sandbox: Sandbox,
    place: Place,
    command: String,
    input: mpsc::UnboundedReceiver<ToProgram>,
    output: mpsc::Sender<FromProgram>,
) {
    let mut terminal = Terminal::new(input, output);
    let Some(words) = split(&command) else {
        return terminal
            .end("Failed to parse commands input: EOF found when expecting closing quote")
            .await;
    };
    let mut shell = Shell::new(sandbox, place);
    if start(&mut shell, &words, &mut terminal).await.is_ok() {
        terminal.end("").await;
    }
}

async fn start(shell: &mut Shell, words: &[String], terminal: &mut Terminal) -> Result<(), HungUp> {
    let texts: Vec<&str> = words.iter().map(String::as_str).collect();
    match texts.as_slice() {
        ["sh", "-c", _, "bpctl-run", nonce, input, program @ ..] => {
            terminal.in_frames(nonce, *input == "1");
            terminal.raw(format!("~{nonce}:r;")).await?;
            let status = shell.execute(&owned(program), terminal).await?;
            terminal.raw(format!("~{nonce}:x:{status};")).await?;
            terminal.raw(format!("~{nonce}:z;")).await
        }
        ["sh", "-c", _, "bpctl-attend", nonce, program @ ..] => {
            let program = if program.is_empty() { &["bash"] } else { program };
            let status = shell.execute(&owned(program), terminal).await?;
            terminal.raw(format!("~{nonce}:x:{status};")).await
        }
        _ => shell.execute(words, terminal).await.map(|_| ()),
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The words of a command line as `google/shlex` splits them; `None` when a quote is open.
fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '#' if word.is_none() => {
                let _ = characters.by_ref().find(|character| *character == '\n');
            }
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '\'' => break,
                        other => word.push(other),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '"' => break,
                        '\\' => word.push(characters.next()?),
                        other => word.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(characters.next()?),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_the_agents_library_splits_them() {
        let words = split(r#"sh -c 'a '\''b'\''' "c \"d" e\ f '' # comment"#).unwrap();
        assert_eq!(words, ["sh", "-c", "a 'b'", "c \"d", "e f", ""]);
        assert_eq!(split("echo 'open"), None);
        assert_eq!(split("a#b").unwrap(), ["a#b"]);
    }
}
