//! What callers of the library rely on: enums that may grow without breaking them, and a package that can be published.

use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Cargo Reference, "SemVer Compatibility": a new variant of an enum is a breaking change without `#[non_exhaustive]`.
#[test]
fn every_public_enum_may_grow() {
    let mut files = Vec::new();
    sources(&Path::new(ROOT).join("src"), &mut files);
    let mut enums = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (at, line) in lines.iter().enumerate() {
            if !line.starts_with("pub enum ") {
                continue;
            }
            enums += 1;
            // Up to its documentation; an attribute may take several lines.
            let mut attributes = lines[..at]
                .iter()
                .rev()
                .take_while(|line| !line.starts_with("///"));
            let open = attributes.any(|line| *line == "#[non_exhaustive]");
            assert!(
                open,
                "{}:{}: `{line}` is not #[non_exhaustive]",
                file.display(),
                at + 1
            );
        }
    }
    assert!(enums > 30, "{enums} public enums were found");
}

/// Cargo Reference, "Publishing on crates.io": description and licence are demanded, the rest is how it is found.
#[test]
fn the_package_says_what_it_is() {
    let manifest: toml::Table =
        toml::from_str(&fs::read_to_string(format!("{ROOT}/Cargo.toml")).unwrap()).unwrap();
    let package = manifest["package"].as_table().unwrap();
    for key in [
        "description",
        "license",
        "readme",
        "documentation",
        "keywords",
        "categories",
        "rust-version",
    ] {
        assert!(package.contains_key(key), "`{key}` is missing");
    }
    // At most five of each are accepted.
    for key in ["keywords", "categories"] {
        assert!((1..=5).contains(&package[key].as_array().unwrap().len()), "{key}");
    }
    let features = manifest["features"].as_table().unwrap();
    for optional in ["jiff", "rayon", "schemars"] {
        let is_optional = manifest["dependencies"][optional]["optional"].as_bool();
        assert_eq!(is_optional, Some(true), "{optional}");
        assert_eq!(
            features[optional].as_array().unwrap()[0].as_str(),
            Some(&*format!("dep:{optional}"))
        );
    }
}
