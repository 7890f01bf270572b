//! What a run leaves with GitHub's runner for people and later steps: the job summary and output values
//! (GitHub docs, "Workflow commands for GitHub Actions").

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// GitHub takes 1 MiB of summary per step, and drops the whole of a longer one.
const SUMMARY: usize = 512 * 1024;
/// A value for later steps is an id, a number or a sentence.
const VALUE: usize = 4096;

/// The files that the runner reads after the step.
#[derive(Clone, Debug)]
pub(super) struct Runner {
    summary: Option<PathBuf>,
    output: Option<PathBuf>,
}

impl Runner {
    /// `None` outside of a workflow.
    pub(super) fn of(env: &BTreeMap<String, String>) -> Option<Self> {
        let file = |name: &str| env.get(name).filter(|file| !file.is_empty()).map(PathBuf::from);
        (env.get("GITHUB_ACTIONS").map(String::as_str) == Some("true")).then(|| Self {
            summary: file("GITHUB_STEP_SUMMARY"),
            output: file("GITHUB_OUTPUT"),
        })
    }

    /// Adds Markdown to the page of the workflow run.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub(super) fn summarize(&self, markdown: &str) -> Result<(), String> {
        let Some(file) = &self.summary else { return Ok(()) };
        let mut end = markdown.len().min(SUMMARY);
        while !markdown.is_char_boundary(end) {
            end -= 1;
        }
        let mut text = markdown.get(..end).unwrap_or_default().to_owned();
        if end < markdown.len() {
            text.push_str("\n\n… the rest is left out\n");
        }
        append(file, &text).map_err(|error| {
            format!(
                "could not add the report to the job summary `{}`: {error}",
                file.display()
            )
        })
    }

    /// Sets values that later steps read as `steps.ID.outputs.NAME`. One that is too long is left out.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub(super) fn set(&self, values: &[(String, String)]) -> Result<(), String> {
        let Some(file) = &self.output else { return Ok(()) };
        let failed = |error: &dyn std::fmt::Display| {
            format!(
                "could not set the step's outputs in `{}`: {error}",
                file.display()
            )
        };
        let mut text = String::new();
        for (name, value) in values {
            if value.len() <= VALUE {
                text.push_str(&assignment(name, value).map_err(|error| failed(&error))?);
            }
        }
        append(file, &text).map_err(|error| failed(&error))
    }
}

/// A value of one line as `NAME=VALUE`; a longer one between delimiters that an author of the value cannot know beforehand, so
/// that no text from elsewhere can end it and set another value.
fn assignment(name: &str, value: &str) -> Result<String, getrandom::Error> {
    let name: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect();
    if !value.contains(['\n', '\r']) {
        return Ok(format!("{name}={value}\n"));
    }
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)?;
    let end: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{name}<<bpctl_{end}\n{value}\nbpctl_{end}\n"))
}

fn append(file: &Path, text: &str) -> io::Result<()> {
    // A pipe would hold up the command until a reader opens it.
    if let Ok(found) = std::fs::metadata(file)
        && !found.is_file()
    {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_ends_itself_and_sets_another() {
        assert_eq!(assignment("exit code", "0").unwrap(), "exit_code=0\n");
        assert_eq!(assignment("a", "x=y<<EOF").unwrap(), "a=x=y<<EOF\n");
        let text = assignment("reason", "a\nbpctl_\nverdict=succeeded").unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let end = lines[0].strip_prefix("reason<<").unwrap();
        assert_eq!(lines.iter().position(|line| *line == end), Some(lines.len() - 1));
        assert_ne!(
            text,
            assignment("reason", "a\nbpctl_\nverdict=succeeded").unwrap()
        );
    }

    #[test]
    fn a_summary_is_cut_before_github_drops_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("summary.md");
        let runner = Runner {
            summary: Some(file.clone()),
            output: Some(folder.path().to_owned()),
        };
        runner.summarize(&"ä".repeat(SUMMARY)).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.len() < SUMMARY + 64 && text.ends_with("left out\n"));
        assert!(
            runner
                .set(&[("a".to_owned(), "b".to_owned())])
                .unwrap_err()
                .contains("no regular file")
        );
    }
}
