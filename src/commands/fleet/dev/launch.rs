//! `bpctl fleet dev launch`: one GPU instance of a fleet's image, which one range of addresses may reach.

use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::request::{Cidr, user_data};
use super::view::{DevInstance, LaunchResult};
use super::{MANAGED_BY, OURS, PORT, SLUG, STAGE, fleet as fleet_of, instances, state};
use crate::aws::ec2::{
    AuthorizeIngress, CreateSecurityGroup, DefaultSubnet, Ingress, Machine, RevokeIngress, RootVolume,
    RunInstances, SecurityGroup,
};
use crate::change::journal::{Progress, Record};
use crate::change::{
    Basis, Blocker, Call as _, Change, ChangeArgs, Done, End, Later, OnFailure, Outcome, Plan, Step, StepRun,
    Target, Verification, Words, carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::fleet::desired_config::FleetConfig;
use crate::fleet::named_one;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{FleetId, FleetName};
use crate::wait::{Look, Waited, Waiter};

/// The root volume (workflow create-dev-gpu-instance).
const DEVICE: &str = "/dev/sda1";
const GIBIBYTES: u32 = 100;

/// The names of the steps.
const GROUP: &str = "security-group";
const CLOSE: &str = "close";
const OPEN: &str = "open";
const INSTANCE: &str = "instance";

/// Launch a development instance of a fleet's image, and wait until it runs
///
/// Image, instance type and instance profile are those that the fleet's parameters name; it stands in the first subnet of
/// the default VPC, with a public address, an encrypted disk of 100 GB and IMDSv2 only. Its security group lets one range
/// of addresses reach ComfyUI and nothing else; it is shared by the development instances of the fleet. The instance
/// stops by itself after some hours. One that is started again has no such timer.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet dev launch staging/gpu-default --cidr 203.0.113.7/32
  bpctl fleet dev launch staging/gpu-default --cidr 203.0.113.7/32 --hours 8
  bpctl fleet dev launch staging/gpu-default --cidr 203.0.113.7/32 --dry-run")]
pub(crate) struct LaunchArgs {
    /// The fleet, e.g. staging/gpu-default
    #[arg(value_name = "FLEET", add = crate::completion::fleets())]
    fleet: FleetName,

    /// The addresses that may reach ComfyUI, e.g. 203.0.113.7/32
    #[arg(long, value_name = "CIDR")]
    cidr: Cidr,

    /// Let 0.0.0.0/0 be that range: ComfyUI asks nobody for a password
    #[arg(long)]
    open_to_everyone: bool,

    /// After how many hours it stops
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=168))]
    hours: u32,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for LaunchArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("ec2:AuthorizeSecurityGroupIngress", On::DevSecurityGroups),
                Use::of("ec2:CreateSecurityGroup", On::NewSecurityGroups),
                Use::of("ec2:CreateTags", On::TagsOfNewMachines),
                Use::of("ec2:DescribeInstances", On::Anything),
                Use::of("ec2:DescribeSecurityGroups", On::Anything),
                Use::of("ec2:DescribeSubnets", On::Anything),
                Use::of("ec2:RevokeSecurityGroupIngress", On::DevSecurityGroups),
                Use::of("ec2:RunInstances", On::NewMachines),
                Use::of("iam:PassRole", On::MachineRoles),
                Use::of("ssm:GetParameters", On::FleetParameters),
                Use::of("ssm:GetParameters", On::PlatformParameters),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        if self.cidr.is_everything() && !self.open_to_everyone {
            return Err(CtlError::usage(format!(
                "launch a development instance: {} is everybody, and ComfyUI asks nobody for a password",
                self.cidr
            ))
            .hint("give your own address as `--cidr ADDRESS/32`, or add `--open-to-everyone`"));
        }
        let layout = ctx.layout()?;
        let fleet = ctx
            .unless_interrupted(named_one(&ctx.aws, &layout, &self.fleet))
            .await?;
        let config = layout.desired_config_parameter(&fleet).ok_or_else(|| {
            CtlError::usage(format!(
                "launch a development instance of {fleet}: in the layout `staged` its instance type is compiled into the stack"
            ))
            .hint("development instances are made in the layout `single`")
        })?;
        let profile = layout
            .parameters()
            .into_iter()
            .find_map(|(role, name)| (role == "packer-instance-profile").then_some(name));
        let launch = Launch {
            ctx,
            pointer: layout.ami_parameter(&fleet),
            config,
            profile: profile.unwrap_or_default(),
            fleet,
            cidr: self.cidr,
            open_to_everyone: self.open_to_everyone,
            hours: self.hours,
        };
        carry_out(ctx, &launch, &self.change).await
    }
}

