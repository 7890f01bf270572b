//! The media upload of the platform's customers: `/api/effects`, `/api/videos/uploads`, `/api/videos`, `/api/ai-jobs`.
//!
//! There is one tenant with one user and one token. Bytes go to S3 by a presigned address, jobs to the queue of a fleet;
//! what a worker makes of them lies beside the uploads.

mod routes;
mod trouble;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub(crate) use routes::answer;
pub use trouble::MediaTrouble;

use super::workload;
use crate::options::Layout;
use crate::service::s3;
use crate::world::World;

/// The id of the one tenant.
const TENANT: &str = "4f7d1c52-9a0e-4d55-8a51-0b1f6a3c9e77";
/// The token that the one user has: `Authorization: Bearer sandbox`.
const TOKEN: &str = "sandbox";
/// `COMFYUI_UPLOAD_MAX_BYTES` (runbook, "Media upload flow").
const LARGEST: u64 = 1_073_741_824;
/// `COMFYUI_PRESIGNED_TTL_SECONDS` (the same).
const VALID_SECONDS: u64 = 900;
/// "Allowed MIME types" (the same), and the extension of a file without one.
const KINDS: [(&str, &str); 4] = [
    ("video/mp4", "mp4"),
    ("video/quicktime", "mov"),
    ("video/webm", "webm"),
    ("video/x-matroska", "mkv"),
];
/// What customers can have done to their videos: id, name, slug, price in credits.
const EFFECTS: [(u64, &str, &str, u64); 2] = [
    (1, "Bunny Character", "bunny-character", 5),
    (2, "Rainy Day", "rainy-day", 5),
];
/// What the tenant has to begin with.
const CREDITS: u64 = 100;

/// The tenant's rows.
#[derive(Debug, Default)]
pub(crate) struct State {
    files: Vec<File>,
    videos: Vec<Video>,
    jobs: Vec<Job>,
    spent: u64,
    requests: u64,
    pub(crate) troubles: Vec<MediaTrouble>,
}

#[derive(Clone, Debug)]
struct File {
    path: String,
    kind: String,
    size: u64,
    name: Option<String>,
    hash: Option<String>,
}

#[derive(Clone, Debug)]
struct Video {
    effect: u64,
    original: u64,
    processed: Option<u64>,
    title: Option<String>,
    status: &'static str,
    error: Option<&'static str>,
    deleted: bool,
}

#[derive(Clone, Debug)]
struct Job {
    video: Option<u64>,
    input: u64,
    output: Option<u64>,
    effect: u64,
    key: String,
    status: &'static str,
}

/// Rows have numbers from one on.
fn row<T>(rows: &[T], id: u64) -> Option<&T> {
    rows.get(usize::try_from(id.checked_sub(1)?).ok()?)
}

fn row_mut<T>(rows: &mut [T], id: u64) -> Option<&mut T> {
    rows.get_mut(usize::try_from(id.checked_sub(1)?).ok()?)
}

fn add<T>(rows: &mut Vec<T>, one: T) -> u64 {
    rows.push(one);
    rows.len() as u64
}

impl State {
    /// What is there of the tenant's: uploads that were begun, videos that were not deleted, jobs that are not over.
    fn count(&self) -> (usize, usize, usize) {
        let videos = self.videos.iter().filter(|video| !video.deleted);
        let jobs = self
            .jobs
            .iter()
            .filter(|job| matches!(job.status, "queued" | "processing"));
        (self.files.len(), videos.count(), jobs.count())
    }
}

impl World {
    /// The application breaks in a further way.
    pub fn break_media(&mut self, trouble: MediaTrouble) {
        self.services.media.troubles.push(trouble);
    }

    /// How many files, videos that are not deleted and jobs that are not over the tenant has, and the keys of its objects.
    #[must_use]
    pub fn media(&self) -> ((usize, usize, usize), Vec<String>) {
        let keys = s3::keys(self, &bucket(self))
            .into_iter()
            .filter(|key| key.starts_with("tenants/"));
        (self.services.media.count(), keys.collect())
    }
}

/// The bucket that uploads go to.
fn bucket(world: &World) -> String {
    let (account, stage) = (&world.options.account_id, &world.options.stage);
    match world.options.layout {
        Layout::Single => format!("bp-media-{account}"),
        Layout::Staged => format!("bp-media-{account}-{stage}"),
    }
}

