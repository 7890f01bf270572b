//! S3 through the AWS SDK for Rust.

use aws_credential_types::Credentials;
use bpctl_sandbox::{Fault, FaultRule, Sandbox, Scenario, Service};

use super::{listening, real_http, sandbox, with_scenario};

fn s3(sandbox: &Sandbox) -> aws_sdk_s3::Client {
    // In process there is no endpoint but AWS': the bucket stands in the host's name.
    client!(aws_sdk_s3, sandbox.clone(), None)
}

const LOGS: &str = "bp-logs-123456789012";

fn bytes(text: &'static str) -> aws_sdk_s3::primitives::ByteStream {
    aws_sdk_s3::primitives::ByteStream::from_static(text.as_bytes())
}

#[tokio::test]
async fn of_two_who_create_an_object_one_wins_and_only_the_holder_replaces_it() {
    let sandbox = sandbox();
    let s3 = s3(&sandbox);
    let create = |holder| {
        let request = s3.put_object().bucket(LOGS).key("leases/ecs/bp backend+1");
        request.if_none_match("*").body(bytes(holder)).send()
    };
    let (first, second) = tokio::join!(create("first"), create("second"));
    let lost = second.unwrap_err().into_service_error();
    assert_eq!(lost.meta().code(), Some("PreconditionFailed"));
    let etag = first.unwrap().e_tag().unwrap().to_owned();
    let renew = |etag: &str| {
        let request = s3.put_object().bucket(LOGS).key("leases/ecs/bp backend+1");
        request.if_match(etag).body(bytes("renewed")).send()
    };
    let renewed = renew(&etag).await.unwrap();
    let stale = renew(&etag).await.unwrap_err();
    assert_eq!(
        stale.raw_response().map(|response| response.status().as_u16()),
        Some(412)
    );
    let delete = |etag: &str| {
        s3.delete_object()
            .bucket(LOGS)
            .key("leases/ecs/bp backend+1")
            .if_match(etag)
            .send()
    };
    assert!(delete(&etag).await.is_err());
    delete(renewed.e_tag().unwrap()).await.unwrap();
    let gone = renew(&etag).await.unwrap_err().into_service_error();
    assert_eq!(gone.meta().code(), Some("NoSuchKey"));
}

#[tokio::test]
async fn an_object_comes_back_unchanged_through_both_transports() {
    use aws_sdk_s3::types::ChecksumAlgorithm;
    let sandbox = sandbox();
    let url = listening(&sandbox).await;
    for s3 in [s3(&sandbox), client!(aws_sdk_s3, real_http(), Some(url))] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), vec![b'x'; 3_000_000]).unwrap();
        // A body from a file travels in chunks with its checksum behind it.
        let body = aws_sdk_s3::primitives::ByteStream::from_path(file.path())
            .await
            .unwrap();
        let put = s3
            .put_object()
            .bucket(LOGS)
            .key("big/ä b.log")
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .content_type("text/plain")
            .metadata("run", "42")
            .body(body)
            .send()
            .await
            .unwrap();
        assert!(put.checksum_sha256().is_some());
        let got = s3
            .get_object()
            .bucket(LOGS)
            .key("big/ä b.log")
            .send()
            .await
            .unwrap();
        assert_eq!(got.e_tag(), put.e_tag());
        assert_eq!(got.content_type(), Some("text/plain"));
        assert_eq!(got.metadata().unwrap()["run"], "42");
        assert_eq!(got.body.collect().await.unwrap().into_bytes().len(), 3_000_000);
        let part = s3
            .get_object()
            .bucket(LOGS)
            .key("big/ä b.log")
            .range("bytes=-5")
            .send()
            .await
            .unwrap();
        assert_eq!(part.content_range(), Some("bytes 2999995-2999999/3000000"));
        let head = s3
            .head_object()
            .bucket(LOGS)
            .key("big/ä b.log")
            .send()
            .await
            .unwrap();
        assert_eq!(head.content_length(), Some(3_000_000));
        let missing = s3
            .head_object()
            .bucket(LOGS)
            .key("none")
            .send()
            .await
            .unwrap_err();
        assert!(missing.into_service_error().is_not_found());
        let unchanged = s3
            .get_object()
            .bucket(LOGS)
            .key("big/ä b.log")
            .if_none_match(put.e_tag().unwrap())
            .send()
            .await;
        let unchanged = unchanged
            .unwrap_err()
            .raw_response()
            .map(|response| response.status().as_u16());
        assert_eq!(unchanged, Some(304));
    }
}

