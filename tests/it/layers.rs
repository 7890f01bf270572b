//! The layers of the code, held over its text: who may import whom, where SDK types may be, how long a file may
//! get, and that every file belongs to the program.
//!
//! The lists of exceptions may only shrink: one that no longer occurs fails the test as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each top-level module of `src` and what it may import. A new module needs a row.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("main", &[]),
    ("lib", &["cli", "clock", "exit", "process", "commands"]),
    (
        "cli",
        &[
            "commands",
            "completion",
            "context",
            "aws",
            "change",
            "output",
            "ui",
            "settings",
            "error",
            "exit",
            "process",
            "clock",
        ],
    ),
    (
        "commands",
        &[
            "iam",
            "files",
            "kinds",
            "completion",
            "context",
            "triage",
            "rollout",
            "tasks",
            "logs",
            "secrets",
            "stacks",
            "fleet",
            "leftovers",
            "prices",
            "bundle",
            "workflows",
            "aws",
            "change",
            "session",
            "wait",
            "output",
            "plot",
            "ui",
            "redact",
            "settings",
            "layout",
            "error",
            "exit",
            "process",
            "clock",
        ],
    ),
    (
        "completion",
        &[
            "files", "context", "kinds", "settings", "layout", "exit", "process",
        ],
    ),
    (
        "context",
        &[
            "iam", "files", "aws", "change", "output", "ui", "settings", "layout", "error", "exit",
            "process", "clock",
        ],
    ),
    (
        "triage",
        &[
            "files", "tasks", "stacks", "fleet", "aws", "output", "ui", "redact", "settings", "layout",
            "error", "clock",
        ],
    ),
    ("rollout", &["tasks", "aws", "wait", "layout", "error", "clock"]),
    (
        "tasks",
        &[
            "aws", "change", "wait", "redact", "settings", "layout", "error", "exit", "clock",
        ],
    ),
    ("logs", &["aws", "error"]),
    ("secrets", &["files", "redact", "layout", "error"]),
    ("leftovers", &["prices", "aws", "output", "layout", "error"]),
    ("prices", &[]),
    ("fleet", &["files", "aws", "settings", "layout", "error", "clock"]),
    (
        "aws",
        &[
            "bundle", "files", "change", "wait", "redact", "process", "settings", "layout", "error", "clock",
        ],
    ),
    (
        "change",
        &[
            "files", "wait", "output", "ui", "redact", "process", "error", "exit", "clock",
        ],
    ),
    ("bundle", &["layout", "error"]),
    ("iam", &["layout", "error"]),
    ("workflows", &["layout"]),
    ("stacks", &["files", "settings", "layout", "error"]),
    ("session", &["error", "clock"]),
    ("wait", &["error", "clock"]),
    ("plot", &["output", "ui", "error"]),
    ("output", &["ui", "redact", "error"]),
    ("ui", &["redact", "process", "error", "exit"]),
    ("redact", &[]),
    ("process", &["exit", "clock"]),
    ("settings", &["files", "layout", "error", "process"]),
    ("kinds", &["settings", "error"]),
    ("layout", &["error"]),
    ("error", &["exit"]),
    ("exit", &[]),
    ("files", &[]),
    ("clock", &[]),
];

/// Imports against the table that are about to go: from module to module.
const UPWARD: &[(&str, &str)] = &[];

/// Files outside `src/aws` that name crates of the SDK, and why they must.
const SDK_OUTSIDE_AWS: &[(&str, &str)] = &[
    ("src/clock.rs", "the SDK reads the time from it"),
    (
        "src/error/aws.rs",
        "the one place that translates the SDK's errors",
    ),
    ("src/process/mod.rs", "a test's HTTP client is handed in"),
];

const LONGEST: usize = 600;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A source file: its path from the root, its text without comments.
pub(crate) struct Source {
    pub(crate) path: String,
    text: String,
}

