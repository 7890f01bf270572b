//! Which names promise a secret.

/// How sure a name makes that its value is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// Whatever the value is, unless it is a word of a sentence.
    Secret,
    /// A secret, unless the value is a small number or a path: `pass=2`, `pwd=/var/www`.
    Likely,
    /// A secret if the value looks random: `session=started`.
    Perhaps,
    /// More than one secret, or a count of them: `tokens=512`.
    Several,
    /// `Authorization`: a scheme and what follows it.
    Authorization,
    /// `Cookie`: the rest of the line.
    Cookie,
    /// Words with blanks between them.
    Phrase,
}

/// Parts of a name that make it a secret's, wherever they stand in it.
const ANYWHERE: [&str; 6] = [
    "password",
    "passwd",
    "apikey",
    "secretkey",
    "accesskey",
    "privatekey",
];

/// What may stand before `key` in the name of a secret; a cache key or a primary key is none.
const KEYS: [&str; 15] = [
    "access",
    "account",
    "admin",
    "api",
    "app",
    "auth",
    "client",
    "encryption",
    "license",
    "master",
    "private",
    "secret",
    "server",
    "service",
    "signing",
];

/// What a name ends with that speaks about a secret and does not hold it.
const ABOUT: [&str; 33] = [
    "age",
    "algorithm",
    "arn",
    "at",
    "bucket",
    "changed",
    "count",
    "driver",
    "enabled",
    "endpoint",
    "error",
    "expires",
    "expiry",
    "exists",
    "file",
    "guard",
    "length",
    "lifetime",
    "limit",
    "middleware",
    "name",
    "path",
    "policy",
    "present",
    "provider",
    "required",
    "rotation",
    "set",
    "size",
    "status",
    "ttl",
    "type",
    "version",
];

/// What `name` promises; `None` when its value is no secret.
pub(super) fn judge(name: &str) -> Option<Name> {
    // The longest name of a secret in use is far shorter; a blob is none. Nor are the hours of a time.
    if name.len() > 80 || !name.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let mut parts = Parts::default();
    parts.split(name);
    let parts = parts.words();
    let (last, before) = parts.split_last()?;
    let last = last.as_str();
    if ABOUT.contains(&last) || last == "url" || last == "uri" {
        return None;
    }
    let has = |word: &str| parts.iter().any(|part| part == word);
    match last {
        "authorization" => return Some(Name::Authorization),
        "cookie" => return Some(Name::Cookie),
        "passphrase" => return Some(Name::Phrase),
        "tokens" | "secrets" | "credentials" | "passwords" | "cookies" | "signatures" => {
            return Some(Name::Several);
        }
        "pass" | "pwd" | "pw" | "auth" | "psk" | "otp" | "passcode" | "pgpass" => return Some(Name::Likely),
        "session" | "jwt" | "sid" | "sig" | "phpsessid" | "credential" => return Some(Name::Perhaps),
        "sessionid" => return Some(Name::Secret),
        "key" | "keys" => {
            let kind = before.last()?;
            return KEYS.contains(&kind.as_str()).then_some(Name::Secret);
        }
        _ => {}
    }
    let id = last == "id";
    if id
        && before
            .last()
            .is_some_and(|part| part == "session" || part == "sess")
    {
        return Some(Name::Secret);
    }
    if id && (has("key") || has("secret") || has("token")) {
        // The id of a key is public; an access key id is found by its own shape.
        return None;
    }
    if ["secret", "token", "signature", "credential"]
        .iter()
        .any(|word| has(word))
    {
        return Some(Name::Secret);
    }
    let joined: String = parts.concat();
    ANYWHERE
        .iter()
        .any(|word| joined.contains(word))
        .then_some(Name::Secret)
}

/// The words of a name: `X-Amz-Signature`, `DB_PASSWORD`, `clientSecret`.
#[derive(Default)]
struct Parts {
    words: Vec<String>,
    word: String,
}

impl Parts {
    fn split(&mut self, name: &str) {
        let mut was_lower = false;
        for c in name.chars() {
            if !c.is_ascii_alphanumeric() {
                self.end();
                was_lower = false;
                continue;
            }
            if c.is_ascii_uppercase() && was_lower {
                self.end();
            }
            was_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
            self.word.push(c.to_ascii_lowercase());
        }
        self.end();
    }

    fn end(&mut self) {
        if !self.word.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
        }
    }

    fn words(self) -> Vec<String> {
        self.words
    }
}
