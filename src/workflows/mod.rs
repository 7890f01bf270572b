//! The platform's workflows for GitHub Actions: their texts, what each of them needs, and which files of a repository
//! are as they would be written.
//!
//! Pure: the files themselves are read and written by the verbs.

mod difference;
mod mark;
mod table;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub(crate) use difference::unified;
use mark::{is_untouched, marked, same};
pub(crate) use table::{WORKFLOWS, Workflow};

use crate::layout::{LayoutKind, Stage};

/// Where GitHub looks for workflows.
pub(crate) const FOLDER: &str = ".github/workflows";

/// The region that the texts name where none is chosen, and the other one that they offer.
const REGIONS: [&str; 2] = ["us-east-1", "us-west-2"];

/// The files of the action that puts bpctl on a runner's PATH: name, text, whether it is run.
const ACTION: [(&str, &str, bool); 2] = [
    (
        "action.yml",
        include_str!("../../examples/actions/setup-bpctl/action.yml"),
        false,
    ),
    (
        "install",
        include_str!("../../examples/actions/setup-bpctl/install"),
        true,
    ),
];

/// What is put into the texts.
#[derive(Clone, Debug)]
pub(crate) struct Choices<'a> {
    pub(crate) layout: LayoutKind,
    pub(crate) prefix: &'a str,
    pub(crate) region: Option<&'a str>,
}

/// A file as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// E.g. `deploy`; the action's files are no workflow.
    pub(crate) workflow: Option<&'static str>,
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    /// Whether runners run it: it has to be executable.
    pub(crate) is_program: bool,
}

/// How a file of the repository relates to what would be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// There is none.
    New,
    /// It is what would be written.
    Current,
    /// bpctl wrote it, no operator has edited it since, and this version would write it otherwise.
    Outdated,
    /// It is another one: edited by hand, or not from bpctl.
    Edited,
}

impl State {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Current => "current",
            Self::Outdated => "outdated",
            Self::Edited => "edited",
        }
    }
}

/// Every file: the workflows in `folder`, the action beside it.
pub(crate) fn files(folder: &Path, choices: &Choices<'_>) -> Vec<File> {
    let workflows = WORKFLOWS.iter().map(|workflow| File {
        workflow: Some(workflow.name),
        path: folder.join(workflow.file()),
        text: marked(&chosen(workflow.text, choices)),
        is_program: false,
    });
    let beside = match (folder.file_name(), folder.parent()) {
        (Some(_), Some(parent)) => parent.to_owned(),
        _ => folder.join(".."),
    };
    let action = ACTION.iter().map(|(name, text, is_program)| File {
        workflow: None,
        path: beside.join("actions/setup-bpctl").join(name),
        text: marked(text),
        is_program: *is_program,
    });
    workflows.chain(action).collect()
}

impl File {
    /// How the file that is there relates to this one; `None` stands for no file.
    pub(crate) fn state(&self, found: Option<&Found>) -> State {
        match found {
            None => State::New,
            Some(found) if same(&found.text, &self.text) && found.is_program >= self.is_program => {
                State::Current
            }
            Some(found) if same(&found.text, &self.text) || is_untouched(&found.text) => State::Outdated,
            Some(_) => State::Edited,
        }
    }
}

/// A file that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) text: String,
    pub(crate) is_program: bool,
}

/// The text with what was chosen in it.
fn chosen(text: &str, choices: &Choices<'_>) -> String {
    let mut text = text.to_owned();
    if choices.layout == LayoutKind::Staged {
        text = text.replace("BPCTL_LAYOUT: single\n", "BPCTL_LAYOUT: staged\n");
        text = text.replace("'gpu-shared '", "'gpu '");
    }
    if choices.prefix != "bp" {
        text = text.replace(
            "BPCTL_PREFIX: bp\n",
            &format!("BPCTL_PREFIX: \"{}\"\n", choices.prefix),
        );
    }
    if let Some(region) = choices.region.filter(|region| *region != REGIONS[0]) {
        let mut offered = vec![region];
        offered.extend(REGIONS.iter().filter(|other| **other != region));
        let offer = |regions: &[&str], default: &str| {
            format!("options: [{}]\n        default: {default}\n", regions.join(", "))
        };
        text = text.replace(&offer(&REGIONS, REGIONS[0]), &offer(&offered, region));
    }
    text
}

