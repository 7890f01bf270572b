//! `bpctl whoami`: account, principal, region, context and layout, and where each came from.

use clap::Args;
use serde::Serialize;

use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::output::{Render, Table, View};
use crate::settings::Source;

/// Show the account, principal, region and context that commands would use
#[derive(Debug, Args)]
pub(crate) struct WhoamiArgs {}

#[derive(Debug, Serialize)]
struct Whoami {
    account: String,
    principal: String,
    region: Option<String>,
    context: String,
    layout: String,
    stage: Option<String>,
    #[serde(rename = "sources")]
    sources: Vec<Origin>,
}

#[derive(Debug, Serialize)]
struct Origin {
    what: &'static str,
    value: String,
    source: String,
}

impl Render for Whoami {
    fn schema(&self) -> &'static str {
        "bpctl.whoami/1"
    }

    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["WHAT", "VALUE", "FROM"]);
        for origin in &self.sources {
            table.row([
                origin.what.to_owned(),
                origin.value.clone(),
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
        run(ctx, &self).await
    }
}

async fn run(ctx: &Ctx, _args: &WhoamiArgs) -> Result<ExitStatus> {
    let identity = ctx
        .unless_interrupted(async {
            ctx.aws.guard_account().await?;
            ctx.aws.identity().await.cloned()
        })
        .await?;
    let settings = &ctx.settings;
    let region = ctx.aws.region().await?;
    let credentials = match (&settings.role_arn, &settings.profile) {
        _ if settings.is_sandbox() => "the sandbox's own credentials".to_owned(),
        (Some(role), _) => format!("role {} ({})", role.value, role.source),
        (None, Some(profile)) => format!("profile {} ({})", profile.value, profile.source),
        (None, None) => "the AWS default credential chain".to_owned(),
    };
    let region_source = match &settings.region {
        Some(region) => region.source.to_string(),
        None => "the AWS configuration files".to_owned(),
    };
    let mut sources = vec![
        origin("account", identity.account.as_ref(), &credentials),
        origin("principal", &identity.arn, &credentials),
        origin("region", region.as_deref().unwrap_or("not set"), &region_source),
        origin(
            "context",
            &settings.context.value,
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
    if let Some(endpoint) = &settings.endpoint_url {
        sources.push(origin("endpoint", &endpoint.value, endpoint.source.to_string()));
    }
    if let Some(folder) = &settings.infra_dir {
        sources.push(origin(
            "infrastructure",
            &folder.value.display().to_string(),
            folder.source.to_string(),
        ));
    }
    let guard = match &settings.account_id {
        Some(wanted) => wanted.source.clone(),
        None => Source::Default,
    };
    sources.push(origin(
        "account guard",
        if settings.account_id.is_some() {
            "on"
        } else {
            "off"
        },
        guard.to_string(),
    ));
    ctx.emit(&Whoami {
        account: identity.account.to_string(),
        principal: identity.arn,
        region,
        context: settings.context.value.clone(),
        layout: settings.layout.value.to_string(),
        stage: settings.stage.as_ref().map(|stage| stage.value.to_string()),
        sources,
    })?;
    Ok(ExitStatus::Done)
}

fn origin(what: &'static str, value: &str, source: impl Into<String>) -> Origin {
    Origin {
        what,
        value: value.to_owned(),
        source: source.into(),
    }
}
