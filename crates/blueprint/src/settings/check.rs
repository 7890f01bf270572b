//! What may be wrong with settings. CloudFormation would say the same after half an hour, and in other words.

use super::{Domain, Fleet, FleetTemplate, GitHub, Layout, Settings};
use crate::names::{Names, letters};

/// The longest name of a target group (Elastic Load Balancing API Reference, `CreateTargetGroup`).
const TARGET_GROUP: usize = 32;

/// The classes of Fargate tasks: CPU units, least and most memory in MiB, and the steps between (Amazon ECS Developer
/// Guide, "Task CPU and memory").
const TASK_SIZES: [(u32, u32, u32, u32); 5] = [
    (256, 512, 2048, 512),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16_384, 1024),
    (4096, 8192, 30_720, 1024),
];

impl Settings {
    /// What is wrong with them, each a sentence that names the field; empty when [`stacks`](crate::stacks) works.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut say = |wrong: bool, problem: String| {
            if wrong {
                problems.push(problem);
            }
        };
        say(
            !is_word(&self.prefix, 16),
            format!(
                "`prefix` is `{}`: it begins with a small letter and has at most 16 small letters, digits and `-`",
                self.prefix
            ),
        );
        // `AWS` and `SSM` are Parameter Store's own (`PutParameter`), `internal-` is the load balancers' (`CreateLoadBalancer`).
        say(
            self.prefix == "internal" || ["aws", "ssm"].iter().any(|own| self.prefix.starts_with(own)),
            format!("`prefix` is `{}`, which AWS keeps for itself", self.prefix),
        );
        let longest = Names::of(self).core("frontend");
        say(
            is_word(&self.prefix, 16) && longest.len() > TARGET_GROUP,
            format!(
                "`prefix` is `{}`: the target group `{longest}` would have more than {TARGET_GROUP} characters",
                self.prefix
            ),
        );
        say(
            self.account.len() != 12 || !self.account.bytes().all(|byte| byte.is_ascii_digit()),
            format!("`account` is `{}`: an account has 12 digits", self.account),
        );
        say(
            !is_region(&self.region),
            format!("`region` is `{}`: a region looks like `us-east-1`", self.region),
        );
        say(
            !(1..=2).contains(&self.sizes.nat_gateways),
            format!(
                "`sizes.nat_gateways` is {}: there are two zones, so 1 or 2",
                self.sizes.nat_gateways
            ),
        );
        for (name, size) in [("backend", self.sizes.backend), ("frontend", self.sizes.frontend)] {
            let fits = TASK_SIZES.iter().any(|&(cpu, least, most, step)| {
                size.cpu == cpu && (least..=most).contains(&size.memory) && size.memory % step == 0
            });
            say(
                !fits,
                format!(
                    "`sizes.{name}` is {} CPU units and {} MiB, which Fargate does not have",
                    size.cpu, size.memory
                ),
            );
        }
        say(
            self.monthly_budget_usd == Some(0),
            "`monthly_budget_usd` is 0: leave it out for no budget".to_owned(),
        );
        say(
            self.monthly_budget_usd.is_some() && self.alert_email.is_none(),
            "`monthly_budget_usd` needs `alert_email`: a budget is mail".to_owned(),
        );
        if let Some(mail) = &self.alert_email {
            say(
                !mail.contains('@') || mail.contains(char::is_whitespace),
                format!("`alert_email` is `{mail}`, which is no address"),
            );
        }
        problems.extend(self.domain.iter().flat_map(|domain| of_domain(self, domain)));
        problems.extend(self.github.iter().flat_map(of_github));
        problems.extend(self.fleet_templates.iter().flat_map(of_template));
        problems.extend((0..self.fleets.len()).flat_map(|at| of_fleet(self, at)));
        problems
    }
}

