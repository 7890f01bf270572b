//! Metrics of load balancer, database, NAT gateways and Redis, and of the fleets.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::deadline::Deadline;
use super::platform::{Outputs, dimension};
use crate::aws::Aws;
use crate::aws::cloudwatch::{MetricQuery, MetricSeries, Statistic};
use crate::error::{CtlError, ErrorKind, Result};
use crate::layout::{App, FLEET_NAMESPACE, FleetId, Layout};
use crate::triage::snapshot::{Alarm, Database, FleetMetrics, PlatformMetrics, Series, Service};

/// How far back metrics are read.
const MINUTES: u64 = 60;

/// How many nodes of the Redis replication group are asked about. Those that do not exist have no data.
const REDIS_NODES: usize = 3;

/// Which resources the platform's metrics are about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sources {
    balancer: Option<String>,
    database: Option<String>,
    nats: Vec<String>,
    redis: Vec<String>,
    services: Vec<(App, String)>,
}

impl Sources {
    pub(super) fn new(
        alarms: &[Alarm],
        outputs: &Outputs,
        database: Option<&Database>,
        services: &[Service],
    ) -> Self {
        Self {
            services: services
                .iter()
                .map(|service| (service.app, service.name.clone()))
                .collect(),
            balancer: dimension(alarms, "LoadBalancer").map(str::to_owned),
            database: database
                .map(|database| database.id.clone())
                .or_else(|| dimension(alarms, "DBInstanceIdentifier").map(str::to_owned)),
            nats: outputs
                .get("NatGatewayIds")
                .map(|ids| {
                    ids.split(',')
                        .map(|id| id.trim().to_owned())
                        .filter(|id| !id.is_empty())
                        .collect()
                })
                .unwrap_or_default(),
            redis: outputs
                .get("RedisEndpoint")
                .map(|endpoint| caches(endpoint))
                .unwrap_or_default(),
        }
    }

