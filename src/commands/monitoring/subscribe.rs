//! `bpctl monitoring subscribe`: somebody more is told of the alarms.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::sns::{Subscribe, Subscription};
use crate::change::journal::Record;
use crate::change::{
    Basis, Blocker, Call as _, Change, ChangeArgs, Done, End, Outcome, Plan, RunId, Step, StepRun, Target,
    Verification, Words, carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::Layout;
use crate::output::{Render, Table, View};

/// The one step.
const STEP: &str = "subscription";

/// The longest e-mail address (RFC 5321, section 4.5.3.1.3: a path of 256 octets with its angle brackets).
const LONGEST_ADDRESS: usize = 254;

/// SNS states no bound of its own; longer URLs are what many servers and proxies refuse.
const LONGEST_URL: usize = 2048;

/// Let an address or a web server be told of the alarms
///
/// Subscribes it to the topic of the platform's alarms. Nothing is delivered before the subscription is confirmed: by the
/// link in the mail that SNS sends, or by the web server. Until then it is pending, and `bpctl monitoring check` says so.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl monitoring subscribe --email ops@example.com
  bpctl monitoring subscribe --https https://events.example.com/sns
  bpctl monitoring subscribe --email ops@example.com --resend   the mail with the link got lost")]
pub(crate) struct SubscribeArgs {
    #[command(flatten)]
    endpoint: EndpointArgs,

    /// Ask a pending subscriber to confirm once more
    #[arg(long)]
    resend: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct EndpointArgs {
    /// The address to send mail to
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,

    /// The address of a web server that takes messages of SNS
    #[arg(long, value_name = "URL")]
    https: Option<String>,
}

impl EndpointArgs {
    /// Protocol and endpoint. Not checked while the command line is read: what is wrong may be a password, which is not
    /// repeated.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for what SNS cannot send to.
    fn checked(&self) -> Result<(&'static str, String)> {
        let (protocol, checked) = match (&self.email, &self.https) {
            (Some(address), _) => ("email", email(address)),
            (None, Some(url)) => ("https", https(url)),
            (None, None) => ("", Err("neither `--email` nor `--https` is given".to_owned())),
        };
        let endpoint = checked.map_err(|why| CtlError::usage(format!("subscribe to the alarms: {why}")))?;
        Ok((protocol, endpoint))
    }
}

/// An address that SNS can send to. Whether there is somebody is found out by the mail alone.
fn email(text: &str) -> Result<String, String> {
    let wrong = |why: &str| Err(format!("`{text}` is no e-mail address: {why}"));
    let Some((local, domain)) = text.rsplit_once('@') else {
        return wrong("there is no `@`");
    };
    if text.len() > LONGEST_ADDRESS {
        return Err(format!(
            "an e-mail address has at most {LONGEST_ADDRESS} characters"
        ));
    }
    let plain = |c: char| c.is_ascii_graphic() && !"()<>,;:\\\"[]@".contains(c);
    if local.is_empty() || !local.chars().all(plain) || local.starts_with('.') || local.ends_with('.') {
        return wrong("what stands before the `@`");
    }
    let label = |label: &str| {
        let inner = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        inner && !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
    };
    if !domain.contains('.') || !domain.split('.').all(label) {
        return wrong("what stands behind the `@`");
    }
    Ok(text.to_owned())
}

/// A URL that SNS can post to: over TLS, without credentials that a topic would show to everybody.
fn https(text: &str) -> Result<String, String> {
    if text.contains('@') {
        return Err(
            "user and password have no place in the URL: whoever lists the subscriptions reads it".to_owned(),
        );
    }
    let url: http::Uri = text.parse().map_err(|_| format!("`{text}` is no URL"))?;
    let has_host = url.host().is_some_and(|host| !host.is_empty());
    if url.scheme_str() != Some("https") || !has_host {
        return Err(format!("`{text}` must begin with `https://` and a host"));
    }
    if text.contains('#') || text.len() > LONGEST_URL {
        return Err(format!(
            "a URL to post to has no `#` and at most {LONGEST_URL} characters"
        ));
    }
    Ok(text.to_owned())
}

impl Verb for SubscribeArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("sns:ListSubscriptionsByTopic", On::OpsTopic),
                Use::of("sns:Subscribe", On::OpsTopic),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let (protocol, endpoint) = self.endpoint.checked()?;
        let topic = ctx
            .unless_interrupted(ctx.aws.topic_arn(&layout.ops_topic()))
            .await?;
        let change = Subscribing {
            ctx,
            layout,
            call: Subscribe {
                topic,
                protocol: protocol.to_owned(),
                endpoint,
            },
            resend: self.resend,
        };
        carry_out(ctx, &change, &self.change).await
    }
}

struct Subscribing<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    call: Subscribe,
    resend: bool,
}

/// The result document.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct SubscribeResult {
    run: Option<RunId>,
    topic: String,
    protocol: String,
    endpoint: String,
    state: SubscriptionState,
}

/// Whether messages are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SubscriptionState {
    Confirmed,
    /// Not before it is confirmed.
    Pending,
    /// There is no such subscription.
    None,
}

/// The request, as the journal keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Action(Subscribe);

impl Subscribing<'_> {
    fn own<'b>(&self, found: &'b [Subscription]) -> Option<&'b Subscription> {
        found.iter().find(|one| self.call.is_for(one))
    }
}

fn state(found: Option<&Subscription>) -> SubscriptionState {
    match found {
        Some(one) if one.confirmed => SubscriptionState::Confirmed,
        Some(_) => SubscriptionState::Pending,
        None => SubscriptionState::None,
    }
}

