//! What is to be known before: where the application is, who asks, which effect there is, and what earlier runs left.

use std::collections::BTreeSet;

use futures::future::try_join;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::Smoke;
use super::act::told;
use super::address::key_in;
use super::plan::Earlier;
use crate::aws::application::Heard;
use crate::aws::is_loopback_url;
use crate::change::RunId;
use crate::change::journal::Record;
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::layout::Layout;

/// The output of the compute stack that says where the platform answers.
const BASE: &str = "ApiBaseUrl";

/// What the reads showed.
#[derive(Debug)]
pub(super) struct Seen {
    /// The bucket that uploads go to.
    pub(super) bucket: String,
    /// `None` when the application does not say which there are: the checks tell why.
    pub(super) effect: Option<Effect>,
    pub(super) earlier: Vec<Earlier>,
}

/// What customers can have done to their videos.
#[derive(Debug)]
pub(super) struct Effect {
    pub(super) id: u64,
    /// "5 credits".
    pub(super) price: Option<String>,
}

/// Scheme and host of the application, or of the tenant.
///
/// # Errors
/// No stack says where the platform answers; no encryption on the way of the token.
pub(super) async fn base(ctx: &Ctx, layout: &Layout, tenant: Option<&str>) -> Result<String> {
    const DOING: &str = "find out where the platform answers";
    let missing = |why: String| CtlError::new(ErrorKind::NotFound, format!("{DOING}: {why}"));
    let stack = layout
        .core_stack("compute")
        .ok_or_else(|| missing("this layout has no compute stack".to_owned()))?;
    let found = ctx.aws.stack(&stack).await?;
    let mut found = found.ok_or_else(|| missing(format!("there is no stack {stack}")))?;
    let output = found.outputs.remove(BASE);
    let output = output.ok_or_else(|| missing(format!("stack {stack} has no output {BASE}")))?;
    let wrong = || {
        CtlError::new(
            ErrorKind::Unexpected,
            format!("{DOING}: `{output}` is no address"),
        )
    };
    let (scheme, rest) = output.split_once("://").ok_or_else(wrong)?;
    let own = rest
        .split('/')
        .next()
        .filter(|own| !own.is_empty())
        .ok_or_else(wrong)?;
    if let Some(tenant) = tenant {
        leads_here(ctx, tenant, own).await?;
    }
    let base = format!("{scheme}://{}", tenant.unwrap_or(own));
    let simulated = ctx.settings.is_sandbox() || ctx.aws.is_simulated();
    let here = ctx
        .settings
        .endpoint_url
        .as_ref()
        .is_some_and(|url| is_loopback_url(&url.value));
    if scheme == "http" && !(simulated || here || ctx.settings.allow_plain_http) {
        return Err(CtlError::config(format!(
            "sign in to {base}: it is asked without encryption, and everybody on the way could read the token"
        ))
        .hint("give the platform a domain and a certificate; where the network can be trusted, `allow_plain_http = true` in the context says so"));
    }
    Ok(base)
}

/// Makes sure that a tenant's host is the platform: whoever is asked there gets to see the customer's token.
async fn leads_here(ctx: &Ctx, tenant: &str, own: &str) -> Result<()> {
    // Ports are the platform's own affair.
    let name = |host: &str| host.split(':').next().unwrap_or(host).to_ascii_lowercase();
    let (tenant, own) = (name(tenant), name(own));
    if tenant == own || tenant.ends_with(&format!(".{own}")) {
        return Ok(());
    }
    let (theirs, ours) = try_join(
        Box::pin(ctx.aws.addresses(&tenant)),
        Box::pin(ctx.aws.addresses(&own)),
    )
    .await?;
    match theirs.is_disjoint(&ours) {
        false => Ok(()),
        true => Err(CtlError::usage(format!(
            "sign in to {tenant}: it does not lead to the platform, {own}, and would get to see the token"
        ))
        .hint("`--tenant` takes a name below the platform's, or one with the same addresses")),
    }
}

pub(super) async fn observe(smoke: &Smoke<'_>, recent: &[Record]) -> Result<Seen> {
    let aws = &smoke.ctx.aws;
    let bucket = aws.bucket(&smoke.layout, "media").await?;
    signed_in(smoke).await?;
    let effect = effect(smoke).await?;
    let mut earlier = Vec::new();
    for record in recent.iter().filter(|record| record.verb == "smoke") {
        earlier.extend(left_by(smoke, &bucket, record).await?);
    }
    Ok(Seen {
        bucket,
        effect,
        earlier,
    })
}

