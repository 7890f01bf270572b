//! The AWS client layer: one `SdkConfig`, lazy clients, and thin typed functions per service.
//!
//! SDK types never leave this module. Every function that changes something takes a
//! [`Permit`](crate::change::Permit): skipping the gate does not compile.

pub(crate) mod acm;
pub(crate) mod application;
pub(crate) mod application_autoscaling;
pub(crate) mod asset_ops;
pub(crate) mod autoscaling;
pub(crate) mod budgets;
pub(crate) mod cloudformation;
pub(crate) mod cloudtrail;
pub(crate) mod cloudwatch;
pub(crate) mod ec2;
pub(crate) mod ecr;
pub(crate) mod ecs;
pub(crate) mod elasticache;
pub(crate) mod elb;
pub(crate) mod iam;
pub(crate) mod logs;
pub(crate) mod rds;
pub(crate) mod route53;
pub(crate) mod s3;
pub(crate) mod secretsmanager;
pub(crate) mod sessions;
pub(crate) mod sns;
pub(crate) mod ssm;
pub(crate) mod sts;

mod config;
mod convert;
mod credentials;
mod direct;
mod global;
pub(crate) mod health;
mod http;
mod loopback;
mod names;
mod once;
mod operation;
mod pages;
mod path_style;
pub(crate) mod price_list;
mod rate_limits;
mod role;
pub(crate) mod stats;
mod stream;
mod webhook;
mod whole;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_types::SdkConfig;
use tokio::sync::OnceCell;

use crate::clock::Clock;
use crate::error::{Result, SignIn};
use crate::process::Transport;
use crate::settings::Settings;

use config::Loaded;
pub(crate) use credentials::Signer;
pub(crate) use loopback::is_loopback_url;
pub(crate) use pages::Tokens;
use stats::Stats;
pub(crate) use stream::Bytes;

/// Everything needed to reach AWS; nothing is loaded before the first client is asked for.
pub(crate) struct Aws {
    /// Tells the runs of one process apart.
    number: u64,
    settings: Settings,
    clock: Clock,
    transport: Option<Transport>,
    stats: Arc<Stats>,
    config: OnceCell<Loaded>,
    identity: OnceCell<sts::Identity>,
    guard: OnceCell<Result<()>>,
    /// Whether the account is to be known even if nothing depends on it.
    names_account: bool,
}

impl Aws {
    pub(crate) fn new(settings: Settings, clock: Clock, transport: Option<Transport>) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        Self {
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            settings,
            clock,
            transport,
            stats: Arc::new(Stats::default()),
            config: OnceCell::new(),
            identity: OnceCell::new(),
            guard: OnceCell::new(),
            names_account: false,
        }
    }

    /// Finds out the account with the first call of a run, also when no guard wants to know it.
    #[must_use]
    pub(crate) fn naming_the_account(self, names_account: bool) -> Self {
        Self {
            names_account,
            ..self
        }
    }

    /// The same way, with the settings of another context.
    pub(crate) fn of_context(&self, settings: Settings) -> Self {
        Self::new(settings, self.clock.clone(), self.transport.clone())
    }

    /// The same way from its beginning: credentials are looked for anew and the account guard asks again. Calls are
    /// counted with those of before.
    pub(crate) fn anew(&self) -> Self {
        Self {
            stats: Arc::clone(&self.stats),
            names_account: self.names_account,
            ..self.of_context(self.settings.clone())
        }
    }

    /// Whether an account in this process answers.
    pub(crate) fn is_simulated(&self) -> bool {
        self.transport.is_some()
    }

    /// Calls made so far.
    pub(crate) fn stats(&self) -> &Stats {
        &self.stats
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    async fn loaded(&self) -> Result<&Loaded> {
        self.config
            .get_or_try_init(|| {
                config::load(&self.settings, &self.clock, self.transport.as_ref(), &self.stats)
            })
            .await
    }

    /// The account, as far as a command has asked or the settings have been compared with it.
    pub(crate) fn known_account(&self) -> Option<String> {
        let identity = self.identity.get();
        identity.map(|identity| identity.account.to_string())
    }

    /// The region in force, once the configuration has been loaded.
    pub(crate) fn known_region(&self) -> Option<String> {
        Some(self.config.get()?.sdk.region()?.to_string())
    }

    async fn config(&self) -> Result<&SdkConfig> {
        Ok(&self.loaded().await?.sdk)
    }

    /// Where a service, named by its IAM prefix, is asked instead of at AWS' own address.
    fn endpoint(&self, prefix: &str) -> Option<String> {
        // The names in AWS' configuration are those of the services themselves.
        let service = match prefix {
            "application-autoscaling" => "application_auto_scaling",
            "autoscaling" => "auto_scaling",
            "elasticloadbalancing" => "elastic_load_balancing_v2",
            "logs" => "cloudwatch_logs",
            "route53" => "route_53",
            "secretsmanager" => "secrets_manager",
            same => same,
        };
        // In a sandbox all services are in one place, whatever the address.
        if self.settings.is_sandbox() || self.transport.is_some() {
            let all = self.settings.endpoint_url.as_ref();
            return Some(all.map_or_else(|| config::NOWHERE.to_owned(), |all| all.value.clone()));
        }
        Some(self.settings.endpoint(service)?.value.clone())
    }

    /// What signing in again means in this run.
    pub(crate) fn sign_in(&self) -> SignIn {
        credentials::sign_in(&self.settings)
    }

    /// Who signed so far, and until when.
    ///
    /// # Errors
    /// A configuration that the SDK refuses.
    pub(crate) async fn signer(&self) -> Result<Option<Signer>> {
        Ok(self.loaded().await?.signers.last())
    }

    /// The region in force, from the settings or from the profile.
    pub(crate) async fn region(&self) -> Result<Option<String>> {
        Ok(self.config().await?.region().map(ToString::to_string))
    }
}

