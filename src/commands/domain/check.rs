//! `bpctl domain check`: whether people who visit the platform's name come to it.

use clap::Args;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::host;
use crate::aws::Aws;
use crate::aws::acm::Certificate;
use crate::aws::elb::Listener;
use crate::aws::health::Answered;
use crate::commands::stack::deploy::in_force;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::layout::Layout;
use crate::output::{Render, Table, View};
use crate::stacks::{InForce, covers};

/// The path that is asked: the application's own health route.
const UP: &str = "/up";

/// A certificate with fewer days left was not renewed: ACM begins 60 days before the end ("Managed certificate renewal
/// in AWS Certificate Manager").
const DAYS: i64 = 30;

/// The output of the compute stack that names the load balancer.
const BALANCER: &str = "AlbDns";

/// Check the platform's name: certificate, listener, DNS, redirect
///
/// The certificate is issued for the name, is the one that the load balancer shows, and has at least 30 days left. The
/// name leads to the load balancer: by its record where it is in a hosted zone of this account, else by the resolver of
/// this machine. HTTP redirects to HTTPS, and HTTPS answers with a certificate for the name. Ends with status 9 when
/// something is not so, and with 7 when something could not be checked. Without HOST the name is the one that the
/// platform was deployed with.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl domain check
  bpctl domain check app.example.com      before people are sent there
  bpctl domain check -o json --query 'checks[?state!=`ok`]'")]
pub(crate) struct CheckArgs {
    /// The name, e.g. app.example.com
    #[arg(value_name = "HOST")]
    host: Option<String>,
}

/// What one check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum State {
    Ok,
    Wrong,
    /// It could not be checked.
    Unknown,
}

/// One check.
#[derive(Debug, Serialize, JsonSchema)]
struct Check {
    /// `certificate`, `listener`, `dns`, `redirect` or `https`.
    check: &'static str,
    state: State,
    detail: String,
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DomainCheck {
    domain: String,
    /// The load balancer's own name in DNS; null when the stack does not tell it.
    load_balancer: Option<String>,
    checks: Vec<Check>,
}

impl Check {
    fn new(check: &'static str, state: State, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { check, state, detail }
    }

    fn unread(check: &'static str, error: &CtlError) -> Self {
        Self::new(check, State::Unknown, error.to_string())
    }
}

impl Verb for CheckArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("acm:DescribeCertificate", On::Certificates),
            Use::of("acm:ListCertificates", On::Anything),
            Use::of("cloudformation:DescribeStacks", On::Stacks),
            Use::of("cloudformation:GetTemplate", On::Stacks),
            Use::of("cloudformation:ListStacks", On::Anything),
            Use::of("elasticloadbalancing:DescribeListeners", On::Anything),
            Use::of("elasticloadbalancing:DescribeLoadBalancers", On::Anything),
            Use::of("route53:ListHostedZonesByName", On::Anything),
            Use::of("route53:ListResourceRecordSets", On::Zones),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let asked = self.host.as_deref().map(host).transpose()?;
        let checked = ctx.unless_interrupted(look(ctx, &layout, asked)).await?;
        ctx.emit(&checked)?;
        let any = |state| checked.checks.iter().any(|check| check.state == state);
        if any(State::Wrong) {
            let status = CommandLine::bpctl(["domain", "status", &checked.domain]);
            ctx.ui
                .hint(Hint::new("see its certificates and their records with").command(status));
        }
        Ok(match (any(State::Wrong), any(State::Unknown)) {
            (true, _) => ExitStatus::Differences,
            (false, true) => ExitStatus::Partial,
            (false, false) => ExitStatus::Done,
        })
    }
}

