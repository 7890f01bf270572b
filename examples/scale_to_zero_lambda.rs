//! The function behind the topic `bp-scale-to-zero`, as an AWS Lambda function on `fleet-scaling`.
//!
//! A fleet's `queue-empty` alarm speaks to the topic, the topic to this function, and the function sets the
//! desired capacity of that fleet's group to zero. `examples/README.md` says how to build and install it.
//!
//! - One outcome per notification, in the answer and as a line of JSON on stdout. When something fails the
//!   invocation fails, after all other notifications have been handled: then Lambda tries again. Twice is as
//!   good as once: a group at zero is left alone.
//! - `SCALE_TO_ZERO_OPTIONS=platform` (the default) does what the platform's function does: it believes the
//!   alarm, even when the alarm only rang because metrics are not published any more.
//! - `SCALE_TO_ZERO_OPTIONS=safe` is [`ScaleToZeroSpec::safe`]: it reads the fleet's metrics and leaves a fleet
//!   alone that has work, or may have some. As an alarm notifies once only, what is held back must be
//!   looked at again: a scheduled event (EventBridge, `rate(1 minute)`) does so for every alarm that rings.

use std::error::Error;
use std::fmt;
use std::io::Write as _;

use aws_sdk_cloudwatch::types::{MetricAlarm, StateValue};
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_http_client::tls;
use fleet_scaling::alarm::AlarmState;
use fleet_scaling::config::ScaleToZeroSpec;
use fleet_scaling::scale_to_zero::{Facts, Guard, ZeroOutcome, react_with};
use fleet_templates::scale_to_zero::QueueEmptyAlarm;
use lambda_runtime::{Diagnostic, service_fn};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

#[path = "scale_to_zero_lambda/work.rs"]
mod work;

use work::Work;

/// Chooses the options; see above.
const OPTIONS: &str = "SCALE_TO_ZERO_OPTIONS";

// ---- The process

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a process of its own, configured by Lambda"
    )]
    let options = options(std::env::var(OPTIONS).ok().as_deref())?;
    let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    let config = aws_config::defaults(aws_config::BehaviorVersion::v2026_01_12())
        .http_client(
            aws_smithy_http_client::Builder::new()
                .tls_provider(ring)
                .build_https(),
        )
        .load()
        .await;
    let function = &Function::new(&config, options);
    let answer = |event: lambda_runtime::LambdaEvent<Value>| async move {
        let reports = function.handle(&event.payload).await;
        for report in &reports {
            let line = serde_json::json!({
                "level": if report.error.is_some() { "ERROR" } else { "INFO" },
                "request_id": event.context.request_id,
                "report": report,
            });
            // The answer says the same: a lost line is no reason to do everything again.
            let _ = writeln!(std::io::stdout(), "{line}");
        }
        conclude(reports)
    };
    lambda_runtime::run(service_fn(answer)).await
}

/// What the variable [`OPTIONS`] asks for. The minutes are the alarm's business, not the function's.
fn options(chosen: Option<&str>) -> Result<ScaleToZeroSpec, String> {
    match chosen {
        None | Some("platform") => Ok(ScaleToZeroSpec::unguarded(15)),
        Some("safe") => Ok(ScaleToZeroSpec::safe(15)),
        Some(other) => Err(format!("{OPTIONS} is `{other}`; it must be `platform` or `safe`")),
    }
}

// ---- What comes in

/// A CloudWatch alarm's notification, as far as it is read here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AlarmMessage {
    alarm_name: String,
    new_state_value: AlarmState,
    #[serde(default)]
    old_state_value: AlarmState,
    /// Read by [`Work::read`]; alarms on several metrics and composite alarms have another shape or none.
    #[serde(default)]
    trigger: Value,
}

/// The message of one record of an SNS event, and its id.
fn message(record: &Value) -> (Option<String>, Result<AlarmMessage, String>) {
    let id = record["Sns"]["MessageId"].as_str().map(str::to_owned);
    let parsed = match record["Sns"]["Message"].as_str() {
        Some(text) => {
            serde_json::from_str(text).map_err(|error| format!("read the alarm's message: {error}"))
        }
        None => Err("read the record: it has no `Sns.Message`".to_owned()),
    };
    (id, parsed)
}

/// What a notification of this alarm would say now.
fn as_message(alarm: &MetricAlarm) -> Result<AlarmMessage, String> {
    let dimensions: Vec<_> = alarm
        .dimensions()
        .iter()
        .map(|one| serde_json::json!({ "name": one.name(), "value": one.value() }))
        .collect();
    Ok(AlarmMessage {
        alarm_name: alarm
            .alarm_name()
            .ok_or("read an alarm: it has no name")?
            .to_owned(),
        new_state_value: AlarmState::Alarm,
        old_state_value: AlarmState::Alarm,
        trigger: serde_json::json!({
            "Namespace": alarm.namespace(),
            "Dimensions": dimensions,
            "Period": alarm.period(),
            "EvaluationPeriods": alarm.evaluation_periods(),
        }),
    })
}

