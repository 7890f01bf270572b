//! Profiles in AWS' shared files, `~/.aws/config` and `~/.aws/credentials`: which there are, and what they say
//! of region, endpoints and signing in. The keys in them stay where they are: only the SDK reads those.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Source, folders};
use crate::error::{CtlError, Result};
use crate::files::{CONFIG_LIMIT, read_text};

/// What is used when no setting names a profile.
pub(crate) const DEFAULT_PROFILE: &str = "default";

/// Keys whose values are secrets.
const SECRETS: &[&str] = &["aws_secret_access_key", "aws_session_token", "aws_security_token"];

/// A value and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    value: String,
    path: PathBuf,
    line: usize,
}

/// Keys of a section; a key of a nested block is `block.key`.
type Section = BTreeMap<String, Entry>;

/// What the two files say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Profiles {
    /// Where was looked.
    paths: Vec<PathBuf>,
    profiles: BTreeMap<String, Section>,
    sso_sessions: BTreeMap<String, Section>,
    services: BTreeMap<String, Section>,
}

/// How a profile comes to credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Means {
    /// IAM Identity Center: `aws sso login`.
    Sso,
    /// The console's session: `aws login`.
    Login,
    Keys,
    Process,
    WebIdentity,
    /// `credential_source`: the environment, a container or an instance.
    Elsewhere(String),
    /// Nothing that gives credentials.
    Nothing,
}

/// How a profile comes to credentials, roles from the last one assumed to the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    pub(crate) roles: Vec<String>,
    /// The profile that everything begins with.
    pub(crate) base: String,
    pub(crate) means: Means,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Config,
    Credentials,
}

impl Profiles {
    /// Reads both files where the environment says they are; a file that is not there says nothing.
    ///
    /// # Errors
    /// A file that is no regular file, too long or not as AWS describes it, with its line.
    pub(crate) fn read(env: &BTreeMap<String, String>) -> Result<Self> {
        let mut found = Self::default();
        for (variable, usual, kind) in [
            ("AWS_CONFIG_FILE", "~/.aws/config", Kind::Config),
            (
                "AWS_SHARED_CREDENTIALS_FILE",
                "~/.aws/credentials",
                Kind::Credentials,
            ),
        ] {
            let named = env.get(variable).filter(|path| !path.is_empty());
            let path = match named {
                Some(path) => folders::expand_home(path, env),
                None if folders::home(env).is_some() => folders::expand_home(usual, env),
                None => continue,
            };
            found.paths.push(path.clone());
            // An operator who wants no file says so with the empty device.
            if path == Path::new("/dev/null") || !path.exists() {
                continue;
            }
            let text = read_text(&path, CONFIG_LIMIT)
                .map_err(|error| CtlError::config(format!("read `{}`", path.display())).source(&error))?;
            found.parse(&path, &text, kind)?;
        }
        Ok(found)
    }

    fn parse(&mut self, path: &Path, text: &str, kind: Kind) -> Result<()> {
        let mut sections = Sections::default();
        for (index, line) in text.lines().enumerate() {
            sections.line(line, path, index + 1, kind).map_err(|reason| {
                CtlError::config(format!("read `{}:{}`", path.display(), index + 1)).cause(reason)
            })?;
        }
        // In the config file `[profile default]` counts and `[default]` beside it does not.
        if sections
            .all
            .contains_key(&Name::Profile(DEFAULT_PROFILE.to_owned()))
        {
            sections.all.remove(&Name::Bare);
        }
        for (name, section) in sections.all {
            let (kind, name) = match name {
                Name::Profile(name) => (&mut self.profiles, name),
                Name::Bare => (&mut self.profiles, DEFAULT_PROFILE.to_owned()),
                Name::SsoSession(name) => (&mut self.sso_sessions, name),
                Name::Services(name) => (&mut self.services, name),
                Name::Other => continue,
            };
            kind.entry(name).or_default().extend(section);
        }
        Ok(())
    }

