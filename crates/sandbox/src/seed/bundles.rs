//! The bundles of the models bucket: manifests of both formats, and assets whose digests are what the manifests say.
//!
//! In the single layout a bundle is a manifest alone and names assets by their content; in the staged layout every
//! bundle has copies of its own. Each fleet's active bundle is there, the one before it, and a next one that nothing
//! points to yet.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::names::Names;
use crate::ids::Ids;
use crate::options::{FleetSeed, Layout};
use crate::scenario::Scenario;
use crate::service::s3::{self, Content};
use crate::service::ssm;
use crate::time::SimTime;
use crate::world::World;

/// The bundle before the active ones.
pub(super) const EARLIER: &str = "2f6c1f0e-41d5-4c1b-a7a3-5a0f6f3f9d11";
/// The bundle that is to be activated next.
const NEXT: &str = "c81d4e2e-bcf2-4f6a-a1e2-0d9a7c3b5e20";

/// How long before the operator's arrival each was made, in hours.
const MADE: [(&str, u64); 2] = [(EARLIER, 21 * 24), (NEXT, 26)];
const ACTIVE_MADE: u64 = 6 * 24 + 5;

/// An asset of the library.
struct Asset {
    id: &'static str,
    kind: &'static str,
    file: &'static str,
    /// Below the ComfyUI root.
    folder: &'static str,
    action: &'static str,
    /// Its bytes follow from it.
    grain: u64,
    size: usize,
}

const fn asset(
    id: &'static str,
    kind: &'static str,
    file: &'static str,
    folder: &'static str,
    grain: u64,
    size: usize,
) -> Asset {
    Asset {
        id,
        kind,
        file,
        folder,
        action: "copy",
        grain,
        size,
    }
}

/// The real files have gigabytes; these have a few thousand bytes each, so that an account fits in memory.
const LIBRARY: [Asset; 7] = [
    asset(
        "01JH2V6R3M0N9Q8ZP4T1W5X7A1",
        "diffusion_model",
        "wan2.2_i2v_14B_fp8.safetensors",
        "models/diffusion_models",
        11,
        61_440,
    ),
    asset(
        "01JH2V6R3M0N9Q8ZP4T1W5X7A2",
        "text_encoder",
        "umt5_xxl_fp8.safetensors",
        "models/text_encoders",
        12,
        40_960,
    ),
    asset(
        "01JH2V6R3M0N9Q8ZP4T1W5X7A3",
        "vae",
        "wan_2.1_vae.safetensors",
        "models/vae",
        13,
        20_480,
    ),
    asset(
        "01JH2V6R3M0N9Q8ZP4T1W5X7A4",
        "lora",
        "portrait_motion_v1.safetensors",
        "models/loras",
        14,
        8_192,
    ),
    asset(
        "01JH2V6R3M0N9Q8ZP4T1W5X7A5",
        "lora",
        "portrait_motion_v2.safetensors",
        "models/loras",
        15,
        9_216,
    ),
    asset(
        "01JH2V6R3M0N9Q8ZP4T1W5X7A6",
        "lora",
        "camera_orbit.safetensors",
        "models/loras",
        16,
        4_096,
    ),
    Asset {
        id: "01JH2V6R3M0N9Q8ZP4T1W5X7A7",
        kind: "custom_node",
        file: "ComfyUI-VideoHelperSuite.zip",
        folder: "custom_nodes",
        action: "extract_zip",
        grain: 17,
        size: 2_048,
    },
];

/// Positions in the library.
const VAE: usize = 2;
const TEXT_ENCODER: usize = 1;
const OF_EARLIER: &[usize] = &[0, 1, 2, 3];
const OF_ACTIVE: &[usize] = &[0, 1, 2, 3, 6];
const OF_NEXT: &[usize] = &[0, 1, 2, 4, 5, 6];

/// An asset with its bytes as S3 keeps them. Hashed once for all accounts of the process.
struct Stored {
    asset: &'static Asset,
    sha256: String,
    content: Content,
}

static STORED: LazyLock<Vec<Stored>> = LazyLock::new(|| {
    LIBRARY
        .iter()
        .map(|asset| {
            let bytes = bytes_of(asset);
            Stored {
                asset,
                sha256: s3::sha256_hex(&bytes),
                content: s3::plain_content(bytes, "application/octet-stream"),
            }
        })
        .collect()
});

/// Bytes without a pattern, the same in every account (xorshift64).
fn bytes_of(asset: &Asset) -> Bytes {
    let mut state = asset.grain.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let words = (0..asset.size / 8).flat_map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.collect::<Vec<u8>>().into()
}

impl Asset {
    /// Relative to the ComfyUI root; the folder alone for archives.
    fn target(&self) -> String {
        match self.action {
            "copy" => format!("{}/{}", self.folder, self.file),
            _ => format!("{}/{}", self.folder, self.file.trim_end_matches(".zip")),
        }
    }
}

