//! The work on the video: its job, the worker that takes it, its result.

use std::time::Duration;

use jiff::Timestamp;

use super::super::Smoke;
use super::super::address::key_in;
use super::super::plan;
use super::{Finding, clean_text, told, why};
use crate::aws::autoscaling::{Group, Phase};
use crate::change::StepRun;
use crate::error::{CtlError, ErrorKind, Result};
use crate::fleet::look_at_work;
use crate::output::lasted;
use crate::wait::{Look, Waited, Waiter};

/// How often a video is looked at: a job takes minutes.
const PACE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(10));

pub(super) async fn job<'a>(smoke: &Smoke<'a>, step: &StepRun<'_, Smoke<'a>>) -> Result<Finding> {
    let Some(video) = smoke.live.borrow().video else {
        return Ok(Finding::skipped("video"));
    };
    let call = plan::job(&smoke.site, &step.action().about, Some(video));
    let heard = step.send(&smoke.ctx.aws, &call).await;
    // The application may have it, whatever became of the answer.
    smoke.live.borrow_mut().started = true;
    let heard = heard?;
    let answer = heard.json();
    if heard.status == 404 && answer["success"].is_null() {
        // No answer of the application's own: older releases have no such route, and start the work with the video.
        return Ok(Finding::ok("the application starts the work by itself"));
    }
    if !heard.is_success() {
        smoke.live.borrow_mut().started = false;
        return Ok(Finding::wrong(format!(
            "the work does not start: {}",
            told(smoke, &heard)
        )));
    }
    let Some(job) = answer["data"]["id"].as_u64() else {
        return Ok(Finding::wrong("there is no job in the answer"));
    };
    smoke.live.borrow_mut().job = Some(job);
    step.note("job", &job.to_string());
    if let Some(prefix) = results(smoke, job) {
        step.note("results", &prefix);
    }
    if answer["dispatch_id"].is_null() {
        smoke.live.borrow_mut().started = false;
        return Ok(Finding::wrong(format!("job {job} has come into no queue")));
    }
    Ok(Finding::ok(format!("job {job} of video {video}")))
}

/// Where a worker puts the results of a job: beside the uploads of the same tenant.
pub(in crate::commands::smoke) fn results(smoke: &Smoke<'_>, job: u64) -> Option<String> {
    let live = smoke.live.borrow();
    let (tenant, _) = live.upload.as_ref()?.key.split_once("/uploads/")?;
    Some(format!("{tenant}/ai-jobs/{job}/"))
}

/// A video as it is now.
struct Video {
    status: String,
    error: Option<String>,
    result: Option<String>,
}

/// # Errors
/// No answer, or one that is none: both may pass.
async fn look(smoke: &Smoke<'_>, id: u64) -> Result<Video> {
    let path = format!("/api/videos/{id}");
    let heard = smoke.ctx.aws.read_route(&smoke.site, &path, true).await?;
    let data = &heard.json()["data"];
    let text = |name: &str| data[name].as_str().map(str::to_owned);
    match (heard.status, text("status")) {
        (200, Some(status)) => Ok(Video {
            status,
            error: text("error"),
            result: text("processed_file_url"),
        }),
        (404, _) => Ok(Video {
            status: "gone".to_owned(),
            error: None,
            result: None,
        }),
        _ => {
            let text = format!(
                "look at video {id}: the application answers {}",
                told(smoke, &heard)
            );
            Err(CtlError::new(ErrorKind::Unreachable, text))
        }
    }
}

fn waiter<'a>(smoke: &Smoke<'a>, step: &StepRun<'_, Smoke<'a>>) -> Waiter {
    Waiter::until_deadline(&smoke.ctx.clock, step.deadline(), &smoke.ctx.cancel).pace(PACE.0, PACE.1)
}

fn interrupted(what: &str) -> CtlError {
    CtlError::new(ErrorKind::Interrupted, format!("wait for {what}: interrupted"))
}

fn since(smoke: &Smoke<'_>, began: Timestamp) -> String {
    let length = smoke.ctx.clock.now().duration_since(began);
    lasted(Duration::try_from(length).unwrap_or_default())
}

/// Ids of the instances that serve.
fn serving(group: &Group) -> Vec<&str> {
    let in_service = group.instances.iter().filter(|one| one.phase == Phase::InService);
    in_service.map(|one| one.id.as_str()).collect()
}

/// Which instance takes a job the application tells nobody: of the fleet's instances those that serve while the video is
/// worked on come into question, and of these those that are protected from scale-in, if any is.
fn taken_by(group: &Group) -> Option<String> {
    let serving = serving(group);
    let guarded: Vec<&str> = group
        .instances
        .iter()
        .filter(|one| one.phase == Phase::InService && one.protected)
        .map(|one| one.id.as_str())
        .collect();
    match (serving.as_slice(), guarded.as_slice()) {
        ([], _) => None,
        ([only], _) => Some(format!("{only}, its only instance in service")),
        (_, [only]) => Some(format!("{only}, its only protected instance")),
        (all, []) => Some(format!("one of {}", all.join(", "))),
        (_, some) => Some(format!("one of {}, which are protected", some.join(", "))),
    }
}

