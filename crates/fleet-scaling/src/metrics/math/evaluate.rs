//! The points of an expression, the newest first.

use super::parse::{Filler, Function, Node, Operator};

/// A number that is the same at all times, or a series.
enum Value {
    Scalar(f64),
    Series(Vec<Option<f64>>),
}

/// The points of `node`. All series of `inputs` are of the same length.
pub(super) fn evaluate(node: &Node, inputs: &[Vec<Option<f64>>], period: usize) -> Vec<Option<f64>> {
    let length = inputs.first().map_or(0, Vec::len);
    match value(node, inputs, period) {
        Value::Series(points) => points,
        Value::Scalar(number) => vec![known(number); length],
    }
}

/// What is no number is no point: "If the value of a data point causes a function to attempt to divide by zero, the
/// data point is dropped" ("Basic arithmetic functions").
fn known(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
}

impl Value {
    fn length(&self) -> usize {
        match self {
            Self::Scalar(_) => 0,
            Self::Series(points) => points.len(),
        }
    }

    fn at(&self, age: usize) -> Option<f64> {
        match self {
            Self::Scalar(number) => known(*number),
            Self::Series(points) => points.get(age).copied().flatten(),
        }
    }
}

fn value(node: &Node, inputs: &[Vec<Option<f64>>], period: usize) -> Value {
    let of = |node: &Node| value(node, inputs, period);
    match node {
        Node::Number(number) => Value::Scalar(*number),
        Node::Metric(position) => Value::Series(inputs.get(*position).cloned().unwrap_or_default()),
        Node::Period => Value::Scalar(60.0 * period as f64),
        Node::Negative(inner) => mapped(of(inner), |number| -number),
        Node::Call(function, inner) => mapped(of(inner), |number| match function {
            Function::Abs => number.abs(),
            Function::Ceil => number.ceil(),
            Function::Floor => number.floor(),
            Function::Log => number.ln(),
            Function::Log10 => number.log10(),
        }),
        Node::Binary(operator, sides) => {
            let [left, right] = &**sides;
            joined(&of(left), &of(right), *operator)
        }
        Node::Over { average, nodes } => {
            let values: Vec<Value> = nodes.iter().map(of).collect();
            over(&values, *average)
        }
        Node::If(parts) => {
            let (condition, yes, no) = &**parts;
            branches(&of(condition), &of(yes), no.as_ref().map(of).as_ref())
        }
        Node::Fill(parts) => {
            let (filled, filler) = &**parts;
            match (of(filled), filler) {
                (Value::Series(points), Filler::Value(other)) => {
                    let other = of(other);
                    let fill = |(age, point): (usize, Option<f64>)| point.or_else(|| other.at(age));
                    Value::Series(points.into_iter().enumerate().map(fill).collect())
                }
                (Value::Series(points), Filler::Repeat) => Value::Series(repeated(points)),
                (Value::Series(points), Filler::Linear) => Value::Series(interpolated(points)),
                (scalar, _) => scalar,
            }
        }
    }
}

fn mapped(value: Value, map: impl Fn(f64) -> f64) -> Value {
    match value {
        Value::Scalar(number) => Value::Scalar(map(number)),
        Value::Series(points) => series(&points, map),
    }
}

fn series(points: &[Option<f64>], map: impl Fn(f64) -> f64) -> Value {
    Value::Series(points.iter().map(|point| known(map((*point)?))).collect())
}

/// `SUM` and `AVG` of several series: a series, in which "missing values are treated as 0".
fn over(values: &[Value], average: bool) -> Value {
    let length = values.iter().map(Value::length).max().unwrap_or(0);
    let point = |age| {
        let at = |value: &Value| value.at(age);
        let there: Vec<f64> = values.iter().filter_map(at).collect();
        let sum = there.iter().sum::<f64>();
        let of = if average { values.len() as f64 } else { 1.0 };
        (!there.is_empty()).then_some(sum / of)
    };
    Value::Series((0..length).map(point).collect())
}

fn joined(left: &Value, right: &Value, operator: Operator) -> Value {
    let truth = f64::from;
    let apply = |a: f64, b: f64| match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide => a / b,
        Operator::Power => a.powf(b),
        // "Comparison operators": 1 for true and 0 for false.
        Operator::Equal => truth(a == b),
        Operator::NotEqual => truth(a != b),
        Operator::LessOrEqual => truth(a <= b),
        Operator::GreaterOrEqual => truth(a >= b),
        Operator::Less => truth(a < b),
        Operator::Greater => truth(a > b),
        Operator::And => truth(a != 0.0 && b != 0.0),
        Operator::Or => truth(a != 0.0 || b != 0.0),
    };
    match (left, right) {
        (Value::Scalar(a), Value::Scalar(b)) => Value::Scalar(apply(*a, *b)),
        (Value::Scalar(a), Value::Series(points)) => series(points, |b| apply(*a, b)),
        (Value::Series(points), Value::Scalar(b)) => series(points, |a| apply(a, *b)),
        (Value::Series(left), Value::Series(right)) => {
            // "Missing values in a time series are treated as 0" ("Basic arithmetic functions"); "when only one of
            // the time series has a value for a particular time stamp, the function treats the missing value in
            // the other time series as 0" ("Comparison and logical operators").
            let point = |(left, right): (&Option<f64>, &Option<f64>)| match (left, right) {
                (None, None) => None,
                _ => known(apply(left.unwrap_or(0.0), right.unwrap_or(0.0))),
            };
            Value::Series(left.iter().zip(right).map(point).collect())
        }
    }
}

/// "Using IF expressions": false is 0; of a true point that the second argument lacks 0 comes, and of a false one that
/// the third lacks none.
fn branches(condition: &Value, yes: &Value, no: Option<&Value>) -> Value {
    let values = [Some(condition), Some(yes), no];
    let length = values.into_iter().flatten().map(Value::length).max().unwrap_or(0);
    let per_point = matches!(condition, Value::Series(_));
    let point = |age| match condition.at(age)? {
        0.0 => no.and_then(|no| no.at(age)),
        _ => yes.at(age).or(per_point.then_some(0.0)),
    };
    match length {
        0 => Value::Scalar(point(0).unwrap_or(f64::NAN)),
        length => Value::Series((0..length).map(point).collect()),
    }
}

/// The table of "Functions supported for metric math", `FILL`: `REPEAT` is the most recent value before the gap.
fn repeated(mut points: Vec<Option<f64>>) -> Vec<Option<f64>> {
    let mut last = None;
    for point in points.iter_mut().rev() {
        *point = point.or(last);
        last = *point;
    }
    points
}

/// The same row: `LINEAR` is the straight line between the values at the beginning and the end of the gap. A gap without an end, such as the newest minutes, stays.
fn interpolated(mut points: Vec<Option<f64>>) -> Vec<Option<f64>> {
    let mut newer: Option<(usize, f64)> = None;
    for age in 0..points.len() {
        let Some(value) = points[age] else { continue };
        if let Some((from, start)) = newer {
            let steps = (age - from) as f64;
            for (step, point) in points[from + 1..age].iter_mut().enumerate() {
                *point = Some(start + (value - start) * (step + 1) as f64 / steps);
            }
        }
        newer = Some((age, value));
    }
    points
}