/// The name of the models bucket.
fn bucket(world: &World) -> String {
    let account = &world.options.account_id;
    match world.options.layout {
        Layout::Single => format!("bp-models-{account}"),
        Layout::Staged => format!("bp-models-{account}-{}", world.options.stage),
    }
}

/// Where objects are put at `at`, with version ids that take nothing from the account's own.
struct Shelf {
    bucket: String,
    ids: Ids,
}

impl Shelf {
    fn of(world: &World) -> Self {
        Self {
            bucket: bucket(world),
            ids: Ids::new(world.options.seed ^ 0x00b0_0d1e),
        }
    }

    fn put(&mut self, world: &mut World, at: SimTime, key: &str, content: Option<Content>) {
        s3::place(world, &mut self.ids, at, &self.bucket, key, content);
    }
}

/// Puts every bundle in place. The pointers of the fleets are there already.
pub(super) fn place(world: &mut World) {
    let names = Names::new(&world.options);
    let mut shelf = Shelf::of(world);
    let fleets = world.options.effective_fleets();
    let single = world.options.layout == Layout::Single;
    if single {
        let at = world.now - Duration::from_secs(3600 * 22 * 24);
        for stored in STORED.iter() {
            let key = content_key(stored);
            shelf.put(world, at, &key, Some(stored.content.clone()));
        }
    }
    let mut slugs = BTreeSet::new();
    for fleet in &fleets {
        let active = ssm::value(world, &names.active_bundle(fleet))
            .map(|pointer| pointer.value().trim_start_matches("bundles/").to_owned());
        if let Some(active) = active {
            bundle(world, &mut shelf, fleet, &active, ACTIVE_MADE, OF_ACTIVE);
        }
        // In the single layout a bundle belongs to no fleet.
        if slugs.insert(if single { String::new() } else { fleet.slug.clone() }) {
            for (id, hours) in MADE {
                let assets = if id == NEXT { OF_NEXT } else { OF_EARLIER };
                bundle(world, &mut shelf, fleet, id, hours, assets);
            }
        }
    }
    scenarios_changed(world, &BTreeSet::new());
}

fn content_key(stored: &Stored) -> String {
    format!("assets/{}/{}", stored.asset.kind, stored.sha256)
}

fn bundle(
    world: &mut World,
    shelf: &mut Shelf,
    fleet: &FleetSeed,
    id: &str,
    hours_ago: u64,
    assets: &[usize],
) {
    let at = world.now - Duration::from_secs(3600 * hours_ago);
    let stored: Vec<&Stored> = assets
        .iter()
        .filter_map(|position| STORED.get(*position))
        .collect();
    let (prefix, manifest) = match world.options.layout {
        Layout::Single => (format!("bundles/{id}"), current(fleet, id, at, &stored)),
        Layout::Staged => {
            let prefix = format!("bundles/{}/{id}", fleet.slug);
            for stored in &stored {
                let key = format!("{prefix}/{}", copied(stored));
                shelf.put(world, at, &key, Some(stored.content.clone()));
            }
            let manifest = staged(fleet, id, at, &prefix, &stored);
            (prefix, manifest)
        }
    };
    let text = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
    let content = s3::plain_content(text.into(), "application/json");
    // The manifest comes last.
    let written = at + Duration::from_secs(40);
    shelf.put(world, written, &format!("{prefix}/manifest.json"), Some(content));
}

/// Where the staged layout has the file of an asset below the bundle.
fn copied(stored: &Stored) -> String {
    format!("{}/{}", stored.asset.folder, stored.asset.file)
}

fn name_of(fleet: &FleetSeed, id: &str) -> String {
    match id {
        EARLIER => "image-to-video December".to_owned(),
        NEXT => "image-to-video January, portrait motion 2".to_owned(),
        _ => format!("{} of {}", fleet.slug, fleet.stage),
    }
}

/// The format of the single layout.
fn current(fleet: &FleetSeed, id: &str, at: SimTime, stored: &[&Stored]) -> Value {
    let assets: Vec<Value> = stored
        .iter()
        .map(|stored| {
            json!({
                "asset_id": stored.asset.id,
                "kind": stored.asset.kind,
                "sha256": stored.sha256,
                "asset_s3_key": content_key(stored),
                "original_filename": stored.asset.file,
                "target_path": stored.asset.target(),
                "action": stored.asset.action,
            })
        })
        .collect();
    json!({
        "manifest_version": 1,
        "bundle_id": id,
        "name": name_of(fleet, id),
        "created_at": at.iso8601(),
        "notes": null,
        "assets": assets,
    })
}

