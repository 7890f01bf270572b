//! `bpctl whoami`: account, principal, who signs and until when, region, context, endpoints, guards, and where each came
//! from.

use clap::Args;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::Signer;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::output::{Render, Table, View};
use crate::settings::{SERVICES, Settings, Source};

/// Show the account, principal, region and context that commands would use
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl whoami                             account, principal, region, and who decided each
  bpctl --context acme-production whoami   the same of another context
  bpctl whoami --query account             the account alone, for a script")]
pub(crate) struct WhoamiArgs {}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Whoami {
    account: String,
    principal: String,
    region: Option<String>,
    context: String,
    layout: String,
    stage: Option<String>,
    credentials: Credentials,
    endpoints: Vec<Endpoint>,
    /// Whether another account would be refused.
    account_guard: bool,
    /// Whether every change needs the context's name typed.
    protected: bool,
    sources: Vec<Origin>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Credentials {
    /// Who gave them, in words.
    provider: String,
    /// When they end; null when they do not.
    #[schemars(with = "Option<Timestamp>")]
    expires: Option<String>,
}

/// Where one service is asked.
#[derive(Debug, Serialize, JsonSchema)]
struct Endpoint {
    service: &'static str,
    /// Null: AWS' own address in the region.
    url: Option<String>,
    source: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Origin {
    /// A member of this document, or `endpoint`, or `endpoint of` a service.
    what: String,
    value: Fact,
    source: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum Fact {
    Switch(bool),
    Text(String),
}

impl Fact {
    fn shown(&self) -> String {
        match self {
            Self::Switch(true) => "yes".to_owned(),
            Self::Switch(false) => "no".to_owned(),
            Self::Text(text) => text.clone(),
        }
    }
}

impl From<bool> for Fact {
    fn from(switch: bool) -> Self {
        Self::Switch(switch)
    }
}

impl From<&str> for Fact {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Render for Whoami {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["WHAT", "VALUE", "FROM"]);
        for origin in &self.sources {
            table.row([
                origin.what.replace('_', " "),
                origin.value.shown(),
                origin.source.clone(),
            ]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        vec![self.principal.clone()]
    }
}

impl Verb for WhoamiArgs {
    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let (identity, signer) = ctx
            .unless_interrupted(async {
                ctx.aws.guard_account().await?;
                let identity = ctx.aws.identity().await?.clone();
                Ok((identity, ctx.aws.signer().await?))
            })
            .await?;
        let settings = &ctx.settings;
        let region = ctx.aws.region().await?;
        let signer = signer.unwrap_or_else(|| Signer {
            provider: "the sandbox's own credentials".to_owned(),
            expires: None,
        });
        let endpoints = endpoints(settings);
        let because_of = settings.protected_context(&identity.account);
        let protected = settings.protected.value || because_of.is_some();
        let mut sources = vec![
            origin("account", identity.account.as_ref(), &signer.provider),
            origin("principal", identity.arn.as_str(), &signer.provider),
            origin(
                "credentials",
                until(&signer, ctx.clock.now()).as_str(),
                &signer.provider,
            ),
            origin(
                "region",
                region.as_deref().unwrap_or("not set"),
                settings
                    .region
                    .as_ref()
                    .map_or(Source::Default, |region| region.source.clone())
                    .to_string(),
            ),
            origin(
                "context",
                settings.context.value.as_str(),
                settings.context.source.to_string(),
            ),
            origin(
                "layout",
                settings.layout.value.as_str(),
                settings.layout.source.to_string(),
            ),
        ];
        if let Some(stage) = &settings.stage {
            sources.push(origin("stage", stage.value.as_str(), stage.source.to_string()));
        }
        sources.extend(endpoint_rows(&endpoints));
        if let Some(folder) = &settings.infra_dir {
            let shown = folder.value.display().to_string();
            sources.push(origin("infra_dir", shown.as_str(), folder.source.to_string()));
        }
        let guard = settings.account_id.as_ref();
        sources.push(origin(
            "account_guard",
            guard.is_some(),
            guard
                .map_or(Source::Default, |guard| guard.source.clone())
                .to_string(),
        ));
        let protected_by = match because_of {
            Some(name) if !settings.protected.value => format!("its account is that of context {name}"),
            _ => settings.protected.source.to_string(),
        };
        sources.push(origin("protected", protected, protected_by));
        ctx.emit(&Whoami {
            account: identity.account.to_string(),
            principal: identity.arn,
            region,
            context: settings.context.value.clone(),
            layout: settings.layout.value.to_string(),
            stage: settings.stage.as_ref().map(|stage| stage.value.to_string()),
            credentials: Credentials {
                provider: signer.provider,
                expires: signer.expires.map(to_the_second),
            },
            endpoints,
            account_guard: guard.is_some(),
            protected,
            sources,
        })?;
        Ok(ExitStatus::Done)
    }
}

fn endpoints(settings: &Settings) -> Vec<Endpoint> {
    let of = |service: &&'static str| {
        let endpoint = settings.endpoint(service);
        Endpoint {
            service,
            url: endpoint.map(|endpoint| endpoint.value.clone()),
            source: endpoint
                .map_or(Source::Default, |endpoint| endpoint.source.clone())
                .to_string(),
        }
    };
    SERVICES.iter().map(of).collect()
}

/// One row when all services are asked at one place; else one for each that is not asked at AWS' own address.
fn endpoint_rows(endpoints: &[Endpoint]) -> Vec<Origin> {
    let shown = |endpoint: &Endpoint| endpoint.url.clone().unwrap_or_else(|| "AWS' own".to_owned());
    let same = |a: &Endpoint, b: &Endpoint| (&a.url, &a.source) == (&b.url, &b.source);
    let Some(first) = endpoints.first() else {
        return Vec::new();
    };
    if endpoints.iter().all(|endpoint| same(first, endpoint)) {
        return vec![origin("endpoint", shown(first).as_str(), first.source.clone())];
    }
    endpoints
        .iter()
        .map(|endpoint| {
            let what = format!("endpoint of {}", endpoint.service);
            origin(&what, shown(endpoint).as_str(), endpoint.source.clone())
        })
        .collect()
}

fn to_the_second(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn until(signer: &Signer, now: Timestamp) -> String {
    let Some(end) = signer.expires else {
        return "do not end by themselves".to_owned();
    };
    let left = match end.duration_since(now).as_secs().max(0) / 60 {
        minutes @ ..120 => format!("{minutes} min"),
        minutes @ 120..2880 => format!("{} h", minutes / 60),
        minutes => format!("{} days", minutes / 1440),
    };
    format!("until {} ({left})", to_the_second(end))
}

fn origin(what: &str, value: impl Into<Fact>, source: impl Into<String>) -> Origin {
    Origin {
        what: what.to_owned(),
        value: value.into(),
        source: source.into(),
    }
}
