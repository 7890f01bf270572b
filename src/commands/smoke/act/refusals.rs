//! What must be refused, and for the right reason: an answer that would refuse everything proves nothing.

use bytes::Bytes;

use super::super::Smoke;
use super::super::plan::{self, Check as What, NO_VIDEO, REFUSED, TOO_LARGE};
use super::{Finding, told};
use crate::aws::application::InitUpload;
use crate::change::StepRun;
use crate::error::Result;

/// Statuses that speak of what was sent, and neither of who sends nor of how often.
const OF_THE_CONTENT: [u16; 4] = [400, 413, 415, 422];

/// The same upload as the good one but for its type, or its size.
pub(super) async fn by_the_application<'a>(
    smoke: &Smoke<'a>,
    step: &StepRun<'_, Smoke<'a>>,
) -> Result<Finding> {
    if smoke.live.borrow().upload.is_none() {
        return Ok(Finding::skipped("upload-url"));
    }
    let action = step.action();
    let good = plan::init(&smoke.site, &smoke.clip, action.about.effect.unwrap_or_default());
    let (call, what) = match action.check {
        What::RefuseSize => (
            InitUpload {
                size: TOO_LARGE,
                ..good
            },
            format!("{TOO_LARGE} bytes"),
        ),
        _ => (
            InitUpload {
                mime_type: NO_VIDEO.0.to_owned(),
                name: NO_VIDEO.1.to_owned(),
                ..good
            },
            NO_VIDEO.0.to_owned(),
        ),
    };
    let heard = step.send(&smoke.ctx.aws, &call).await?;
    let answer = told(smoke, &heard);
    Ok(match heard.status {
        200..=299 => Finding::wrong(format!("{what} is accepted: {}", heard.status)),
        status if OF_THE_CONTENT.contains(&status) => Finding::ok(format!("{what} is refused: {answer}")),
        _ => Finding::unknown(format!(
            "the answer to {what} is {answer}, which is no refusal of it"
        )),
    })
}

/// S3 is given the good address, but for its date or its signature.
pub(super) async fn by_s3<'a>(smoke: &Smoke<'a>, step: &StepRun<'_, Smoke<'a>>) -> Result<Finding> {
    let Some(upload) = smoke.live.borrow().upload.clone() else {
        return Ok(Finding::skipped("upload-url"));
    };
    let (spoilt, address) = match step.action().check {
        What::RefuseExpired => (upload.expired(), "expired"),
        _ => (upload.tampered(), "forged"),
    };
    let Some(spoilt) = spoilt else {
        return Ok(Finding::unknown(
            "the address has neither a date nor a signature that could be spoilt",
        ));
    };
    let mut call = plan::put(address, Bytes::from_static(REFUSED));
    call.url = spoilt;
    call.headers = upload.headers;
    let heard = step.send(&smoke.ctx.aws, &call).await?;
    let answer = told(smoke, &heard);
    Ok(match heard.status {
        200..=299 => Finding::wrong(format!("S3 takes bytes at an address that is {address}")),
        400 | 403 => Finding::ok(format!("S3 refuses: {answer}")),
        _ => Finding::unknown(format!("S3 answers {answer}, which is no refusal")),
    })
}
