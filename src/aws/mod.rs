//! The AWS client layer: one `SdkConfig`, lazy clients, and thin typed functions per service.
//!
//! SDK types never leave this module. Every function that changes something takes a
//! [`Permit`](crate::change::Permit): skipping the gate does not compile.

pub(crate) mod autoscaling;
pub(crate) mod cloudformation;
pub(crate) mod cloudwatch;
pub(crate) mod ecr;
pub(crate) mod ecs;
pub(crate) mod elb;
pub(crate) mod logs;
pub(crate) mod rds;
pub(crate) mod secretsmanager;
pub(crate) mod sns;
pub(crate) mod ssm;
pub(crate) mod sts;

mod buckets;
mod config;
mod convert;
mod door;
mod loopback;
mod operation;
pub(crate) mod stats;
pub(crate) mod wait;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_types::SdkConfig;
use tokio::sync::OnceCell;

use crate::clock::Clock;
use crate::error::Result;
use crate::process::Transport;
use crate::settings::Settings;

pub(crate) use loopback::is_loopback_url;
use stats::Stats;

/// Everything needed to reach AWS; nothing is loaded before the first client is asked for.
pub(crate) struct Aws {
    /// Tells the runs of one process apart.
    number: u64,
    settings: Settings,
    clock: Clock,
    transport: Option<Transport>,
    stats: Arc<Stats>,
    config: OnceCell<SdkConfig>,
    identity: OnceCell<sts::Identity>,
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
        }
    }

    /// Calls made so far.
    pub(crate) fn stats(&self) -> &Stats {
        &self.stats
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    async fn config(&self) -> Result<&SdkConfig> {
        self.config
            .get_or_try_init(|| {
                config::load(&self.settings, &self.clock, self.transport.as_ref(), &self.stats)
            })
            .await
    }

    /// The region in force, from the settings or from the profile.
    pub(crate) async fn region(&self) -> Result<Option<String>> {
        Ok(self.config().await?.region().map(ToString::to_string))
    }
}

/// Lazy clients. Each is cheap to make from the shared configuration: no connection, no allocation
/// worth caching. The SDK keeps its rate limiters and retry quotas in statics, by partition: without
/// one of its own a run would inherit the throttling (and the clock) of the others in this process.
macro_rules! clients {
    ($($name:ident: $sdk:ident,)+) => {
        impl Aws {
            $(
                async fn $name(&self) -> Result<$sdk::Client> {
                    let partition = format!("{}-{}", stringify!($sdk), self.number);
                    let config = $sdk::config::Builder::from(self.config().await?)
                        .retry_partition($sdk::config::retry::RetryPartition::new(partition))
                        .build();
                    #[expect(clippy::disallowed_methods, reason = "the one place that makes clients")]
                    let client = $sdk::Client::from_conf(config);
                    Ok(client)
                }
            )+
        }
    };
}

clients! {
    autoscaling_client: aws_sdk_autoscaling,
    cloudformation_client: aws_sdk_cloudformation,
    cloudwatch_client: aws_sdk_cloudwatch,
    ecr_client: aws_sdk_ecr,
    ecs_client: aws_sdk_ecs,
    elb_client: aws_sdk_elasticloadbalancingv2,
    logs_client: aws_sdk_cloudwatchlogs,
    rds_client: aws_sdk_rds,
    secretsmanager_client: aws_sdk_secretsmanager,
    sns_client: aws_sdk_sns,
    ssm_client: aws_sdk_ssm,
    sts_client: aws_sdk_sts,
}