    /// The metrics of these resources, and where each value goes.
    fn queries(&self, cluster: &str) -> Vec<(Field, MetricQuery)> {
        use Statistic::{Average, Maximum, Minimum, Sum};
        let mut wanted = Vec::new();
        let mut want = |field, namespace, metric, statistic, dimensions: &[(&'static str, &str)]| {
            let query = MetricQuery {
                namespace,
                metric,
                dimensions: dimensions
                    .iter()
                    .map(|(name, value)| (*name, (*value).to_owned()))
                    .collect(),
                statistic,
                period_seconds: 60,
            };
            wanted.push((field, query));
        };
        if let Some(balancer) = &self.balancer {
            let of = "AWS/ApplicationELB";
            for (field, metric) in [
                (Field::Target5xx, "HTTPCode_Target_5XX_Count"),
                (Field::Balancer5xx, "HTTPCode_ELB_5XX_Count"),
                (Field::Requests, "RequestCount"),
            ] {
                want(field, of, metric, Sum, &[("LoadBalancer", balancer)]);
            }
        }
        if let Some(id) = &self.database {
            for (field, metric, statistic) in [
                (Field::DatabaseCpu, "CPUUtilization", Average),
                (Field::DatabaseStorage, "FreeStorageSpace", Minimum),
            ] {
                let of = [("DBInstanceIdentifier", id.as_str())];
                want(field, "AWS/RDS", metric, statistic, &of);
            }
        }
        for id in &self.nats {
            let of = [("NatGatewayId", id.as_str())];
            want(
                Field::NatErrors,
                "AWS/NATGateway",
                "ErrorPortAllocation",
                Sum,
                &of,
            );
        }
        for id in &self.redis {
            // ElastiCache User Guide, "Metrics for Valkey and Redis OSS".
            for (field, metric, statistic) in [
                (Field::RedisCpu, "EngineCPUUtilization", Maximum),
                (Field::RedisMemory, "DatabaseMemoryUsagePercentage", Maximum),
                (Field::RedisEvictions, "Evictions", Sum),
            ] {
                let of = [("CacheClusterId", id.as_str())];
                want(field, "AWS/ElastiCache", metric, statistic, &of);
            }
        }
        for (app, name) in &self.services {
            // The task that uses most of what its definition gives it (ECS Developer Guide, "Amazon ECS
            // service utilization metrics").
            let of = [("ClusterName", cluster), ("ServiceName", name.as_str())];
            want(Field::Memory(*app), "AWS/ECS", "MemoryUtilization", Maximum, &of);
        }
        wanted
    }
}

/// The clusters behind an endpoint (ElastiCache User Guide, "Finding connection endpoints").
///
/// A cluster of its own is the first label of `<cluster>.<id>.0001.<region>…`. The nodes of a replication
/// group have numbers: the group is the first label of `<group>.<id>.ng.0001.<region>…`, or with encryption in
/// transit the one after `master.`.
fn caches(endpoint: &str) -> Vec<String> {
    let labels: Vec<&str> = endpoint.split('.').collect();
    let group = match labels[..] {
        ["master" | "replica", group, ..] | [group, _, "ng", ..] => group,
        [cluster, _, "0001", ..] if !cluster.is_empty() => return vec![cluster.to_owned()],
        _ => return Vec::new(),
    };
    (1..=REDIS_NODES)
        .map(|node| format!("{group}-{node:03}"))
        .collect()
}

/// The last hour of the platform's own metrics, in one call.
///
/// Without an alarm that names the load balancer, the target groups of the services lead to it.
pub(super) async fn platform(
    aws: &Aws,
    deadline: &Deadline<'_>,
    layout: &Layout,
    mut sources: Sources,
    services: &[Service],
) -> Result<PlatformMetrics> {
    if sources.balancer.is_none() {
        let groups: Vec<String> = services
            .iter()
            .flat_map(|service| service.target_groups.clone())
            .collect();
        if !groups.is_empty() {
            let balancers = aws.balancers_of(&groups).await?;
            sources.balancer = balancers
                .first()
                .and_then(|arn| full_name(arn))
                .map(str::to_owned);
        }
    }
    let wanted = sources.queries(&layout.cluster());
    let queries: Vec<MetricQuery> = wanted.iter().map(|(_, query)| query.clone()).collect();
    let answers = aws
        .metric_data(&queries, deadline.minutes_ago(MINUTES), deadline.now())
        .await?;
    let mut metrics = PlatformMetrics::default();
    for ((field, _), answer) in wanted.iter().zip(&answers) {
        let answer = points(answer)?;
        let (series, combine) = field.of(&mut metrics);
        merge(series, answer, combine);
    }
    Ok(metrics)
}

/// What `LoadBalancer` dimensions hold: the ARN after `loadbalancer/`.
fn full_name(arn: &str) -> Option<&str> {
    arn.split_once(":loadbalancer/").map(|(_, name)| name)
}

/// A member of [`PlatformMetrics`].
#[derive(Clone, Copy, Debug)]
enum Field {
    Target5xx,
    Balancer5xx,
    Requests,
    DatabaseCpu,
    DatabaseStorage,
    NatErrors,
    RedisCpu,
    RedisMemory,
    RedisEvictions,
    Memory(App),
}

impl Field {
    /// Where its values go, and how those of several resources become one.
    fn of(self, metrics: &mut PlatformMetrics) -> (&mut Series, fn(f64, f64) -> f64) {
        match self {
            Self::Target5xx => (&mut metrics.target_5xx, |a, b| a + b),
            Self::Balancer5xx => (&mut metrics.balancer_5xx, |a, b| a + b),
            Self::Requests => (&mut metrics.requests, |a, b| a + b),
            Self::DatabaseCpu => (&mut metrics.database_cpu, f64::max),
            Self::DatabaseStorage => (&mut metrics.database_storage, f64::min),
            Self::NatErrors => (&mut metrics.nat_errors, |a, b| a + b),
            Self::RedisCpu => (&mut metrics.redis_cpu, f64::max),
            Self::RedisMemory => (&mut metrics.redis_memory, f64::max),
            Self::RedisEvictions => (&mut metrics.redis_evictions, |a, b| a + b),
            Self::Memory(App::Backend) => (&mut metrics.backend_memory, f64::max),
            Self::Memory(App::Frontend) => (&mut metrics.frontend_memory, f64::max),
        }
    }
}

fn merge(into: &mut Series, more: Vec<(Timestamp, f64)>, combine: fn(f64, f64) -> f64) {
    let mut all: BTreeMap<Timestamp, f64> = into.0.drain(..).collect();
    for (at, value) in more {
        all.entry(at)
            .and_modify(|present| *present = combine(*present, value))
            .or_insert(value);
    }
    into.0 = all.into_iter().collect();
}

/// The points, the oldest first.
///
/// # Errors
/// When CloudWatch says that it kept some back: an empty series would look like silence.
fn points(series: &MetricSeries) -> Result<Vec<(Timestamp, f64)>> {
    if let Some(trouble) = &series.trouble {
        return Err(CtlError::new(ErrorKind::Rejected, "read metrics").cause(trouble));
    }
    Ok(series
        .points
        .iter()
        .rev()
        .map(|point| (point.at, point.value))
        .collect())
}

/// The last hour of the fleets' queues and workers, 166 fleets per call.
pub(super) async fn fleets(
    aws: &Aws,
    deadline: &Deadline<'_>,
    layout: &Layout,
    fleets: &BTreeSet<FleetId>,
) -> Result<BTreeMap<FleetId, FleetMetrics>> {
    let queries: Vec<MetricQuery> = fleets
        .iter()
        .flat_map(|fleet| {
            [
                ("QueueDepth", Statistic::Maximum),
                ("ActiveWorkers", Statistic::Maximum),
                ("QueueDepth", Statistic::SampleCount),
            ]
            .map(|(metric, statistic)| MetricQuery {
                namespace: FLEET_NAMESPACE,
                metric,
                dimensions: layout.metric_dimensions(fleet),
                statistic,
                period_seconds: 60,
            })
        })
        .collect();
    let answers = aws
        .metric_data(&queries, deadline.minutes_ago(MINUTES), deadline.now())
        .await?;
    let mut all = BTreeMap::new();
    for (fleet, of_fleet) in fleets.iter().zip(answers.chunks(3)) {
        let [queue, workers, samples] = of_fleet else {
            continue;
        };
        let metrics = FleetMetrics {
            queue: Series(points(queue)?),
            workers: Series(points(workers)?),
            samples: Series(points(samples)?),
        };
        all.insert(fleet.clone(), metrics);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_lead_to_the_nodes_behind_them() {
        let nodes = ["bp-redis-001", "bp-redis-002", "bp-redis-003"].as_slice();
        for (endpoint, clusters) in [
            (
                "bp-re-1a2b3c.abc123.0001.use1.cache.amazonaws.com",
                &["bp-re-1a2b3c"][..],
            ),
            ("master.bp-redis.abc123.use1.cache.amazonaws.com", nodes),
            ("bp-redis.abc123.ng.0001.use1.cache.amazonaws.com", nodes),
            ("", &[]),
        ] {
            assert_eq!(caches(endpoint), clusters, "{endpoint}");
        }
    }

    #[test]
    fn several_gateways_add_up_minute_by_minute() {
        let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        let mut series = Series::default();
        merge(&mut series, vec![(at(1), 2.0), (at(2), 1.0)], |a, b| a + b);
        merge(&mut series, vec![(at(0), 4.0), (at(2), 5.0)], |a, b| a + b);
        assert_eq!(series.0, [(at(0), 4.0), (at(1), 2.0), (at(2), 6.0)]);
    }

    #[test]
    fn outputs_may_list_several_gateways() {
        let outputs = Outputs::from([("NatGatewayIds".to_owned(), "nat-1, nat-2,".to_owned())]);
        let sources = Sources::new(&[], &outputs, None, &[]);
        assert_eq!(sources.nats, ["nat-1", "nat-2"]);
        assert_eq!(sources.redis, [""; 0]);
    }
}
