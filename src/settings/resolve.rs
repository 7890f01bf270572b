//! Precedence: flag > environment > context > default. Pure, so that `config explain` and the real
//! run can never disagree.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::keys::{KEYS, Key};
use super::{ConfigFile, DEFAULT_CONTEXT, SANDBOX_CONTEXT, Settings, Source, Sourced};
use crate::error::{CommandLine, CtlError, Result};
use crate::layout::{LayoutKind, Stage};

/// What settings are made from.
#[derive(Debug)]
pub(crate) struct Inputs<'a> {
    /// Flag name without dashes → value.
    pub(crate) flags: BTreeMap<&'static str, String>,
    pub(crate) env: &'a BTreeMap<String, String>,
    pub(crate) file: Option<&'a ConfigFile>,
}

/// One layer's answer to "what is this key?".
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Candidate {
    pub(crate) source: Source,
    pub(crate) value: String,
}

/// What happens to a layer that says something impossible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// It is an error.
    Strict,
    /// It is passed over, unless it is a flag.
    Lenient,
}

/// Which context is in force.
fn context(inputs: &Inputs<'_>, manner: Manner) -> Result<Sourced<String>> {
    let chosen = if let Some(name) = inputs.flags.get("context") {
        Sourced {
            value: name.clone(),
            source: Source::Flag("--context".to_owned()),
        }
    } else if let Some(name) = inputs.env.get("BPCTL_CONTEXT").filter(|name| !name.is_empty()) {
        Sourced {
            value: name.clone(),
            source: Source::Env("BPCTL_CONTEXT".to_owned()),
        }
    } else if let Some((file, entry)) = inputs
        .file
        .and_then(|file| Some((file, file.current_context.as_ref()?)))
    {
        let source = Source::File {
            path: file.path.clone(),
            line: entry.line,
        };
        Sourced {
            value: entry.value.clone(),
            source,
        }
    } else {
        return Ok(Sourced {
            value: DEFAULT_CONTEXT.to_owned(),
            source: Source::Default,
        });
    };
    let known = chosen.value == SANDBOX_CONTEXT
        || inputs
            .file
            .is_some_and(|file| file.contexts.contains_key(&chosen.value))
        || (chosen.value == DEFAULT_CONTEXT && chosen.source == Source::Default);
    if known || (manner == Manner::Lenient && !matches!(chosen.source, Source::Flag(_))) {
        return Ok(chosen);
    }
    let none = ConfigFile::default();
    let error = inputs
        .file
        .unwrap_or(&none)
        .no_such_context(&chosen.value, &chosen.source.to_string());
    Err(match chosen.source {
        Source::Flag(_) => error.wrong_flag("context"),
        _ => error,
    })
}

/// Every layer that has something to say about `key`, strongest first. The first one counts.
pub(crate) fn candidates(key: &Key, context: &str, inputs: &Inputs<'_>) -> Vec<Candidate> {
    let mut found = Vec::new();
    let mut add = |source: Source, value: &str| {
        found.push(Candidate {
            source,
            value: value.to_owned(),
        })
    };
    if let Some((flag, value)) = key.flag.and_then(|flag| Some((flag, inputs.flags.get(flag)?))) {
        add(Source::Flag(format!("--{flag}")), value);
    }
    // The sandbox is a world of its own: an operator's AWS_PROFILE or AWS_REGION means nothing there.
    let aws_counts = context != SANDBOX_CONTEXT || key.name == "endpoint_url";
    for name in key.env {
        if let Some(value) = inputs.env.get(*name).filter(|value| !value.is_empty())
            && (aws_counts || name.starts_with("BPCTL_"))
        {
            add(Source::Env((*name).to_owned()), value);
        }
    }
    if let Some((file, entry)) = inputs
        .file
        .and_then(|file| Some((file, file.contexts.get(context)?.get(key.name)?)))
    {
        add(
            Source::File {
                path: file.path.clone(),
                line: entry.line,
            },
            &entry.value,
        );
    }
    if context == SANDBOX_CONTEXT {
        let fixed = match key.name {
            "region" => Some("us-east-1"),
            "account_id" => Some("123456789012"),
            _ => None,
        };
        if let Some(value) = fixed {
            add(Source::Sandbox, value);
        }
    }
    if let Some(value) = key.default {
        add(Source::Default, value);
    }
    found
}

struct Resolver<'a> {
    context: String,
    inputs: &'a Inputs<'a>,
    manner: Manner,
}

