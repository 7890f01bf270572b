//! Wildcards of policies: `*` for any number of characters, `?` for one (IAM User Guide, "IAM JSON policy elements:
//! Resource" and "… Action").

/// Whether `text` is what `pattern` describes.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut seen) = (0, 0);
    // Where the latest `*` stood, and how far it has eaten.
    let mut star: Option<(usize, usize)> = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == text[seen] => {
                at += 1;
                seen += 1;
            }
            _ => match star {
                Some((place, eaten)) => {
                    star = Some((place, eaten + 1));
                    at = place + 1;
                    seen = eaten + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

/// Actions are compared without regard to case.
pub(crate) fn action_matches(pattern: &str, action: &str) -> bool {
    matches(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase())
}

/// An ARN part by part: a wildcard does not reach beyond a colon, except in the last part.
pub(super) fn arn_matches(pattern: &str, arn: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let (patterns, parts): (Vec<&str>, Vec<&str>) =
        (pattern.splitn(6, ':').collect(), arn.splitn(6, ':').collect());
    patterns.len() == parts.len()
        && patterns
            .iter()
            .zip(parts)
            .all(|(pattern, part)| matches(pattern, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_any_number_or_for_one() {
        for (pattern, text, found) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abbcd", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("**a", "bca", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), found, "{pattern} {text}");
        }
        assert!(action_matches("ECS:describe*", "ecs:DescribeTasks"));
    }

    #[test]
    fn a_wildcard_stays_in_its_part_of_an_arn() {
        let arn = "arn:aws:ecs:us-east-1:123456789012:task/bp/1";
        assert!(arn_matches("arn:aws:ecs:*:*:task/*", arn));
        assert!(arn_matches("*", arn));
        assert!(!arn_matches("arn:aws:ecs:*:task/bp/1", arn));
        assert!(!arn_matches("arn:*", arn));
        let group = "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/bp:log-stream:";
        assert!(arn_matches(
            "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/bp:*",
            group
        ));
        assert!(!arn_matches(
            "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/bp",
            group
        ));
    }
}
