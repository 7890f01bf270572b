//! How many calls `bpctl fleet scale-to-zero` takes.

use crate::support::idle_fleets;

#[tokio::test(start_paused = true)]
async fn the_plan_takes_as_many_calls_as_there_are_pages() {
    for (fleets, budget) in [(2, 1 + 1 + 1), (20, 1 + 1 + 1), (200, 1 + 2 + 2)] {
        let account = idle_fleets(fleets);
        let run = account
            .run(&["fleet", "scale-to-zero", "--all", "--dry-run", "-o", "name"])
            .await;
        assert_eq!(run.stdout.lines().count(), fleets, "{}", run.text());
        // Identity; groups by the hundred; metrics by 500 (four a fleet).
        assert_eq!(run.calls, budget, "{fleets} fleets");
    }
}

#[tokio::test(start_paused = true)]
async fn following_takes_one_call_a_look_for_all_fleets() {
    let account = idle_fleets(20);
    let run = account
        .run(&["fleet", "scale-to-zero", "--all", "--yes", "-o", "json"])
        .await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 20), "{}", run.text());
    // Identity, groups and metrics; group, metrics, write and group again for each; a handful of looks.
    let looks = run.calls - 3 - 4 * 20;
    assert!((1..12).contains(&looks), "{looks} looks");
}
