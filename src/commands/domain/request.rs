//! `bpctl domain request`: a certificate for the platform's name, validated by DNS.

mod record;

use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};

use self::record::{PROOF, ZoneSeen};
use super::host;
use super::view::{CertificateRow, RequestResult};
use crate::aws::acm::{Certificate, RequestCertificate};
use crate::aws::route53::CreateProof;
use crate::change::journal::{Progress, Record};
use crate::change::{
    Basis, Call as _, Change, ChangeArgs, Done, End, Outcome, Plan, Step, StepRun, Target, Verification,
    Words, carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::stacks::covers;
use crate::wait::{Look, Waited, Waiter};

/// The one step.
const STEP: &str = "certificate";

/// How long ACM may take to tell the records: some seconds.
const RECORDS: Duration = Duration::from_secs(60);

/// Request a certificate for the platform's name
///
/// Asks ACM in the region of the load balancer for a certificate that is validated by DNS. Where the name is in a public
/// hosted zone of this account, the record that proves it is created there; otherwise it is printed, to be created where
/// the name's DNS is kept. Then it waits until the certificate is issued, which takes some minutes after
/// the record is there, and ends with status 6 when it is still pending at the end of the time; `--no-wait` ends when the
/// record is known. A certificate that stands for the name already, issued or pending, is taken, and no other one is
/// requested.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl domain request app.example.com
  bpctl domain request app.example.com --timeout 2h
  bpctl domain request app.example.com --no-wait      do not wait until it is issued
  bpctl domain request app.example.com --no-record    leave Route 53 alone
  bpctl stack deploy compute -c domainName=app.example.com -c certificateArn=ARN   when it is issued")]
pub(crate) struct RequestArgs {
    /// The name that people visit, e.g. app.example.com
    #[arg(value_name = "HOST")]
    host: String,

    /// Do not create the record in Route 53: print it
    #[arg(long)]
    no_record: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for RequestArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("acm:DescribeCertificate", On::Certificates),
                Use::of("acm:ListCertificates", On::Anything),
                Use::of("acm:RequestCertificate", On::Anything),
                Use::of("route53:ChangeResourceRecordSets", On::Zones),
                Use::of("route53:ListHostedZonesByName", On::Anything),
                Use::of("route53:ListResourceRecordSets", On::Zones),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let change = Requesting {
            ctx,
            host: host(&self.host)?,
            by_hand: self.no_record,
        };
        carry_out(ctx, &change, &self.change).await
    }
}

struct Requesting<'a> {
    ctx: &'a Ctx,
    host: String,
    /// Whether records are left to the operator.
    by_hand: bool,
}

/// One step.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Action {
    Request(RequestCertificate),
    Prove(CreateProof),
}

/// What there is.
#[derive(Debug)]
struct Seen {
    /// Issued or pending ones for the name, those that are issued first.
    usable: Vec<Certificate>,
    /// The request of a run that was cut off before it knew the answer.
    cut_off: Option<RequestCertificate>,
    zone: ZoneSeen,
}

impl Requesting<'_> {
    async fn usable(&self) -> Result<Vec<Certificate>> {
        let mut found = self
            .ctx
            .aws
            .certificates(|names| covers(names, &self.host))
            .await?;
        found.retain(|one| one.is_issued() || one.is_pending());
        found.sort_by_key(Certificate::is_pending);
        Ok(found)
    }

    fn cut_off(&self, recent: &[Record]) -> Option<RequestCertificate> {
        let records = recent
            .iter()
            .filter(|record| !record.going_on && record.end.is_none());
        let mut steps = records.flat_map(|record| record.steps.iter());
        steps.find_map(|step| {
            let may_have_arrived = matches!(step.progress, Progress::InDoubt | Progress::Done);
            let Action::Request(call) = step.step::<Action>()?.action else {
                return None;
            };
            (may_have_arrived && call.host == self.host).then_some(call)
        })
    }

    /// Says which record is to be created while the wait goes on.
    fn tell_records(&self, certificate: Option<&Certificate>) {
        let pending = certificate.filter(|one| one.is_pending());
        for record in pending.into_iter().flat_map(|one| &one.records) {
            self.ctx.ui.important(&format!(
                "Create the record {} {} {}",
                record.name, record.kind, record.value
            ));
        }
    }

    /// Waits for the records, and for the certificate unless nothing is to be waited for.
    async fn follow(&self, arn: &str, run: &Verification<'_, Self>) -> Result<(Option<Certificate>, End)> {
        let (aws, clock) = (&self.ctx.aws, &self.ctx.clock);
        let pace = |timeout| {
            Waiter::new(clock, timeout, &self.ctx.cancel)
                .pace(Duration::from_secs(2), Duration::from_secs(20))
        };
        let timeout = if run.waits() { run.remaining() } else { RECORDS };
        let mut is_told = false;
        let proved = run
            .done()
            .iter()
            .any(|(step, _)| matches!(step.action, Action::Prove(_)));
        let progress = self
            .ctx
            .ui
            .progress(&format!("Waiting for the certificate of {}", self.host));
        let mut last = None;
        let waited = pace(timeout)
            .until(
                async || {
                    last = aws.certificate(arn).await?;
                    let told = last.as_ref().is_some_and(|one| !one.records.is_empty());
                    if told && run.waits() && !is_told && !proved {
                        is_told = true;
                        self.tell_records(last.as_ref());
                    }
                    Ok(match &last {
                        Some(one) if !one.is_pending() => Look::Ready(()),
                        Some(_) if told && !run.waits() => Look::Ready(()),
                        Some(_) if told && proved => Look::Pending("ACM looks for its record".to_owned()),
                        Some(_) if told => Look::Pending("waiting for the record in DNS".to_owned()),
                        _ => Look::Pending("waiting for the record to create".to_owned()),
                    })
                },
                |text| progress.say(text),
            )
            .await?;
        drop(progress);
        let status = CommandLine::bpctl(["domain", "status", &self.host]);
        let end = match (&waited, &last) {
            (_, Some(one)) if one.is_issued() => End::Settled,
            (_, Some(one)) if !one.is_pending() => {
                let why = one.failure.as_deref().unwrap_or("ACM does not say why");
                End::Failed(CtlError::new(
                    ErrorKind::Failed,
                    format!(
                        "see the certificate of {} issued: it is {} ({why})",
                        self.host, one.status
                    ),
                ))
            }
            (Waited::Ready(()), _) => End::Settled,
            (Waited::TimedOut | Waited::Cancelled, _) => End::Running {
                what: format!(
                    "the certificate of {} is pending until its record is in DNS",
                    self.host
                ),
                hint: Hint::new("see the record with").command(status),
            },
        };
        Ok((last, end))
    }
}

