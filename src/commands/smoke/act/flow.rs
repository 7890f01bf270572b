//! The way of a clip: health, routes, address, bytes, video.

use serde_json::Value;

use super::super::Smoke;
use super::super::address::Upload;
use super::super::plan;
use super::{Finding, told, why};
use crate::change::StepRun;
use crate::error::Result;

/// What every page of the frontend refers to (Next.js, "CDN Support with `assetPrefix`").
const OF_NEXT: &[u8] = b"/_next/";

/// The health routes of the backend.
const HEALTH: [&str; 2] = ["/up", "/api/up"];

pub(super) async fn health(smoke: &Smoke<'_>) -> Result<Finding> {
    let mut wrong = Vec::new();
    for path in HEALTH {
        let answered = smoke.ctx.aws.asked(&smoke.site.base, path).await?;
        if answered.status != 200 {
            let to = answered.location.map(|to| format!(" to {to}"));
            wrong.push(format!(
                "{path} answers {}{}",
                answered.status,
                to.unwrap_or_default()
            ));
        }
    }
    Ok(match wrong.is_empty() {
        true => Finding::ok("/up and /api/up answer 200"),
        false => Finding::wrong(wrong.join(", ")),
    })
}

/// The load balancer leads `/` to the frontend and `/api/…` to the backend: each is recognised by what it answers.
pub(super) async fn routes(smoke: &Smoke<'_>) -> Result<Finding> {
    let page = smoke.ctx.aws.read_route(&smoke.site, "/", false).await?;
    let list = smoke
        .ctx
        .aws
        .read_route(&smoke.site, "/api/effects?perPage=1", false)
        .await?;
    let is_page = page.kind.starts_with("text/html");
    let of_next = page.body.windows(OF_NEXT.len()).any(|part| part == OF_NEXT);
    let is_list = list.json()["success"] == Value::Bool(true);
    let mut wrong = Vec::new();
    // What the target group of the frontend takes for healthy (runbook, "Health": 200–399).
    if !(200..400).contains(&page.status) {
        wrong.push(format!("/ answers {}", told(smoke, &page)));
    } else if page.status < 300 && !is_page {
        wrong.push(format!("/ answers {} instead of a page", page.kind));
    }
    if !list.is_success() {
        wrong.push(format!("/api/effects answers {}", told(smoke, &list)));
    } else if !is_list {
        wrong.push("/api/effects does not answer as the backend does".to_owned());
    }
    if !wrong.is_empty() {
        return Ok(Finding::wrong(wrong.join(", ")));
    }
    Ok(match of_next {
        true => Finding::ok("/ comes from the frontend, /api/effects from the backend"),
        false => Finding::unknown(format!(
            "/ answers {}, and nothing in it says that it is the frontend",
            page.status
        )),
    })
}

pub(super) async fn upload_url<'a>(smoke: &Smoke<'a>, step: &StepRun<'_, Smoke<'a>>) -> Result<Finding> {
    let about = &step.action().about;
    let call = plan::init(&smoke.site, &smoke.clip, about.effect.unwrap_or_default());
    let heard = step.send(&smoke.ctx.aws, &call).await?;
    if !heard.is_success() {
        return Ok(Finding::wrong(format!(
            "the upload is refused: {}",
            told(smoke, &heard)
        )));
    }
    let data = &heard.json()["data"];
    let (Some(file), upload) = (data["file"]["id"].as_u64(), Upload::read(data)) else {
        return Ok(Finding::wrong("there is no file in the answer"));
    };
    let upload = match upload {
        Ok(upload) => upload,
        Err(why) => return Ok(Finding::wrong(why)),
    };
    if upload.bucket != about.bucket {
        return Ok(Finding::wrong(format!(
            "the address leads to bucket {}, and the platform's is {}",
            upload.bucket, about.bucket
        )));
    }
    let seconds = upload.valid_seconds();
    let mut live = smoke.live.borrow_mut();
    live.file = Some(file);
    // Before anything is put there: a run that is cut off afterwards has left it on record.
    step.note("upload", &upload.key);
    live.upload = Some(upload);
    Ok(match seconds {
        Some(seconds) => Finding::ok(format!("file {file}, the address is good for {seconds} s")),
        None => Finding::wrong("the address never expires"),
    })
}

pub(super) async fn upload<'a>(smoke: &Smoke<'a>, step: &StepRun<'_, Smoke<'a>>) -> Result<Finding> {
    let Some(upload) = smoke.live.borrow().upload.clone() else {
        return Ok(Finding::skipped("upload-url"));
    };
    let mut call = plan::put("as it was given", smoke.clip.bytes.clone());
    call.url = upload.url;
    call.headers = upload.headers;
    let heard = step.send(&smoke.ctx.aws, &call).await?;
    if !heard.is_success() {
        return Ok(Finding::wrong(format!("S3 answers {}", told(smoke, &heard))));
    }
    let wanted = smoke.clip.bytes.len() as u64;
    // S3 has it; what AWS says of it is another question.
    smoke.live.borrow_mut().stored = true;
    Ok(
        match smoke.ctx.aws.describe_object(&upload.bucket, &upload.key).await {
            Ok(Some(object)) if object.size == wanted => Finding::ok(format!("S3 has its {wanted} bytes")),
            Ok(Some(object)) => Finding::wrong(format!("S3 has {} bytes of {wanted}", object.size)),
            Ok(None) => Finding::wrong("S3 answers 200 and does not have the object"),
            Err(error) => Finding::unknown(format!("S3 answers 200; {}", why(&error))),
        },
    )
}

pub(super) async fn video<'a>(smoke: &Smoke<'a>, step: &StepRun<'_, Smoke<'a>>) -> Result<Finding> {
    let (file, stored) = {
        let live = smoke.live.borrow();
        (live.file, live.stored)
    };
    let Some(file) = file.filter(|_| stored) else {
        return Ok(Finding::skipped("upload"));
    };
    let about = &step.action().about;
    smoke.live.borrow_mut().video_asked = true;
    let call = plan::video(&smoke.site, about, Some(file));
    let heard = step.send(&smoke.ctx.aws, &call).await?;
    if !heard.is_success() {
        return Ok(Finding::wrong(format!(
            "no video is made: {}",
            told(smoke, &heard)
        )));
    }
    let data = &heard.json()["data"];
    let Some(video) = data["id"].as_u64() else {
        return Ok(Finding::wrong("there is no video in the answer"));
    };
    smoke.live.borrow_mut().video = Some(video);
    step.note("video", &video.to_string());
    if data["original_file_id"].as_u64() != Some(file) {
        return Ok(Finding::wrong(format!(
            "video {video} is of another file than {file}"
        )));
    }
    Ok(Finding::ok(format!("video {video} of file {file}")))
}
