//! Leases in an S3 of other authors: what conditional writes do there, and processes that race for a lease.

use std::time::Duration;

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::platform::{Layout, Machine, Platform, Run, client};
use crate::seed::Fleet;

const FLEET: Fleet = Fleet {
    slug: "portrait",
    desired: 1,
    queue: Some(0.0),
};

/// How many writers race. One gets through, all others are told that the condition does not hold.
const RACERS: usize = 12;

fn bucket(platform: &Platform) -> String {
    format!("bp-logs-{}", platform.account)
}

/// An account with a fleet and the bucket that leases are kept in.
async fn platform() -> Platform {
    let platform = Platform::empty(Layout::Single);
    crate::seed::fleets(&platform, &[FLEET]).await;
    client!(aws_sdk_s3, &platform)
        .create_bucket()
        .bucket(bucket(&platform))
        .send()
        .await
        .expect("a bucket");
    platform
}

/// Writes an object under a condition: its ETag, or the error code.
async fn write(platform: &Platform, body: String, matches: Option<&str>) -> Result<String, String> {
    let none = matches.is_none().then(|| "*".to_owned());
    let answer = client!(aws_sdk_s3, platform)
        .put_object()
        .bucket(bucket(platform))
        .key("bpctl/leases/race.json")
        .set_if_none_match(none)
        .set_if_match(matches.map(str::to_owned))
        .body(ByteStream::from(body.into_bytes()))
        .send()
        .await;
    match answer {
        Ok(answer) => Ok(answer.e_tag().expect("an ETag").to_owned()),
        Err(error) => Err(error.code().unwrap_or("no code").to_owned()),
    }
}

async fn remove(platform: &Platform, etag: &str) -> Result<(), String> {
    let answer = client!(aws_sdk_s3, platform)
        .delete_object()
        .bucket(bucket(platform))
        .key("bpctl/leases/race.json")
        .if_match(etag)
        .send()
        .await;
    match answer {
        Ok(_) => Ok(()),
        Err(error) => Err(error.code().unwrap_or("no code").to_owned()),
    }
}

#[tokio::test]
async fn of_many_conditional_writes_at_once_exactly_one_gets_through() {
    let platform = platform().await;
    for round in 0..10 {
        let created = join_all((0..RACERS).map(|n| write(&platform, format!("{round} {n}"), None))).await;
        let etags: Vec<&String> = created
            .iter()
            .filter_map(|written| written.as_ref().ok())
            .collect();
        assert_eq!(etags.len(), 1, "{created:?}");
        assert!(
            created.iter().all(|written| written
                .as_ref()
                .err()
                .is_none_or(|code| code == "PreconditionFailed")),
            "{created:?}"
        );
        let etag = etags[0].clone();
        let replaced =
            join_all((0..RACERS).map(|n| write(&platform, format!("again {round} {n}"), Some(&etag)))).await;
        let etags: Vec<&String> = replaced
            .iter()
            .filter_map(|written| written.as_ref().ok())
            .collect();
        assert_eq!(etags.len(), 1, "{replaced:?}");
        // The lease of before cannot be given up any more, the one of now can, once.
        assert_eq!(
            remove(&platform, &etag).await,
            Err("PreconditionFailed".to_owned())
        );
        let removed = join_all((0..RACERS).map(|_| remove(&platform, etags[0]))).await;
        assert_eq!(
            removed.iter().filter(|removed| removed.is_ok()).count(),
            1,
            "{removed:?}"
        );
    }
}

/// `--no-wait` leaves the lease to end by itself.
async fn scale(platform: &Platform, machine: &Machine<'_>, desired: &str) -> Run {
    let fleet = FLEET.name(platform);
    let args = [
        "fleet",
        "scale",
        &fleet,
        "--desired",
        desired,
        "--yes",
        "--no-wait",
    ];
    machine.bpctl(&args).await
}

/// The name of the fleet's lease.
fn key(platform: &Platform) -> String {
    format!(
        "bpctl/leases/asg%2f{}.json",
        FLEET.name(platform).replace('/', "%2f")
    )
}

#[tokio::test]
async fn of_two_machines_one_changes_the_fleet_at_a_time() {
    let platform = platform().await;
    let machines = [platform.machine(), platform.machine()];
    let mut refused = 0;
    for round in 0..6 {
        let sizes = if round % 2 == 0 { ["2", "3"] } else { ["4", "5"] };
        let (one, other) = tokio::join!(
            scale(&platform, &machines[0], sizes[0]),
            scale(&platform, &machines[1], sizes[1]),
        );
        let text = format!("{}\n{}", one.text(), other.text());
        for run in [&one, &other] {
            let kept_out = run.stderr.contains("another run has the lease");
            assert!(matches!(run.status, 0 | 5) || kept_out, "{text}");
            refused += usize::from(kept_out);
        }
        assert!(one.status == 0 || other.status == 0, "{text}");
        let locks = machines[0].bpctl(&["lock", "list", "-o", "json"]).await.json();
        assert_eq!(locks["leases"].as_array().map(Vec::len), Some(1), "{locks}");
        client!(aws_sdk_s3, &platform)
            .delete_object()
            .bucket(bucket(&platform))
            .key(key(&platform))
            .send()
            .await
            .expect("the lease is gone");
    }
    assert!(refused > 0, "no round was a race for the lease");
}

/// Writes the lease of a run on a machine that does nothing any more.
async fn left_behind(platform: &Platform, lasts_seconds: u64) {
    let now = jiff::Timestamp::now();
    let lease = json!({
        "resource": format!("asg/{}", FLEET.name(platform)), "run": "20260115T085900Z-ffffffffffff", "verb": "fleet scale",
        "principal": "arn:aws:iam::123456789012:user/night-shift", "host": "elsewhere", "process": 4242,
        "reason": "rehearsal", "started": now, "heartbeat": now, "lasts_seconds": lasts_seconds,
    });
    client!(aws_sdk_s3, platform)
        .put_object()
        .bucket(bucket(platform))
        .key(key(platform))
        .body(ByteStream::from(lease.to_string().into_bytes()))
        .send()
        .await
        .expect("an object");
}

#[tokio::test]
async fn a_lease_that_is_over_is_taken_over_by_one_of_two_machines() {
    let platform = platform().await;
    let machines = [platform.machine(), platform.machine()];
    left_behind(&platform, 3600).await;
    let early = scale(&platform, &machines[0], "2").await;
    assert_eq!(early.status, 1, "{}", early.text());
    assert!(
        early.stderr.contains("another run has the lease") && early.stderr.contains("rehearsal"),
        "{}",
        early.text()
    );
    left_behind(&platform, 1).await;
    // The store says how old the object is, in whole seconds.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (one, other) = tokio::join!(
        scale(&platform, &machines[0], "2"),
        scale(&platform, &machines[1], "3"),
    );
    let text = format!("{}\n{}", one.text(), other.text());
    let took_over = [&one, &other].map(|run| run.stderr.contains("took over the lease"));
    assert_eq!(took_over.iter().filter(|took| **took).count(), 1, "{text}");
    assert!(one.status == 0 || other.status == 0, "{text}");
    let listed = machines[0].bpctl(&["lock", "list", "-o", "json"]).await.json();
    let holders: Vec<&Value> = listed["leases"].as_array().expect("a list").iter().collect();
    assert!(
        holders.iter().all(|lease| lease["host"] != "elsewhere"),
        "{listed}"
    );
}