    /// The names of all profiles.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.profiles.keys().map(String::as_str)
    }

    pub(crate) fn contains(&self, profile: &str) -> bool {
        self.profiles.contains_key(profile)
    }

    /// The files that were looked for, for messages.
    pub(crate) fn files(&self) -> String {
        let paths: Vec<String> = self
            .paths
            .iter()
            .map(|path| format!("`{}`", path.display()))
            .collect();
        match paths.is_empty() {
            true => "no file: there is no home folder".to_owned(),
            false => paths.join(" and "),
        }
    }

    fn text(&self, profile: &str, key: &str) -> Option<&str> {
        Some(self.profiles.get(profile)?.get(key)?.value.as_str())
    }

    /// What the profile says of `key`, and where.
    pub(super) fn get(&self, profile: &str, key: &str) -> Option<(&str, Source)> {
        let entry = self.profiles.get(profile)?.get(key)?;
        Some((&entry.value, entry.source(profile)))
    }

    /// The endpoint that the profile's `services` section gives one service.
    pub(super) fn service_endpoint(&self, profile: &str, service: &str) -> Option<(&str, Source)> {
        let section = self.services.get(self.text(profile, "services")?)?;
        let entry = section.get(&format!("{service}.endpoint_url"))?;
        Some((&entry.value, entry.source(profile)))
    }

    /// A profile by which another tool assumes `role` with the same credentials: those of `base`, or without one
    /// those in the environment.
    pub(crate) fn assuming(&self, role: &str, base: Option<&str>) -> Option<&str> {
        self.names().find(|name| {
            let with = match base {
                Some(base) => self.text(name, "source_profile") == Some(base),
                None => self.text(name, "credential_source") == Some("Environment"),
            };
            with && self.text(name, "role_arn") == Some(role)
        })
    }

    /// How the profile comes to credentials, in the order in which the SDK looks.
    pub(crate) fn chain(&self, profile: &str) -> Chain {
        let mut roles = Vec::new();
        let mut seen = BTreeSet::new();
        let mut base = profile;
        loop {
            let has = |key: &str| self.text(base, key).is_some();
            // Behind a role, a profile's own keys come first.
            let keys_first = !roles.is_empty() && has("aws_access_key_id");
            let role = self
                .text(base, "role_arn")
                .filter(|_| !has("web_identity_token_file"));
            let next = self.text(base, "source_profile");
            if let Some(role) = role
                && !keys_first
                && seen.insert(base)
            {
                roles.push(role.to_owned());
                if let Some(next) = next {
                    base = next;
                    continue;
                }
            }
            let means = if keys_first {
                Means::Keys
            } else if let Some(source) = self.text(base, "credential_source") {
                Means::Elsewhere(source.to_owned())
            } else if has("web_identity_token_file") {
                Means::WebIdentity
            } else if has("sso_session") || has("sso_start_url") {
                Means::Sso
            } else if has("login_session") {
                Means::Login
            } else if has("credential_process") {
                Means::Process
            } else if has("aws_access_key_id") {
                Means::Keys
            } else {
                Means::Nothing
            };
            return Chain {
                roles,
                base: base.to_owned(),
                means,
            };
        }
    }
}

impl Entry {
    fn source(&self, profile: &str) -> Source {
        Source::Profile {
            name: profile.to_owned(),
            path: self.path.clone(),
            line: self.line,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Profile(String),
    /// `[default]`.
    Bare,
    SsoSession(String),
    Services(String),
    /// A section that is not for SDKs, e.g. of a plug-in.
    Other,
}

impl Name {
    fn of(header: &str, kind: Kind) -> Self {
        let header = header.trim();
        let (prefix, rest) = header.split_once([' ', '\t']).unwrap_or((header, ""));
        let name = rest.trim().trim_matches(['"', '\'']).to_owned();
        match (kind, prefix, name.is_empty()) {
            (_, DEFAULT_PROFILE, true) => Self::Bare,
            (Kind::Credentials, ..) => Self::Profile(header.trim_matches(['"', '\'']).to_owned()),
            (Kind::Config, "profile", false) => Self::Profile(name),
            (Kind::Config, "sso-session", false) => Self::SsoSession(name),
            (Kind::Config, "services", false) => Self::Services(name),
            (Kind::Config, ..) => Self::Other,
        }
    }
}

/// The state of the reader (AWS SDKs and Tools Reference Guide, "Shared config and credentials files").
#[derive(Default)]
struct Sections {
    all: BTreeMap<Name, Section>,
    here: Option<Name>,
    /// The key of the last line, which indented lines belong to.
    key: Option<String>,
}

impl Sections {
    fn line(&mut self, line: &str, path: &Path, number: usize, kind: Kind) -> Result<(), String> {
        let line = line.trim_start_matches('\u{feff}');
        if line.trim().is_empty() || line.trim_start().starts_with(['#', ';']) {
            return Ok(());
        }
        if let Some(header) = line.strip_prefix('[') {
            let (header, _) = header
                .split_once(']')
                .ok_or_else(|| format!("`{}` lacks its `]`", line.trim()))?;
            let name = Name::of(header, kind);
            self.all.entry(name.clone()).or_default();
            (self.here, self.key) = (Some(name), None);
            return Ok(());
        }
        let Some(section) = self.here.as_ref().and_then(|name| self.all.get_mut(name)) else {
            return Err("this line stands before the first `[section]`".to_owned());
        };
        let nested = line.starts_with([' ', '\t']);
        let property = without_comment(line).split_once('=');
        let (Some((key, value)), true) = (property, !nested || self.key.is_some()) else {
            // The second line of a long value: nothing that bpctl reads has one.
            return if nested {
                Ok(())
            } else {
                Err("expected `key = value` or `[section]`".to_owned())
            };
        };
        let key = key.trim().to_ascii_lowercase();
        let full = match &self.key {
            Some(parent) if nested => format!("{parent}.{key}"),
            _ => key.clone(),
        };
        if !nested {
            self.key = Some(key.clone());
        }
        let secret = SECRETS.contains(&key.as_str());
        let value = if secret { "[redacted]" } else { value.trim() };
        section.insert(
            full,
            Entry {
                value: value.to_owned(),
                path: path.to_owned(),
                line: number,
            },
        );
        Ok(())
    }
}

/// A comment begins with `#` or `;` behind a blank.
fn without_comment(line: &str) -> &str {
    let starts = [" #", " ;", "\t#", "\t;"]
        .iter()
        .filter_map(|mark| line.find(mark));
    starts.min().map_or(line, |at| line.get(..at).unwrap_or(line))
}

#[cfg(test)]
#[path = "profiles_tests.rs"]
mod tests;