/// A job for the fleet; what it is given for costs credits.
fn submit(world: &mut World, video: Option<u64>, input: u64, effect: u64, key: String) -> u64 {
    let job = Job {
        video,
        input,
        output: None,
        effect,
        key,
        status: "queued",
    };
    let state = &mut world.services.media;
    state.spent += price(effect);
    let id = add(&mut state.jobs, job);
    workload::submit(world, id);
    id
}

fn price(effect: u64) -> u64 {
    EFFECTS
        .iter()
        .find(|(id, ..)| *id == effect)
        .map_or(0, |(.., price)| *price)
}

/// A worker has leased the job: its video is being worked on, and there is a place for the result. Answers for how many
/// seconds: a small clip takes less than what customers bring.
pub(crate) fn taken(world: &mut World, id: u64) -> u64 {
    let name = world.application_ids.uuid();
    let seconds = if has_input(world, id) {
        world.application_ids.between(30, 60)
    } else {
        3
    };
    let state = &mut world.services.media;
    let Some(job) = row_mut(&mut state.jobs, id) else {
        return seconds;
    };
    job.status = "processing";
    let video = job.video.and_then(|video| row_mut(&mut state.videos, video));
    if let Some(video) = video.filter(|video| !video.deleted) {
        video.status = "processing";
    }
    if job.output.is_none() {
        let file = File {
            path: format!("tenants/{TENANT}/ai-jobs/{id}/output-{name}.mp4"),
            kind: "video/mp4".to_owned(),
            size: 0,
            name: None,
            hash: None,
        };
        job.output = Some(add(&mut state.files, file));
    }
    seconds
}

/// Whether the worker can get what the job is about.
pub(crate) fn has_input(world: &World, id: u64) -> bool {
    let state = &world.services.media;
    let broken = state.troubles.contains(&MediaTrouble::JobFails);
    let input = row(&state.jobs, id).and_then(|job| row(&state.files, job.input));
    !broken && input.is_some_and(|file| s3::holds(world, &bucket(world), &file.path))
}

/// The worker tells how the job went; a job that failed gives its credits back.
pub(crate) fn ended(world: &mut World, id: u64, went_well: bool) {
    let bucket = bucket(world);
    let state = &world.services.media;
    let Some(job) = row(&state.jobs, id).cloned() else {
        return;
    };
    let path = |file: u64| row(&state.files, file).map(|file| file.path.clone());
    let paths = path(job.input).zip(job.output.and_then(path));
    let bytes = paths.and_then(|(input, output)| Some((output, s3::bytes(world, &bucket, &input)?)));
    if let (true, Some((output, bytes))) = (went_well, bytes) {
        let (now, mut ids) = (world.now, world.gateway.ids.clone());
        s3::place(
            world,
            &mut ids,
            now,
            &bucket,
            &output,
            Some(s3::plain_content(bytes, "video/mp4")),
        );
        world.gateway.ids = ids;
    }
    let state = &mut world.services.media;
    if !went_well {
        state.spent = state.spent.saturating_sub(price(job.effect));
    }
    if let Some(job) = row_mut(&mut state.jobs, id) {
        job.status = if went_well { "completed" } else { "failed" };
    }
    let video = job.video.and_then(|video| row_mut(&mut state.videos, video));
    if let Some(video) = video.filter(|video| !video.deleted) {
        video.status = if went_well { "completed" } else { "failed" };
        video.processed = job.output.filter(|_| went_well);
        video.error = (!went_well).then_some("Processing failed. Try another video");
    }
}

fn shown_file(id: u64, file: &File) -> Value {
    json!({
        "id": id, "tenant_id": TENANT, "user_id": 1, "disk": "s3", "path": file.path, "mime_type": file.kind,
        "size": file.size, "original_filename": file.name, "file_hash": file.hash,
    })
}

fn shown_video(id: u64, video: &Video) -> Value {
    json!({
        "id": id, "tenant_id": TENANT, "user_id": 1, "effect_id": video.effect, "original_file_id": video.original,
        "processed_file_id": video.processed, "title": video.title, "status": video.status, "is_public": false,
    })
}

/// The tenant's effects, as customers see them.
fn shown_effects() -> Vec<Value> {
    let shown = EFFECTS.iter().map(|(id, name, slug, price)| {
        let members: BTreeMap<&str, Value> = [
            ("id", json!(id)),
            ("name", json!(name)),
            ("slug", json!(slug)),
            ("credits_cost", json!(price)),
            ("is_active", json!(true)),
            ("publication_status", json!("published")),
        ]
        .into();
        json!(members)
    });
    shown.collect()
}
