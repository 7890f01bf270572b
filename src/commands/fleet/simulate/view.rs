//! A simulation for people: waits, jobs, money and scaling, and its course when there is a terminal.

use fleet_scaling::simulate::Durations;

use super::super::text::counted;
use super::super::text::{dollars, percent, span};
use super::Simulation;
use crate::output::{Render, Table, View, paragraph};
use crate::plot::terminal;
use crate::ui::{Role, paint};

/// Dots of a character in a terminal, side by side.
const DOTS: usize = 2;

impl Render for Simulation {
    fn human(&self, view: &View) -> String {
        let scenario = &self.scenario;
        let heading = format!(
            "{}: {} of {}, seed {}",
            self.fleet, scenario.length, scenario.arrivals, scenario.seed
        );
        let mut text = String::new();
        paragraph(&mut text, view, "", &heading);
        text.push('\n');
        text.push_str(&self.durations(view));
        text.push('\n');
        for (name, value) in self.facts() {
            paragraph(&mut text, view, &format!("  {name:<12}  "), &value);
        }
        if let Some(width) = view.width
            && let Some(chart) = self.chart(usize::from(width) * DOTS)
        {
            text.push('\n');
            text.push_str(&terminal(&chart, width, view.color));
        }
        text.push('\n');
        let lead = format!("{} ", paint(view.color, Role::Hint, "=>"));
        for sentence in self.verdict() {
            paragraph(&mut text, view, &lead, &sentence);
        }
        text
    }

    fn names(&self) -> Vec<String> {
        vec![self.fleet.clone()]
    }
}

impl Simulation {
    /// What the simulation comes to, at the end, where it is read.
    fn verdict(&self) -> Vec<String> {
        let report = &self.report;
        let days = self.scenario.days;
        let mut sentences = vec![if report.wait.count == 0 {
            match report.jobs.arrived {
                0 => format!("no job came; {} a day", dollars(report.fleet.cost / days)),
                _ => "no job started: nothing in this configuration starts an instance for them".to_owned(),
            }
        } else {
            format!(
                "95% of the jobs wait at most {}, for {} a day; {} lost",
                span(report.wait.p95),
                dollars(report.fleet.cost / days),
                match report.jobs.failed + report.jobs.rejected {
                    0 => "none is".to_owned(),
                    1 => "1 is".to_owned(),
                    lost => format!("{lost} are"),
                }
            )
        }];
        for unknown in &report.unknown {
            sentences.push(format!("not known: {unknown}; the figures are those of the rest"));
        }
        sentences
    }

    fn durations(&self, view: &View) -> String {
        let mut table = Table::new(&["", "MEAN", "P50", "P90", "P95", "P99", "MAX"]);
        for (name, durations) in [
            ("  wait", &self.report.wait),
            ("  turnaround", &self.report.turnaround),
        ] {
            let Durations {
                mean,
                p50,
                p90,
                p95,
                p99,
                max,
                count,
            } = *durations;
            let measured = [mean, p50, p90, p95, p99, max].map(|seconds| match count {
                0 => "-".to_owned(),
                _ => span(seconds),
            });
            table.row([name.to_owned()].into_iter().chain(measured));
        }
        table.render(view)
    }

    /// Name and sentence of everything else.
    fn facts(&self) -> Vec<(&'static str, String)> {
        let jobs = &self.report.jobs;
        let fleet = &self.report.fleet;
        let scaling = &self.report.scaling;
        let unfinished = jobs.waiting + jobs.leased + jobs.running;
        let mut facts = vec![
            (
                "jobs",
                format!(
                    "{} arrived, {} done, {} failed, {} rejected, {unfinished} unfinished at the end",
                    jobs.arrived, jobs.done, jobs.failed, jobs.rejected
                ),
            ),
            (
                "requeued",
                if jobs.requeued == 0 {
                    "no job lost its worker".to_owned()
                } else {
                    format!(
                        "{}, because the worker went away; {:.1} hours of work done again",
                        counted(jobs.requeued, "time"),
                        fleet.wasted_hours
                    )
                },
            ),
            (
                "cost",
                format!(
                    "{} for {:.1} instance hours, {}",
                    dollars(fleet.cost),
                    fleet.instance_hours,
                    fleet.cost_per_job.map_or_else(
                        || "and no job finished".to_owned(),
                        |cost| format!("{} per finished job", dollars(cost))
                    )
                ),
            ),
            (
                "instances",
                format!(
                    "at most {} at a time, at work {} of their time; none for {} of the time",
                    fleet.most_instances,
                    percent(fleet.utilisation),
                    percent(fleet.time_at_zero)
                ),
            ),
            (
                "cold starts",
                match fleet.cold_start_share {
                    Some(share) => format!(
                        "{} of the jobs ran on an instance that was not there yet when they came",
                        percent(share)
                    ),
                    None => "no job started".to_owned(),
                },
            ),
            (
                "scaling",
                format!(
                    "{} out, {} in, {} of them to zero; {} launched",
                    counted(scaling.scale_outs, "time"),
                    counted(scaling.scale_ins, "time"),
                    scaling.to_zero,
                    counted(fleet.launched, "instance")
                ),
            ),
        ];
        let mut trouble = Vec::new();
        if fleet.launch_failures > 0 {
            trouble.push(format!(
                "{} without capacity for a launch",
                counted(fleet.launch_failures, "minute")
            ));
        }
        if fleet.interruptions > 0 {
            trouble.push(counted(fleet.interruptions, "Spot interruption"));
        }
        if fleet.ended_busy > 0 {
            trouble.push(format!(
                "{} ended with a job by a scale-in or a replacement",
                counted(fleet.ended_busy, "instance")
            ));
        }
        // A twentieth of the jobs moves the 95th percentile.
        if jobs.waiting * 20 > jobs.arrived {
            trouble.push(format!(
                "{} waiting at the end, whose wait is in none of the figures above",
                counted(jobs.waiting, "job")
            ));
        }
        if scaling.by_deploy > 0 {
            trouble.push(format!("{} by a deploy", counted(scaling.by_deploy, "change")));
        }
        if !trouble.is_empty() {
            facts.push(("trouble", trouble.join(", ")));
        }
        facts
    }
}
