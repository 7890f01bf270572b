//! Precedence: flag > environment > context > profile > default. Pure, so that `config explain` and the real
//! run can never disagree.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::changes::Safety;
use super::choice::Choice;
use super::keys::{KEYS, Key};
use super::profiles::{DEFAULT_PROFILE, Profiles};
use super::{
    ConfigFile, DEFAULT_CONTEXT, RetryMode, SANDBOX_CONTEXT, Settings, Source, Sourced, endpoint, region,
};
use crate::error::{CommandLine, CtlError, Result};
use crate::layout::{AccountId, LayoutKind, Stage};
use crate::process::ChosenContext;

/// What settings are made from.
#[derive(Clone, Debug)]
pub(crate) struct Inputs<'a> {
    /// Flag name without dashes → value.
    pub(crate) flags: BTreeMap<&'static str, String>,
    pub(crate) env: &'a BTreeMap<String, String>,
    pub(crate) file: Option<&'a ConfigFile>,
    /// What this user chose with `config use-context`.
    pub(crate) choice: Option<&'a Choice>,
    /// What the command that runs this one has chosen.
    pub(crate) parent: ChosenContext,
    /// AWS' shared files, where they were read.
    pub(crate) profiles: Option<&'a Profiles>,
    /// Whether AWS will be asked. If not, what only AWS needs may be wrong.
    pub(crate) aws: bool,
}

impl<'a> Inputs<'a> {
    /// The environment alone, for a command that asks AWS.
    pub(crate) fn new(env: &'a BTreeMap<String, String>) -> Self {
        Self {
            flags: BTreeMap::new(),
            env,
            file: None,
            choice: None,
            parent: ChosenContext::Latest,
            profiles: None,
            aws: true,
        }
    }

    /// A variable that says something.
    fn var(&self, name: &str) -> Option<&'a String> {
        self.env.get(name).filter(|value| !value.is_empty())
    }
}

/// One layer's answer to "what is this key?".
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Candidate {
    pub(crate) source: Source,
    pub(crate) value: String,
    /// Why it does not count although it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) passed_over: Option<String>,
}

/// What happens to a layer that says something impossible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strictness {
    /// It is an error.
    Strict,
    /// It is passed over, unless it is a flag.
    Lenient,
}

/// What only AWS needs.
const FOR_AWS: &[&str] = &[
    "profile",
    "region",
    "role_arn",
    "endpoint_url",
    "retry_mode",
    "connect_timeout",
    "read_timeout",
];

/// Which context is in force, whether or not there is one of that name.
pub(crate) fn chosen_context(inputs: &Inputs<'_>) -> Sourced<String> {
    let sourced = |value: &str, source: Source| Sourced {
        value: value.to_owned(),
        source,
    };
    if let Some(name) = inputs.flags.get("context") {
        sourced(name, Source::Flag("--context".to_owned()))
    } else if let ChosenContext::Parent(name) = &inputs.parent {
        sourced(name, Source::Parent)
    } else if inputs.parent == ChosenContext::NoneOfParent {
        sourced(DEFAULT_CONTEXT, Source::Default)
    } else if let Some(name) = inputs.var("BPCTL_CONTEXT") {
        sourced(name, Source::Env("BPCTL_CONTEXT".to_owned()))
    } else if let Some(choice) = inputs.choice {
        sourced(&choice.name, Source::Choice(choice.path.clone()))
    } else if let Some((file, entry)) = inputs
        .file
        .and_then(|file| Some((file, file.current_context.as_ref()?)))
    {
        let source = Source::File {
            path: file.path.clone(),
            line: entry.line,
        };
        sourced(&entry.value, source)
    } else {
        sourced(DEFAULT_CONTEXT, Source::Default)
    }
}

fn context(inputs: &Inputs<'_>, strictness: Strictness) -> Result<Sourced<String>> {
    let chosen = chosen_context(inputs);
    let is_default = chosen.value == DEFAULT_CONTEXT && chosen.source == Source::Default;
    let is_lenient = strictness == Strictness::Lenient && !matches!(chosen.source, Source::Flag(_));
    if is_default || is_lenient {
        return Ok(chosen);
    }
    let Err(error) = ConfigFile::known(inputs.file, &chosen.value, &chosen.source.to_string()) else {
        return Ok(chosen);
    };
    Err(match chosen.source {
        Source::Flag(_) => error.wrong_flag("context"),
        _ => error,
    })
}

