//! The timeline for people, and as Markdown for a post-mortem.

use super::{Event, Limit, Timeline};
use crate::output::markdown::{cell, sentence};
use crate::output::{Render, Table, View, paragraph};

impl Event {
    /// What and why.
    fn told(&self) -> String {
        match &self.why {
            Some(why) => format!("{}: {why}", self.what),
            None => self.what.clone(),
        }
    }

    /// The last part of the ARN: the session of a role, the name of a user.
    fn name_of_who(&self) -> String {
        let who = self.who.as_deref().unwrap_or("-");
        who.rsplit('/').next().unwrap_or_default().to_owned()
    }
}

impl Limit {
    fn told(&self) -> String {
        let (source, what) = (self.source.name(), self.what);
        match self.known_since {
            Some(at) => {
                let at = at.strftime("%Y-%m-%d %H:%M:%SZ");
                format!("{source} from before {at} may be missing: {what}")
            }
            None => format!("{source}: {what}"),
        }
    }
}

impl Render for Timeline {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["TIME", "SOURCE", "WHAT", "HAPPENED", "WHO"]);
        for event in &self.events {
            let mark = if event.bad { "! " } else { "" };
            table.row([
                event.at.strftime("%m-%d %H:%M:%SZ").to_string(),
                event.source.word().to_owned(),
                event.subject.clone(),
                format!("{mark}{}", event.told()),
                event.name_of_who(),
            ]);
        }
        let mut text = table.render(view);
        if !text.is_empty() && !self.limits.is_empty() {
            text.push('\n');
        }
        for limit in &self.limits {
            paragraph(&mut text, view, "Limit: ", &limit.told());
        }
        text
    }

    fn markdown(&self) -> Option<String> {
        let mut text = "| Time (UTC) | Source | What | Happened | Who |\n|---|---|---|---|---|\n".to_owned();
        for event in &self.events {
            // What others wrote is text, and no markup.
            let text_of = |text: &str| cell(&sentence(text));
            let told = match event.bad {
                true => format!("**{}**", text_of(&event.told())),
                false => text_of(&event.told()),
            };
            text.push_str(&format!(
                "| {} | {} | {} | {told} | {} |\n",
                event.at.strftime("%Y-%m-%d %H:%M:%S"),
                event.source.word(),
                text_of(&event.subject),
                text_of(&event.name_of_who()),
            ));
        }
        for gap in &self.gaps {
            text.push_str(&format!("\nNot on this timeline: {}\n", cell(&sentence(gap))));
        }
        for limit in &self.limits {
            text.push_str(&format!("\nLimit of this timeline: {}\n", limit.told()));
        }
        Some(text)
    }

    fn names(&self) -> Vec<String> {
        self.events.iter().map(|event| event.subject.clone()).collect()
    }
}