fn of_domain(settings: &Settings, domain: &Domain) -> Vec<String> {
    let mut problems = Vec::new();
    let name = &domain.name;
    let is_host = name.contains('.')
        && name.split('.').all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        });
    if !is_host {
        problems.push(format!(
            "`domain.name` is `{name}`: give the host alone, without scheme and path"
        ));
    }
    let arn: Vec<&str> = domain.certificate_arn.split(':').collect();
    if arn.len() != 6 || arn[2] != "acm" || !arn[5].starts_with("certificate/") {
        problems.push(format!(
            "`domain.certificate_arn` is `{}`, which is no certificate of Certificate Manager",
            domain.certificate_arn
        ));
    } else if arn[3] != settings.region {
        problems.push(format!(
            "`domain.certificate_arn` is in {}: a load balancer in {} takes certificates of its own region",
            arn[3], settings.region
        ));
    }
    problems
}

fn of_github(github: &GitHub) -> Option<String> {
    let parts: Vec<&str> = github.repository.split('/').collect();
    let sound = parts.len() == 2
        && parts.iter().all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        });
    (!sound || github.subject.is_empty()).then(|| {
        format!(
            "`github` is `{}` with the subject `{}`: the repository is `owner/name`, the subject not empty",
            github.repository, github.subject
        )
    })
}

fn of_template(template: &FleetTemplate) -> Vec<String> {
    let slug = &template.template_slug;
    let minutes = template.scale_to_zero_minutes;
    let mut problems = Vec::new();
    let mut say = |wrong: bool, problem: String| {
        if wrong {
            problems.push(format!("fleet template `{slug}`: {problem}"));
        }
    };
    say(
        template.allowed_instance_types.is_empty(),
        "`allowed_instance_types` is empty".to_owned(),
    );
    say(template.max_size == 0, "`max_size` is 0".to_owned());
    say(template.backlog_target == 0, "`backlog_target` is 0".to_owned());
    // An alarm looks at a day at most (CloudWatch API Reference, `PutMetricAlarm`).
    say(
        !(1..=1440).contains(&minutes),
        format!("`scale_to_zero_minutes` is {minutes}: an alarm looks at 1 to 1,440 minutes"),
    );
    problems
}

fn of_fleet(settings: &Settings, at: usize) -> Vec<String> {
    let fleet: &Fleet = &settings.fleets[at];
    let mut problems = Vec::new();
    let mut say = |wrong: bool, problem: String| {
        if wrong {
            problems.push(format!(
                "fleet `{}/{}`: {problem}",
                fleet.stage.as_str(),
                fleet.slug
            ));
        }
    };
    say(
        !is_word(&fleet.slug, 64),
        "the slug begins with a small letter and has at most 64 small letters, digits and `-`".to_owned(),
    );
    let same = |other: &Fleet| other.stage == fleet.stage && other.slug == fleet.slug;
    say(
        settings.fleets[..at].iter().any(same),
        "it is there twice".to_owned(),
    );
    if settings.layout == Layout::Staged {
        let stage = settings.environment.as_str();
        say(
            fleet.stage != settings.environment,
            format!("the layout `staged` has the fleets of its own stage, which is {stage}"),
        );
        let alike = |other: &&Fleet| other.slug != fleet.slug && letters(&other.slug) == letters(&fleet.slug);
        if let Some(other) = settings.fleets[..at].iter().find(alike) {
            say(
                true,
                format!(
                    "its output in the stack of all fleets would be called as that of `{}`",
                    other.slug
                ),
            );
        }
    }
    match settings.template_of(fleet) {
        None => say(true, format!("there is no template `{}`", fleet.template_slug)),
        Some(template) => say(
            !template.allowed_instance_types.contains(&fleet.instance_type),
            format!(
                "template `{}` does not allow `{}`, but {}",
                template.template_slug,
                fleet.instance_type,
                template.allowed_instance_types.join(", ")
            ),
        ),
    }
    problems
}

fn is_word(text: &str, most: usize) -> bool {
    text.len() <= most
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// `us-east-1`, `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else {
        return false;
    };
    words.len() >= 2
        && words
            .iter()
            .all(|word| word.len() >= 2 && word.bytes().all(|byte| byte.is_ascii_lowercase()))
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}
