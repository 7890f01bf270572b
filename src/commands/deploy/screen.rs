//! Shows what happens while deployments are followed: numbers that change in place on a terminal, lines elsewhere.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::context::Ctx;
use crate::layout::App;
use crate::rollout::{Event, Standing};
use crate::ui::Progress;

/// Where events of deployments go.
pub(crate) struct Screen<'a> {
    ctx: &'a Ctx,
    progress: RefCell<BTreeMap<App, Progress>>,
}

impl<'a> Screen<'a> {
    pub(crate) fn new(ctx: &'a Ctx) -> Self {
        Self {
            ctx,
            progress: RefCell::default(),
        }
    }

    /// A line for each of these deployments, until [`Screen::end`].
    pub(crate) fn begin(&self, deployments: &[(App, String)]) {
        for (app, deployment) in deployments {
            let progress = self
                .ctx
                .ui
                .progress(&format!("{}: following {deployment}", app.word()));
            self.progress.borrow_mut().insert(*app, progress);
        }
    }

    pub(crate) fn end(&self) {
        self.progress.borrow_mut().clear();
    }

    pub(crate) fn hear(&self, event: Event<'_>) {
        let ui = &self.ctx.ui;
        match event {
            Event::Counts(app, counts) => {
                let text = format!("{}: {}", app.word(), counts.text());
                match self.progress.borrow().get(&app) {
                    Some(progress) if ui.is_live() => progress.say(&text),
                    _ => ui.status(&text),
                }
            }
            Event::Service(app, text) => ui.status(&format!("{}: {}", app.word(), without_arns(text))),
            Event::Stopped(app, stopped) => {
                let text = format!("{}: task {} stopped: {}", app.word(), stopped.task, stopped.what);
                if stopped.failed {
                    ui.warn_with(&text, stopped.hint.as_slice());
                } else {
                    ui.status(&text);
                }
            }
            Event::Lines(container, lines) => {
                for line in lines {
                    ui.log(container, line);
                }
            }
            Event::Standing(app, standing) => match standing {
                Standing::InProgress | Standing::Completed => {}
                Standing::RollingBack(why) => ui.status(&format!("{}: rolling back: {why}", app.word())),
                other => ui.status(&format!("{}: {}", app.word(), other.as_str())),
            },
            Event::Warning(text) => ui.warn(&text),
        }
    }
}

/// An event of a service with names in place of ARNs: `(target-group bp-backend)`.
fn without_arns(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let told = match word.split_once("arn:aws") {
            None => word.to_owned(),
            Some((before, arn)) => {
                let end = arn.find([')', ',']).unwrap_or(arn.len());
                let (arn, after) = arn.split_at(end);
                // `…:targetgroup/<name>/<id>`, `…:task/<cluster>/<id>`
                let parts: Vec<&str> = arn.split('/').collect();
                let name = match parts.as_slice() {
                    [kind, name, _] if kind.ends_with(":targetgroup") => name,
                    [.., last] => last,
                    [] => arn,
                };
                format!("{before}{name}{after}")
            }
        };
        words.push(told);
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::without_arns;

    #[test]
    fn events_fit_a_line() {
        assert_eq!(
            without_arns(
                "registered 1 targets in (target-group arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/bp-backend/6d0ecf831eec9f09)"
            ),
            "registered 1 targets in (target-group bp-backend)"
        );
        assert_eq!(
            without_arns("has reached a steady state."),
            "has reached a steady state."
        );
    }
}