/// The profile whose settings count: the one that was named, else `default`.
fn profile_in_force(context: &str, inputs: &Inputs<'_>) -> Option<String> {
    if context == SANDBOX_CONTEXT {
        return None;
    }
    let key = KEYS.iter().find(|key| key.name == "profile")?;
    let named = candidates(key, context, inputs).into_iter().next();
    Some(named.map_or_else(|| DEFAULT_PROFILE.to_owned(), |named| named.value)).map(|name| {
        if name.is_empty() {
            DEFAULT_PROFILE.to_owned()
        } else {
            name
        }
    })
}

/// Who says that configured endpoints are to be ignored, if a setting does (AWS SDKs and Tools Reference Guide,
/// "Service-specific endpoints"): those of flags, BPCTL_ENDPOINT_URL and contexts are explicit and stay.
fn endpoints_ignored_by(context: &str, inputs: &Inputs<'_>) -> Option<String> {
    const VARIABLE: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
    let is_true = |value: &str| value.eq_ignore_ascii_case("true");
    if let Some(value) = inputs.var(VARIABLE) {
        return is_true(value).then(|| format!("ignored: {VARIABLE}={value}"));
    }
    let profile = profile_in_force(context, inputs)?;
    let (value, source) = inputs
        .profiles?
        .get(&profile, "ignore_configured_endpoint_urls")?;
    is_true(value).then(|| format!("ignored: ignore_configured_endpoint_urls in {source}"))
}

