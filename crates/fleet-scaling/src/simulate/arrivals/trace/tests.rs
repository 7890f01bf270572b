use super::*;

fn refused(text: &str) -> String {
    Trace::from_csv(text).unwrap_err().to_string()
}

#[cfg(feature = "jiff")]
#[test]
fn csv_with_names_comments_and_either_kind_of_time_is_read() {
    let named = Trace::from_csv(
        "# production\ntime,jobs\n\"2026-01-31T09:00:00Z\", 4\n\n2026-01-31T09:05:00Z,0\n2026-01-31T10:10:00+01:00,2\n",
    )
    .unwrap();
    assert_eq!(named, Trace::new(300, &[4.0, 0.0, 2.0]).unwrap());
    assert_eq!(named.mean_per_hour(), 24.0);
    assert_eq!(Trace::from_csv("0,4\r\n300,0\r\n600,2\r\n").unwrap(), named);
}

#[test]
fn the_line_of_a_mistake_is_named() {
    assert_eq!(refused(""), "the trace has no data");
    assert_eq!(refused("time,jobs\n"), "the trace has no data");
    assert_eq!(
        refused("0,1\n60\n"),
        "line 2: 1 fields, where a time and a number of jobs are expected"
    );
    assert_eq!(refused("0,1\n60,-2\n"), "line 2: `-2` is not a number of jobs");
    assert_eq!(refused("0,1\n60,nan\n"), "line 2: `nan` is not a number of jobs");
    assert!(refused("0,1\nnoon,2\n").starts_with("line 2: `noon` is not a time"));
    assert!(refused("noon,2\n").starts_with("line 1: `noon` is not a time"));
    assert!(refused("nan,2\n").starts_with("line 1: `nan` is not a time"));
    assert_eq!(
        refused("0,1\n60,2\n60,2\n"),
        "line 3: the time is not after the one of the line before"
    );
    assert_eq!(
        refused("# gap\n0,1\n60,2\n180,2\n"),
        "line 4: 120 s after the line before, where every step is 60 s"
    );
}

#[cfg(feature = "jiff")]
#[test]
fn exports_of_cloudwatch_are_read_in_any_order() {
    let expected = Trace::new(60, &[1.0, 5.0]).unwrap();
    let data = r#"{"MetricDataResults":[{"Id":"q","Label":"Jobs","StatusCode":"Complete",
        "Timestamps":["2026-01-31T09:01:00+00:00","2026-01-31T09:00:00+00:00"],"Values":[5.0,1.0]}],"Messages":[]}"#;
    assert_eq!(Trace::from_cloudwatch(data).unwrap(), expected);
    let statistics = r#"{"Label":"Jobs","Datapoints":[
        {"Timestamp":"2026-01-31T09:01:00Z","Sum":5.0,"Unit":"Count"},
        {"Timestamp":"2026-01-31T09:00:00Z","Sum":1.0,"Unit":"Count"}]}"#;
    assert_eq!(Trace::from_cloudwatch(statistics).unwrap(), expected);
    assert!(matches!(Trace::from_cloudwatch("{}"), Err(TraceError::Export(_))));
    let uneven = r#"{"MetricDataResults":[{"Timestamps":["2026-01-01T00:00:00Z"],"Values":[1,2]}]}"#;
    assert_eq!(
        Trace::from_cloudwatch(uneven).unwrap_err(),
        TraceError::Export("1 times and 2 values".to_owned())
    );
    assert_eq!(
        Trace::from_cloudwatch(r#"{"Datapoints":[]}"#),
        Err(TraceError::Empty)
    );
    let two = r#"{"MetricDataResults":[{"Timestamps":[],"Values":[]},{"Timestamps":[],"Values":[]}]}"#;
    assert!(
        Trace::from_cloudwatch(two)
            .unwrap_err()
            .to_string()
            .contains("2 metrics")
    );
}
