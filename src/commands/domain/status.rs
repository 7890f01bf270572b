//! `bpctl domain status`: the certificates for the platform's name.

use clap::Args;

use super::host;
use super::view::{CertificateRow, DomainStatus};
use crate::commands::stack::deploy::in_force;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::stacks::covers;

/// Show the certificates for the platform's name
///
/// Those of this region that stand for the name, issued or not, how many days they have left, the records of DNS that
/// pending ones wait for, and which one the load balancer was deployed with. Without HOST the name is the one that the
/// platform was deployed with; without that all certificates are shown.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl domain status
  bpctl domain status app.example.com
  bpctl domain status app.example.com -o json --query 'certificates[].records[]'")]
pub(crate) struct StatusArgs {
    /// The name, e.g. app.example.com
    #[arg(value_name = "HOST")]
    host: Option<String>,
}

impl Verb for StatusArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("acm:DescribeCertificate", On::Certificates),
            Use::of("acm:ListCertificates", On::Anything),
            Use::of("cloudformation:GetTemplate", On::Stacks),
            Use::of("cloudformation:ListStacks", On::Anything),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let asked = self.host.as_deref().map(host).transpose()?;
        let look = async {
            let stacks = ctx.aws.stack_summaries().await?;
            let names: Vec<String> = stacks.into_iter().map(|stack| stack.name).collect();
            let deployed = in_force(ctx, &layout, &names).await?;
            let domain = asked.or_else(|| deployed.domain.clone());
            let found = ctx
                .aws
                .certificates(|names| domain.as_deref().is_none_or(|domain| covers(names, domain)))
                .await?;
            Ok((domain, deployed, found))
        };
        let (domain, deployed, found) = ctx.unless_interrupted(look).await?;
        let now = ctx.clock.now();
        let rows = found
            .iter()
            .map(|one| CertificateRow::of(one, deployed.certificate.as_deref(), now));
        let shown = DomainStatus {
            certificates: rows.collect(),
            deployed_domain: deployed.domain,
            domain,
        };
        ctx.emit(&shown)?;
        if shown.certificates.is_empty() {
            let of = shown.domain.as_deref().unwrap_or("any name");
            ctx.ui
                .status(&format!("There is no certificate for {of} in this region"));
            let word = shown.domain.as_deref().unwrap_or("app.example.com");
            let request = CommandLine::bpctl(["domain", "request", word]);
            ctx.ui.hint(Hint::new("request one with").command(request));
        }
        Ok(ExitStatus::Done)
    }
}
