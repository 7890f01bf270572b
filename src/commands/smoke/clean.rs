//! The end of every run: what it has made goes again, each thing looked at afterwards, and what stays is told.

use super::act::{told, why};
use super::observe::titled;
use super::plan::{self, Action, Check as What};
use super::view::{Check, Left};
use super::{Smoke, act};
use crate::change::{Step, Verification};
use crate::error::{CommandLine, Result};

/// What became of what was made.
#[derive(Clone, Debug, Default)]
pub(super) struct Cleaned {
    pub(super) removed: Vec<String>,
    pub(super) left: Vec<Left>,
}

/// Whether the application has a video.
///
/// # Errors
/// When it does not say it.
pub(super) async fn is_there(smoke: &Smoke<'_>, video: u64) -> Result<bool> {
    let path = format!("/api/videos/{video}");
    let heard = smoke.ctx.aws.read_route(&smoke.site, &path, true).await?;
    match heard.status {
        404 => Ok(false),
        200 => Ok(true),
        _ => Err(crate::error::CtlError::new(
            crate::error::ErrorKind::Unreachable,
            format!(
                "look at video {video}: the application answers {}",
                told(smoke, &heard)
            ),
        )),
    }
}

/// The command that deletes a video. The header with the token comes from its input.
fn curl(smoke: &Smoke<'_>, video: u64) -> CommandLine {
    let url = format!("{}/api/videos/{video}", smoke.site.base);
    CommandLine::other("curl", ["-X", "DELETE", "-H", "@-", &url])
}

fn removal(smoke: &Smoke<'_>, bucket: &str, key: &str) -> CommandLine {
    CommandLine::aws("s3api", "delete-object")
        .option("--bucket", bucket)
        .option("--key", key)
        .in_place(smoke.ctx.ui.place())
}

/// The command that lists the customer's videos.
fn search(smoke: &Smoke<'_>) -> CommandLine {
    let url = format!("{}/api/videos", smoke.site.base);
    CommandLine::other("curl", ["-H", "@-", &url])
}

pub(super) async fn clean_up<'a>(
    smoke: &Smoke<'a>,
    run: &Verification<'_, Smoke<'a>>,
    done: &[(&Step<Action>, Option<Check>)],
) -> Cleaned {
    let mut cleaned = Cleaned::default();
    let step = done.iter().find(|(step, _)| step.action.check == What::UploadUrl);
    let Some((step, _)) = step else {
        return cleaned;
    };
    videos(smoke, run, step, &mut cleaned).await;
    objects(smoke, run, step, &mut cleaned).await;
    cleaned
}

async fn videos<'a>(
    smoke: &Smoke<'a>,
    run: &Verification<'_, Smoke<'a>>,
    step: &Step<Action>,
    cleaned: &mut Cleaned,
) {
    let (video, asked) = {
        let live = smoke.live.borrow();
        (live.video, live.video_asked)
    };
    let title = &step.action.about.title;
    let all = match video {
        Some(video) => vec![video],
        None if !asked => return,
        // The request was sent, and no number came back.
        None => match titled(smoke, title).await {
            Ok(found) => found,
            Err(error) => {
                let what = format!("a video with the title `{title}`, if there is one");
                cleaned.left.push(Left::new(what, why(&error), &search(smoke)));
                return;
            }
        },
    };
    for video in all {
        let what = format!("video {video}");
        if smoke.keep {
            cleaned.left.push(Left::new(what, "kept", &curl(smoke, video)));
            continue;
        }
        let sent = run
            .send(step, &smoke.ctx.aws, &plan::delete(&smoke.site, Some(video)))
            .await;
        let reason = match (is_there(smoke, video).await, sent) {
            (Ok(false), _) => {
                cleaned.removed.push(what);
                continue;
            }
            (Ok(true), Ok(heard)) => format!(
                "the application answers {}, and it is still there",
                told(smoke, &heard)
            ),
            (Ok(true), Err(error)) => why(&error),
            (Err(error), _) => why(&error),
        };
        cleaned.left.push(Left::new(what, reason, &curl(smoke, video)));
    }
}

async fn objects<'a>(
    smoke: &Smoke<'a>,
    run: &Verification<'_, Smoke<'a>>,
    step: &Step<Action>,
    cleaned: &mut Cleaned,
) {
    let aws = &smoke.ctx.aws;
    let bucket = &step.action.about.bucket;
    let (upload, job, result, goes_on) = {
        let live = smoke.live.borrow();
        let key = live.upload.as_ref().map(|upload| upload.key.clone());
        (key, live.job, live.result.clone(), live.started && !live.over)
    };
    let Some(upload) = upload else { return };
    let mut keys = Vec::new();
    // Where S3 does not say that there is nothing, something may be there.
    if !matches!(aws.describe_object(bucket, &upload).await, Ok(None)) {
        keys.push((upload, "upload-url"));
    }
    let results = job.and_then(|job| act::results(smoke, job));
    if let Some(prefix) = &results {
        match aws.objects_under(bucket, prefix).await {
            Ok(found) => keys.extend(found.into_iter().map(|object| (object.key, "job"))),
            Err(error) => cleaned.left.push(Left::new(
                format!("results below `{prefix}`, if there are any"),
                why(&error),
                &recursive(smoke, "rm", bucket, prefix),
            )),
        }
    }
    if let Some(key) = result.filter(|key| keys.iter().all(|(known, _)| known != key)) {
        keys.push((key, "job"));
    }
    for (key, from) in keys {
        let what = format!("object {key}");
        if smoke.keep {
            cleaned
                .left
                .push(Left::new(what, "kept", &removal(smoke, bucket, &key)));
            continue;
        }
        let about = &step.action.about;
        let sent = run.send(step, aws, &plan::remove(about, Some(&key), from)).await;
        let reason = match (aws.describe_object(bucket, &key).await, sent) {
            (Ok(None), _) => {
                cleaned.removed.push(what);
                continue;
            }
            (Ok(Some(_)), Ok(())) => "S3 has taken the request, and it is still there".to_owned(),
            (_, Err(error)) | (Err(error), Ok(())) => why(&error),
        };
        cleaned
            .left
            .push(Left::new(what, reason, &removal(smoke, bucket, &key)));
    }
    if goes_on && !smoke.keep {
        unfinished(smoke, bucket, results.as_deref(), cleaned);
    }
}

/// The application has no route that ends a job. Without its file one that waits fails when it is taken; one that has been
/// taken may still write its result.
fn unfinished(smoke: &Smoke<'_>, bucket: &str, results: Option<&str>, cleaned: &mut Cleaned) {
    const WHY: &str = "it was not over, and no route ends it";
    cleaned.left.push(match results {
        Some(prefix) => Left::new(
            format!("what the job may still write below `{prefix}`"),
            WHY,
            &recursive(smoke, "rm", bucket, prefix),
        ),
        None => Left::new(
            "what the job may still write beside the upload",
            WHY,
            &recursive(smoke, "ls", bucket, "tenants/"),
        ),
    });
}

fn recursive(smoke: &Smoke<'_>, verb: &str, bucket: &str, prefix: &str) -> CommandLine {
    CommandLine::aws("s3", verb)
        .args([format!("s3://{bucket}/{prefix}"), "--recursive".to_owned()])
        .in_place(smoke.ctx.ui.place())
}
