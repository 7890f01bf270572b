//! Two texts as a unified diff.

use similar::TextDiff;

/// What has to change in `found` (none: there is no file) to become `wanted`; empty when nothing does.
pub(crate) fn unified(path: &str, found: Option<&str>, wanted: &str) -> String {
    let old = found.unwrap_or_default().replace("\r\n", "\n");
    let wanted = wanted.replace("\r\n", "\n");
    let from = match found {
        Some(_) => format!("a/{path}"),
        None => "/dev/null".to_owned(),
    };
    TextDiff::from_lines(old.as_str(), wanted.as_str())
        .unified_diff()
        .header(&from, &format!("b/{path}"))
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_names_both_sides_and_is_empty_for_equal_texts() {
        insta::assert_snapshot!(unified("w/a.yml", Some("one\ntwo\r\n"), "one\nthree\n"), @r"
        --- a/w/a.yml
        +++ b/w/a.yml
        @@ -1,2 +1,2 @@
         one
        -two
        +three
        ");
        assert_eq!(unified("a", Some("one\r\n"), "one\n"), "");
        assert!(unified("a", None, "one\n").starts_with("--- /dev/null\n+++ b/a\n@@ -0,0 +1"));
    }
}
