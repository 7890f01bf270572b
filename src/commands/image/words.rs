//! How tags, processors and findings are put into words.

use std::collections::BTreeMap;

/// Severities, the gravest first (Amazon ECR API Reference, `FindingSeverity`).
const SEVERITIES: [&str; 6] = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED"];

/// The commit of a tag that a build gave: `php-0af12cd` and `0af12cd` have one, `php-latest` and `v1.2` have none.
pub(super) fn commit(tag: &str) -> Option<&str> {
    let last = tag.rsplit_once('-').map_or(tag, |(_, last)| last);
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    ((7..=40).contains(&last.len()) && last.chars().all(hex)).then_some(last)
}

/// The part of the build that a tag is about: `php` of `php-0af12cd`, nothing of `0af12cd`.
pub(super) fn part(tag: &str) -> &str {
    tag.rsplit_once('-').map_or("", |(part, _)| part)
}

/// Findings in a few letters: `1 high, 7 medium`; the two gravest kinds.
pub(super) fn findings(counts: &BTreeMap<String, i32>) -> String {
    let told: Vec<String> = SEVERITIES
        .iter()
        .filter_map(|severity| Some((severity, counts.get(*severity).filter(|count| **count > 0)?)))
        .map(|(severity, count)| format!("{count} {}", severity.to_lowercase()))
        .take(2)
        .collect();
    if told.is_empty() {
        "none".to_owned()
    } else {
        told.join(", ")
    }
}

/// `arm64` of `linux/arm64`.
pub(in crate::commands) fn processors(platforms: Option<&[String]>) -> String {
    match platforms {
        None | Some([]) => "-".to_owned(),
        Some(platforms) => platforms
            .iter()
            .map(|platform| platform.strip_prefix("linux/").unwrap_or(platform))
            .collect::<Vec<_>>()
            .join(","),
    }
}

/// `187.9 MB`: in powers of a thousand, as ECR's prices are.
pub(in crate::commands) fn size(bytes: Option<u64>) -> String {
    match bytes {
        None => "-".to_owned(),
        Some(bytes) if bytes >= 1_000_000_000 => format!("{:.1} GB", bytes as f64 / 1e9),
        Some(bytes) if bytes >= 1_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        Some(bytes) => format!("{:.1} kB", bytes as f64 / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hexadecimal_words_are_commits() {
        for (tag, known) in [
            ("php-0af12cd", Some("0af12cd")),
            ("nginx-1111111", Some("1111111")),
            ("0af12cd", Some("0af12cd")),
            ("php-latest", None),
            ("latest", None),
            ("v1.2.3", None),
            ("release-7", None),
            ("php-0af12", None),
        ] {
            assert_eq!(commit(tag), known, "{tag}");
        }
        assert_eq!((part("php-0af12cd"), part("0af12cd")), ("php", ""));
    }

    #[test]
    fn findings_begin_with_the_gravest() {
        let counts = |counts: &[(&str, i32)]| {
            let counts = counts
                .iter()
                .map(|(severity, count)| ((*severity).to_owned(), *count));
            findings(&counts.collect())
        };
        assert_eq!(
            counts(&[("LOW", 19), ("HIGH", 1), ("MEDIUM", 7)]),
            "1 high, 7 medium"
        );
        assert_eq!(counts(&[]), "none");
        assert_eq!(counts(&[("CRITICAL", 0)]), "none");
    }

    #[test]
    fn sizes_and_processors_are_short() {
        assert_eq!(size(Some(187_904_112)), "187.9 MB");
        assert_eq!(size(None), "-");
        let platforms = ["linux/arm64".to_owned(), "linux/amd64".to_owned()];
        assert_eq!(processors(Some(&platforms)), "arm64,amd64");
        assert_eq!(processors(None), "-");
    }
}
