//! From what was seen to the steps of the test. Pure.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::request::Clip;
use crate::aws::application::{
    CreateVideo, DeleteVideo, InitUpload, PutUpload, RemoveUpload, Site, StartJob,
};
use crate::change::{Call as _, Plan, Step};
use crate::layout::FleetId;

/// One byte more than the application takes: `COMFYUI_UPLOAD_MAX_BYTES` (runbook, "Media upload flow").
pub(super) const TOO_LARGE: u64 = 1_073_741_825;

/// A type that is no video, and the name of such a file.
pub(super) const NO_VIDEO: (&str, &str) = ("application/x-msdownload", "bpctl-smoke.exe");

/// What is put where nothing may be put.
pub(super) const REFUSED: &[u8] = b"bpctl smoke: S3 must refuse this\n";

/// What one step is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Check {
    /// What an earlier run has left goes.
    Earlier(Earlier),
    Health,
    Routes,
    UploadUrl,
    RefuseType,
    RefuseSize,
    RefuseExpired,
    RefuseTampered,
    Upload,
    Video,
    Job,
    Worker,
    Result,
}

/// What an earlier run has made and not removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Earlier {
    pub(super) run: String,
    pub(super) videos: Vec<u64>,
    pub(super) keys: Vec<String>,
}

impl Check {
    /// The name of the step.
    pub(super) fn id(&self) -> String {
        let name = match self {
            Self::Earlier(earlier) => return format!("left by {}", earlier.run),
            Self::Health => "health",
            Self::Routes => "routes",
            Self::UploadUrl => "upload-url",
            Self::RefuseType => "refuse-type",
            Self::RefuseSize => "refuse-size",
            Self::RefuseExpired => "refuse-expired",
            Self::RefuseTampered => "refuse-tampered",
            Self::Upload => "upload",
            Self::Video => "video",
            Self::Job => "job",
            Self::Worker => "worker",
            Self::Result => "result",
        };
        name.to_owned()
    }

    fn summary(&self) -> &'static str {
        match self {
            Self::Earlier(_) => "remove what that run has left",
            Self::Health => "ask /up and /api/up",
            Self::Routes => "ask / of the frontend and /api/effects of the backend",
            Self::UploadUrl => "begin an upload",
            Self::RefuseType => "begin an upload of what is no video: it must be refused",
            Self::RefuseSize => "begin an upload of more than 1 GiB: it must be refused",
            Self::RefuseExpired => "put bytes to an address that has expired: S3 must refuse it",
            Self::RefuseTampered => "put bytes to an address that is forged: S3 must refuse it",
            Self::Upload => "put the clip to its address, with all headers that belong to it",
            Self::Video => "make a video of it",
            Self::Job => "start the work on it",
            Self::Worker => "wait for a worker of the fleet to take it",
            Self::Result => "wait for the end, and download from the result",
        }
    }
}

/// What the steps are about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) base: String,
    pub(super) bucket: String,
    /// `None` when the application does not say which there are.
    pub(super) effect: Option<u64>,
    /// The title of the video and the key of its job: no other run has it.
    pub(super) title: String,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Action {
    pub(super) check: Check,
    pub(super) about: About,
}

/// What was asked for, as far as the plan depends on it.
pub(super) struct Wanted<'a> {
    pub(super) site: &'a Site,
    pub(super) clip: &'a Clip,
    pub(super) fleet: Option<&'a FleetId>,
    pub(super) upload_only: bool,
    pub(super) keep: bool,
}

/// The checks of a run, in their order.
pub(super) fn checks(wanted: &Wanted<'_>, has_effect: bool) -> Vec<Check> {
    let mut checks = vec![Check::Health, Check::Routes];
    if !has_effect {
        return checks;
    }
    checks.extend([
        Check::UploadUrl,
        Check::RefuseType,
        Check::RefuseSize,
        Check::RefuseExpired,
        Check::RefuseTampered,
        Check::Upload,
    ]);
    if !wanted.upload_only {
        checks.extend([Check::Video, Check::Job]);
        checks.extend(wanted.fleet.map(|_| Check::Worker));
        checks.push(Check::Result);
    }
    checks
}