// ---- What goes out

/// What became of one notification.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    /// The desired capacity was set to zero.
    SetToZero,
    /// The desired capacity was lowered to the workers that hold a job. Which instances leave is the
    /// group's choice: it spares the busy ones if they protect themselves from scale-in.
    Drained(u32),
    AlreadyZero,
    NotAlarming,
    /// The alarm says that it rang before, and only [`ScaleToZeroSpec::recheck`] acts on that.
    NotNotified,
    NotAnAlarmOfAFleet,
    NoSuchGroup,
    Held(Guard),
    /// It is not known whether the group was changed.
    Failed(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Self::SetToZero => "set-to-zero",
            Self::Drained(to) => return write!(f, "drained:{to}"),
            Self::AlreadyZero => "already-zero",
            Self::NotAlarming => "not-alarming",
            Self::NotNotified => "not-notified",
            Self::NotAnAlarmOfAFleet => "not-an-alarm-of-a-fleet",
            Self::NoSuchGroup => "no-such-group",
            Self::Held(Guard::QueuedJobs { .. }) => "held:queued-jobs",
            Self::Held(Guard::QueueUnknown) => "held:queue-unknown",
            Self::Held(Guard::ActiveWorkers { .. }) => "held:active-workers",
            Self::Held(Guard::WorkersUnknown) => "held:workers-unknown",
            Self::Held(Guard::Silent { .. }) => "held:silent",
            Self::Held(Guard::BelowMinimum { .. }) => "held:below-minimum",
            // What a later version of the library adds.
            Self::Held(_) => "held",
            Self::Failed(_) => "failed",
        };
        f.write_str(word)
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One line of the log, one element of the answer. What is not known is left out.
#[derive(Debug, Serialize)]
struct Report {
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alarm: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    desired_before: Option<u32>,
    /// Read back after the change. Scaling policies may have changed it again by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    desired_after: Option<u32>,
    /// With the safe options: what the decision rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    work: Option<Work>,
}

impl Report {
    fn about(message_id: Option<String>) -> Self {
        Self {
            message_id,
            alarm: None,
            group: None,
            outcome: Outcome::NotAlarming,
            error: None,
            desired_before: None,
            desired_after: None,
            work: None,
        }
    }

    fn ended(mut self, result: Result<Outcome, String>) -> Self {
        self.outcome = result.unwrap_or_else(Outcome::Failed);
        if let Outcome::Failed(why) = &self.outcome {
            self.error = Some(why.clone());
        }
        self
    }
}

/// The answer of an invocation in which nothing failed.
#[derive(Debug, Serialize)]
struct Answer {
    records: Vec<Report>,
}

/// Fails the invocation when anything failed, so that Lambda tries again.
fn conclude(records: Vec<Report>) -> Result<Answer, Diagnostic> {
    let failed: Vec<String> = records
        .iter()
        .filter_map(|report| {
            let what = report.alarm.as_deref().or(report.message_id.as_deref());
            Some(format!(
                "{}: failed to {}",
                what.unwrap_or("event"),
                report.error.as_ref()?
            ))
        })
        .collect();
    if failed.is_empty() {
        return Ok(Answer { records });
    }
    Err(Diagnostic {
        error_type: "ScaleToZeroFailed".to_owned(),
        error_message: format!(
            "{} of {} failed: {}",
            failed.len(),
            records.len(),
            failed.join("; ")
        ),
    })
}

// ---- What is done

struct Function {
    autoscaling: aws_sdk_autoscaling::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    time: SharedTimeSource,
    options: ScaleToZeroSpec,
}