fn word(state: SubscriptionState) -> &'static str {
    match state {
        SubscriptionState::Confirmed => "confirmed",
        SubscriptionState::Pending => "pending until it is confirmed",
        SubscriptionState::None => "not subscribed",
    }
}

impl Change for Subscribing<'_> {
    const NAME: &'static str = "monitoring subscribe";
    /// `None` when there is no such topic.
    type Seen = Option<Vec<Subscription>>;
    type Action = Action;
    type Output = ();
    type Ending = SubscribeResult;
    type Document = SubscribeResult;

    fn words(&self) -> Words {
        Words {
            goal: format!("subscribe {} to the alarms", self.call.endpoint),
            thing: "subscription",
            settle: "see the subscription".to_owned(),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Record]) -> Result<Self::Seen> {
        self.ctx.aws.subscriptions(&self.call.topic).await
    }

    fn plan(&self, seen: &Self::Seen, _basis: &Basis<'_>) -> Result<Plan<Action>> {
        let goal = self.words().goal;
        let mut plan = Plan::new(goal.clone(), Vec::new());
        let Some(found) = seen else {
            let stack = self.layout.core_stack("monitoring").unwrap_or_default();
            plan.blockers.push(Blocker {
                kind: ErrorKind::NotFound,
                reason: format!("{goal}: there is no topic `{}`", self.layout.ops_topic()),
                hint: Hint::new("deploy the stack that makes it with")
                    .command(CommandLine::bpctl(["stack", "deploy", &stack])),
            });
            return Ok(plan);
        };
        let now = state(self.own(found));
        let summary = match (now, self.resend) {
            (SubscriptionState::Confirmed, _) => return Ok(plan),
            (SubscriptionState::Pending, false) => {
                plan.warnings.push(format!(
                    "{} has been asked and has not confirmed; with `--resend` it is asked once more",
                    self.call.endpoint
                ));
                return Ok(plan);
            }
            (SubscriptionState::Pending, true) => "ask once more to confirm",
            (SubscriptionState::None, _) => "subscribe to the topic of the alarms",
        };
        let calls = vec![self.call.described()];
        let step = Step::new(STEP, summary, calls, Action(self.call.clone()));
        plan.steps
            .push(step.changing(word(now), word(SubscriptionState::Pending)));
        Ok(plan)
    }

    fn covers(&self, _seen: &Self::Seen, _plan: &Plan<Action>) -> Vec<String> {
        vec![STEP.to_owned()]
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let Action(call) = step.action();
        let found = self.ctx.aws.subscriptions(&call.topic).await?.unwrap_or_default();
        if state(self.own(&found)) == SubscriptionState::Confirmed {
            return Ok(Done::new("found confirmed already: nothing was sent"));
        }
        match step.send(&self.ctx.aws, call).await? {
            Some(one) => Ok(Done::new(format!("subscribed: {}", word(state(Some(&one)))))),
            None => Err(CtlError::new(
                ErrorKind::Failed,
                format!(
                    "{}: right after the request the topic has no such subscription",
                    self.words().goal
                ),
            )),
        }
    }

    async fn verify(&self, _seen: &Self::Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let found = self
            .ctx
            .aws
            .subscriptions(&self.call.topic)
            .await?
            .unwrap_or_default();
        let state = state(self.own(&found));
        if !run.done().is_empty() {
            run.end(
                STEP,
                match state {
                    SubscriptionState::None => End::Overturned("the subscription is gone again".to_owned()),
                    SubscriptionState::Confirmed | SubscriptionState::Pending => End::Settled,
                },
            );
        }
        run.ending(
            STEP,
            SubscribeResult {
                run: None,
                topic: self.layout.ops_topic(),
                protocol: self.call.protocol.clone(),
                endpoint: self.call.endpoint.clone(),
                state,
            },
        );
        Ok(())
    }

    fn document(&self, _seen: &Self::Seen, outcome: &Outcome<Self>) -> Option<SubscribeResult> {
        let mut result = outcome.endings.get(STEP)?.clone();
        result.run = Some(outcome.run.clone());
        Some(result)
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let flag = format!("--{}", self.call.protocol);
        let command = CommandLine::bpctl(["monitoring", "subscribe"]).option(&flag, &self.call.endpoint);
        match self.resend {
            true => command.args(["--resend"]),
            false => command,
        }
    }
}

impl Render for SubscribeResult {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["TOPIC", "PROTOCOL", "ENDPOINT", "STATE"]);
        table.row([
            self.topic.clone(),
            self.protocol.clone(),
            self.endpoint.clone(),
            word(self.state).to_owned(),
        ]);
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        vec![self.endpoint.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sns_cannot_send_to_is_refused() {
        for good in ["ops@example.com", "first.last+alerts@mail.example.co"] {
            assert_eq!(email(good).as_deref(), Ok(good));
        }
        let long = format!("{}@example.com", "a".repeat(250));
        for bad in [
            "",
            "ops",
            "@example.com",
            "ops@",
            "ops@example",
            "a b@example.com",
            "a@b@example.com",
            "ops@-x.com",
            "ops@example..com",
            "<ops@example.com>",
            ".ops@example.com",
            "öps@example.com",
            "ops@exa_mple.com",
            &long,
        ] {
            assert!(email(bad).is_err(), "{bad}");
        }
        let good = "https://events.example.com:8443/sns?key=1";
        assert_eq!(https(good).as_deref(), Ok(good));
        for bad in [
            "",
            "events.example.com",
            "http://events.example.com",
            "ftp://x.example.com",
            "https://",
            "https://user:password@x.example.com/",
            "https://x.example.com/#a",
            "https://x example.com/",
        ] {
            assert!(https(bad).is_err(), "{bad}");
        }
    }
}