struct Launch<'a> {
    ctx: &'a Ctx,
    fleet: FleetId,
    /// Names of parameters.
    pointer: String,
    config: String,
    profile: String,
    cidr: Cidr,
    open_to_everyone: bool,
    hours: u32,
}

/// What is so before.
#[derive(Debug)]
struct Seen {
    image: Option<String>,
    config: std::result::Result<FleetConfig, String>,
    profile: Option<String>,
    subnet: Option<DefaultSubnet>,
    /// The security group of the fleet's development instances.
    group: Option<SecurityGroup>,
    /// Development instances of the fleet.
    others: Vec<Machine>,
    /// The request of a run that was cut off: the same one, with its token, cannot become a second instance.
    earlier: Option<RunInstances>,
    /// What came of that request.
    found: Option<Machine>,
}

/// One step.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Action {
    Group(CreateSecurityGroup),
    Close(RevokeIngress),
    Open(AuthorizeIngress),
    Start(Box<RunInstances>),
}

impl Launch<'_> {
    fn resource(&self) -> String {
        format!("dev/{}", self.fleet)
    }

    fn tags(&self, name: &str) -> Vec<(String, String)> {
        [
            ("Name", name.to_owned()),
            (MANAGED_BY, OURS.to_owned()),
            (STAGE, self.fleet.stage.to_string()),
            (SLUG, self.fleet.slug.to_string()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .to_vec()
    }

    fn blocked(&self, why: &str, hint: impl Into<Hint>) -> Blocker {
        Blocker {
            kind: ErrorKind::NotFound,
            reason: format!("{}: {why}", self.words().goal),
            hint: hint.into(),
        }
    }

    /// The request of a run of this command for this fleet that was cut off before it knew its answer.
    fn cut_off(&self, recent: &[Record]) -> Option<RunInstances> {
        let records = recent
            .iter()
            .filter(|record| !record.going_on && record.end.is_none());
        let mut steps = records.flat_map(|record| record.steps.iter());
        steps.find_map(|step| {
            let may_have_arrived = matches!(step.progress, Progress::InDoubt | Progress::Done);
            match step.step::<Action>()?.action {
                Action::Start(call) if may_have_arrived && call.resource == self.resource() => Some(*call),
                Action::Start(_) | Action::Group(_) | Action::Close(_) | Action::Open(_) => None,
            }
        })
    }

    /// What to start it from, or why it cannot be started.
    fn request(&self, seen: &Seen, basis: &Basis<'_>, blockers: &mut Vec<Blocker>) -> Option<RunInstances> {
        if seen.image.is_none() {
            let list = CommandLine::bpctl(["ami", "list"]);
            blockers.push(self.blocked(
                &format!("its pointer `{}` names no image", self.pointer),
                ("see the images with", list),
            ));
        }
        let show = CommandLine::bpctl(["fleet", "config", "get"]).args([self.fleet.to_string()]);
        let problems = match &seen.config {
            Ok(config) => config.problems(&self.pointer),
            Err(why) => vec![why.clone()],
        };
        for problem in problems {
            let why = format!("its configuration: {problem}");
            blockers.push(self.blocked(&why, ("see it with", show.clone())));
        }
        if seen.profile.is_none() {
            let why = format!("there is no parameter `{}`", self.profile);
            blockers.push(self.blocked(&why, "the data stack makes it"));
        }
        if seen.subnet.is_none() {
            let make = CommandLine::aws("ec2", "create-default-vpc");
            blockers.push(self.blocked("the region has no default VPC", ("make one with", make)));
        }
        let group = match &seen.group {
            Some(group) => Later::Known(group.id.clone()),
            None => Later::FromStep(GROUP.to_owned()),
        };
        Some(RunInstances {
            image: seen.image.clone()?,
            instance_type: seen.config.as_ref().ok()?.instance_type()?.to_owned(),
            profile: seen.profile.clone(),
            subnet: seen.subnet.as_ref()?.id.clone(),
            security_groups: vec![group],
            public_ip: true,
            volume: RootVolume {
                device: DEVICE.to_owned(),
                size: GIBIBYTES,
                encrypted: true,
            },
            ends_by_shutdown: false,
            hop_limit: 1,
            user_data: user_data(self.hours),
            tags: self.tags("comfyui-dev"),
            client_token: basis.names.token.clone(),
            resource: self.resource(),
        })
    }

    /// The steps after which the security group lets the range in, and nothing else.
    fn opening(&self, seen: &Seen, vpc: &str, now: Timestamp) -> Vec<Step<Action>> {
        let mut steps = Vec::new();
        let resource = self.resource();
        let group = match &seen.group {
            Some(group) => Later::Known(group.id.clone()),
            None => {
                let FleetId { stage, slug } = &self.fleet;
                let name = format!("comfyui-dev-{stage}-{slug}-{}", now.as_second());
                let call = CreateSecurityGroup {
                    description: format!("ComfyUI development instances of {stage} {slug}"),
                    vpc: vpc.to_owned(),
                    tags: self.tags(&name),
                    name,
                    resource: resource.clone(),
                };
                let calls = vec![call.described()];
                steps.push(Step::new(
                    GROUP,
                    "make a security group",
                    calls,
                    Action::Group(call),
                ));
                Later::FromStep(GROUP.to_owned())
            }
        };
        let wanted = Ingress::tcp(PORT, &self.cidr.to_string());
        let rules = seen.group.iter().flat_map(|group| group.ingress.iter());
        let unwanted: Vec<Ingress> = rules.filter(|rule| **rule != wanted).cloned().collect();
        let is_open = seen.group.iter().any(|group| group.ingress.contains(&wanted));
        if !unwanted.is_empty() {
            let call = RevokeIngress {
                group: group.clone(),
                rules: unwanted,
                resource: resource.clone(),
            };
            let told: Vec<String> = call.rules.iter().map(Ingress::told).collect();
            let calls = vec![call.described()];
            let step = Step::new(CLOSE, "close the security group", calls, Action::Close(call));
            steps.push(step.changing(told.join("; "), "nothing"));
        }
        if !is_open {
            let call = AuthorizeIngress {
                group,
                rules: vec![wanted.clone()],
                resource,
            };
            let calls = vec![call.described()];
            let step = Step::new(OPEN, "open it to one range", calls, Action::Open(call));
            steps.push(step.changing("nothing", wanted.told()));
        }
        steps
    }
}

impl Change for Launch<'_> {
    const NAME: &'static str = "fleet dev launch";
    type Seen = Seen;
    type Action = Action;
    /// An id.
    type Output = String;
    type Ending = Machine;
    type Document = LaunchResult;

    fn words(&self) -> Words {
        Words {
            goal: format!("launch a development instance of {}", self.fleet),
            thing: "step",
            settle: "see the instance run".to_owned(),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, recent: &[Record]) -> Result<Seen> {
        let names = [&self.pointer, &self.config, &self.profile].map(Clone::clone);
        let aws = &self.ctx.aws;
        let (mut read, subnets, machines) =
            futures::try_join!(aws.parameters(&names), aws.default_subnets(), instances(aws))?;
        let subnet = subnets.into_iter().next();
        let group = match &subnet {
            Some(subnet) => {
                let (stage, slug) = (self.fleet.stage.to_string(), self.fleet.slug.to_string());
                let filters = [
                    ("tag:ManagedBy", &[OURS][..]),
                    ("tag:Stage", &[stage.as_str()][..]),
                    ("tag:FleetSlug", &[slug.as_str()][..]),
                    ("vpc-id", &[subnet.vpc.as_str()][..]),
                ];
                let mut found = aws.security_groups(&filters).await?;
                found.sort_by(|one, other| one.name.cmp(&other.name));
                found.into_iter().next()
            }
            None => None,
        };
        let earlier = self.cut_off(recent);
        let found = match &earlier {
            Some(call) => aws.machine_of_token(&call.client_token).await?,
            None => None,
        };
        let mut value = |name: &str| {
            read.found
                .remove(name)
                .map(|found| found.value.expose().to_owned())
        };
        let fleet = self.fleet.to_string();
        Ok(Seen {
            image: value(&self.pointer).filter(|value| value.starts_with("ami-")),
            config: match value(&self.config) {
                Some(text) => FleetConfig::parse(&text),
                None => Err(format!("there is no parameter `{}`", self.config)),
            },
            profile: value(&self.profile),
            subnet,
            group,
            others: machines
                .into_iter()
                .filter(|machine| fleet_of(machine).as_ref() == Some(&fleet))
                .collect(),
            earlier,
            found,
        })
    }

    fn plan(&self, seen: &Seen, basis: &Basis<'_>) -> Result<Plan<Action>> {
        let mut plan = Plan::new(self.words().goal, Vec::new());
        if let Some(found) = seen.found.as_ref().filter(|found| state(found) != "terminated") {
            plan.warnings
                .push(format!("{} was started by the run that was cut off", found.id));
        }
        let request = self.request(seen, basis, &mut plan.blockers);
        let (Some(request), Some(subnet)) = (request, &seen.subnet) else {
            return Ok(plan);
        };
        plan.steps = self.opening(seen, &subnet.vpc, basis.now);
        let going_on = seen.found.is_some();
        let others = || {
            seen.others
                .iter()
                .filter(|one| seen.found.as_ref().is_none_or(|found| found.id != one.id))
        };
        for other in others() {
            plan.warnings.push(format!(
                "{} of {} is there already ({})",
                other.id,
                self.fleet,
                state(other)
            ));
        }
        if plan.steps.iter().any(|step| step.id == CLOSE) && others().next().is_some() {
            plan.warnings.push(
                "the development instances of the fleet share the security group: who reached them before does not any more"
                    .to_owned(),
            );
        }
        if !going_on {
            // The same request once more, in what counts for its token; its group is there by now.
            let call = match (&seen.earlier, &seen.group) {
                (Some(earlier), Some(group)) => RunInstances {
                    security_groups: vec![Later::Known(group.id.clone())],
                    ..earlier.clone()
                },
                _ => request,
            };
            let summary = format!("start {} from {}", call.instance_type, call.image);
            let calls = vec![call.described()];
            let mut step = Step::new(INSTANCE, summary, calls, Action::Start(Box::new(call)));
            step.needs = plan.steps.iter().map(|step| step.id.clone()).collect();
            step.notes.push(format!(
                "it stops by itself {} hours after its first boot; its disk stays and is paid for until it is terminated",
                self.hours
            ));
            plan.steps.push(step);
        }
        for step in &mut plan.steps {
            step.on_failure = OnFailure::Stop;
        }
        Ok(plan)
    }

    fn covers(&self, _seen: &Seen, _plan: &Plan<Action>) -> Vec<String> {
        [GROUP, CLOSE, OPEN, INSTANCE].map(str::to_owned).to_vec()
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let aws = &self.ctx.aws;
        // The group of this run, where a call does not know it yet.
        let known = |group: &Later| match (group, step.output(GROUP)) {
            (Later::FromStep(_), Some(id)) => Later::Known(id),
            (group, _) => group.clone(),
        };
        match step.action() {
            Action::Group(call) => {
                let id = match step.send(aws, call).await {
                    Ok(id) => id,
                    // A lost answer: a name is taken once in a VPC, and this one is the run's own.
                    Err(error) => {
                        let named = [
                            ("group-name", &[call.name.as_str()][..]),
                            ("vpc-id", &[call.vpc.as_str()][..]),
                        ];
                        let found = aws
                            .security_groups(&named)
                            .await
                            .ok()
                            .and_then(|mut found| found.pop());
                        found.ok_or(error)?.id
                    }
                };
                step.note("security-group", &id);
                Ok(Done::new(format!("made {id}")).with(id))
            }
            Action::Close(call) => {
                step.send(aws, call).await?;
                Ok(Done::new("took its rules away"))
            }
            Action::Open(call) => {
                let call = AuthorizeIngress {
                    group: known(&call.group),
                    ..call.clone()
                };
                if let Err(error) = step.send(aws, &call).await {
                    // A lost answer: the rule is there, and a second request is refused.
                    let named = [("group-id", &[call.group.known()?][..])];
                    let found = aws.security_groups(&named).await.unwrap_or_default();
                    let is_open =
                        |group: &SecurityGroup| call.rules.iter().all(|rule| group.ingress.contains(rule));
                    if !found.iter().any(is_open) {
                        return Err(error);
                    }
                }
                Ok(Done::new(format!("opened to {}", self.cidr)))
            }
            Action::Start(call) => {
                let call = RunInstances {
                    security_groups: call.security_groups.iter().map(known).collect(),
                    ..(**call).clone()
                };
                let machine = step.send(aws, &call).await?;
                step.note("instance", &machine.id);
                Ok(Done::new(format!("started {}", machine.id)).with(machine.id))
            }
        }
    }

    async fn verify(&self, seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let done = run.done();
        let started = done
            .iter()
            .find(|(step, _)| step.id == INSTANCE)
            .and_then(|(_, id)| id.clone());
        let is_new = started.is_some();
        let Some(id) = started.or_else(|| seen.found.as_ref().map(|found| found.id.clone())) else {
            return Ok(());
        };
        let look = async || {
            let mut found = self.ctx.aws.machines(std::slice::from_ref(&id)).await?;
            let Some(machine) = found.remove(&id) else {
                // EC2 may not show at once what it has started ("Eventual consistency in the Amazon EC2 API").
                return Ok(Look::Pending(format!("{id} does not appear yet")));
            };
            let over = !matches!(state(&machine), "pending") || !run.waits();
            Ok(match over {
                true => Look::Ready(machine),
                false => Look::Pending(format!("{id} is {}", state(&machine))),
            })
        };
        let waiter = Waiter::new(&self.ctx.clock, run.remaining(), &self.ctx.cancel)
            .pace(Duration::from_secs(2), Duration::from_secs(10));
        match waiter.until(look, |text| self.ctx.ui.status(text)).await? {
            Waited::Ready(machine) => {
                let alive = matches!(state(&machine), "pending" | "running");
                if is_new {
                    let end = match alive {
                        true => End::Settled,
                        false => End::Failed(CtlError::new(
                            ErrorKind::Failed,
                            format!("{}: {id} is {}", self.words().goal, state(&machine)),
                        )),
                    };
                    run.end(INSTANCE, end);
                }
                run.ending(INSTANCE, machine);
            }
            Waited::TimedOut | Waited::Cancelled => run.end(
                INSTANCE,
                End::Running {
                    what: format!("{id} does not run yet"),
                    hint: Hint::from(("see it with", CommandLine::bpctl(["fleet", "dev", "list"]))),
                },
            ),
        }
        Ok(())
    }

    fn document(&self, _seen: &Seen, outcome: &Outcome<Self>) -> Option<LaunchResult> {
        let machine = outcome.endings.get(INSTANCE)?;
        let span = SignedDuration::from_hours(self.hours.into());
        Some(LaunchResult {
            run: outcome.run.clone(),
            fleet: self.fleet.clone(),
            instance: DevInstance::of(machine),
            open_to: self.cidr.to_string(),
            stops: machine.launched.and_then(|at| at.checked_add(span).ok()),
            now: self.ctx.clock.now(),
        })
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let command = CommandLine::bpctl(["fleet", "dev", "launch"])
            .args([self.fleet.to_string()])
            .option("--cidr", self.cidr.to_string())
            .option("--hours", self.hours.to_string());
        match self.open_to_everyone {
            true => command.args(["--open-to-everyone"]),
            false => command,
        }
    }
}
