//! Values that give themselves away: keys of AWS and other vendors, web tokens, PEM blocks, long base64.

use super::Found;
use super::values::looks_random;

/// What tokens of a vendor begin with, and how many letters follow at least. The beginnings are what the vendors
/// publish so that scanners find lost tokens.
const TOKENS: [(&str, usize); 47] = [
    // Stripe, "API keys"; also PayPal's and other vendors' in the same form.
    ("sk_live_", 8),
    ("sk_test_", 8),
    ("rk_live_", 8),
    ("rk_test_", 8),
    ("whsec_", 16),
    // GitHub, "About authentication to GitHub", token formats.
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    // GitLab, "Token overview".
    ("glpat-", 16),
    ("gldt-", 16),
    ("glrt-", 16),
    ("glcbt-", 16),
    ("glptt-", 16),
    // Slack, "Token types".
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxa-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("xapp-", 10),
    ("xoxe-", 10),
    // Model APIs.
    ("sk-ant-", 16),
    ("sk-proj-", 16),
    ("sk-svcacct-", 16),
    ("sk-or-", 16),
    ("hf_", 24),
    ("r8_", 24),
    // Google: API keys, OAuth access tokens and client secrets.
    ("AIza", 30),
    ("ya29.", 16),
    ("GOCSPX-", 16),
    // Mail and messages: SendGrid, Mailgun, Mailchimp's transactional keys, Postmark, Resend.
    ("SG.", 20),
    ("key-", 32),
    ("re_", 24),
    // Registries and hosting: npm, PyPI, Docker, DigitalOcean, Terraform, Vault, Shopify, Linear, Sentry, Databricks.
    ("npm_", 30),
    ("pypi-", 30),
    ("dckr_pat_", 16),
    ("dop_v1_", 30),
    ("doo_v1_", 30),
    ("atlasv1.", 30),
    ("hvs.", 20),
    ("shpat_", 20),
    ("lin_api_", 20),
    ("sntrys_", 20),
    ("dapi", 32),
    ("PMAK-", 20),
];

/// Fewer letters than this after `base64:` are no key.
const SHORTEST_KEY: usize = 16;

/// From here a run of base64 is a secret.
const LONG: usize = 40;

pub(super) fn find(text: &str, found: &mut Found<'_>) {
    pem(text, found);
    let mut from = 0;
    let bytes = text.as_bytes();
    while from < bytes.len() {
        if !is_token(bytes[from]) {
            from += 1;
            continue;
        }
        let length = bytes[from..].iter().take_while(|byte| is_token(**byte)).count();
        let word = &text[from..from + length];
        if length >= SHORTEST_KEY || word.starts_with("sk_") {
            let behind = length - value_start(word);
            if is_secret(&word[length - behind..], text[..from].ends_with("base64:")) {
                found.add(from + length - behind..from + length);
            }
        }
        from += length;
    }
}

fn is_token(byte: u8) -> bool {
    /// By byte: every byte of every line is looked up.
    const IS: [bool; 256] = {
        let mut is = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            let letter = byte as u8;
            is[byte] =
                letter.is_ascii_alphanumeric() || matches!(letter, b'+' | b'/' | b'=' | b'_' | b'.' | b'-');
            byte += 1;
        }
        is
    };
    IS[usize::from(byte)]
}

/// `name=value` is one run of these letters: where the value begins.
fn value_start(word: &str) -> usize {
    let padding = word.trim_end_matches('=');
    padding.rfind('=').map_or(0, |at| at + 1)
}

fn is_secret(word: &str, is_key: bool) -> bool {
    let flagged = |word: &str| {
        TOKENS.iter().any(|(start, letters)| {
            word.as_bytes().first() == start.as_bytes().first()
                && word.strip_prefix(start).is_some_and(|rest| {
                    let is_random = *letters < 16 || looks_random(rest);
                    rest.len() >= *letters && is_random && !rest.contains('/')
                })
        })
    };
    (is_key && word.len() >= SHORTEST_KEY)
        || flagged(word)
        || word.split(['/', '.', '-']).any(is_access_key)
        || is_web_token(word)
        || word.split('-').any(is_base64)
}

/// AKIA…, ASIA… (IAM, "Understanding unique ID prefixes").
fn is_access_key(word: &str) -> bool {
    ["AKIA", "ASIA"].iter().any(|prefix| word.starts_with(prefix))
        && word.len() == 20
        && word
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// The header of a JSON web token is `{"` in base64.
fn is_web_token(word: &str) -> bool {
    word.starts_with("eyJ") && word.len() > LONG
}

/// A long run of base64 that is neither a path nor a hexadecimal digest nor a name in words.
fn is_base64(word: &str) -> bool {
    let mixed = |part: &str| {
        part.bytes().any(|byte| byte.is_ascii_uppercase())
            && part.bytes().any(|byte| byte.is_ascii_lowercase())
            && part.bytes().filter(u8::is_ascii_digit).count() >= 2
    };
    word.len() >= LONG && !word.contains('.') && word.split('/').any(|part| part.len() >= 20 && mixed(part))
}

/// A private key between its first and its last line, whether the lines are real or written as `\n`.
fn pem(text: &str, found: &mut Found<'_>) {
    const BEGIN: &str = "-----BEGIN ";
    let mut from = 0;
    while let Some(at) = text[from..].find(BEGIN).map(|at| from + at) {
        from = at + BEGIN.len();
        let Some(header) = text[from..].find("-----") else {
            return;
        };
        if !text[from..from + header].ends_with("PRIVATE KEY")
            && !text[from..from + header].contains("PRIVATE KEY ")
        {
            continue;
        }
        let start = from + header + 5;
        let end = text[start..]
            .find("-----END ")
            .map_or(text.len(), |at| start + at);
        found.add(start..end);
        from = end;
    }
}
