//! `bpctl config view` and `config explain`: what is set, and which layer decided it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::output::{Render, Table, View};
use crate::settings::{
    self, Candidate, KEYS, Key, SANDBOX_CONTEXT, SERVICES, candidates, holds_credentials, service_candidates,
};

#[derive(Debug, Serialize, JsonSchema)]
struct SettingView {
    key: String,
    /// A string, a boolean, or null.
    value: Value,
    source: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ConfigView {
    context: String,
    file: Option<String>,
    settings: Vec<SettingView>,
}

impl Render for ConfigView {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["KEY", "VALUE", "FROM"]);
        for setting in &self.settings {
            table.row([setting.key.clone(), shown(&setting.value), setting.source.clone()]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.settings.iter().map(|setting| setting.key.clone()).collect()
    }
}

/// What the layers say of a key, without what may be a password.
fn layers(ctx: &Ctx, key: &Key) -> Vec<Candidate> {
    masked(candidates(key, &ctx.settings.context.value, &ctx.inputs()))
}

/// Services whose endpoint is not the one of all, with what the layers say of it.
fn own_endpoints(ctx: &Ctx) -> BTreeMap<&'static str, Vec<Candidate>> {
    let context = &ctx.settings.context.value;
    let inputs = ctx.inputs();
    let general = settings::key("endpoint_url").map(|key| candidates(key, context, &inputs));
    let of = |service: &'static str| (service, service_candidates(service, context, &inputs));
    SERVICES
        .iter()
        .map(|service| of(service))
        .filter(|(_, found)| context != SANDBOX_CONTEXT && general.as_ref() != Some(found))
        .map(|(service, found)| (service, masked(found)))
        .collect()
}

fn masked(mut found: Vec<Candidate>) -> Vec<Candidate> {
    for candidate in &mut found {
        if candidate.value.contains("://") && holds_credentials(&candidate.value) {
            candidate.value = "[not shown: it may hold a password]".to_owned();
        }
    }
    found
}

fn decisive(found: &[Candidate]) -> Option<&Candidate> {
    found.iter().find(|candidate| candidate.passed_over.is_none())
}

fn setting(key: String, found: &[Candidate], is_switch: bool) -> SettingView {
    let first = decisive(found);
    SettingView {
        key,
        source: first.map_or_else(|| "not set".to_owned(), |first| first.source.to_string()),
        value: first.map_or(Value::Null, |first| typed(&first.value, is_switch)),
    }
}

/// A switch is a boolean; everything else is text.
fn typed(value: &str, is_switch: bool) -> Value {
    match value.parse::<bool>() {
        Ok(switch) if is_switch => Value::Bool(switch),
        _ => Value::String(value.to_owned()),
    }
}

/// A value as people read it.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// One layer's answer.
#[derive(Debug, Serialize, JsonSchema)]
struct CandidateView {
    source: String,
    /// A string or a boolean.
    value: Value,
    /// Why it does not count although it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    passed_over: Option<String>,
    #[serde(skip)]
    decides: bool,
}

fn views(found: &[Candidate], is_switch: bool) -> Vec<CandidateView> {
    let first = decisive(found);
    let view = |candidate: &Candidate| CandidateView {
        source: candidate.source.to_string(),
        value: typed(&candidate.value, is_switch),
        passed_over: candidate.passed_over.clone(),
        decides: first.is_some_and(|first| std::ptr::eq(first, candidate)),
    };
    found.iter().map(view).collect()
}

pub(super) fn view(ctx: &Ctx) -> Result<()> {
    let context = &ctx.settings.context;
    let mut settings = vec![SettingView {
        key: "context".to_owned(),
        value: Value::String(context.value.clone()),
        source: context.source.to_string(),
    }];
    for key in KEYS {
        settings.push(setting(key.name.to_owned(), &layers(ctx, key), key.is_switch()));
        if key.name == "endpoint_url" {
            for (service, found) in own_endpoints(ctx) {
                settings.push(setting(format!("endpoint_url.{service}"), &found, false));
            }
        }
    }
    let file = ctx.config.as_ref().map(|file| file.path.display().to_string());
    ctx.emit(&ConfigView {
        context: context.value.clone(),
        file,
        settings,
    })
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Explanation {
    key: &'static str,
    help: &'static str,
    /// A string, a boolean, or null when the key is set nowhere.
    value: Value,
    decided_by: Option<String>,
    candidates: Vec<CandidateView>,
    /// For `endpoint_url`: services that have one of their own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    services: BTreeMap<&'static str, Vec<CandidateView>>,
}

impl Render for Explanation {
    fn human(&self, view: &View) -> String {
        let mut text = format!("{}: {}\n\n", self.key, self.help);
        if self.candidates.is_empty() {
            text.push_str("not set anywhere\n");
        } else {
            text.push_str(&table(&self.candidates).render(view));
        }
        for (service, found) in &self.services {
            text.push_str(&format!("\nfor {service}:\n\n{}", table(found).render(view)));
        }
        text
    }

    fn names(&self) -> Vec<String> {
        match &self.value {
            Value::Null => Vec::new(),
            value => vec![shown(value)],
        }
    }
}

fn table(found: &[CandidateView]) -> Table {
    let mut table = Table::new(&["DECIDES", "VALUE", "FROM", "NOTE"]);
    for candidate in found {
        table.row([
            if candidate.decides { "*" } else { "" }.to_owned(),
            shown(&candidate.value),
            candidate.source.clone(),
            candidate.passed_over.clone().unwrap_or_default(),
        ]);
    }
    table
}

pub(super) fn explain(ctx: &Ctx, name: &str) -> Result<()> {
    let key = settings::key(name)
        .ok_or_else(|| CtlError::usage(format!("explain `{name}`: there is no such setting")))?;
    let found = layers(ctx, key);
    let first = decisive(&found);
    ctx.emit(&Explanation {
        key: key.name,
        help: key.help,
        decided_by: first.map(|first| first.source.to_string()),
        value: first.map_or(Value::Null, |first| typed(&first.value, key.is_switch())),
        services: if key.name == "endpoint_url" {
            let own = own_endpoints(ctx).into_iter();
            own.map(|(service, found)| (service, views(&found, false)))
                .collect()
        } else {
            BTreeMap::new()
        },
        candidates: views(&found, key.is_switch()),
    })
}