/// The format of the staged layout.
fn staged(fleet: &FleetSeed, id: &str, at: SimTime, prefix: &str, stored: &[&Stored]) -> Value {
    let assets: Vec<Value> = stored
        .iter()
        .map(|stored| {
            json!({
                "kind": stored.asset.kind,
                "original_filename": stored.asset.file,
                "size_bytes": stored.asset.size,
                "sha256": stored.sha256,
                "s3_key": format!("{prefix}/{}", copied(stored)),
                "target_path": copied(stored),
            })
        })
        .collect();
    json!({
        "bundle_id": id,
        "workflow_slug": fleet.slug,
        "created_at": at.iso8601(),
        "notes": name_of(fleet, id),
        "assets": assets,
    })
}

/// Damages and mends what the scenarios that came and went stand for.
pub(super) fn scenarios_changed(world: &mut World, before: &BTreeSet<Scenario>) {
    let now_in_force = world.scenarios().clone();
    for &scenario in now_in_force.symmetric_difference(before) {
        let comes = now_in_force.contains(&scenario);
        match scenario {
            Scenario::BundleCorrupt => damage(world, VAE, |stored| {
                comes.then(|| flipped(stored)).or_else(|| sound(stored))
            }),
            Scenario::BundleMissingObject => {
                damage(
                    world,
                    TEXT_ENCODER,
                    |stored| if comes { None } else { sound(stored) },
                );
            }
            _ => {}
        }
    }
}

fn sound(stored: &Stored) -> Option<Content> {
    Some(stored.content.clone())
}

/// The same number of bytes, one of them another.
fn flipped(stored: &Stored) -> Content {
    let mut bytes = bytes_of(stored.asset).to_vec();
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 0x10;
    }
    s3::plain_content(bytes.into(), "application/octet-stream")
}

/// Gives every object of one asset another content, or a delete marker.
fn damage(world: &mut World, position: usize, content: impl Fn(&Stored) -> Option<Content>) {
    let Some(stored) = STORED.get(position) else {
        return;
    };
    let mut shelf = Shelf::of(world);
    let end = match world.options.layout {
        Layout::Single => content_key(stored),
        Layout::Staged => copied(stored),
    };
    let now = world.now;
    for key in s3::keys(world, &shelf.bucket) {
        if key.ends_with(&end) {
            shelf.put(world, now, &key, content(stored));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::service::Service;

    fn object(world: &mut World, bucket: &str, key: &str) -> Option<Vec<u8>> {
        use base64::Engine as _;
        let input = json!({"Bucket": bucket, "Key": key});
        let answer = world.call(Service::S3, "GetObject", &input).ok()?;
        base64::engine::general_purpose::STANDARD
            .decode(answer["Body"].as_str()?)
            .ok()
    }

    fn manifests(world: &mut World, bucket: &str) -> Vec<Value> {
        let keys = s3::keys(world, bucket);
        let keys = keys.iter().filter(|key| key.ends_with("/manifest.json"));
        keys.map(|key| serde_json::from_slice(&object(world, bucket, key).unwrap()).unwrap())
            .collect()
    }

    fn options(layout: Layout, scenarios: &[Scenario]) -> Options {
        Options {
            layout,
            scenarios: scenarios.iter().copied().collect(),
            ..Options::default()
        }
    }

    /// How many assets are not there, and how many are not what their manifest says.
    fn damage_of(options: Options) -> (usize, usize) {
        let mut world = World::new(options);
        let bucket = bucket(&world);
        let (mut missing, mut corrupt) = (0, 0);
        let all = manifests(&mut world, &bucket);
        assert!(all.len() >= 3);
        for manifest in all {
            for asset in manifest["assets"].as_array().unwrap() {
                let key = asset["asset_s3_key"]
                    .as_str()
                    .or(asset["s3_key"].as_str())
                    .unwrap();
                match object(&mut world, &bucket, key) {
                    None => missing += 1,
                    Some(bytes) => {
                        corrupt += usize::from(s3::sha256_hex(&bytes) != asset["sha256"].as_str().unwrap());
                    }
                }
            }
        }
        (missing, corrupt)
    }

    #[test]
    fn every_object_is_what_its_manifest_says_until_a_scenario_breaks_it() {
        for layout in [Layout::Single, Layout::Staged] {
            assert_eq!(damage_of(options(layout, &[])), (0, 0));
            let (missing, corrupt) = damage_of(options(layout, &[Scenario::BundleCorrupt]));
            assert!(missing == 0 && corrupt >= 3, "{missing} {corrupt}");
            let (missing, corrupt) = damage_of(options(layout, &[Scenario::BundleMissingObject]));
            assert!(missing >= 3 && corrupt == 0, "{missing} {corrupt}");
        }
    }

    #[test]
    fn a_scenario_that_goes_leaves_no_damage() {
        let mut world = World::new(options(
            Layout::Single,
            &[Scenario::BundleCorrupt, Scenario::BundleMissingObject],
        ));
        world.set_scenarios(BTreeSet::new());
        let bucket = bucket(&world);
        for stored in STORED.iter() {
            let bytes = object(&mut world, &bucket, &content_key(stored)).unwrap();
            assert_eq!(s3::sha256_hex(&bytes), stored.sha256);
        }
    }
}
