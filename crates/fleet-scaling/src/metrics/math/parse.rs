//! From the text of an expression to a tree whose leaves are numbers and metrics.

use std::collections::BTreeMap;

use super::{Input, MathError, MetricStat};

/// Nodes of one expression with those that it refers to: ids that double each other grow without end.
const MOST_NODES: usize = 1000;

/// Parentheses, calls and references within each other.
const MOST_DEPTH: usize = 64;

/// A part of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Number(f64),
    /// A metric, by its position.
    Metric(usize),
    Negative(Box<Node>),
    Binary(Operator, Box<[Node; 2]>),
    Call(Function, Box<Node>),
    /// The length of a period, in seconds.
    Period,
    /// The sum of several series, or their average.
    Over {
        average: bool,
        nodes: Vec<Node>,
    },
    /// Without the third there is no point where the first is 0.
    If(Box<(Node, Node, Option<Node>)>),
    Fill(Box<(Node, Filler)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Equal,
    NotEqual,
    LessOrEqual,
    GreaterOrEqual,
    Less,
    Greater,
    And,
    Or,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Abs,
    Ceil,
    Floor,
    Log,
    Log10,
}

/// What stands in for missing points.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filler {
    /// A number, or another series.
    Value(Node),
    Repeat,
    Linear,
}

impl Node {
    /// Whether it is a series and not one number.
    fn is_series(&self) -> bool {
        match self {
            Self::Number(_) | Self::Period => false,
            Self::Metric(_) => true,
            Self::Negative(inner) | Self::Call(_, inner) => inner.is_series(),
            Self::Over { .. } => true,
            Self::Binary(_, sides) => sides.iter().any(Self::is_series),
            Self::If(parts) => {
                let (condition, yes, no) = &**parts;
                condition.is_series() || yes.is_series() || no.as_ref().is_some_and(Self::is_series)
            }
            Self::Fill(parts) => parts.0.is_series(),
        }
    }
}

/// An expression and the metrics that it names.
pub(super) struct Parsed {
    pub(super) node: Node,
    pub(super) metrics: Vec<MetricStat>,
}

pub(super) fn parse(text: &str, inputs: &BTreeMap<String, Input>) -> Result<Parsed, MathError> {
    let mut names = Names {
        inputs,
        metrics: Vec::new(),
        nodes: 0,
    };
    let node = expression(text, &mut names, 0)?;
    if !node.is_series() {
        return Err(MathError::Scalar);
    }
    let metrics = names.metrics;
    Ok(Parsed { node, metrics })
}

/// What ids stand for, and what has come of them so far.
struct Names<'a> {
    inputs: &'a BTreeMap<String, Input>,
    metrics: Vec<MetricStat>,
    nodes: usize,
}

fn expression(text: &str, names: &mut Names<'_>, depth: usize) -> Result<Node, MathError> {
    let mut parser = Parser {
        rest: text.trim_start(),
        names,
        depth,
    };
    let node = parser.any_of(0)?;
    if parser.rest.is_empty() {
        Ok(node)
    } else {
        Err(parser.wrong("an operator is missing"))
    }
}

/// Operators from the weakest to the strongest; of those in one row the leftmost goes first. Longer ones stand
/// before what they begin with.
const LEVELS: [&[(&str, Operator)]; 6] = [
    &[("OR", Operator::Or), ("||", Operator::Or)],
    &[("AND", Operator::And), ("&&", Operator::And)],
    &[
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide)],
    &[("^", Operator::Power)],
];

struct Parser<'t, 'n, 'i> {
    rest: &'t str,
    names: &'n mut Names<'i>,
    depth: usize,
}