pub(super) async fn worker<'a>(smoke: &Smoke<'a>, step: &StepRun<'_, Smoke<'a>>) -> Result<Finding> {
    let Some(fleet) = &smoke.fleet else {
        return Ok(Finding::unknown("no fleet was named"));
    };
    let Some(video) = video_at_work(smoke) else {
        return Ok(Finding::skipped("job"));
    };
    let began = smoke.ctx.clock.now();
    let (aws, layout) = (&smoke.ctx.aws, &smoke.layout);
    let mut last = String::new();
    let looked = async || {
        let (seen, fleet_seen) =
            futures::join!(look(smoke, video), Box::pin(look_at_work(aws, layout, fleet)));
        let seen = seen?;
        // A fleet that cannot be looked at does not keep the job from its end.
        if seen.status != "queued" {
            return Ok(Look::Ready((seen, fleet_seen)));
        }
        let (group, work) = fleet_seen?;
        last = format!(
            "{} of {} instances in service, {} in the queue",
            group.in_service(),
            group.desired,
            work.queue
                .value()
                .map_or_else(|| "unknown".to_owned(), |depth| format!("{depth}"))
        );
        Ok(Look::Pending(format!("Waiting for a worker of {fleet}: {last}")))
    };
    let waited = waiter(smoke, step)
        .until(looked, |text| step.status(text))
        .await?;
    Ok(match waited {
        Waited::Cancelled => return Err(interrupted("a worker")),
        Waited::TimedOut => Finding::wrong(format!(
            "no worker of {fleet} has taken video {video} within {}: {last}",
            since(smoke, began)
        )),
        Waited::Ready((seen, Err(error))) => {
            Finding::unknown(format!("video {video} is {}; {}", seen.status, why(&error)))
        }
        Waited::Ready((seen, Ok((group, _)))) => match taken_by(&group) {
            Some(by) => Finding::ok(format!("{fleet} has taken video {video}: {by}")),
            None => Finding::wrong(format!(
                "video {video} is {}, and {fleet} has no instance in service: another fleet has taken it",
                seen.status
            )),
        },
    })
}

/// The video, if its work was started.
fn video_at_work(smoke: &Smoke<'_>) -> Option<u64> {
    let live = smoke.live.borrow();
    live.video.filter(|_| live.started)
}

pub(super) async fn result<'a>(smoke: &Smoke<'a>, step: &StepRun<'_, Smoke<'a>>) -> Result<Finding> {
    let Some(video) = video_at_work(smoke) else {
        return Ok(Finding::skipped("job"));
    };
    let began = smoke.ctx.clock.now();
    let mut last = "queued".to_owned();
    let looked = async || {
        let seen = look(smoke, video).await?;
        if matches!(seen.status.as_str(), "queued" | "processing") {
            last.clone_from(&seen.status);
            return Ok(Look::Pending(format!("Video {video} is {}", seen.status)));
        }
        Ok(Look::Ready(seen))
    };
    let waited = waiter(smoke, step)
        .until(looked, |text| step.status(text))
        .await?;
    let seen = match waited {
        Waited::Cancelled => return Err(interrupted("the result")),
        Waited::TimedOut => {
            let text = format!("video {video} is still {last} after {}", since(smoke, began));
            return Ok(Finding::wrong(text));
        }
        Waited::Ready(seen) => seen,
    };
    if seen.status != "gone" {
        smoke.live.borrow_mut().over = true;
    }
    if seen.status != "completed" {
        let why = seen.error.map(|error| format!(": {}", clean_text(smoke, &error)));
        let status = clean_text(smoke, &seen.status);
        return Ok(Finding::wrong(format!(
            "video {video} is {status}{}",
            why.unwrap_or_default()
        )));
    }
    let Some(url) = seen.result else {
        return Ok(Finding::wrong(format!(
            "video {video} is completed, and there is no address of its result"
        )));
    };
    smoke.live.borrow_mut().result = key_in(&step.action().about.bucket, &url);
    let heard = smoke.ctx.aws.first_byte(&url).await?;
    let size = heard
        .range
        .as_deref()
        .and_then(|range| range.rsplit('/').next()?.parse::<u64>().ok());
    Ok(match (heard.status, size) {
        (200 | 206, Some(0)) => {
            Finding::wrong(format!("video {video} is completed, and its result is empty"))
        }
        (206, Some(bytes)) => Finding::ok(format!(
            "video {video} is completed, its result has {bytes} bytes"
        )),
        (200, _) if !heard.body.is_empty() => {
            Finding::ok(format!("video {video} is completed, its result is there"))
        }
        _ => Finding::wrong(format!(
            "the result of video {video} is not there: {}",
            told(smoke, &heard)
        )),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::autoscaling::sample;

    #[test]
    fn the_worker_is_named_as_far_as_it_is_known() {
        let by = |phases: &[Phase], protected: usize| {
            let mut group = sample::group("asg-production-gpu-default", 2, phases);
            for one in group.instances.iter_mut().take(protected) {
                one.protected = true;
            }
            taken_by(&group)
        };
        let (serves, comes) = (Phase::InService, Phase::Pending);
        assert_eq!(by(&[comes], 0), None);
        assert!(by(&[serves, comes], 0).is_some_and(|by| by.ends_with("its only instance in service")));
        assert!(by(&[serves, serves], 0).is_some_and(|by| by.starts_with("one of ")));
        assert!(by(&[serves, serves], 1).is_some_and(|by| by.ends_with("its only protected instance")));
        assert!(by(&[serves, serves], 2).is_some_and(|by| by.ends_with("which are protected")));
    }
}
