//! Metric math: numbers, ids, `+ - * /`, parentheses and `FILL`.

use std::collections::{BTreeMap, BTreeSet};

use super::metric_data::Series;

/// A parsed expression.
#[derive(Debug, PartialEq)]
pub(super) enum Expression {
    Number(f64),
    Id(String),
    Binary(Box<Expression>, char, Box<Expression>),
    /// `FILL(id, number)`; `None` is `REPEAT`.
    Fill(Box<Expression>, Option<f64>),
}

/// A value that is the same at all times, or one per period.
enum Computed {
    Scalar(f64),
    Series(Series),
}

impl Expression {
    /// Parses `text`; the error is a phrase for the caller.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser {
            rest: text.trim_start(),
        };
        let expression = parser.sum()?;
        if parser.rest.is_empty() {
            Ok(expression)
        } else {
            Err(format!("Unexpected token '{}'", parser.rest))
        }
    }

    /// The ids that the expression refers to.
    pub(super) fn ids(&self) -> BTreeSet<String> {
        match self {
            Self::Number(_) => BTreeSet::new(),
            Self::Id(id) => BTreeSet::from([id.clone()]),
            Self::Fill(inner, _) => inner.ids(),
            Self::Binary(left, _, right) => left.ids().into_iter().chain(right.ids()).collect(),
        }
    }

    /// The result; a number on its own has no times and gives an empty series.
    pub(super) fn evaluate(&self, inputs: &BTreeMap<String, Series>) -> Series {
        let times: BTreeSet<i64> = inputs
            .values()
            .flat_map(|series| series.keys().copied())
            .collect();
        match self.compute(inputs, &times) {
            Computed::Series(series) => series,
            Computed::Scalar(_) => Series::new(),
        }
    }

    fn compute(&self, inputs: &BTreeMap<String, Series>, times: &BTreeSet<i64>) -> Computed {
        match self {
            Self::Number(number) => Computed::Scalar(*number),
            Self::Id(id) => Computed::Series(inputs.get(id).cloned().unwrap_or_default()),
            Self::Fill(inner, filler) => {
                let Computed::Series(series) = inner.compute(inputs, times) else {
                    return inner.compute(inputs, times);
                };
                let mut last = None;
                let filled = times
                    .iter()
                    .filter_map(|at| {
                        let value = series.get(at).copied().or(filler.or(last));
                        last = value.or(last);
                        Some((*at, value?))
                    })
                    .collect();
                Computed::Series(filled)
            }
            Self::Binary(left, operator, right) => {
                let apply = |a: f64, b: f64| {
                    let result = match operator {
                        '+' => a + b,
                        '-' => a - b,
                        '*' => a * b,
                        _ => a / b,
                    };
                    // A division by zero gives no data point.
                    result.is_finite().then_some(result)
                };
                match (left.compute(inputs, times), right.compute(inputs, times)) {
                    (Computed::Scalar(a), Computed::Scalar(b)) => {
                        Computed::Scalar(apply(a, b).unwrap_or_default())
                    }
                    (Computed::Scalar(a), Computed::Series(b)) => Computed::Series(
                        b.into_iter()
                            .filter_map(|(at, b)| Some((at, apply(a, b)?)))
                            .collect(),
                    ),
                    (Computed::Series(a), Computed::Scalar(b)) => Computed::Series(
                        a.into_iter()
                            .filter_map(|(at, a)| Some((at, apply(a, b)?)))
                            .collect(),
                    ),
                    (Computed::Series(a), Computed::Series(b)) => Computed::Series(
                        a.into_iter()
                            .filter_map(|(at, a)| Some((at, apply(a, *b.get(&at)?)?)))
                            .collect(),
                    ),
                }
            }
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn sum(&mut self) -> Result<Expression, String> {
        let mut left = self.product()?;
        while let Some(operator) = self.one_of("+-") {
            left = Expression::Binary(Box::new(left), operator, Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Expression, String> {
        let mut left = self.term()?;
        while let Some(operator) = self.one_of("*/") {
            left = Expression::Binary(Box::new(left), operator, Box::new(self.term()?));
        }
        Ok(left)
    }

    fn term(&mut self) -> Result<Expression, String> {
        if self.one_of("-").is_some() {
            let zero = Box::new(Expression::Number(0.0));
            return Ok(Expression::Binary(zero, '-', Box::new(self.term()?)));
        }
        if self.one_of("(").is_some() {
            let inner = self.sum()?;
            self.expect(')')?;
            return Ok(inner);
        }
        let number = self.word(|c| c.is_ascii_digit() || c == '.');
        if !number.is_empty() {
            return number
                .parse()
                .map(Expression::Number)
                .map_err(|_| format!("Invalid number '{number}'"));
        }
        let word = self.word(|c| c.is_ascii_alphanumeric() || c == '_');
        if word.is_empty() {
            return Err(match self.rest.chars().next() {
                Some(token) => format!("Unexpected token '{token}'"),
                None => "Unexpected end of expression".to_owned(),
            });
        }
        if self.one_of("(").is_none() {
            return Ok(Expression::Id(word));
        }
        if word != "FILL" {
            return Err(format!("Function '{word}' is not supported"));
        }
        let inner = Box::new(self.sum()?);
        self.expect(',')?;
        let filler = match self.sum()? {
            Expression::Number(number) => Some(number),
            Expression::Id(name) if name == "REPEAT" => None,
            _ => return Err("FILL takes a number or REPEAT as its second argument".to_owned()),
        };
        self.expect(')')?;
        Ok(Expression::Fill(inner, filler))
    }

    fn one_of(&mut self, known: &str) -> Option<char> {
        let next = self.rest.chars().next().filter(|c| known.contains(*c))?;
        self.rest = self.rest[next.len_utf8()..].trim_start();
        Some(next)
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        match self.one_of(&wanted.to_string()) {
            Some(_) => Ok(()),
            None => Err(format!("Expected '{wanted}'")),
        }
    }

    fn word(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        word.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluate(text: &str) -> Vec<(i64, f64)> {
        let inputs = BTreeMap::from([
            ("m1".to_owned(), Series::from([(0, 6.0), (60, 8.0)])),
            ("m2".to_owned(), Series::from([(0, 2.0), (120, 0.0)])),
        ]);
        Expression::parse(text)
            .unwrap()
            .evaluate(&inputs)
            .into_iter()
            .collect()
    }

    #[test]
    fn operators_bind_as_in_arithmetic_and_meet_where_both_have_data() {
        assert_eq!(evaluate("m1 + m2 * 2"), [(0, 10.0)]);
        assert_eq!(evaluate("(m1 + m2) * 2"), [(0, 16.0)]);
        assert_eq!(evaluate("100 * m1 / 4"), [(0, 150.0), (60, 200.0)]);
        assert_eq!(evaluate("-m1"), [(0, -6.0), (60, -8.0)]);
    }

    #[test]
    fn gaps_can_be_filled() {
        assert_eq!(evaluate("FILL(m2, 1)"), [(0, 2.0), (60, 1.0), (120, 0.0)]);
        assert_eq!(evaluate("FILL(m1, REPEAT)"), [(0, 6.0), (60, 8.0), (120, 8.0)]);
    }

    #[test]
    fn a_division_by_zero_has_no_value() {
        assert_eq!(evaluate("FILL(m1, 1) / m2"), [(0, 3.0)]);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["m1 +", "m1 m2", "ANOMALY_DETECTION_BAND(m1)", "(m1", "1.2.3"] {
            assert!(Expression::parse(text).is_err(), "{text}");
        }
    }
}