#[tokio::test]
async fn listings_come_in_pages_with_common_prefixes() {
    let sandbox = sandbox();
    let s3 = s3(&sandbox);
    for number in 0..7 {
        for folder in ["a", "b"] {
            let key = format!("history/{folder}/{number}.json");
            s3.put_object()
                .bucket(LOGS)
                .key(key)
                .body(bytes("{}"))
                .send()
                .await
                .unwrap();
        }
    }
    let mut pages = s3
        .list_objects_v2()
        .bucket(LOGS)
        .prefix("history/a/")
        .max_keys(3)
        .into_paginator()
        .send();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        keys.push(page.unwrap().contents().len());
    }
    assert_eq!(keys, [3, 3, 1]);
    let folders = s3
        .list_objects_v2()
        .bucket(LOGS)
        .prefix("history/")
        .delimiter("/")
        .send()
        .await
        .unwrap();
    let names: Vec<_> = folders
        .common_prefixes()
        .iter()
        .filter_map(|prefix| prefix.prefix())
        .collect();
    assert_eq!(names, ["history/a/", "history/b/"]);
    assert_eq!(folders.key_count(), Some(2));
}

#[tokio::test]
async fn a_versioned_bucket_keeps_what_is_deleted() {
    let models = "bp-models-123456789012";
    let sandbox = sandbox();
    let s3 = s3(&sandbox);
    for text in ["one", "two"] {
        s3.put_object()
            .bucket(models)
            .key("m")
            .body(bytes(text))
            .send()
            .await
            .unwrap();
    }
    let marker = s3.delete_object().bucket(models).key("m").send().await.unwrap();
    assert_eq!(marker.delete_marker(), Some(true));
    let gone = s3
        .get_object()
        .bucket(models)
        .key("m")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(gone.is_no_such_key());
    let versions = s3
        .list_object_versions()
        .bucket(models)
        .prefix("m")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (versions.versions().len(), versions.delete_markers().len()),
        (2, 1)
    );
    let oldest = versions.versions()[1].version_id().unwrap();
    let old = s3
        .get_object()
        .bucket(models)
        .key("m")
        .version_id(oldest)
        .send()
        .await
        .unwrap();
    assert_eq!(old.body.collect().await.unwrap().into_bytes(), "one");
    s3.delete_object()
        .bucket(models)
        .key("m")
        .version_id(marker.version_id().unwrap())
        .send()
        .await
        .unwrap();
    let back = s3.get_object().bucket(models).key("m").send().await.unwrap();
    assert_eq!(back.body.collect().await.unwrap().into_bytes(), "two");
}