async fn look(ctx: &Ctx, layout: &Layout, asked: Option<String>) -> Result<DomainCheck> {
    let aws = &ctx.aws;
    let stacks = aws.stack_summaries().await?;
    let names: Vec<String> = stacks.into_iter().map(|stack| stack.name).collect();
    let deployed = in_force(ctx, layout, &names).await?;
    let Some(domain) = asked.or_else(|| deployed.domain.clone()) else {
        let request = CommandLine::bpctl(["domain", "request", "app.example.com"]);
        return Err(CtlError::new(
            ErrorKind::NotFound,
            "check the platform's name: it was deployed without one",
        )
        .hint(Hint::new("begin with its certificate:").command(request)));
    };
    let balancer = balancer(aws, layout).await;
    let (plain, secure) = (format!("http://{domain}"), format!("https://{domain}"));
    let (certificate, served, dns, redirect, https) = futures::join!(
        certificate(aws, &domain, ctx.clock.now()),
        listeners(aws, balancer.as_deref()),
        dns(aws, &domain, balancer.as_deref()),
        aws.asked(&plain, UP),
        aws.asked(&secure, UP),
    );
    let (usable, certificate) = certificate;
    Ok(DomainCheck {
        checks: vec![
            certificate,
            listener(&domain, &deployed, served, usable.as_ref()),
            dns,
            redirects(&domain, redirect),
            answers(&domain, https),
        ],
        load_balancer: balancer.ok(),
        domain,
    })
}

/// The name in DNS of the platform's load balancer.
async fn balancer(aws: &Aws, layout: &Layout) -> Result<String> {
    let missing = |why: String| CtlError::new(ErrorKind::NotFound, format!("find the load balancer: {why}"));
    let stack = layout
        .core_stack("compute")
        .ok_or_else(|| missing("this layout has no compute stack".to_owned()))?;
    let found = aws.stack(&stack).await?;
    let mut found = found.ok_or_else(|| missing(format!("there is no stack {stack}")))?;
    let name = found.outputs.remove(BALANCER);
    name.ok_or_else(|| missing(format!("stack {stack} has no output {BALANCER}")))
}

/// The issued certificates for the name, and what is to be said of them.
async fn certificate(aws: &Aws, domain: &str, now: Timestamp) -> (Result<Vec<Certificate>>, Check) {
    const CHECK: &str = "certificate";
    let mut found = match aws.certificates(|names| covers(names, domain)).await {
        Ok(found) => found,
        Err(error) => {
            let check = Check::unread(CHECK, &error);
            return (Err(error), check);
        }
    };
    let pending = found.iter().any(Certificate::is_pending);
    found.retain(Certificate::is_issued);
    let days = |one: &Certificate| {
        let left = one.expires.map(|expires| expires.duration_since(now).as_secs());
        left.map_or(0, |seconds| seconds.div_euclid(86_400))
    };
    let check = match found.iter().max_by_key(|one| days(one)) {
        None if pending => Check::new(CHECK, State::Wrong, "waits for its record in DNS"),
        None => Check::new(CHECK, State::Wrong, "there is none for this name in this region"),
        Some(longest) => {
            let left = days(longest);
            let state = if left < DAYS { State::Wrong } else { State::Ok };
            Check::new(CHECK, state, format!("issued, {left} days left"))
        }
    };
    (Ok(found), check)
}

async fn listeners(aws: &Aws, balancer: Result<&str, &CtlError>) -> Result<Vec<Listener>> {
    let dns = balancer.map_err(|error| CtlError::new(error.kind(), error.to_string()))?;
    let arn = aws.balancer_named(dns).await?.ok_or_else(|| {
        let why = format!("find the load balancer: there is none called {dns}");
        CtlError::new(ErrorKind::NotFound, why)
    })?;
    aws.listeners(&arn).await
}

/// Port 443 shows a certificate that is issued for the name.
fn listener(
    domain: &str,
    deployed: &InForce,
    listeners: Result<Vec<Listener>>,
    usable: Result<&Vec<Certificate>, &CtlError>,
) -> Check {
    const CHECK: &str = "listener";
    let (listeners, usable) = match (listeners, usable) {
        (Err(error), _) => return Check::unread(CHECK, &error),
        (_, Err(error)) => return Check::unread(CHECK, error),
        (Ok(listeners), Ok(usable)) => (listeners, usable),
    };
    let Some(secure) = listeners.iter().find(|listener| listener.port == 443) else {
        return Check::new(CHECK, State::Wrong, "the load balancer does not listen at 443");
    };
    let shown = |one: &&Certificate| secure.certificates.contains(&one.arn);
    if !usable.iter().any(|one| shown(&one)) {
        let which = secure.certificates.join(", ");
        let why = format!("443 shows {which}, which is not issued for {domain} or not in this account");
        return Check::new(CHECK, State::Wrong, why);
    }
    match deployed.domain.as_deref() {
        Some(own) if own != domain => {
            let why = format!("443 shows its certificate; the platform itself was deployed as {own}");
            Check::new(CHECK, State::Wrong, why)
        }
        _ => Check::new(CHECK, State::Ok, "443 shows its certificate"),
    }
}