/// The call that begins an upload.
pub(super) fn init(site: &Site, clip: &Clip, effect: u64) -> InitUpload {
    InitUpload {
        site: site.clone(),
        effect,
        mime_type: clip.kind.to_owned(),
        size: clip.bytes.len() as u64,
        name: clip.name.clone(),
        hash: clip.digest.clone(),
    }
}

/// What is put to the address, spoilt or not.
pub(super) fn put(address: &'static str, bytes: Bytes) -> PutUpload {
    PutUpload {
        url: String::new(),
        headers: Vec::new(),
        address,
        bytes,
    }
}

pub(super) fn plan(
    wanted: &Wanted<'_>,
    about: &About,
    earlier: Vec<Earlier>,
    price: Option<&str>,
) -> Plan<Action> {
    let (site, clip) = (wanted.site, wanted.clip);
    let effect = about.effect.unwrap_or_default();
    let mut checks: Vec<Check> = earlier.into_iter().map(Check::Earlier).collect();
    checks.extend(self::checks(wanted, about.effect.is_some()));
    let steps = checks.into_iter().map(|check| {
        let calls = match &check {
            Check::Earlier(earlier) => {
                let videos = earlier
                    .videos
                    .iter()
                    .map(|video| delete(site, Some(*video)).described());
                let objects = earlier
                    .keys
                    .iter()
                    .map(|key| remove(about, Some(key), "result").described());
                videos.chain(objects).collect()
            }
            Check::UploadUrl => vec![init(site, clip, effect).described()],
            Check::RefuseType => vec![
                InitUpload {
                    mime_type: NO_VIDEO.0.to_owned(),
                    name: NO_VIDEO.1.to_owned(),
                    ..init(site, clip, effect)
                }
                .described(),
            ],
            Check::RefuseSize => vec![
                InitUpload {
                    size: TOO_LARGE,
                    ..init(site, clip, effect)
                }
                .described(),
            ],
            Check::RefuseExpired => vec![put("expired", Bytes::from_static(REFUSED)).described()],
            Check::RefuseTampered => vec![put("forged", Bytes::from_static(REFUSED)).described()],
            Check::Upload => vec![put("as it was given", clip.bytes.clone()).described()],
            Check::Video => vec![video(site, about, None).described()],
            Check::Job => vec![job(site, about, None).described()],
            Check::Health | Check::Routes | Check::Worker | Check::Result => Vec::new(),
        };
        let mut step = Step::new(
            check.id(),
            check.summary(),
            calls,
            Action {
                check: check.clone(),
                about: about.clone(),
            },
        );
        if check == Check::UploadUrl && !wanted.keep {
            step.notes
                .push("whatever comes of the test, what it has made is removed at its end".to_owned());
            step.if_needed.push(remove(about, None, "upload-url").described());
            if !wanted.upload_only {
                step.if_needed.push(delete(site, None).described());
                step.if_needed.push(remove(about, None, "job").described());
            }
        }
        step
    });
    let mut plan = Plan::new(format!("test the platform at {}", about.base), steps.collect());
    plan.facts.push(match &clip.path {
        Some(path) => format!("the clip is {} ({} bytes)", path.display(), clip.bytes.len()),
        None => format!("the clip is one of bpctl's own ({} bytes)", clip.bytes.len()),
    });
    if about.effect.is_some() {
        plan.stays
            .push("the rows of files in the tenant's database: the application deletes none".to_owned());
    }
    if let (Some(price), false) = (price, wanted.upload_only) {
        plan.warnings
            .push(format!("the work costs {price}, and may start a GPU instance"));
    }
    plan
}

pub(super) fn video(site: &Site, about: &About, file: Option<u64>) -> CreateVideo {
    CreateVideo {
        site: site.clone(),
        file,
        effect: about.effect.unwrap_or_default(),
        title: about.title.clone(),
    }
}

pub(super) fn job(site: &Site, about: &About, video: Option<u64>) -> StartJob {
    StartJob {
        site: site.clone(),
        video,
        effect: about.effect.unwrap_or_default(),
        key: about.title.clone(),
    }
}

pub(super) fn delete(site: &Site, video: Option<u64>) -> DeleteVideo {
    DeleteVideo {
        site: site.clone(),
        video,
    }
}

pub(super) fn remove(about: &About, key: Option<&str>, from: &'static str) -> RemoveUpload {
    RemoveUpload {
        bucket: about.bucket.clone(),
        key: key.map(str::to_owned),
        from,
    }
}
