//! Names of hosts, and the certificates that stand for them. Pure.

/// The longest name (RFC 1035, section 2.3.4: 255 octets with their lengths, which leaves 253 characters).
const LONGEST: usize = 253;

/// A host name as certificates and load balancers take it, in lower case.
///
/// # Errors
/// Why it is none: a scheme, a path, a port, a dot at the end, letters that DNS does not have, a single label.
pub(crate) fn host_name(text: &str) -> Result<String, String> {
    let wrong = |why: &str| Err(format!("`{text}` is no host name: {why}"));
    if text.contains("://") {
        return wrong("it has a scheme");
    }
    if text.contains(['/', '?', '#']) {
        return wrong("it has a path");
    }
    if text.contains(':') {
        return wrong("it has a port");
    }
    if text.ends_with('.') {
        return wrong("it ends with a dot");
    }
    if !text.is_ascii() {
        return wrong("write international letters as DNS has them, `xn--…`");
    }
    if text.len() > LONGEST {
        return Err(format!("a host name has at most {LONGEST} characters"));
    }
    let label = |part: &str| {
        (1..=63).contains(&part.len())
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if !text.split('.').all(label) {
        return wrong("each part has letters, digits and hyphens inside, at most 63");
    }
    if !text.contains('.') {
        return wrong("it has one part alone");
    }
    Ok(text.to_ascii_lowercase())
}

/// Whether a certificate for these names stands for a host: `*` is the whole first label and stands for exactly one
/// (RFC 6125, section 6.4.3).
pub(crate) fn covers(names: &[String], host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    names.iter().any(|name| {
        let name = name.to_ascii_lowercase();
        match name.strip_prefix("*.") {
            Some(parent) => host
                .split_once('.')
                .is_some_and(|(first, rest)| !first.is_empty() && rest == parent),
            None => name == host,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_host_name_is_refused() {
        assert_eq!(host_name("App.Example.com").as_deref(), Ok("app.example.com"));
        assert_eq!(
            host_name("xn--bcher-kva.example").as_deref(),
            Ok("xn--bcher-kva.example")
        );
        let long = format!("{}.com", vec!["a".repeat(60); 5].join("."));
        for bad in [
            "",
            "example",
            "https://app.example.com",
            "app.example.com/",
            "app.example.com:443",
            "app.example.com.",
            "bücher.example",
            "a..example.com",
            "-a.example.com",
            "a-.example.com",
            "a_b.example.com",
            "*.example.com",
            "a b.example.com",
            &long,
        ] {
            assert!(host_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_wildcard_stands_for_one_label() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let both = names(&["example.com", "*.Example.com"]);
        for (host, covered) in [
            ("example.com", true),
            ("app.example.com", true),
            ("APP.example.com", true),
            ("a.app.example.com", false),
            ("example.org", false),
            ("badexample.com", false),
        ] {
            assert_eq!(covers(&both, host), covered, "{host}");
        }
        // The name above a wildcard is another one.
        assert!(!covers(&names(&["*.example.com"]), "example.com"));
        assert!(!covers(&names(&["*.com"]), "app.example.com"));
    }
}