impl Resolver<'_> {
    fn optional<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<Sourced<T>>> {
        let key = KEYS
            .iter()
            .find(|key| key.name == name)
            .ok_or_else(|| CtlError::config(format!("look up the setting `{name}`: there is none")))?;
        for candidate in candidates(key, &self.context, self.inputs) {
            let reason = match parse(&candidate.value) {
                Ok(value) => {
                    return Ok(Some(Sourced {
                        value,
                        source: candidate.source,
                    }));
                }
                Err(reason) => reason,
            };
            if self.manner == Manner::Strict || matches!(candidate.source, Source::Flag(_)) {
                let error = CtlError::config(format!("use `{name}` from {}: {reason}", candidate.source));
                let explain = CommandLine::bpctl(["config", "explain", name]);
                return Err(match (&candidate.source, key.flag) {
                    (Source::Flag(_), Some(flag)) => error
                        .wrong_flag(flag)
                        .hint(("see what holds without the flag with", explain)),
                    _ => error.hint(("see where it comes from with", explain)),
                });
            }
        }
        Ok(None)
    }

    fn required<T>(&self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Sourced<T>> {
        self.optional(name, parse)?
            .ok_or_else(|| CtlError::config(format!("find a value for `{name}`")))
    }
}

fn parsed<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn text(value: &str) -> Result<String, String> {
    Ok(value.to_owned())
}

fn duration(value: &str) -> Result<Duration, String> {
    match humantime::parse_duration(value) {
        Ok(duration) if duration <= LONGEST => Ok(duration),
        Ok(_) => Err(format!("`{value}` is too long: a week is the most")),
        Err(_) => Err(format!("`{value}` is not a duration: write e.g. `90s` or `30m`")),
    }
}

/// Nothing that bpctl waits for takes longer, and the SDK's arithmetic has its limits too.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long one attempt may take.
fn timeout(value: &str) -> Result<Duration, String> {
    match duration(value)? {
        Duration::ZERO => Err(format!("`{value}` leaves no time for an answer")),
        duration => Ok(duration),
    }
}

fn prefix(value: &str) -> Result<String, String> {
    let valid = !value.is_empty()
        && value
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if valid {
        Ok(value.to_owned())
    } else {
        Err(format!(
            "`{value}` is not a prefix: lowercase letters, digits and `-`"
        ))
    }
}

fn endpoint(value: &str) -> Result<String, String> {
    let url: Option<http::Uri> = value.parse().ok();
    let authority = url.as_ref().and_then(http::Uri::authority);
    let (Some(scheme), Some(authority)) = (url.as_ref().and_then(http::Uri::scheme_str), authority) else {
        return Err(format!(
            "`{value}` is not a URL: it must begin with `http://` or `https://` and a host"
        ));
    };
    // Before anything else: what stands before an `@` is not to be repeated.
    if authority.as_str().contains('@') {
        return Err("user and password have no place in an endpoint".to_owned());
    }
    let port = authority
        .as_str()
        .strip_prefix(authority.host())
        .unwrap_or_default();
    if !matches!(scheme, "http" | "https") {
        return Err(format!(
            "`{value}` is not a URL that bpctl can use: it must begin with `http://` or `https://`"
        ));
    }
    if authority.host().is_empty() || (!port.is_empty() && authority.port_u16().is_none()) {
        return Err(format!("`{value}` has no valid host and port"));
    }
    Ok(value.trim_end_matches('/').to_owned())
}

/// Settles every setting.
///
/// # Errors
/// An undefined context or a value that its key does not allow; the error names the layer.
pub(crate) fn resolve(inputs: &Inputs<'_>) -> Result<Settings> {
    settle(inputs, Manner::Strict)
}

/// Settles what can be settled, for commands that must work with a broken configuration because they
/// are what shows and mends it. Such a command never talks to AWS.
///
/// # Errors
/// Only what is wrong with the flags of this very command line.
pub(crate) fn resolve_leniently(inputs: &Inputs<'_>) -> Result<Settings> {
    settle(inputs, Manner::Lenient)
}