/// Whether the name leads to the load balancer.
async fn dns(aws: &Aws, domain: &str, balancer: Result<&str, &CtlError>) -> Check {
    const CHECK: &str = "dns";
    let balancer = match balancer {
        Ok(balancer) => balancer,
        Err(error) => return Check::unread(CHECK, error),
    };
    let zones = aws.zones_of(domain).await;
    if let Ok([zone]) = zones.as_deref() {
        let records = match aws.zone_records(zone, domain).await {
            Ok(records) => records,
            Err(error) => return Check::unread(CHECK, &error),
        };
        let mut leads = records
            .iter()
            .filter(|record| matches!(record.kind.as_str(), "A" | "AAAA" | "CNAME"))
            .flat_map(|record| &record.values)
            .peekable();
        let in_zone = format!("the hosted zone {} ({})", zone.name, zone.id);
        if leads.peek().is_none() {
            return Check::new(CHECK, State::Wrong, format!("{in_zone} has no record for it"));
        }
        let strayed: Vec<&str> = leads
            .map(|target| target.strip_prefix("dualstack.").unwrap_or(target))
            .filter(|target| !target.eq_ignore_ascii_case(balancer))
            .collect();
        return match strayed.is_empty() {
            true => Check::new(
                CHECK,
                State::Ok,
                format!("{in_zone} leads it to the load balancer"),
            ),
            false => Check::new(
                CHECK,
                State::Wrong,
                format!("{in_zone} leads it to {}", strayed.join(", ")),
            ),
        };
    }
    let (own, theirs) = futures::join!(aws.addresses(domain), aws.addresses(balancer));
    match (own, theirs) {
        (Err(error), _) | (_, Err(error)) => Check::unread(CHECK, &error),
        (Ok(own), Ok(_)) if own.is_empty() => Check::new(CHECK, State::Wrong, "it has no address"),
        (Ok(own), Ok(theirs)) if own.is_disjoint(&theirs) => {
            let own: Vec<String> = own.iter().map(ToString::to_string).collect();
            let why = format!("it leads to {}, none of them the load balancer's", own.join(", "));
            Check::new(CHECK, State::Wrong, why)
        }
        _ => Check::new(CHECK, State::Ok, "its addresses are the load balancer's"),
    }
}

/// HTTP leads to HTTPS at the same name.
fn redirects(domain: &str, asked: Result<Answered>) -> Check {
    const CHECK: &str = "redirect";
    let answered = match asked {
        Ok(answered) => answered,
        Err(error) => return Check::unread(CHECK, &error),
    };
    let Some(location) = answered
        .location
        .filter(|_| (300..400).contains(&answered.status))
    else {
        let why = format!(
            "http://{domain}{UP} answers {} instead of redirecting",
            answered.status
        );
        return Check::new(CHECK, State::Wrong, why);
    };
    let secure = [format!("https://{domain}/"), format!("https://{domain}:443/")];
    let state = match secure.iter().any(|begin| location.starts_with(begin.as_str())) {
        true => State::Ok,
        false => State::Wrong,
    };
    Check::new(
        CHECK,
        state,
        format!("HTTP answers {}, to {location}", answered.status),
    )
}

/// HTTPS answers; the connection is refused when the certificate does not stand for the name.
fn answers(domain: &str, asked: Result<Answered>) -> Check {
    const CHECK: &str = "https";
    match asked {
        Ok(answered) if (200..300).contains(&answered.status) => Check::new(
            CHECK,
            State::Ok,
            format!("https://{domain}{UP} answers {}", answered.status),
        ),
        Ok(answered) => {
            let why = format!("https://{domain}{UP} answers {}", answered.status);
            Check::new(CHECK, State::Wrong, why)
        }
        Err(error) => Check::unread(CHECK, &error),
    }
}

impl Render for DomainCheck {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["CHECK", "STATE", "DETAIL"]);
        for check in &self.checks {
            let state = match check.state {
                State::Ok => "ok",
                State::Wrong => "wrong",
                State::Unknown => "unknown",
            };
            table.row([check.check.to_owned(), state.to_owned(), check.detail.clone()]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        let wrong = self.checks.iter().filter(|check| check.state != State::Ok);
        wrong.map(|check| check.check.to_owned()).collect()
    }
}