/// A route, unless nothing answers: the checks find out why.
async fn answer(smoke: &Smoke<'_>, path: &str, signed_in: bool) -> Result<Option<Heard>> {
    match smoke.ctx.aws.read_route(&smoke.site, path, signed_in).await {
        Ok(heard) => Ok(Some(heard)),
        Err(error) if error.kind() == ErrorKind::Unreachable => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes sure that the token is one.
async fn signed_in(smoke: &Smoke<'_>) -> Result<()> {
    let Some(heard) = answer(smoke, "/api/me", true).await? else {
        return Ok(());
    };
    let refused = |why: &str| {
        let text = format!(
            "sign in to {}: {why}: it answers {}",
            smoke.site.base,
            told(smoke, &heard)
        );
        Err(CtlError::new(ErrorKind::AccessDenied, text))
    };
    match heard.status {
        401 => refused("the token is not accepted").map_err(|error: CtlError| {
            error.hint("a customer's token is what `POST /api/login` answers with")
        }),
        400 | 403 | 404 => refused("the token does not lead to a tenant here")
            .map_err(|error: CtlError| error.hint("name the tenant's own host with `--tenant`")),
        _ => Ok(()),
    }
}

async fn effect(smoke: &Smoke<'_>) -> Result<Option<Effect>> {
    const DOING: &str = "choose an effect";
    let path = match smoke.effect {
        Some(id) => format!("/api/effects/{id}"),
        None => "/api/effects?perPage=1&order=id:asc".to_owned(),
    };
    let Some(heard) = answer(smoke, &path, false).await? else {
        return Ok(None);
    };
    let data = &heard.json()["data"];
    match (smoke.effect, heard.status) {
        (Some(id), 404) => {
            let text = format!("{DOING}: the application has no published effect {id}");
            Err(CtlError::new(ErrorKind::NotFound, text))
        }
        (Some(_), 200) => Ok(read_effect(data)),
        (None, 200) => match data["items"].as_array().map(Vec::as_slice) {
            Some([]) => {
                let text = format!("{DOING}: the application has none that is published");
                Err(CtlError::new(ErrorKind::NotFound, text))
            }
            Some([first, ..]) => Ok(read_effect(first)),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

fn read_effect(data: &Value) -> Option<Effect> {
    let cost = match &data["credits_cost"] {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let cost = cost.map(f64::ceil).filter(|cost| *cost > 0.0);
    Some(Effect {
        id: data["id"].as_u64()?,
        price: cost.map(|cost| format!("the customer {cost} credits")),
    })
}

/// What a run that was not finished has made, as far as it is still there.
async fn left_by(smoke: &Smoke<'_>, bucket: &str, record: &Record) -> Result<Option<Earlier>> {
    if record.going_on || record.command_line.iter().any(|word| word == "--keep") {
        return Ok(None);
    }
    let note = |name: &str| record.notes.get(name);
    let aws = &smoke.ctx.aws;
    // By its title: a run that was cut off may not have heard the number.
    let videos = match titled(smoke, &title(&record.run)).await {
        Ok(found) => found,
        // The checks find out why the application does not say it.
        Err(error) if error.kind() == ErrorKind::Unreachable => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut keys = BTreeSet::new();
    for video in &videos {
        // The number of its job may not have been heard either.
        let path = format!("/api/videos/{video}");
        if let Some(heard) = answer(smoke, &path, true).await?
            && let Some(url) = heard.json()["data"]["processed_file_url"].as_str()
        {
            keys.extend(key_in(bucket, url));
        }
    }
    if let Some(key) = note("upload")
        && aws.describe_object(bucket, key).await?.is_some()
    {
        keys.insert(key.clone());
    }
    if let Some(prefix) = note("results") {
        let found = aws.objects_under(bucket, prefix).await?;
        keys.extend(found.into_iter().map(|object| object.key));
    }
    let earlier = Earlier {
        run: record.run.to_string(),
        videos,
        keys: keys.into_iter().collect(),
    };
    Ok((!earlier.videos.is_empty() || !earlier.keys.is_empty()).then_some(earlier))
}

/// The title of a run's video, which no other has.
pub(super) fn title(run: &RunId) -> String {
    format!("bpctl smoke {run}")
}

/// The customer's videos of this title.
///
/// # Errors
/// [`ErrorKind::Unreachable`] when the application does not say it.
pub(super) async fn titled(smoke: &Smoke<'_>, title: &str) -> Result<Vec<u64>> {
    let query = utf8_percent_encode(title, NON_ALPHANUMERIC);
    let path = format!("/api/videos?search={query}");
    let heard = smoke.ctx.aws.read_route(&smoke.site, &path, true).await?;
    let answer = heard.json();
    let Some(items) = answer["data"]["items"].as_array().filter(|_| heard.status == 200) else {
        let text = format!(
            "look for the video: the application answers {}",
            told(smoke, &heard)
        );
        return Err(CtlError::new(ErrorKind::Unreachable, text));
    };
    let ours = items.iter().filter(|item| item["title"] == title);
    Ok(ours.filter_map(|item| item["id"].as_u64()).collect())
}