/// Every Rust file below `folder`, without those of build scripts' and editors' folders.
pub(crate) fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(root()).unwrap().display().to_string();
                found.push(Source {
                    path: path.replace('\\', "/"),
                    text,
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

impl Source {
    /// The text of the program itself: no comments, nothing behind `#[cfg(test)] mod … {`.
    pub(crate) fn program(&self) -> String {
        let end = self
            .text
            .find("#[cfg(test)]\nmod tests {")
            .unwrap_or(self.text.len());
        let lines = self.text[..end].lines();
        lines
            .filter(|line| !line.trim_start().starts_with("//"))
            .flat_map(|line| [line, "\n"])
            .collect()
    }

    /// Whether all of it is tests.
    fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name == "tests.rs" || name.ends_with("_tests.rs") || self.path.contains("/tests/")
    }

    /// Where the module stands: `["aws", "ecs", "tasks"]` for `src/aws/ecs/tasks.rs`.
    fn module(&self) -> Vec<&str> {
        let path = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let path = path.strip_suffix(".rs").unwrap_or(path);
        let path = path.strip_suffix("/mod").unwrap_or(path);
        path.split('/').collect()
    }

    /// The top-level modules that it names, by `crate::…` or by `super::…` up to the root.
    fn imports(&self) -> BTreeSet<String> {
        let text = self.program();
        let depth = self.module().len();
        let mut found = BTreeSet::new();
        for (at, _) in text.match_indices("crate::") {
            // `$crate::` in a macro is the same crate.
            found.extend(names(&text[at + "crate::".len()..]));
        }
        for (at, _) in text.match_indices("super::") {
            if text[..at].ends_with("super::") {
                continue;
            }
            let mut rest = &text[at..];
            let mut up = 0;
            while let Some(next) = rest.strip_prefix("super::") {
                rest = next;
                up += 1;
            }
            if up >= depth {
                found.extend(names(rest));
            }
        }
        found
    }
}

/// The first segment of a path, or of each path in braces.
fn names(text: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        let text = text.trim_start();
        text.chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect()
    };
    let Some(group) = text.strip_prefix('{') else {
        return vec![word(text)];
    };
    let mut names = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(word(&group[start..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(word(&group[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn the_names_of_an_import_are_found() {
    assert_eq!(names("aws::ecs::Task;"), ["aws"]);
    assert_eq!(
        names("{aws::{self, ecs}, ui,\n error::Result}"),
        ["aws", "ui", "error"]
    );
    let source = Source {
        path: "src/aws/ecs/tasks.rs".to_owned(),
        text: "use super::super::Aws;\n// crate::cli\nuse super::super::super::ui::Ui;\n$crate::change::x\n\
               #[cfg(test)]\nmod tests {\nuse crate::process;"
            .to_owned(),
    };
    let found: Vec<String> = source.imports().into_iter().collect();
    assert_eq!(found, ["change", "ui"]);
}

#[test]
fn the_table_of_layers_has_no_circle() {
    // Modules whose imports have all been taken away can be taken away themselves, until none is left.
    let mut left: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    for (module, imports) in MAY_IMPORT {
        for import in *imports {
            assert!(
                left.contains_key(import),
                "{module} may import {import}, which has no row"
            );
        }
    }
    while !left.is_empty() {
        let free: Vec<&str> = left
            .iter()
            .filter(|(_, imports)| imports.iter().all(|import| !left.contains_key(import)))
            .map(|(module, _)| *module)
            .collect();
        assert!(!free.is_empty(), "a circle among {:?}", left.keys());
        left.retain(|module, _| !free.contains(module));
    }
}

#[test]
fn imports_point_down() {
    let table: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let mut upward = Vec::new();
    for source in sources("src").iter().filter(|source| !source.is_test()) {
        let module = source.module()[0];
        let Some(allowed) = table.get(module) else {
            panic!(
                "`{}`: add a row for `{module}` to the table of layers",
                source.path
            );
        };
        for import in source.imports() {
            // What the crate's root itself offers, macros among them, is no module.
            if import == module || !table.contains_key(import.as_str()) || allowed.contains(&import.as_str())
            {
                continue;
            }
            upward.push((module.to_owned(), source.path.clone(), import));
        }
    }
    let excepted = |module: &str, import: &str| UPWARD.contains(&(module, import));
    let new: Vec<_> = upward
        .iter()
        .filter(|(module, _, import)| !excepted(module, import))
        .collect();
    assert!(new.is_empty(), "imports against the layers: {new:#?}");
    for (module, import) in UPWARD {
        assert!(
            upward.iter().any(|(m, _, i)| m == module && i == import),
            "`{module}` imports `{import}` no longer: strike it off the list of exceptions"
        );
    }
}

#[test]
fn types_of_the_sdk_stay_in_aws() {
    const CRATES: [&str; 7] = [
        "aws_sdk_",
        "aws_smithy_",
        "aws_config::",
        "aws_types::",
        "aws_runtime::",
        "aws_credential_types::",
        "SdkConfig",
    ];
    let outside: Vec<String> = sources("src")
        .iter()
        .filter(|source| !source.path.starts_with("src/aws/") && !source.is_test())
        .filter(|source| {
            let text = source.program();
            let mut lines = text.lines().filter(|line| !line.contains('"'));
            lines.any(|line| CRATES.iter().any(|name| line.contains(name)))
        })
        .map(|source| source.path.clone())
        .collect();
    let known: Vec<&str> = SDK_OUTSIDE_AWS.iter().map(|(path, _)| *path).collect();
    assert_eq!(outside, known);
}

/// A plan is made from what was seen: it can reach neither AWS nor the terminal.
#[test]
fn plans_and_rules_are_pure() {
    let mut looked_at = 0;
    for source in sources("src") {
        let module = source.module();
        let is_rule = source.path.starts_with("src/triage/rules/");
        let is_plan = module[0] == "commands" && module.contains(&"plan");
        if source.is_test() || !(is_rule || is_plan) {
            continue;
        }
        looked_at += 1;
        let text = source.program();
        for word in [
            "crate::ui",
            "crate::context",
            "crate::process",
            "aws::Aws;",
            "aws::Aws}",
            "&Aws",
            ".await",
        ] {
            assert!(!text.contains(word), "`{}` is to be pure: `{word}`", source.path);
        }
    }
    assert!(looked_at > 20, "the plans and rules are elsewhere: {looked_at}");
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<(String, usize)> = ["src", "tests", "crates", "examples"]
        .into_iter()
        .flat_map(sources)
        .map(|source| (source.path, source.text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .collect();
    assert!(long.is_empty(), "more than {LONGEST} lines: {long:?}");
}

/// A file that no `mod` names is neither compiled nor, if it holds tests, run.
#[test]
fn no_file_is_forgotten() {
    let mut roots: Vec<String> = ["src/main.rs", "src/lib.rs", "tests/it.rs", "tests/emulator.rs"]
        .map(str::to_owned)
        .to_vec();
    let all: Vec<Source> = ["src", "tests", "crates", "examples"]
        .into_iter()
        .flat_map(sources)
        .collect();
    for source in &all {
        let parts: Vec<&str> = source.path.split('/').collect();
        // What Cargo finds by itself.
        match parts[..] {
            ["examples", _] | ["crates", _, "examples" | "benches" | "tests", _] => {
                roots.push(source.path.clone())
            }
            ["crates", _, "src", "lib.rs" | "main.rs"] => roots.push(source.path.clone()),
            _ => {}
        }
    }
    let texts: BTreeMap<&str, &str> = all
        .iter()
        .map(|source| (source.path.as_str(), source.text.as_str()))
        .collect();
    let mut reached = BTreeSet::new();
    while let Some(path) = roots.pop() {
        let Some(text) = texts.get(path.as_str()) else {
            panic!("`{path}` is named by a `mod` and is not there");
        };
        if reached.insert(path.clone()) {
            roots.extend(modules_of(&path, text, &texts));
        }
    }
    let forgotten: Vec<&str> = texts
        .keys()
        .copied()
        .filter(|path| !reached.contains(*path))
        .collect();
    assert!(forgotten.is_empty(), "no `mod` names {forgotten:#?}");
}

/// The files of the modules that a file declares.
fn modules_of(path: &str, text: &str, texts: &BTreeMap<&str, &str>) -> Vec<String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_root = ["mod.rs", "lib.rs", "main.rs"].contains(&name)
        || folder.ends_with("examples")
        || folder.ends_with("tests");
    let own = match is_root {
        true => folder.to_owned(),
        false => format!("{folder}/{}", name.trim_end_matches(".rs")),
    };
    let mut found = Vec::new();
    let mut explicit = None;
    for line in text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("#[path = \"") {
            explicit = rest.split('"').next();
            continue;
        }
        let declared = line
            .strip_suffix(';')
            .and_then(|line| line.rsplit_once("mod "))
            .filter(|(before, _)| before.is_empty() || (before.starts_with("pub") && before.ends_with(' ')))
            .map(|(_, name)| name);
        if let Some(name) = declared {
            found.push(match explicit.take() {
                Some(file) => plain(&Path::new(folder).join(file)),
                None => {
                    let file = format!("{own}/{name}.rs");
                    if texts.contains_key(file.as_str()) {
                        file
                    } else {
                        format!("{own}/{name}/mod.rs")
                    }
                }
            });
        } else if !line.starts_with("#[") && !line.starts_with("//") {
            explicit = None;
        }
    }
    found
}

/// A path without `..`.
fn plain(path: &Path) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.to_str().unwrap_or_default().split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}