/// Lazy clients. Each is cheap to make from the shared configuration: no connection, no allocation
/// worth caching. The SDK keeps its rate limiters and retry quotas in statics, by partition: without
/// one of its own a run would inherit the throttling (and the clock) of the others in this process.
///
/// The account guard answers before any service but STS is asked: the wrong account sees no call of a verb.
macro_rules! clients {
    ($($name:ident: $sdk:ident as $service:literal $(after $guard:ident)? $(with $module:ident::$how:ident)?,)+) => {
        impl Aws {
            $(
                async fn $name(&self) -> Result<$sdk::Client> {
                    $(self.$guard().await?;)?
                    let partition = format!("{}-{}", stringify!($sdk), self.number);
                    let config = self.config().await?;
                    let mut builder = $sdk::config::Builder::from(config)
                        .retry_partition($sdk::config::retry::RetryPartition::new(partition))
                        .interceptor(operation::NameOperation { service: $service })
                        .interceptor(whole::Whole);
                    // Settings have decided where the service is; what the SDK found by itself does not count.
                    builder.set_endpoint_url(self.endpoint($service));
                    $(let builder = $module::$how(builder, config);)?
                    #[expect(clippy::disallowed_methods, reason = "the one place that makes clients")]
                    let client = $sdk::Client::from_conf(builder.build());
                    Ok(client)
                }
            )+
        }
    };
}

clients! {
    acm_client: aws_sdk_acm as "acm" after guard_account,
    application_autoscaling_client: aws_sdk_applicationautoscaling as "application-autoscaling" after guard_account,
    autoscaling_client: aws_sdk_autoscaling as "autoscaling" after guard_account,
    budgets_client: aws_sdk_budgets as "budgets" after guard_account,
    cloudformation_client: aws_sdk_cloudformation as "cloudformation" after guard_account,
    cloudtrail_client: aws_sdk_cloudtrail as "cloudtrail" after guard_account,
    cloudwatch_client: aws_sdk_cloudwatch as "cloudwatch" after guard_account,
    global_cloudwatch_client: aws_sdk_cloudwatch as "cloudwatch" after guard_account with global::in_us_east_1,
    ec2_client: aws_sdk_ec2 as "ec2" after guard_account,
    ecr_client: aws_sdk_ecr as "ecr" after guard_account,
    ecs_client: aws_sdk_ecs as "ecs" after guard_account,
    elasticache_client: aws_sdk_elasticache as "elasticache" after guard_account,
    elb_client: aws_sdk_elasticloadbalancingv2 as "elasticloadbalancing" after guard_account,
    iam_client: aws_sdk_iam as "iam" after guard_account,
    logs_client: aws_sdk_cloudwatchlogs as "logs" after guard_account,
    pricing_client: aws_sdk_pricing as "pricing" after guard_account with price_list::in_its_region,
    rds_client: aws_sdk_rds as "rds" after guard_account,
    route53_client: aws_sdk_route53 as "route53" after guard_account,
    s3_client: aws_sdk_s3 as "s3" after guard_account with path_style::on_loopback,
    secretsmanager_client: aws_sdk_secretsmanager as "secretsmanager" after guard_account,
    sns_client: aws_sdk_sns as "sns" after guard_account,
    ssm_client: aws_sdk_ssm as "ssm" after guard_account,
    sts_client: aws_sdk_sts as "sts",
}