impl Function {
    #[expect(
        clippy::disallowed_methods,
        reason = "a process of its own: bpctl's clients belong to its commands"
    )]
    fn new(config: &aws_config::SdkConfig, options: ScaleToZeroSpec) -> Self {
        Self {
            autoscaling: aws_sdk_autoscaling::Client::new(config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(config),
            time: config.time_source().unwrap_or_default(),
            options,
        }
    }

    /// An SNS event or, with [`ScaleToZeroSpec::recheck`], a scheduled one.
    async fn handle(&self, event: &Value) -> Vec<Report> {
        let mut reports = Vec::new();
        if let Some(records) = event["Records"].as_array() {
            for (id, parsed) in records.iter().map(message) {
                reports.push(self.record(Report::about(id), parsed).await);
            }
        } else {
            match self.ringing(event).await {
                Ok(alarms) => {
                    for alarm in alarms {
                        reports.push(self.record(Report::about(None), Ok(alarm)).await);
                    }
                }
                Err(error) => reports.push(Report::about(None).ended(Err(error))),
            }
        }
        reports
    }

    /// Every `queue-empty` alarm that rings, when the schedule asks for it.
    async fn ringing(&self, event: &Value) -> Result<Vec<AlarmMessage>, String> {
        if event["detail-type"] != "Scheduled Event" {
            return Err("read the event: it is neither of SNS (`Records`) nor of a schedule".to_owned());
        }
        if !self.options.recheck {
            return Err(format!("look again: only {OPTIONS}=safe does on a schedule"));
        }
        let request = self.cloudwatch.describe_alarms().state_value(StateValue::Alarm);
        let mut pages = request.into_paginator().send();
        let mut ringing = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failed("list the alarms", &error))?;
            let alarms = page.metric_alarms().iter();
            let of_fleets = alarms.filter(|alarm| {
                alarm
                    .alarm_name()
                    .is_some_and(|name| QueueEmptyAlarm::parse(name).is_some())
            });
            for alarm in of_fleets {
                ringing.push(as_message(alarm)?);
            }
        }
        Ok(ringing)
    }

    async fn record(&self, mut report: Report, parsed: Result<AlarmMessage, String>) -> Report {
        let result = match parsed {
            Ok(alarm) => {
                report.alarm = Some(alarm.alarm_name.clone());
                self.react(&alarm, &mut report).await
            }
            Err(error) => Err(error),
        };
        report.ended(result)
    }

    async fn react(&self, alarm: &AlarmMessage, report: &mut Report) -> Result<Outcome, String> {
        let Some(fleet) = QueueEmptyAlarm::parse(&alarm.alarm_name) else {
            return Ok(Outcome::NotAnAlarmOfAFleet);
        };
        let group = fleet.group_name();
        report.group = Some(group.clone());
        if alarm.new_state_value != AlarmState::Alarm {
            return Ok(Outcome::NotAlarming);
        }
        let Some((min, desired)) = self.sizes(&group).await? else {
            return Ok(Outcome::NoSuchGroup);
        };
        report.desired_before = Some(desired);
        let mut facts = Facts {
            state: alarm.new_state_value,
            before: alarm.old_state_value,
            desired,
            min,
            queued: None,
            busy: None,
            missing: 0,
        };
        let safe = self.options != ScaleToZeroSpec::unguarded(self.options.minutes);
        if safe && desired > 0 {
            let work = Work::read(&self.cloudwatch, &self.time, &alarm.trigger).await?;
            (facts.queued, facts.busy, facts.missing) = (work.queued, work.busy, work.missing);
            report.work = Some(work);
        }
        let (to, outcome) = match react_with(&self.options, &facts) {
            ZeroOutcome::NotAlarming => return Ok(Outcome::NotAlarming),
            ZeroOutcome::NotNotified => return Ok(Outcome::NotNotified),
            ZeroOutcome::AlreadyZero => return Ok(Outcome::AlreadyZero),
            ZeroOutcome::Held { guard } => return Ok(Outcome::Held(guard)),
            ZeroOutcome::SetToZero => (0, Outcome::SetToZero),
            ZeroOutcome::Drain { to } => (to, Outcome::Drained(to)),
            // What a later version of the library adds is no permission to change the group.
            other => {
                return Err(format!(
                    "`{other:?}` is an outcome that this function does not know"
                ));
            }
        };
        let set = self.autoscaling.set_desired_capacity();
        set.auto_scaling_group_name(&group)
            .desired_capacity(i32::try_from(to).map_err(|error| error.to_string())?)
            .honor_cooldown(false)
            .send()
            .await
            .map_err(|error| failed(&format!("set the desired capacity of `{group}` to {to}"), &error))?;
        report.desired_after = self.sizes(&group).await?.map(|(_, desired)| desired);
        Ok(outcome)
    }

    /// Minimum and desired capacity of a group; `None` when there is no such group.
    async fn sizes(&self, group: &str) -> Result<Option<(u32, u32)>, String> {
        let request = self.autoscaling.describe_auto_scaling_groups();
        let answer = request
            .auto_scaling_group_names(group)
            .send()
            .await
            .map_err(|error| failed(&format!("describe the group `{group}`"), &error))?;
        let Some(found) = answer.auto_scaling_groups().first() else {
            return Ok(None);
        };
        let size = |name: &str, value: Option<i32>| {
            let value = value.and_then(|size| u32::try_from(size).ok());
            value.ok_or_else(|| format!("describe the group `{group}`: the answer has no `{name}`"))
        };
        Ok(Some((
            size("MinSize", found.min_size())?,
            size("DesiredCapacity", found.desired_capacity())?,
        )))
    }
}

/// "failed to `doing`", with all causes.
fn failed(doing: &str, error: &dyn Error) -> String {
    let mut text = format!("{doing}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
#[path = "scale_to_zero_lambda/process_tests.rs"]
mod process_tests;
#[cfg(test)]
#[path = "scale_to_zero_lambda/tests.rs"]
mod tests;
