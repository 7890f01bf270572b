//! Expressions as CloudWatch documents them.

use super::*;

const VISIBLE: [Option<f64>; 5] = [Some(8.0), None, None, Some(2.0), Some(6.0)];
const INSTANCES: [Option<f64>; 5] = [Some(2.0), Some(2.0), Some(0.0), Some(0.0), Some(3.0)];

fn inputs() -> [(&'static str, Input); 3] {
    [
        ("m1", Input::metric("Visible", Statistic::Sum)),
        ("m2", Input::metric("InService", Statistic::Average)),
        ("gap", Input::metric("Silent", Statistic::Average)),
    ]
}

fn refused(expression: &str) -> String {
    Math::new(expression, inputs()).unwrap_err().to_string()
}

/// The points, the oldest first.
fn points(expression: &str) -> Vec<Option<f64>> {
    let metrics = Metrics::new()
        .with("Visible", VISIBLE)
        .with("InService", INSTANCES);
    let mut points = Math::new(expression, inputs()).unwrap().points(&metrics, 1, 5);
    points.reverse();
    points
}

/// Auto Scaling User Guide, "Create a target tracking scaling policy using metric math": `m1 / m2`. CloudWatch User
/// Guide, "Using math expressions with CloudWatch metrics", "Basic arithmetic functions": "Missing values in a time
/// series are treated as 0. If the value of a data point causes a function to attempt to divide by zero, the data point
/// is dropped."
#[test]
fn missing_values_count_as_zero_and_nothing_is_divided_by_zero() {
    assert_eq!(points("m1 / m2"), [Some(4.0), Some(0.0), None, None, Some(2.0)]);
    assert_eq!(points("m1 / gap"), [None; 5]);
    assert_eq!(points("gap + gap"), [None; 5]);
    assert_eq!(
        points("100*(m1+m2)"),
        [1000.0, 200.0, 0.0, 200.0, 900.0].map(Some)
    );
    assert_eq!(points("m1 + 1"), [Some(9.0), None, None, Some(3.0), Some(7.0)]);
}

/// The same page, "Functions supported for metric math": `SUM` and `AVG` of an array are a series, "missing values are
/// treated as 0".
#[test]
fn several_series_are_summed_and_averaged_point_by_point() {
    assert_eq!(points("SUM([m1, m2])"), [10.0, 2.0, 0.0, 2.0, 9.0].map(Some));
    assert_eq!(
        points("AVG([m1, m2, gap])"),
        [10.0, 2.0, 0.0, 2.0, 9.0].map(|sum| Some(sum / 3.0))
    );
}

/// The same page, `FILL`: a value, another metric, `REPEAT` the most recent value before the gap, `LINEAR` between
/// the ends of the gap.
#[test]
fn fill_puts_values_into_gaps() {
    assert_eq!(points("FILL(m1, 0)"), [8.0, 0.0, 0.0, 2.0, 6.0].map(Some));
    assert_eq!(points("FILL(m1, REPEAT)"), [8.0, 8.0, 8.0, 2.0, 6.0].map(Some));
    assert_eq!(points("FILL(m1, LINEAR)"), [8.0, 6.0, 4.0, 2.0, 6.0].map(Some));
    assert_eq!(points("FILL(m1, m2)"), [8.0, 2.0, 0.0, 2.0, 6.0].map(Some));
    assert_eq!(
        points("FILL(gap, 1) + FILL(m1, -1)"),
        [9.0, 0.0, 0.0, 3.0, 7.0].map(Some)
    );
}

/// The same page: a gap at the end is filled by a value and by `REPEAT`; no line leads to an end that is not there.
#[test]
fn the_newest_minutes_are_a_gap_without_an_end() {
    let metrics = Metrics::new().with("Visible", [None, Some(3.0), None]);
    let oldest_first = |expression: &str| {
        let mut points = Math::new(expression, inputs()).unwrap().points(&metrics, 1, 4);
        points.reverse();
        points
    };
    assert_eq!(oldest_first("FILL(m1, 0)"), [0.0, 0.0, 3.0, 0.0].map(Some));
    assert_eq!(
        oldest_first("FILL(m1, REPEAT)"),
        [None, None, Some(3.0), Some(3.0)]
    );
    assert_eq!(oldest_first("FILL(m1, LINEAR)"), [None, None, Some(3.0), None]);
}

/// The points of the tables of that page, the oldest first; `-` is no value.
fn table(text: &str) -> Vec<Option<f64>> {
    text.split(", ").map(|value| value.parse().ok()).collect()
}

/// What `expression` makes of three series called metric1, metric2 and metric3.
fn of_table(expression: &str, series: [&str; 3]) -> Vec<Option<f64>> {
    let names = ["metric1", "metric2", "metric3"];
    let inputs = names.map(|name| (name, Input::metric(name, Statistic::Average)));
    let metrics = names
        .iter()
        .zip(series)
        .fold(Metrics::new(), |metrics, (name, values)| {
            metrics.with(*name, table(values))
        });
    let length = table(series[0]).len();
    let mut points = Math::new(expression, inputs).unwrap().points(&metrics, 1, length);
    points.reverse();
    points
}

/// The same page, the table of "Comparison and logical operators".
#[test]
fn comparisons_are_those_of_the_user_guide() {
    let series = ["30, 20, 0, 0", "20, -, 20, -", "-, -, -, -"];
    for (expression, expected) in [
        ("(metric1 < metric2)", "0, 0, 1, 0"),
        ("(metric1 >= 30)", "1, 0, 0, 0"),
        ("(metric1 > 15 AND metric2 > 15)", "1, 0, 0, 0"),
        ("metric1 > 15 && metric2 > 15 || metric2 == 20", "1, 0, 1, 0"),
    ] {
        assert_eq!(of_table(expression, series), table(expected), "{expression}");
    }
}

/// The same page, the tables of "Using IF expressions".
#[test]
fn branches_are_those_of_the_user_guide() {
    let series = ["1, 1, 0, 0, -", "30, -, 0, 0, 30", "0, 0, 20, -, 20"];
    for (expression, expected) in [
        ("IF(metric1, metric2, metric3)", "30, 0, 20, -, -"),
        ("IF(metric1, 5, metric3)", "5, 5, 20, -, -"),
        ("IF(metric1, metric2, 5)", "30, 0, 5, 5, -"),
        ("IF(metric1, metric2)", "30, 0, -, -, -"),
        ("IF(1, metric2, metric3)", "30, -, 0, 0, 30"),
        ("IF(metric2 > 25, metric2)", "30, -, -, -, 30"),
    ] {
        assert_eq!(of_table(expression, series), table(expected), "{expression}");
    }
}

#[test]
fn operators_bind_as_usual() {
    assert_eq!(points("m2 * 0 + 1 + 2 * 3 ^ 2 - -4 / 2"), [Some(21.0); 5]);
    assert_eq!(points("m2 - m2 + 7 - 2 - 1"), [Some(4.0); 5]);
    assert_eq!(
        points("CEIL(m2 / 4) + FLOOR(m2 / 4)"),
        [1.0, 1.0, 0.0, 0.0, 1.0].map(Some)
    );
    assert_eq!(
        points("ABS(m2 - 2) + LOG10(100) + LOG(1)"),
        [2.0, 2.0, 4.0, 4.0, 3.0].map(Some)
    );
    assert_eq!(points("m2 / PERIOD(m2) * 60"), INSTANCES);
}

#[test]
fn an_expression_may_use_another_one() {
    let mut inputs = inputs().to_vec();
    let filled = "FILL(m1, REPEAT)".to_owned();
    inputs.push(("e1", Input::Expression { expression: filled }));
    let math = Math::new("e1 * 2", inputs).unwrap();
    assert_eq!(math.metrics().len(), 1);
    let metrics = Metrics::new().with("Visible", VISIBLE);
    assert_eq!(math.points(&metrics, 1, 2), [Some(12.0), Some(4.0)]);
}

#[test]
fn points_of_a_longer_period_are_made_before_the_expression() {
    let metrics = Metrics::new()
        .with("Visible", [1.0, 2.0, 3.0, 4.0].map(Some))
        .with("InService", [1.0, 1.0, 1.0, 3.0].map(Some));
    let math = Math::new("m1 / m2", inputs()).unwrap();
    assert_eq!(math.points(&metrics, 2, 3), [Some(3.5), Some(3.0), None]);
}

#[test]
fn what_is_no_expression_is_refused_with_its_place() {
    assert_eq!(refused("m1 +"), "is no expression: a value is missing at ``");
    assert_eq!(
        refused("(m1"),
        "is no expression: a closing parenthesis is missing at ``"
    );
    assert_eq!(
        refused("m1 m2"),
        "is no expression: an operator is missing at `m2`"
    );
    assert_eq!(
        refused("FILL(m1)"),
        "is no expression: an argument is missing at `)`"
    );
    assert_eq!(
        refused("1.2.3 + m1"),
        "is no expression: a number is malformed at `+ m1`"
    );
    assert_eq!(
        refused("m3 + m1"),
        "names `m3`, and no metric or expression has that id"
    );
    assert_eq!(
        refused("1 + 2"),
        "is a number, the same at all times: an alarm needs a time series"
    );
    assert_eq!(refused("RATE(m1)"), "calls `RATE`, which is not modelled");
    assert_eq!(refused("MAX([m1, m2])"), "calls `MAX`, which is not modelled");
    assert_eq!(refused("m1 - AVG(m1)"), "calls `AVG`, which is not modelled");
    assert_eq!(refused("fill(m1, 0)"), "calls `fill`, which is not modelled");
    assert_eq!(
        refused("SUM([m1, 2])"),
        "is no expression: an array holds time series only at ``"
    );
    assert_eq!(refused("m1 + ä"), "is no expression: a value is missing at `ä`");
}

#[test]
fn expressions_without_end_are_refused() {
    let circle = |text: &str| Input::Expression {
        expression: text.to_owned(),
    };
    let refused = Math::new("e1", [("e1", circle("e2 + 1")), ("e2", circle("e1 + 1"))]);
    assert_eq!(refused.unwrap_err(), MathError::TooLarge);
    let mut doubling: Vec<(String, Input)> =
        vec![("e0".to_owned(), Input::metric("Visible", Statistic::Sum))];
    for step in 1..40 {
        doubling.push((format!("e{step}"), circle(&format!("e{0} + e{0}", step - 1))));
    }
    assert_eq!(Math::new("e39", doubling).unwrap_err(), MathError::TooLarge);
    let deep = format!("{}m1{}", "(".repeat(3000), ")".repeat(3000));
    assert_eq!(Math::new(deep, inputs()).unwrap_err(), MathError::TooLarge);
}