/// Every layer that has something to say about `key`, strongest first. The first one that is not passed over counts.
pub(crate) fn candidates(key: &Key, context: &str, inputs: &Inputs<'_>) -> Vec<Candidate> {
    let mut found = Vec::new();
    let mut add = |source: Source, value: &str| {
        found.push(Candidate {
            source,
            value: value.to_owned(),
            passed_over: None,
        });
    };
    if let Some((flag, value)) = key.flag.and_then(|flag| Some((flag, inputs.flags.get(flag)?))) {
        add(Source::Flag(format!("--{flag}")), value);
    }
    // The sandbox is a world of its own: an operator's AWS_PROFILE or AWS_REGION means nothing there.
    let aws_counts = context != SANDBOX_CONTEXT || key.name == "endpoint_url";
    for name in key.env {
        if let Some(value) = inputs.var(name)
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
    if let ("region" | "endpoint_url", Some(profiles)) = (key.name, inputs.profiles)
        && let Some(profile) = profile_in_force(context, inputs)
        && let Some((value, source)) = profiles.get(&profile, key.name)
    {
        add(source, value);
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
    match key.name {
        "endpoint_url" => pass_over_ignored(&mut found, context, inputs),
        "protected" => pass_over_lowering(&mut found),
        _ => {}
    }
    found
}

/// Every layer that has something to say about the endpoint of one service, strongest first.
pub(crate) fn service_candidates(service: &str, context: &str, inputs: &Inputs<'_>) -> Vec<Candidate> {
    let Some(key) = KEYS.iter().find(|key| key.name == "endpoint_url") else {
        return Vec::new();
    };
    let mut found = candidates(key, context, inputs);
    if context == SANDBOX_CONTEXT {
        return found;
    }
    let mut add = |at: usize, source: Source, value: &str| {
        let candidate = Candidate {
            source,
            value: value.to_owned(),
            passed_over: None,
        };
        found.insert(at, candidate);
    };
    // From the weaker to the stronger one: the first insertion does not move the second one's place.
    let general = candidates(key, context, inputs);
    let of_profile = |candidate: &Candidate| matches!(candidate.source, Source::Profile { .. });
    if let Some(profile) = profile_in_force(context, inputs)
        && let Some((value, source)) = inputs
            .profiles
            .and_then(|all| all.service_endpoint(&profile, service))
    {
        add(
            general.iter().position(of_profile).unwrap_or(general.len()),
            source,
            value,
        );
    }
    let variable = endpoint::variable(service);
    if let Some(value) = inputs.var(&variable) {
        let explicit = general.iter().take_while(|candidate| match &candidate.source {
            Source::Flag(_) => true,
            Source::Env(name) => name.starts_with("BPCTL_"),
            _ => false,
        });
        add(explicit.count(), Source::Env(variable), value);
    }
    pass_over_ignored(&mut found, context, inputs);
    found
}

fn pass_over_ignored(found: &mut [Candidate], context: &str, inputs: &Inputs<'_>) {
    let Some(reason) = endpoints_ignored_by(context, inputs) else {
        return;
    };
    for candidate in found {
        let configured = match &candidate.source {
            Source::Env(name) => name.starts_with("AWS_"),
            Source::Profile { .. } => true,
            _ => false,
        };
        if configured {
            candidate.passed_over = Some(reason.clone());
        }
    }
}

/// Protection can be raised by every layer and lowered by none.
fn pass_over_lowering(found: &mut [Candidate]) {
    let Some(raised) = found.iter().position(|candidate| candidate.value == "true") else {
        return;
    };
    let source = found
        .get(raised)
        .map(|candidate| candidate.source.to_string())
        .unwrap_or_default();
    for candidate in found.iter_mut().take(raised) {
        candidate.passed_over = Some(format!("protection is only raised, and {source} does"));
    }
}

struct Resolver<'a> {
    context: String,
    inputs: &'a Inputs<'a>,
    strictness: Strictness,
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
        self.first(key, candidates(key, &self.context, self.inputs), parse)
    }

    fn first<T>(
        &self,
        key: &Key,
        candidates: Vec<Candidate>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<Sourced<T>>> {
        let name = key.name;
        let strict = self.strictness == Strictness::Strict && (self.inputs.aws || !FOR_AWS.contains(&name));
        for candidate in candidates {
            if candidate.passed_over.is_some() {
                continue;
            }
            let reason = match parse(&candidate.value) {
                Ok(value) => {
                    return Ok(Some(Sourced {
                        value,
                        source: candidate.source,
                    }));
                }
                Err(reason) => reason,
            };
            let is_flag = matches!(candidate.source, Source::Flag(_));
            if strict || is_flag {
                let error = CtlError::config(format!("use `{name}` from {}: {reason}", candidate.source));
                let explain = CommandLine::bpctl(["config", "explain", name]);
                return Err(match key.flag.filter(|_| is_flag) {
                    Some(flag) => error
                        .wrong_flag(flag)
                        .hint(("see what holds without the flag with", explain)),
                    None => error.hint(("see where it comes from with", explain)),
                });
            }
        }
        Ok(None)
    }

    fn required<T>(&self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Sourced<T>> {
        self.optional(name, parse)?
            .ok_or_else(|| CtlError::config(format!("find a value for `{name}`")))
    }

    /// Endpoints of the services that do not have the one of all.
    fn service_endpoints(&self) -> Result<BTreeMap<&'static str, Sourced<String>>> {
        let mut own = BTreeMap::new();
        let Some(key) = KEYS.iter().find(|key| key.name == "endpoint_url") else {
            return Ok(own);
        };
        let general = candidates(key, &self.context, self.inputs);
        for service in endpoint::SERVICES {
            let found = service_candidates(service, &self.context, self.inputs);
            if found == general {
                continue;
            }
            if let Some(endpoint) = self.first(key, found, endpoint::check)? {
                own.insert(*service, endpoint);
            }
        }
        Ok(own)
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

fn role(value: &str) -> Result<String, String> {
    let mut parts = value.splitn(6, ':');
    let mut next = || parts.next().unwrap_or_default();
    let (arn, partition, iam, region, account, role) = (next(), next(), next(), next(), next(), next());
    let valid = arn == "arn"
        && partition.starts_with("aws")
        && iam == "iam"
        && region.is_empty()
        && account.parse::<AccountId>().is_ok()
        && role
            .strip_prefix("role/")
            .is_some_and(|name| !name.is_empty() && !name.ends_with('/'));
    if valid {
        Ok(value.to_owned())
    } else {
        Err(format!(
            "`{value}` is not the ARN of a role: write e.g. `arn:aws:iam::111122223333:role/operator`"
        ))
    }
}

/// Whether a context may hold `value` under `key`.
///
/// # Errors
/// Why it may not.
pub(crate) fn check_value(key: &Key, value: &str) -> Result<(), String> {
    match key.name {
        "layout" => parsed::<LayoutKind>(value).map(drop),
        "prefix" => prefix(value).map(drop),
        "stage" => parsed::<Stage>(value).map(drop),
        "region" => region::check(value).map(drop),
        "role_arn" => role(value).map(drop),
        "account_id" => parsed::<AccountId>(value).map(drop),
        "endpoint_url" => endpoint::check(value).map(drop),
        "retry_mode" => parsed::<RetryMode>(value).map(drop),
        "connect_timeout" | "read_timeout" => timeout(value).map(drop),
        "wait_timeout" => duration(value).map(drop),
        _ if key.is_switch() => parsed::<bool>(value).map(drop),
        _ if value.trim().is_empty() => Err("it is empty".to_owned()),
        _ => Ok(()),
    }
}

/// Settles every setting.
///
/// # Errors
/// An undefined context or a value that its key does not allow; the error names the layer.
pub(crate) fn resolve(inputs: &Inputs<'_>) -> Result<Settings> {
    settle(inputs, Strictness::Strict)
}

/// Settles what can be settled, for commands that must work with a broken configuration because they
/// are what shows and mends it. Such a command never talks to AWS.
///
/// # Errors
/// Only what is wrong with the flags of this very command line.
pub(crate) fn resolve_leniently(inputs: &Inputs<'_>) -> Result<Settings> {
    settle(inputs, Strictness::Lenient)
}

fn settle(inputs: &Inputs<'_>, strictness: Strictness) -> Result<Settings> {
    let context = context(inputs, strictness)?;
    let from = Resolver {
        context: context.value.clone(),
        inputs,
        strictness,
    };
    let endpoint_url = from.optional("endpoint_url", endpoint::check)?;
    // An emulator's regions are its own business.
    let anywhere = endpoint_url.is_some();
    let region = from.optional("region", |value| match region::check(value) {
        Err(_) if anywhere && region::is_foreign(value) => Ok(value.to_owned()),
        checked => checked,
    })?;
    let account_id = from.optional("account_id", parsed)?;
    let profile = from
        .optional("profile", text)?
        .filter(|profile| !profile.value.is_empty());
    let chain = profile_in_force(&context.value, inputs)
        .and_then(|name| Some((inputs.profiles?, name)))
        .filter(|(profiles, name)| profiles.contains(name))
        .map(|(profiles, name)| profiles.chain(&name));
    let settings = Settings {
        layout: from.required("layout", parsed::<LayoutKind>)?,
        prefix: from.required("prefix", prefix)?,
        stage: from.optional("stage", parsed::<Stage>)?,
        profile,
        region,
        role_arn: from.optional("role_arn", role)?,
        safety: Safety::of(inputs, &context, account_id.as_ref()),
        account_id,
        endpoint_url,
        service_endpoints: from.service_endpoints()?,
        allow_plain_http: from.required("allow_plain_http", parsed::<bool>)?.value,
        infra_dir: from.optional("infra_dir", |value| Ok(PathBuf::from(value)))?,
        protected: from.required("protected", parsed::<bool>)?,
        retry_mode: from.required("retry_mode", parsed)?,
        connect_timeout: from.required("connect_timeout", timeout)?,
        read_timeout: from.required("read_timeout", timeout)?,
        wait_timeout: from.required("wait_timeout", duration)?,
        require_lease: from.required("require_lease", parsed::<bool>)?,
        chain,
        has_env_keys: context.value != SANDBOX_CONTEXT && inputs.var("AWS_ACCESS_KEY_ID").is_some(),
        context,
    };
    Ok(settings)
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