#[tokio::test]
async fn parts_are_joined_in_their_order() {
    use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
    let sandbox = sandbox();
    let s3 = s3(&sandbox);
    let upload = s3
        .create_multipart_upload()
        .bucket(LOGS)
        .key("parts")
        .send()
        .await
        .unwrap();
    let upload = upload.upload_id().unwrap();
    let mut parts = Vec::new();
    for (number, size) in [(1, 5 * 1024 * 1024), (2, 3)] {
        let body = aws_sdk_s3::primitives::ByteStream::from(vec![b'0' + number as u8; size]);
        let part = s3
            .upload_part()
            .bucket(LOGS)
            .key("parts")
            .upload_id(upload)
            .part_number(number);
        let part = part.body(body).send().await.unwrap();
        parts.push(
            CompletedPart::builder()
                .part_number(number)
                .e_tag(part.e_tag().unwrap())
                .build(),
        );
    }
    let complete = |parts: Vec<CompletedPart>| {
        let done = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        s3.complete_multipart_upload()
            .bucket(LOGS)
            .key("parts")
            .upload_id(upload)
            .multipart_upload(done)
            .send()
    };
    let backwards: Vec<_> = parts.iter().rev().cloned().collect();
    let code = complete(backwards).await.unwrap_err().into_service_error();
    assert_eq!(code.meta().code(), Some("InvalidPartOrder"));
    let done = complete(parts).await.unwrap();
    assert!(done.e_tag().unwrap().ends_with("-2\""));
    let got = s3.get_object().bucket(LOGS).key("parts").send().await.unwrap();
    let got = got.body.collect().await.unwrap().into_bytes();
    assert_eq!(got.len(), 5 * 1024 * 1024 + 3);
    assert!(got.ends_with(b"1222"));
}

#[tokio::test]
async fn faults_and_scenarios_befall_s3_in_its_own_words() {
    let sandbox = with_scenario(Scenario::ExpiredCredentials);
    let expired = s3(&sandbox)
        .list_buckets()
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert_eq!(expired.meta().code(), Some("ExpiredToken"));
    let sandbox = super::sandbox();
    let s3 = s3(&sandbox);
    sandbox.with_world(|world| {
        world.inject(FaultRule::on(Service::S3, "ListObjectsV2", Fault::Throttle).times(1));
        world.inject(FaultRule::on(Service::S3, "GetObject", Fault::Deny));
        world.inject(FaultRule::on(Service::S3, "PutObject", Fault::Conflict).times(1));
    });
    s3.list_objects_v2().bucket(LOGS).send().await.unwrap();
    let denied = s3
        .get_object()
        .bucket(LOGS)
        .key("k")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert_eq!(denied.meta().code(), Some("AccessDenied"));
    assert!(
        denied
            .meta()
            .message()
            .unwrap()
            .contains("s3:GetObject on resource: \"arn:aws:s3:::bp-logs-123456789012/k\"")
    );
    let put = s3
        .put_object()
        .bucket(LOGS)
        .key("k")
        .if_none_match("*")
        .body(bytes("x"))
        .send()
        .await;
    let conflict = put.unwrap_err().into_service_error();
    assert_eq!(conflict.meta().code(), Some("ConditionalRequestConflict"));
    sandbox.with_world(|world| {
        let errors: Vec<_> = world
            .calls()
            .iter()
            .map(|call| call.error.as_deref().unwrap_or("ok"))
            .collect();
        assert_eq!(
            errors,
            ["SlowDown", "ok", "AccessDenied", "ConditionalRequestConflict"]
        );
    });
}

#[tokio::test]
async fn a_bucket_is_found_from_its_own_region_only_and_there_is_no_other() {
    let sandbox = sandbox();
    let here = s3(&sandbox);
    let names = here.list_buckets().send().await.unwrap();
    let names: Vec<_> = names
        .buckets()
        .iter()
        .filter_map(|bucket| bucket.name())
        .collect();
    assert_eq!(
        names,
        [
            "bp-access-logs-123456789012",
            "bp-logs-123456789012",
            "bp-media-123456789012",
            "bp-models-123456789012",
            "cdk-hnb659fds-assets-123456789012-us-east-1"
        ]
    );
    let region = aws_sdk_s3::config::Region::new("eu-west-1");
    let there = aws_sdk_s3::Client::from_conf(here.config().to_builder().region(region).build());
    let moved = there
        .list_objects_v2()
        .bucket(LOGS)
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert_eq!(moved.meta().code(), Some("PermanentRedirect"));
    let none = here
        .list_objects_v2()
        .bucket("bp-none")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(none.is_no_such_bucket());
}
