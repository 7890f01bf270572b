use super::*;
use crate::layout::{LayoutKind, Stage};

const DIGEST: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn asset(kind: &str, target: &str, action: &str) -> Asset {
    Asset {
        id: None,
        kind: kind.to_owned(),
        sha256: Some(DIGEST.to_owned()),
        key: format!("assets/{kind}/{DIGEST}"),
        file: None,
        size: None,
        target: target.to_owned(),
        action: action.to_owned(),
    }
}

fn manifest(assets: Vec<Asset>) -> Manifest {
    Manifest {
        format: Format::Manifest,
        bundle_id: "b-1".to_owned(),
        name: None,
        slug: None,
        created_at: None,
        notes: None,
        assets,
    }
}

fn single() -> Layout {
    Layout::new(LayoutKind::Single, "bp", None).unwrap()
}

fn codes(assets: Vec<Asset>) -> Vec<&'static str> {
    let problems = of_manifest(&manifest(assets), &single(), None, &"b-1".parse().unwrap());
    problems.iter().map(|problem| problem.code).collect()
}

#[test]
fn sound_assets_have_no_problem() {
    assert_eq!(
        codes(vec![
            asset("lora", "models/loras/a.safetensors", "copy"),
            asset("lora", "models/loras/deeper/b.safetensors", "copy"),
            asset("custom_node", "custom_nodes/Suite", "extract_zip"),
            asset("custom_node", "custom_nodes/Other/", "extract_tar_gz"),
            asset("other", "models/other/..hidden", "copy"),
        ]),
        [""; 0]
    );
}

#[test]
fn hostile_targets_are_told_apart() {
    for (target, action) in [
        ("/etc/passwd", "copy"),
        ("~/x", "copy"),
        ("../../etc/cron.d/x", "copy"),
        ("models/loras/../../../etc/x", "copy"),
        ("models/loras/..", "copy"),
        ("models//loras/x", "copy"),
        ("./models/loras/x", "copy"),
        ("models/loras/", "copy"),
        ("models\\loras\\x", "copy"),
        ("models/loras/x\n", "copy"),
        ("models/loras/\0", "copy"),
        ("", "copy"),
        ("/", "extract_zip"),
    ] {
        assert_eq!(
            codes(vec![asset("lora", target, action)]),
            ["target"],
            "{target:?}"
        );
    }
    let long = format!("models/loras/{}", "x".repeat(1100));
    assert_eq!(codes(vec![asset("lora", &long, "copy")]), ["target"]);
}

#[test]
fn each_kind_has_its_folder() {
    for (kind, target) in [
        ("lora", "models/checkpoints/x"),
        ("lora", "models/lorasx"),
        ("custom_node", "models/other/x"),
        ("vae", "models/vae"),
    ] {
        assert_eq!(codes(vec![asset(kind, target, "copy")]), ["folder"], "{target}");
    }
}

#[test]
fn unknown_words_and_wrong_keys_are_told() {
    assert_eq!(
        codes(vec![asset("hypernetwork", "models/other/x", "copy")]),
        ["kind"]
    );
    assert_eq!(codes(vec![asset("lora", "models/loras/x", "rm -rf")]), ["action"]);
    let mut other = asset("lora", "models/loras/x", "copy");
    other.key = "assets/vae/x".to_owned();
    assert_eq!(codes(vec![other]), ["key"]);
    let mut no_digest = asset("lora", "models/loras/x", "copy");
    no_digest.sha256 = Some("abc".to_owned());
    assert_eq!(codes(vec![no_digest]), ["digest"]);
    assert_eq!(codes(Vec::new()), ["empty"]);
}

#[test]
fn two_assets_cannot_have_one_path() {
    let one = asset("lora", "models/loras/a", "copy");
    let mut other = one.clone();
    assert_eq!(codes(vec![one.clone(), other.clone()]), ["duplicate"]);
    other.sha256 = Some("0".repeat(64));
    other.key = format!("assets/lora/{}", "0".repeat(64));
    assert_eq!(codes(vec![one.clone(), other]), ["collision"]);
    let below = asset("lora", "models/loras/a/b", "copy");
    assert_eq!(codes(vec![one, below]), ["collision"]);
}

#[test]
fn a_manifest_of_another_bundle_is_told() {
    let manifest = manifest(vec![asset("lora", "models/loras/a", "copy")]);
    let problems = of_manifest(&manifest, &single(), None, &"b-2".parse().unwrap());
    assert_eq!(problems[0].code, "bundle-id");
}

#[test]
fn copies_lie_below_their_bundle() {
    let layout = Layout::new(LayoutKind::Staged, "bp", Some(Stage::Staging)).unwrap();
    let slug: Slug = "i2v".parse().unwrap();
    let mut copy = asset("lora", "models/loras/a", "copy");
    copy.key = "bundles/i2v/b-1/models/loras/a".to_owned();
    let mut manifest = manifest(vec![copy]);
    manifest.format = Format::Copies;
    manifest.slug = Some("i2v".to_owned());
    let check = |manifest: &Manifest| {
        let problems = of_manifest(manifest, &layout, Some(&slug), &"b-1".parse().unwrap());
        problems.iter().map(|problem| problem.code).collect::<Vec<_>>()
    };
    assert_eq!(check(&manifest), [""; 0]);
    manifest.assets[0].key = "bundles/i2v/b-2/models/loras/a".to_owned();
    manifest.slug = Some("t2v".to_owned());
    assert_eq!(check(&manifest), ["workflow", "key"]);
}

#[test]
fn objects_are_compared_with_what_the_manifest_says() {
    let mut asset = asset("lora", "models/loras/a", "copy");
    asset.size = Some(3);
    let key = asset.key.clone();
    let manifest = manifest(vec![asset]);
    let codes = |found: Option<Found>| {
        let objects = BTreeMap::from([(key.clone(), found)]);
        let problems = of_objects(&manifest, &objects);
        problems.iter().map(|problem| problem.code).collect::<Vec<_>>()
    };
    let found = |size, sha256| Some(Found { size, sha256 });
    assert_eq!(codes(found(3, Some(DIGEST.parse().unwrap()))), [""; 0]);
    assert_eq!(codes(found(3, None)), [""; 0]);
    assert_eq!(codes(found(4, None)), ["object-size"]);
    assert_eq!(codes(found(3, Some(Sha256::of(b"x")))), ["object-content"]);
    assert_eq!(codes(None), ["object-missing"]);
    assert!(of_objects(&manifest, &BTreeMap::new()).is_empty());
}