impl Change for Requesting<'_> {
    const NAME: &'static str = "domain request";
    type Seen = Seen;
    type Action = Action;
    /// The ARN of the certificate.
    type Output = String;
    type Ending = RequestResult;
    type Document = RequestResult;

    fn words(&self) -> Words {
        Words {
            goal: format!("request a certificate for {}", self.host),
            thing: "certificate",
            settle: format!("see the certificate of {} issued", self.host),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, recent: &[Record]) -> Result<Seen> {
        let usable = self.usable().await?;
        let zone = match usable.first() {
            Some(one) if one.is_issued() => ZoneSeen::NotAsked,
            pending => self.zone(pending).await?,
        };
        Ok(Seen {
            usable,
            cut_off: self.cut_off(recent),
            zone,
        })
    }

    fn plan(&self, seen: &Seen, basis: &Basis<'_>) -> Result<Plan<Action>> {
        let mut plan = Plan::new(self.words().goal, Vec::new());
        seen.zone.tell(&mut plan);
        if !seen.usable.is_empty() {
            plan.steps.extend(seen.zone.proofs());
            return Ok(plan);
        }
        let call = seen.cut_off.clone().unwrap_or_else(|| RequestCertificate {
            host: self.host.clone(),
            token: basis.names.token.clone(),
        });
        let calls = vec![call.described()];
        let action = Action::Request(call);
        let mut step = Step::new(STEP, "request a certificate, validated by DNS", calls, action).changing(
            "no certificate for the name",
            "one that waits for its record in DNS",
        );
        let proof = seen.zone.later_proof();
        if proof.is_none() {
            step.notes.push(
                "its record is created where the name's DNS is kept: ACM issues it some minutes later"
                    .to_owned(),
            );
        }
        plan.steps.push(step);
        plan.steps.extend(proof);
        Ok(plan)
    }

    fn covers(&self, _seen: &Seen, plan: &Plan<Action>) -> Vec<String> {
        let planned = plan.steps.iter().map(|step| step.id.clone());
        [STEP, PROOF]
            .map(str::to_owned)
            .into_iter()
            .chain(planned)
            .collect()
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let request = match step.action() {
            Action::Request(request) => request,
            Action::Prove(proof) => return self.prove(step, proof).await,
        };
        if let Some(one) = self.usable().await?.first() {
            return Ok(Done::new("found one already: nothing was requested").with(one.arn.clone()));
        }
        let arn = step.send(&self.ctx.aws, request).await?;
        Ok(Done::new(format!("requested {arn}")).with(arn))
    }

    async fn verify(&self, seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let requested = run.done().into_iter().find_map(|(_, arn)| arn);
        let Some(arn) = requested.or_else(|| seen.usable.first().map(|one| one.arn.clone())) else {
            return Ok(());
        };
        let (found, end) = self.follow(&arn, run).await?;
        let settled = matches!(end, End::Settled);
        if !run.done().is_empty() || !settled {
            run.end(STEP, end);
        }
        let now = self.ctx.clock.now();
        run.ending(
            STEP,
            RequestResult {
                run: None,
                domain: self.host.clone(),
                certificate: found.map(|one| CertificateRow::of(&one, None, now)),
            },
        );
        Ok(())
    }

    fn document(&self, _seen: &Seen, outcome: &Outcome<Self>) -> Option<RequestResult> {
        let mut result = outcome.endings.get(STEP)?.clone();
        result.run = Some(outcome.run.clone());
        Some(result)
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let by_hand = self.by_hand.then_some("--no-record");
        CommandLine::bpctl(["domain", "request", &self.host].into_iter().chain(by_hand))
    }
}
