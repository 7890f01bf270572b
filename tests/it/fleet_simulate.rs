//! `bpctl fleet simulate`, from a file and of a live fleet.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Account, Run};

const FLEET: &str = "fleet.toml";

/// An account whose operator has the library's example of a fleet in the home folder.
pub(crate) fn account() -> Account {
    let account = Account::with(&[]);
    let example = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("crates/fleet-scaling/examples/fleet.toml");
    fs::copy(example, account.home().join(FLEET)).unwrap();
    account
}

async fn simulate(account: &Account, args: &[&str]) -> Run {
    let command = ["fleet", "simulate", "--config", FLEET];
    let run = account.run(&[&command, args].concat()).await;
    assert_eq!(run.calls, 0, "a file needs no AWS: {}", run.text());
    run
}

/// What is in a folder besides the fleet and what bpctl keeps.
pub(crate) fn left_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != FLEET && name != ".local")
        .collect();
    names.sort();
    names
}

#[tokio::test(start_paused = true)]
async fn a_week_is_summed_up_and_a_pipe_gets_no_picture() {
    let run = simulate(
        &account(),
        &["--days", "7", "--arrivals", "poisson:20/h+burst:30@09:00"],
    )
    .await;
    insta::assert_snapshot!(run.text(), @r"
    [exit 0]
    ----- stdout
    fleet.toml: 7 days of poisson:20/h+burst:30@09:00, seed 1

                  MEAN    P50     P90     P95     P99      MAX
      wait        2m 04s  54s     5m 02s  6m 38s  8m 19s   10m 05s
      turnaround  3m 03s  2m 22s  6m 36s  7m 48s  10m 04s  15m 47s

      jobs          3555 arrived, 3555 done, 0 failed, 0 rejected, 0 unfinished at the end
      requeued      no job lost its worker
      cost          $40.16 for 223.1 instance hours, $0.0113 per finished job
      instances     at most 10 at a time, at work 26.2% of their time; none for 15.7% of the time
      cold starts   39.6% of the jobs ran on an instance that was not there yet when they came
      scaling       744 times out, 462 times in, 462 of them to zero; 788 instances launched

    => 95% of the jobs wait at most 6m 38s, for $5.74 a day; none is lost
    ----- stderr
    ");
}

#[tokio::test(start_paused = true)]
async fn jobs_that_never_started_are_no_short_waits() {
    let run = simulate(&account(), &["--days", "1", "--arrivals", "poisson:1000/h"]).await;
    let waiting = "jobs waiting at the end, whose wait is in none of the figures above";
    assert!(run.stdout.contains(waiting), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_bytes_and_the_configuration_comes_back() {
    let account = account();
    let json = |seed: &'static str, config: &'static str| {
        let account = &account;
        async move {
            let args = [
                "--days",
                "2",
                "--arrivals",
                "poisson:30/h",
                "-o",
                "json",
                "--seed",
                seed,
            ];
            let command = ["fleet", "simulate", "--config", config];
            account.run(&[&command[..], &args[..]].concat()).await
        }
    };
    let first = json("7", FLEET).await;
    assert_eq!(first.stdout, json("7", FLEET).await.stdout);
    assert_ne!(first.stdout, json("8", FLEET).await.stdout);
    let document = first.json();
    assert_eq!(document["schema"], "bpctl.fleet.simulate/2");
    assert_eq!(document["scenario"]["seed"], 7);
    assert_eq!(document["report"]["series"], serde_json::Value::Null);
    let jobs = &document["report"]["jobs"];
    let count = |what: &str| jobs[what].as_u64().unwrap();
    assert_eq!(
        count("arrived"),
        ["done", "waiting", "leased", "running", "failed", "rejected"]
            .map(count)
            .iter()
            .sum::<u64>()
    );
    fs::write(account.home().join("again.json"), document["config"].to_string()).unwrap();
    let again = json("7", "again.json").await.json();
    assert_eq!(again["report"], document["report"]);
    assert_eq!(again["config"], document["config"]);
}

#[tokio::test(start_paused = true)]
async fn the_course_comes_in_as_many_points_as_asked_for() {
    let args = [
        "--days",
        "1",
        "--arrivals",
        "constant:60/h",
        "--points",
        "12",
        "-o",
        "json",
    ];
    let document = simulate(&account(), &args).await.json();
    let series = &document["report"]["series"];
    assert_eq!(series["step_seconds"], 7200.0);
    assert_eq!(series["desired"].as_array().unwrap().len(), 12);
}

#[tokio::test(start_paused = true)]
async fn a_terminal_gets_a_picture_that_fits_it() {
    let account = account();
    let picture = |columns: &'static str, color: &'static str| {
        let account = &account;
        async move {
            let args = [
                "fleet",
                "simulate",
                "--config",
                FLEET,
                "--days",
                "1",
                "--arrivals",
                "constant:60/h",
            ];
            let args = [&args[..], &["--color", color]].concat();
            let run = account
                .run_with(&args, |process| {
                    process.stdout_is_terminal = true;
                    process.env.insert("COLUMNS".to_owned(), columns.to_owned());
                })
                .await;
            assert_eq!(run.status.code(), 0, "{}", run.text());
            run.stdout
        }
    };
    let plain = picture("80", "never").await;
    assert!(plain.lines().all(|line| line.chars().count() <= 80), "{plain}");
    assert!(!plain.contains('\u{1b}'), "{plain}");
    for words in ["jobs waiting", "with a job", "desired capacity", "hours"] {
        assert!(plain.contains(words), "{words:?} is not in\n{plain}");
    }
    assert!(picture("80", "always").await.contains('\u{1b}'));
    let letters = |locale: &'static str| {
        let account = &account;
        async move {
            let args = ["fleet", "simulate", "--config", FLEET, "--days", "1"];
            let args = [&args[..], &["--arrivals", "constant:60/h", "--color", "never"]].concat();
            let run = account
                .run_with(&args, |process| {
                    process.stdout_is_terminal = true;
                    process.env.insert("COLUMNS".to_owned(), "80".to_owned());
                    process.env.insert("LC_ALL".to_owned(), locale.to_owned());
                })
                .await;
            run.stdout
        }
    };
    assert_eq!(letters("en_US.UTF-8").await, plain);
    let bare = letters("C").await;
    assert!(bare.is_ascii() && bare.contains("+---"), "{bare}");
    assert_eq!(bare.lines().count(), plain.lines().count());
    let widest = |text: &str| text.lines().map(|line| line.chars().count()).max();
    assert!(widest(&picture("120", "never").await) > widest(&plain));
}

#[tokio::test(start_paused = true)]
async fn a_picture_is_drawn_into_a_file_that_is_replaced() {
    let account = account();
    let file = account.home().join("day.svg");
    fs::write(&file, "old").unwrap();
    let plot = account.home().join("day.svg");
    let args = ["--days", "1", "--arrivals", "constant:60/h", "--plot", "day.svg"];
    let run = simulate(&account, &args).await;
    assert_eq!(run.stderr, "plotted to `day.svg`\n");
    let drawn = fs::read_to_string(&plot).unwrap();
    for words in ["jobs waiting", "instances", "hours", "constant:60/h"] {
        assert!(drawn.contains(words), "{words:?} is not in the picture");
    }
    for token in xmlparser::Tokenizer::from(drawn.as_str()) {
        token.unwrap();
    }
    simulate(&account, &args).await;
    assert_eq!(
        fs::read_to_string(&plot).unwrap(),
        drawn,
        "the same bytes each time"
    );
    assert_eq!(left_in(account.home()), ["day.svg"]);
}

#[tokio::test(start_paused = true)]
async fn recorded_jobs_are_simulated_for_as_long_as_the_recording() {
    let account = account();
    let write = |name: &str, text: &str| fs::write(account.home().join(name), text).unwrap();
    let rows: String = (0..48)
        .map(|hour| format!("{},{}\n", hour * 3600, hour % 5))
        .collect();
    write("jobs.csv", &format!("time,jobs\n{rows}"));
    let document = simulate(&account, &["--arrivals", "trace:jobs.csv", "-o", "json"])
        .await
        .json();
    assert_eq!(document["scenario"]["days"], 2.0);
    assert_eq!(document["report"]["jobs"]["arrived"], 93);
    let point = |minute: usize, jobs: u32| (format!("\"2026-01-01T00:{minute:02}:00Z\""), jobs.to_string());
    let (times, values): (Vec<String>, Vec<String>) = (0..30).map(|minute| point(minute, 2)).unzip();
    let export = format!(
        r#"{{"MetricDataResults": [{{"Timestamps": [{}], "Values": [{}]}}]}}"#,
        times.join(","),
        values.join(",")
    );
    write("export", &export);
    let document = simulate(&account, &["--arrivals", "trace:export", "-o", "json"])
        .await
        .json();
    assert_eq!(document["report"]["jobs"]["arrived"], 60);
}

#[tokio::test(start_paused = true)]
async fn mistakes_are_found_before_anything_is_computed_or_asked() {
    let account = account();
    let write = |name: &str, text: &str| fs::write(account.home().join(name), text).unwrap();
    write("gap.csv", "# jobs\n0,1\n60,1\n180,1\n");
    write("unsorted.csv", "0,1\n60,1\n30,1\n");
    write("empty.csv", "time,jobs\n");
    write("other.json", "{\"a\": 1}");
    fs::create_dir(account.home().join("folder")).unwrap();
    let day = ["--arrivals", "constant:1/h", "--days", "1"];
    let mut complaints = String::new();
    for args in [
        &["--arrivals", "weekly:3/h"][..],
        &["--arrivals", "poisson:20"],
        &["--arrivals", "poisson:-1/h"],
        &["--arrivals", "daily:9..3/h"],
        &["--arrivals", "burst:5@25:00"],
        &["--arrivals", "constant:1/h", "--days", "0"],
        &["--arrivals", "constant:1/h", "--days", "-3"],
        &["--arrivals", "constant:1/h", "--days", "3651"],
        &["--arrivals", "constant:1e7/h", "--days", "365"],
        &["--arrivals", "trace:none.csv"],
        &["--arrivals", "trace:gap.csv"],
        &["--arrivals", "trace:unsorted.csv"],
        &["--arrivals", "trace:empty.csv"],
        &["--arrivals", "trace:other.json"],
        &[&day[..], &["--plot", "day.png"]].concat(),
        &[&day[..], &["--plot", "none/day.svg"]].concat(),
        &[&day[..], &["--plot", "folder"]].concat(),
    ] {
        let run = simulate(&account, args).await;
        assert_eq!(
            (run.status.code(), run.stdout.as_str()),
            (2, ""),
            "{}",
            run.text()
        );
        complaints.push_str(&format!("$ {}\n{}\n", args.join(" "), run.stderr));
    }
    insta::assert_snapshot!(complaints, @r"
    $ --arrivals weekly:3/h
    error: failed to read the arrivals `weekly:3/h`
      caused by: unknown arrivals `weekly:3/h`: write constant:20/h, poisson:20/h, daily:2..40/h, burst:50@09:00 or several joined by +
    hint: `trace:FILE` takes recorded arrivals: CSV, or a CloudWatch export in JSON

    $ --arrivals poisson:20
    error: failed to read the arrivals `poisson:20`
      caused by: `20` is not a rate of arrivals: write for example 20/h, 0.5/m or 300/d, not negative

    $ --arrivals poisson:-1/h
    error: failed to read the arrivals `poisson:-1/h`
      caused by: `-1/h` is not a rate of arrivals: write for example 20/h, 0.5/m or 300/d, not negative

    $ --arrivals daily:9..3/h
    error: failed to read the arrivals `daily:9..3/h`
      caused by: the lowest rate of the day, 9, is above the highest, 3

    $ --arrivals burst:5@25:00
    error: failed to read the arrivals `burst:5@25:00`
      caused by: `25:00` is neither a time of the day such as 09:00 nor a duration such as 90m

    $ --arrivals constant:1/h --days 0
    error: invalid value '0' for '--days <N>': 0 is not a number of days from 0.01 to 3650

    For more information, try '--help'.

    $ --arrivals constant:1/h --days -3
    error: invalid value '-3' for '--days <N>': -3 is not a number of days from 0.01 to 3650

    For more information, try '--help'.

    $ --arrivals constant:1/h --days 3651
    error: invalid value '3651' for '--days <N>': 3651 is not a number of days from 0.01 to 3650

    For more information, try '--help'.

    $ --arrivals constant:1e7/h --days 365
    error: failed to simulate 365 days of `constant:1e7/h`: that is about 87600000000 jobs, and at most 1000000000 are simulated

    $ --arrivals trace:none.csv
    error: failed to read the recorded arrivals `none.csv`
      caused by: No such file or directory (os error 2)

    $ --arrivals trace:gap.csv
    error: failed to read the recorded arrivals `gap.csv`
      caused by: line 4: 120 s after the line before, where every step is 60 s

    $ --arrivals trace:unsorted.csv
    error: failed to read the recorded arrivals `unsorted.csv`
      caused by: line 3: the time is not after the one of the line before

    $ --arrivals trace:empty.csv
    error: failed to read the recorded arrivals `empty.csv`
      caused by: the trace has no data

    $ --arrivals trace:other.json
    error: failed to read the recorded arrivals `other.json`
      caused by: it is JSON, but no answer of `aws cloudwatch get-metric-data` or `get-metric-statistics --statistics Sum`

    $ --arrivals constant:1/h --days 1 --plot day.png
    error: failed to plot to `day.png`: pictures are SVG files
    hint: give the file a name that ends in .svg

    $ --arrivals constant:1/h --days 1 --plot none/day.svg
    error: failed to plot to `none/day.svg`: there is no folder `none`

    $ --arrivals constant:1/h --days 1 --plot folder
    error: failed to plot to `folder`: pictures are SVG files
    hint: give the file a name that ends in .svg
    ");
}

#[tokio::test(start_paused = true)]
async fn a_fleet_is_needed_and_only_one() {
    let account = account();
    let run = account.run(&["fleet", "simulate", "--arrivals", "none"]).await;
    assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
    let args = [
        "fleet",
        "simulate",
        "production/gpu-default",
        "--config",
        FLEET,
        "--arrivals",
        "none",
    ];
    let run = account.run(&args).await;
    assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn a_live_fleet_is_only_read_and_what_is_taken_for_granted_is_said() {
    let account = account();
    let args = [
        "fleet",
        "simulate",
        "production/gpu-default",
        "--arrivals",
        "poisson:10/h",
        "--days",
        "1",
        "-o",
        "json",
    ];
    let run = account.run(&args).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [""; 0]);
    let document = run.json();
    assert_eq!(document["fleet"], "production/gpu-default");
    assert_eq!(document["config"]["max"], 10);
    for assumption in document["assumptions"].as_array().unwrap() {
        let line = format!("assumed: {}\n", assumption.as_str().unwrap());
        assert!(run.stderr.contains(&line), "{line:?} is not in\n{}", run.stderr);
    }
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_simulation_leaves_nothing() {
    let account = account();
    let args = [
        "fleet",
        "simulate",
        "--config",
        FLEET,
        "--arrivals",
        "none",
        "--days",
        "1",
        "--plot",
        "day.svg",
    ];
    let run = account.run_with(&args, |process| process.cancel.cancel()).await;
    assert_eq!(
        (run.status.code(), run.stdout.as_str()),
        (130, ""),
        "{}",
        run.text()
    );
    assert_eq!(left_in(account.home()), [""; 0]);
}

#[cfg(target_os = "linux")]
#[tokio::test(start_paused = true)]
async fn a_picture_that_cannot_be_written_does_not_hide_the_result() {
    let account = account();
    let scenario = ["--arrivals", "poisson:20/h", "--days", "1", "-o", "json"];
    let with = simulate(&account, &[&scenario[..], &["--plot", "/proc/no.svg"]].concat()).await;
    let without = simulate(&account, &scenario).await;
    assert_eq!(with.status.code(), 1, "{}", with.text());
    assert!(
        with.stderr.contains("failed to write `/proc/no.svg`"),
        "{}",
        with.text()
    );
    assert!(!with.stderr.contains("plotted"), "{}", with.text());
    assert_eq!(with.stdout, without.stdout);
}
