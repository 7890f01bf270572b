use serde_json::json;

use super::*;

fn asset(number: usize) -> serde_json::Value {
    json!({
        "asset_id": number,
        "kind": "lora",
        "sha256": "0".repeat(64),
        "asset_s3_key": format!("assets/lora/{}", "0".repeat(64)),
        "original_filename": "x.safetensors",
        "target_path": format!("models/loras/x{number}.safetensors"),
        "action": "copy",
    })
}

fn manifest(assets: &[serde_json::Value]) -> serde_json::Value {
    json!({"manifest_version": 1, "bundle_id": "b-1", "name": "x", "created_at": "2026-01-01T00:00:00Z", "notes": null, "assets": assets})
}

fn refused(bytes: &[u8]) -> String {
    let error = Manifest::read("bundle b-1", bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    let text = error.to_string();
    assert!(text.starts_with("read the manifest of bundle b-1: "), "{text}");
    text
}

#[test]
fn both_formats_are_read() {
    let read = Manifest::read("x", manifest(&[asset(1)]).to_string().as_bytes()).unwrap();
    assert_eq!(read.format, Format::Manifest);
    assert_eq!(read.assets[0].id.as_deref(), Some("1"));
    let copies = json!({
        "bundle_id": "b-2",
        "workflow_slug": "image-to-video",
        "created_at": "2026-02-18T12:34:56Z",
        "assets": [{
            "kind": "vae",
            "original_filename": "ae.safetensors",
            "size_bytes": 123_456_789_012_u64,
            "s3_key": "bundles/image-to-video/b-2/models/vae/ae.safetensors",
            "target_path": "models/vae/ae.safetensors",
        }],
    });
    let read = Manifest::read("x", copies.to_string().as_bytes()).unwrap();
    assert_eq!(
        (read.format, read.assets[0].size),
        (Format::Copies, Some(123_456_789_012))
    );
    assert_eq!(read.assets[0].known_action(), Some(Action::Copy));
}

#[test]
fn hostile_shapes_give_one_clear_error_each() {
    let text = manifest(&[asset(1)]).to_string();
    for (bytes, told) in [
        ("".to_owned(), "EOF while parsing"),
        ("null".to_owned(), "invalid type: null"),
        ("[]".to_owned(), "invalid length 0"),
        ("{}".to_owned(), "missing field `bundle_id`"),
        (text[..text.len() - 9].to_owned(), "EOF while parsing"),
        (
            text.replacen("\"bundle_id\"", "\"bundle_id\":\"other\",\"bundle_id\"", 1),
            "duplicate field `bundle_id`",
        ),
        (
            text.replacen("\"kind\"", "\"kind\":\"vae\",\"kind\"", 1),
            "duplicate field `kind`",
        ),
        (
            text.replacen("\"lora\"", "7", 1),
            "invalid type: integer `7`, expected a string",
        ),
        (
            text.replacen("\"copy\"", "[\"copy\"]", 1),
            "invalid type: sequence",
        ),
        (
            text.replacen("\"target_path\"", "\"size_bytes\":-1,\"target_path\"", 1),
            "invalid value: integer `-1`",
        ),
        (
            text.replacen("\"target_path\"", "\"size_bytes\":1e400,\"target_path\"", 1),
            "number out of range",
        ),
        (
            text.replacen(
                "\"target_path\"",
                "\"size_bytes\":18446744073709551616,\"target_path\"",
                1,
            ),
            "expected u64",
        ),
        (
            text.replacen("\"manifest_version\":1", "\"manifest_version\":99", 1),
            "it is of version 99",
        ),
        (
            text.replacen("\"manifest_version\":1", "\"manifest_version\":0", 1),
            "it is of version 0",
        ),
        (
            text.replacen("\"asset_s3_key\"", "\"key\"", 1),
            "asset 1 has no member `asset_s3_key`",
        ),
        (
            text.replacen("\"action\"", "\"act\"", 1),
            "asset 1 has no member `action`",
        ),
        (
            text.replacen("null", &format!("{}{}", "[".repeat(5000), "]".repeat(5000)), 1),
            "invalid type: sequence",
        ),
        (text.replacen("b-1", "\\ud800", 1), "hex escape"),
        (format!("{text}{text}"), "trailing characters"),
    ] {
        let refusal = refused(bytes.as_bytes());
        assert!(refusal.contains(told), "{refusal}\nexpected: {told}");
        assert!(refusal.len() < 250 && !refusal.contains('\n'), "{refusal}");
    }
    let mut invalid = text.into_bytes();
    invalid[20] = 0xff;
    assert!(refused(&invalid).ends_with("byte 21 is not UTF-8"));
}

#[test]
fn a_hundred_thousand_assets_are_too_many() {
    let assets: Vec<_> = (0..100_000).map(asset).collect();
    let bytes = manifest(&assets).to_string().into_bytes();
    assert!(refused(&bytes).ends_with("it has 100000 assets, and a bundle has 10000 at most"));
}
