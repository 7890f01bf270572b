//! The checks: each asks, judges the answer, and leaves what the next ones need in [`Live`](super::Live).

mod flow;
mod refusals;
mod work;

use crate::aws::application::Heard;
use crate::change::{Done, StepRun};
use crate::error::{CtlError, ErrorKind, Result};
use crate::redact::{REDACTED, redact};

pub(super) use work::results;

use super::plan::{Check as What, Earlier};
use super::view::{Check, State};
use super::{Smoke, clean};

/// Characters of an answer that are repeated.
const LONGEST: usize = 160;

/// What a check found.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) state: State,
    pub(super) detail: String,
}

impl Finding {
    fn new(state: State, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { state, detail }
    }

    pub(super) fn ok(detail: impl Into<String>) -> Self {
        Self::new(State::Ok, detail)
    }

    pub(super) fn wrong(detail: impl Into<String>) -> Self {
        Self::new(State::Wrong, detail)
    }

    pub(super) fn unknown(detail: impl Into<String>) -> Self {
        Self::new(State::Unknown, detail)
    }

    pub(super) fn skipped(after: &str) -> Self {
        Self::new(State::Skipped, format!("not tried: {after} is not ok"))
    }
}

/// An error with its nearest cause.
pub(super) fn why(error: &CtlError) -> String {
    let cause = error.causes().first().map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}

/// No answer says nothing: the machine may be offline, and the request may have arrived.
///
/// # Errors
/// Anything but a lost answer.
pub(super) fn heard_of(error: CtlError) -> Result<Finding> {
    match error.kind() {
        ErrorKind::Unreachable => Ok(Finding::unknown(why(&error))),
        _ => Err(error),
    }
}

/// What was answered, without the token, however it may have come there, and without what looks like a secret.
pub(super) fn told(smoke: &Smoke<'_>, heard: &Heard) -> String {
    clean_text(smoke, &heard.told())
}

pub(super) fn clean_text(smoke: &Smoke<'_>, text: &str) -> String {
    let text = match smoke.site.token.expose() {
        // The sandbox's token is a word like others.
        "sandbox" => text.to_owned(),
        token => text.replace(token, REDACTED),
    };
    let text = redact(&text).into_owned();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// Carries one step out.
///
/// # Errors
/// Ctrl-C, and what keeps a request from being sent. What an answer says is no error: it is found.
pub(super) async fn act<'a>(smoke: &Smoke<'a>, step: &StepRun<'_, Smoke<'a>>) -> Result<Done<Smoke<'a>>> {
    let clock = &smoke.ctx.clock;
    let began = clock.now();
    let found = match &step.action().check {
        What::Earlier(earlier) => return earlier_run(smoke, step, earlier).await,
        What::Health => flow::health(smoke).await,
        What::Routes => flow::routes(smoke).await,
        What::UploadUrl => flow::upload_url(smoke, step).await,
        What::RefuseType | What::RefuseSize => refusals::by_the_application(smoke, step).await,
        What::RefuseExpired | What::RefuseTampered => refusals::by_s3(smoke, step).await,
        What::Upload => flow::upload(smoke, step).await,
        What::Video => flow::video(smoke, step).await,
        What::Job => work::job(smoke, step).await,
        What::Worker => work::worker(smoke, step).await,
        What::Result => work::result(smoke, step).await,
    };
    let found = found.or_else(heard_of)?;
    let took = clock.now().duration_since(began).as_millis();
    let word = match found.state {
        State::Ok => "ok",
        State::Wrong => "wrong",
        State::Unknown => "unknown",
        State::Skipped => "skipped",
    };
    let check = Check {
        check: step.id().to_owned(),
        state: found.state,
        milliseconds: u64::try_from(took).unwrap_or_default(),
        detail: found.detail,
    };
    Ok(Done::new(format!("{word}, {}", check.detail)).with(check))
}

/// What a run that was not finished has left is removed, each thing looked at afterwards.
async fn earlier_run<'a>(
    smoke: &Smoke<'a>,
    step: &StepRun<'_, Smoke<'a>>,
    earlier: &Earlier,
) -> Result<Done<Smoke<'a>>> {
    let about = &step.action().about;
    let aws = &smoke.ctx.aws;
    for video in &earlier.videos {
        let heard = step
            .send(aws, &super::plan::delete(&smoke.site, Some(*video)))
            .await?;
        if clean::is_there(smoke, *video).await? {
            let text = format!(
                "remove video {video} of run {}: the application answers {}, and it is still there",
                earlier.run,
                told(smoke, &heard)
            );
            return Err(CtlError::new(ErrorKind::Failed, text));
        }
    }
    for key in &earlier.keys {
        step.send(aws, &super::plan::remove(about, Some(key), "result"))
            .await?;
        if aws.describe_object(&about.bucket, key).await?.is_some() {
            let text = format!("remove `{key}` of run {}: it is still there", earlier.run);
            return Err(CtlError::new(ErrorKind::Failed, text));
        }
    }
    let count = earlier.videos.len() + earlier.keys.len();
    Ok(Done::new(format!(
        "removed {}",
        crate::output::counted(count as u64, "thing")
    )))
}