/// The names behind `context.` in a text, e.g. those of secrets.
pub(crate) fn named(text: &str, context: &str) -> BTreeSet<String> {
    let lead = format!("{context}.");
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices(&lead) {
        let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let before = text[..at].chars().next_back();
        if before.is_some_and(|letter| is_word(letter) || letter == '.' || letter == '-') {
            continue;
        }
        let rest = &text[at + lead.len()..];
        let end = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
        if end > 0 {
            names.insert(rest[..end].to_owned());
        }
    }
    names
}

/// Whether a workflow with this text runs without a secret or variable of this name.
pub(crate) fn is_optional(name: &str, text: &str) -> bool {
    // A role of a workflow's own; without it the stage's role is taken.
    let own_role = Stage::ALL.iter().any(|stage| {
        let common = format!("AWS_DEPLOY_ROLE_ARN_{}_", stage.as_str().to_ascii_uppercase());
        name.starts_with(&common)
    });
    own_role
        || match name {
            "ASSET_OPS_API_URL" | "ASSET_OPS_SECRET" | "AWS_ROLE_SECONDS" | "BACKEND_SG_ID"
            | "BPCTL_SHA256" | "BPCTL_SHA256_ARM64" | "PRIVATE_SUBNET_IDS" => true,
            "BPCTL_RELEASES" => !has_copied_action(text),
            _ => false,
        }
}