impl<'t> Parser<'t, '_, '_> {
    fn any_of(&mut self, level: usize) -> Result<Node, MathError> {
        let Some(operators) = LEVELS.get(level) else {
            return self.operand();
        };
        let mut left = self.any_of(level + 1)?;
        while let Some((_, operator)) = operators.iter().find(|(text, _)| self.takes(text)) {
            let right = self.any_of(level + 1)?;
            left = self.node(Node::Binary(*operator, Box::new([left, right])))?;
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<Node, MathError> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(MathError::TooLarge);
        }
        let node = if self.takes("-") {
            Node::Negative(Box::new(self.operand()?))
        } else if self.takes("(") {
            let inner = self.any_of(0)?;
            self.needs(")")?;
            inner
        } else if self.rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            let number = self.word(|c| c.is_ascii_digit() || c == '.');
            match number.parse() {
                Ok(number) => Node::Number(number),
                Err(_) => return Err(self.wrong("a number is malformed")),
            }
        } else {
            let name = self.word(|c| c.is_ascii_alphanumeric() || c == '_');
            if name.is_empty() {
                return Err(self.wrong("a value is missing"));
            }
            if self.takes("(") {
                self.call(name)?
            } else {
                self.id(name)?
            }
        };
        self.depth -= 1;
        self.node(node)
    }

    fn call(&mut self, name: &str) -> Result<Node, MathError> {
        // "All functions must be written in uppercase letters."
        let function = match name {
            "ABS" => Function::Abs,
            "CEIL" => Function::Ceil,
            "FLOOR" => Function::Floor,
            "LOG" => Function::Log,
            "LOG10" => Function::Log10,
            "PERIOD" => {
                self.any_of(0)?;
                self.needs(")")?;
                return Ok(Node::Period);
            }
            "SUM" | "AVG" if self.takes("[") => return self.several(name == "AVG"),
            "IF" => return self.branches(),
            "FILL" => return self.fill(),
            _ => {
                let function = name.to_owned();
                return Err(MathError::NotModelled { function });
            }
        };
        let argument = self.any_of(0)?;
        self.needs(")")?;
        Ok(Node::Call(function, Box::new(argument)))
    }

    /// Series in brackets. Of a single series `SUM` and `AVG` make a number that depends on how many points CloudWatch
    /// retrieves, which is not published.
    fn several(&mut self, average: bool) -> Result<Node, MathError> {
        let mut nodes = vec![self.any_of(0)?];
        while self.takes(",") {
            nodes.push(self.any_of(0)?);
        }
        self.needs("]")?;
        self.needs(")")?;
        if nodes.iter().all(Node::is_series) {
            return Ok(Node::Over { average, nodes });
        }
        Err(self.wrong("an array holds time series only"))
    }

    fn branches(&mut self) -> Result<Node, MathError> {
        let condition = self.any_of(0)?;
        self.needs(",")?;
        let yes = self.any_of(0)?;
        let no = if self.takes(",") {
            Some(self.any_of(0)?)
        } else {
            None
        };
        self.needs(")")?;
        Ok(Node::If(Box::new((condition, yes, no))))
    }

    fn fill(&mut self) -> Result<Node, MathError> {
        let filled = self.any_of(0)?;
        self.needs(",")?;
        let filler = if self.takes("REPEAT") {
            Filler::Repeat
        } else if self.takes("LINEAR") {
            Filler::Linear
        } else {
            Filler::Value(self.any_of(0)?)
        };
        self.needs(")")?;
        Ok(Node::Fill(Box::new((filled, filler))))
    }

    fn id(&mut self, id: &str) -> Result<Node, MathError> {
        let inputs = self.names.inputs;
        match inputs.get(id) {
            None => Err(MathError::UnknownId { id: id.to_owned() }),
            Some(Input::Expression { expression: text }) => expression(text, self.names, self.depth),
            Some(Input::Metric(input)) => {
                let metrics = &mut self.names.metrics;
                let known = metrics.iter().position(|known| known == input);
                Ok(Node::Metric(known.unwrap_or_else(|| {
                    metrics.push(input.clone());
                    metrics.len() - 1
                })))
            }
        }
    }

    fn node(&mut self, node: Node) -> Result<Node, MathError> {
        self.names.nodes += 1;
        if self.names.nodes > MOST_NODES {
            return Err(MathError::TooLarge);
        }
        Ok(node)
    }

    /// Whether the text goes on with `token`, which is passed then. A word is not the beginning of a longer one.
    fn takes(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(token) else {
            return false;
        };
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if token.ends_with(word) && rest.starts_with(word) {
            return false;
        }
        self.rest = rest.trim_start();
        true
    }

    fn needs(&mut self, token: &'static str) -> Result<(), MathError> {
        if self.takes(token) {
            return Ok(());
        }
        Err(self.wrong(match token {
            ")" => "a closing parenthesis is missing",
            "]" => "a closing bracket is missing",
            _ => "an argument is missing",
        }))
    }

    fn word(&mut self, is_part: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        word
    }

    fn wrong(&self, what: &'static str) -> MathError {
        let rest = self.rest.to_owned();
        MathError::Syntax { what, rest }
    }
}
