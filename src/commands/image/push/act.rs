//! Carries out the steps: a build that is pushed and read back, a tag that is moved and read back.

use futures::FutureExt as _;
use tokio::sync::mpsc;

use super::plan::{Action, Move, fits};
use super::{Push, Pushed};
use crate::aws::ecr::{Manifest, TagImage};
use crate::change::{Done, Later, StepRun};
use crate::commands::deploy::images::brief;
use crate::commands::image::docker::{BuildAndPush, Builder};
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::layout::PLATFORM;

type Run<'s, 'c> = StepRun<'s, Push<'c>>;

pub(super) async fn act<'c>(change: &Push<'c>, step: &Run<'_, 'c>) -> Result<Done<Push<'c>>> {
    match step.action() {
        Action::Build(call) => build(change, step, call).await,
        Action::Move(moved) => move_tag(change, step, moved).await,
    }
}

async fn under(change: &Push<'_>, repository: &str, reference: &str) -> Result<Option<Manifest>> {
    let aws = &change.ctx.aws;
    let found = aws.manifests(repository, &[reference.to_owned()]).await?;
    let mut manifest = found.into_iter().flatten().next().map(|(_, manifest)| manifest);
    aws.tell_platforms(repository, &mut manifest).await;
    Ok(manifest)
}

async fn build<'c>(change: &Push<'c>, step: &Run<'_, 'c>, call: &BuildAndPush) -> Result<Done<Push<'c>>> {
    let ctx = change.ctx;
    let login = async {
        let login = ctx.aws.registry_login().await?;
        change.docker.login(&login).await?;
        ctx.ui
            .status(&format!("docker is logged in to {}", login.registry));
        Ok::<_, CtlError>(())
    };
    change.logged_in.get_or_try_init(|| login.boxed_local()).await?;
    let (sender, mut lines) = mpsc::unbounded_channel();
    let builder = Builder {
        docker: change.docker.clone(),
        lines: sender,
    };
    ctx.ui.group(&format!("build {}", call.what));
    let sent = async {
        let sent = step.send(&builder, call).await;
        // The lines end with it.
        drop(builder);
        sent
    };
    let shown = async {
        while let Some(line) = lines.recv().await {
            ctx.ui.log(&call.what, &line);
        }
    };
    let (sent, ()) = futures::join!(sent, shown);
    ctx.ui.end_group();
    let told = sent?;
    // What the registry says counts, not what docker says.
    let manifest = under(change, &call.repository, &call.tag).await?.ok_or_else(|| {
        CtlError::new(
            ErrorKind::Failed,
            format!(
                "see {} in the registry: docker has pushed it, and it is not there",
                call.name
            ),
        )
    })?;
    if let Some(told) = told.filter(|told| *told != manifest.digest) {
        return Err(CtlError::new(
            ErrorKind::Changed,
            format!(
                "see {} in the registry: docker has pushed {}, and the tag is on {}",
                call.name,
                brief(&told),
                brief(&manifest.digest)
            ),
        )
        .hint("somebody else has pushed the same commit at the same time: run the command again"));
    }
    match &manifest.platforms {
        Some(_) if !fits(&manifest) => Err(CtlError::new(
            ErrorKind::Failed,
            format!(
                "push {}: it is for {} and not for {PLATFORM}",
                call.name,
                manifest.platforms.as_deref().unwrap_or_default().join(", ")
            ),
        )
        .hint((
            "look at what is in its Dockerfile, e.g. a `FROM --platform`, and at the builder with",
            CommandLine::other("docker", ["buildx", "inspect"]),
        ))),
        _ => Ok(
            Done::new(format!("pushed {}", brief(&manifest.digest))).with(Pushed {
                digest: manifest.digest,
                manifest: manifest.text,
            }),
        ),
    }
}

async fn move_tag<'c>(change: &Push<'c>, step: &Run<'_, 'c>, moved: &Move) -> Result<Done<Push<'c>>> {
    let call = &moved.call;
    let to = match (&call.digest, &call.manifest) {
        (Later::Known(digest), Later::Known(manifest)) => Pushed {
            digest: digest.clone(),
            manifest: manifest.clone(),
        },
        _ => step.output(&moved.what).ok_or_else(|| {
            CtlError::new(
                ErrorKind::Unexpected,
                format!("move the tag {}: its image is not known", call.tag),
            )
        })?,
    };
    let now = under(change, &call.repository, &call.tag).await?;
    let there = now.as_ref().map(|now| &now.digest);
    if there == Some(&to.digest) {
        return Ok(Done::new("found there already: nothing was written").with(to));
    }
    let before = moved.before.as_ref().map(|(digest, _)| digest);
    // On the way back the tag may be on whatever the run has pushed.
    let is_way_back = matches!(call.digest, Later::Known(_)) && moved.before.is_none();
    if there != before && !is_way_back {
        return Err(CtlError::changed(format!(
            "move the tag {} of `{}`: somebody else has moved it to {}",
            call.tag,
            call.repository,
            there.map_or("nothing", |digest| brief(digest))
        )));
    }
    let known = TagImage {
        digest: Later::Known(to.digest.clone()),
        manifest: Later::Known(to.manifest.clone()),
        ..call.clone()
    };
    step.send(&change.ctx.aws, &known).await?;
    let now = under(change, &call.repository, &call.tag).await?;
    match now {
        Some(now) if now.digest == to.digest => {
            Ok(Done::new(format!("moved to {}", brief(&to.digest))).with(to))
        }
        _ => Err(CtlError::new(
            ErrorKind::Failed,
            format!("move the tag {}: right after the write it is elsewhere", call.tag),
        )),
    }
}