/// Whether the action comes from the workflow's own repository. It does not know then where bpctl's archives are: GitHub
/// names an action's repository only to one that comes from another (`github.action_repository`).
fn has_copied_action(text: &str) -> bool {
    text.lines().any(|line| {
        let step = line.trim_start().trim_start_matches("- ").trim_start();
        let Some(used) = step.strip_prefix("uses:") else {
            return false;
        };
        let used = used.split(" #").next().unwrap_or_default();
        let path = used.trim().trim_matches(['"', '\'']).trim_end_matches('/');
        path.starts_with("./") && path.ends_with("/setup-bpctl")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINGLE: Choices<'_> = Choices {
        layout: LayoutKind::Single,
        prefix: "bp",
        region: None,
    };

    fn texts(choices: &Choices<'_>) -> Vec<String> {
        let files = files(Path::new(FOLDER), choices);
        files.into_iter().map(|file| file.text).collect()
    }

    #[test]
    fn what_is_chosen_stands_in_every_workflow() {
        let other = Choices {
            layout: LayoutKind::Staged,
            prefix: "acme",
            region: Some("eu-west-1"),
        };
        for (plain, text) in texts(&SINGLE).iter().zip(texts(&other)).take(WORKFLOWS.len()) {
            for (one, two) in [
                ("BPCTL_LAYOUT: single\n", "BPCTL_LAYOUT: staged\n"),
                ("BPCTL_PREFIX: bp\n", "BPCTL_PREFIX: \"acme\"\n"),
                (
                    "options: [us-east-1, us-west-2]\n        default: us-east-1\n",
                    "options: [eu-west-1, us-east-1, us-west-2]\n        default: eu-west-1\n",
                ),
            ] {
                let count = plain.matches(one).count();
                assert!(count > 0 && text.matches(two).count() == count, "{two}\n{text}");
                assert!(!text.contains(one), "{one}\n{text}");
            }
        }
        let infrastructure = |texts: Vec<String>| {
            let mut found = texts.into_iter().filter(|text| text.contains("stack deploy "));
            found.next().expect("a text")
        };
        assert!(infrastructure(texts(&SINGLE)).contains("'gpu-shared '"));
        assert!(infrastructure(texts(&other)).contains("'gpu '"));
        // The platform's second region is offered once, in front.
        let west = Choices {
            region: Some("us-west-2"),
            ..SINGLE
        };
        assert!(texts(&west)[0].contains("options: [us-west-2, us-east-1]\n        default: us-west-2\n"));
    }

    #[test]
    fn a_file_is_new_current_outdated_or_edited() {
        let file = &files(Path::new(FOLDER), &SINGLE)[0];
        let state = |text: &str| {
            let found = Found {
                text: text.to_owned(),
                is_program: false,
            };
            file.state(Some(&found))
        };
        assert_eq!(file.state(None), State::New);
        assert_eq!(state(&file.text), State::Current);
        // git may have given it the line ends of Windows.
        assert_eq!(state(&file.text.replace('\n', "\r\n")), State::Current);
        assert_eq!(state(&marked("name: of an earlier version\n")), State::Outdated);
        assert_eq!(state("name: of somebody else\n"), State::Edited);
        assert_eq!(state(&format!("{}# mine\n", file.text)), State::Edited);
        assert_eq!(state(""), State::Edited);
    }

    #[test]
    fn a_program_that_cannot_be_run_is_outdated() {
        let files = files(Path::new(FOLDER), &SINGLE);
        let install = files.iter().find(|file| file.is_program).expect("a program");
        assert!(install.path.ends_with(".github/actions/setup-bpctl/install"));
        assert!(install.text.starts_with("#!/"), "{}", install.text);
        let found = |is_program| Found {
            text: install.text.clone(),
            is_program,
        };
        assert_eq!(install.state(Some(&found(false))), State::Outdated);
        assert_eq!(install.state(Some(&found(true))), State::Current);
    }

    #[test]
    fn the_action_lies_beside_the_folder() {
        let place = |folder: &str| {
            let files = files(Path::new(folder), &SINGLE);
            files.last().expect("a file").path.display().to_string()
        };
        assert_eq!(place("a/workflows"), "a/actions/setup-bpctl/install");
        assert_eq!(place("workflows"), "actions/setup-bpctl/install");
        assert_eq!(place("."), "./../actions/setup-bpctl/install");
    }

    #[test]
    fn where_the_archives_are_has_to_be_said_to_a_copied_action() {
        for workflow in WORKFLOWS {
            assert!(!is_optional("BPCTL_RELEASES", workflow.text), "{}", workflow.name);
            assert!(is_optional("BPCTL_SHA256", workflow.text), "{}", workflow.name);
            assert!(
                is_optional("BPCTL_SHA256_ARM64", workflow.text),
                "{}",
                workflow.name
            );
        }
        let used = |path: &str| !is_optional("BPCTL_RELEASES", &format!("    steps:\n      {path}\n"));
        for path in [
            "- uses: ./.github/actions/setup-bpctl",
            "- uses: \"./.github/actions/setup-bpctl/\" # ours",
            "  uses: './ci/setup-bpctl'",
        ] {
            assert!(used(path), "{path}");
        }
        for path in [
            "- uses: acme/bpctl/examples/actions/setup-bpctl@0123456789abcdef # v1",
            "# - uses: ./.github/actions/setup-bpctl",
            "- uses: ./.github/actions/setup-bpctl-too",
            "- run: ./setup-bpctl",
        ] {
            assert!(!used(path), "{path}");
        }
    }

    #[test]
    fn names_of_secrets_are_found_and_nothing_else() {
        let text = "${{ secrets.A_B }} ${{ (secrets.C || secrets.A_B) }} mysecrets.D x.secrets.E secrets.\nno secrets here";
        let names: Vec<String> = named(text, "secrets").into_iter().collect();
        assert_eq!(names, ["A_B", "C"]);
    }
}