fn settle(inputs: &Inputs<'_>, manner: Manner) -> Result<Settings> {
    let context = context(inputs, manner)?;
    let from = Resolver {
        context: context.value.clone(),
        inputs,
        manner,
    };
    Ok(Settings {
        layout: from.required("layout", parsed::<LayoutKind>)?,
        prefix: from.required("prefix", prefix)?,
        stage: from.optional("stage", parsed::<Stage>)?,
        profile: from.optional("profile", text)?,
        region: from.optional("region", text)?,
        role_arn: from.optional("role_arn", text)?,
        account_id: from.optional("account_id", parsed)?,
        endpoint_url: from.optional("endpoint_url", endpoint)?,
        infra_dir: from.optional("infra_dir", |value| Ok(PathBuf::from(value)))?,
        protected: from.required("protected", parsed::<bool>)?,
        retry_mode: from.required("retry_mode", parsed)?,
        connect_timeout: from.required("connect_timeout", timeout)?,
        read_timeout: from.required("read_timeout", timeout)?,
        wait_timeout: from.required("wait_timeout", duration)?,
        require_lease: from.required("require_lease", parsed::<bool>)?,
        context,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn file() -> ConfigFile {
        let text = "current_context = \"eu\"\n[contexts.eu]\nregion = \"eu-west-1\"\naccount_id = \"111122223333\"\n[contexts.us]\nregion = \"us-west-2\"\n";
        ConfigFile::parse(Path::new("/x/bpctl.toml"), text).unwrap()
    }

    fn settings(
        flags: &[(&'static str, &str)],
        env: &[(&str, &str)],
        file: Option<&ConfigFile>,
    ) -> Result<Settings> {
        let env = env
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let flags = flags.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
        resolve(&Inputs {
            flags,
            env: &env,
            file,
        })
    }

    #[test]
    fn flag_beats_environment_beats_file_beats_default() {
        let file = file();
        let region = |flags: &[(&'static str, &str)], env: &[(&str, &str)]| {
            settings(flags, env, Some(&file)).unwrap().region.unwrap()
        };
        assert_eq!(
            region(&[("region", "a-1")], &[("AWS_REGION", "b-1")]).source,
            Source::Flag("--region".to_owned())
        );
        assert_eq!(
            region(&[], &[("AWS_REGION", "b-1"), ("BPCTL_REGION", "c-1")]).value,
            "c-1"
        );
        assert_eq!(region(&[], &[("AWS_REGION", "b-1")]).value, "b-1");
        let from_file = region(&[], &[]);
        assert_eq!(from_file.value, "eu-west-1");
        assert_eq!(from_file.source.to_string(), "file /x/bpctl.toml:3");
        assert_eq!(region(&[("context", "us")], &[]).value, "us-west-2");
        assert_eq!(
            settings(&[], &[], Some(&file)).unwrap().layout.source,
            Source::Default
        );
    }

    #[test]
    fn the_sandbox_ignores_the_operators_aws_settings_but_not_the_endpoint() {
        let env = [
            ("AWS_PROFILE", "prod"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:9/"),
        ];
        let settings = settings(&[("context", "sandbox")], &env, None).unwrap();
        assert_eq!(settings.profile, None);
        assert_eq!(settings.region.unwrap().value, "us-east-1");
        assert_eq!(settings.endpoint_url.unwrap().value, "http://127.0.0.1:9");
    }

    #[test]
    fn what_would_only_fail_later_is_refused_now() {
        let refused = |name: &str, value: &str| settings(&[], &[(name, value)], None).unwrap_err();
        for value in [
            "127.0.0.1:4566",
            "http://",
            "http://a b",
            "ftp://x",
            "http://127.0.0.1:99999",
            "http://127.0.0.1:",
        ] {
            refused("BPCTL_ENDPOINT_URL", value);
        }
        let error = refused("BPCTL_ENDPOINT_URL", "http://jo:hunter2@127.0.0.1:1");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        for value in ["http://127.0.0.1:4566/", "https://[::1]:9", "http://localhost"] {
            settings(&[], &[("BPCTL_ENDPOINT_URL", value)], None).unwrap();
        }
        refused("BPCTL_READ_TIMEOUT", "500000000000y");
        refused("BPCTL_CONNECT_TIMEOUT", "0s");
    }

    #[test]
    fn a_bad_value_names_its_layer_and_the_way_to_look() {
        let error = settings(&[], &[("BPCTL_WAIT_TIMEOUT", "30")], None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "use `wait_timeout` from environment BPCTL_WAIT_TIMEOUT: `30` is not a duration: write e.g. `90s` or `30m`"
        );
        assert_eq!(error.exit_status().code(), 2);
    }

    #[test]
    fn what_mends_the_configuration_works_with_a_broken_one() {
        let text = "current_context = \"prduction\"\n[contexts.production]\n";
        let file = ConfigFile::parse(Path::new("bpctl.toml"), text).unwrap();
        let error = settings(&[], &[], Some(&file)).unwrap_err();
        assert!(error.hints()[0].contains("`production`"), "{error:?}");
        assert!(settings(&[("context", "production")], &[], Some(&file)).is_ok());
        let env = BTreeMap::from([("BPCTL_WAIT_TIMEOUT".to_owned(), "30".to_owned())]);
        let leniently = |flags: &[(&'static str, &str)]| {
            resolve_leniently(&Inputs {
                flags: flags.iter().map(|(k, v)| (*k, (*v).to_owned())).collect(),
                env: &env,
                file: Some(&file),
            })
        };
        let settled = leniently(&[]).unwrap();
        assert_eq!(settled.context.value, "prduction");
        assert_eq!(settled.wait_timeout.source, Source::Default);
        assert!(leniently(&[("context", "nope")]).is_err());
        assert!(leniently(&[("account-id", "nope")]).is_err());
    }

    #[test]
    fn an_undefined_context_is_refused() {
        assert!(settings(&[("context", "nope")], &[], None).is_err());
        assert!(settings(&[], &[("BPCTL_CONTEXT", "default")], None).is_err());
        assert_eq!(settings(&[], &[], None).unwrap().context.value, "default");
    }
}
