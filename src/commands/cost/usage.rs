//! What is billed by use, as far as CloudWatch has measured it: the last days, taken to be like the month.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::count::{is_own_balancer, is_own_gateway};
use super::observe::{Read, Seen, read};
use super::thing::{Part, Thing};
use crate::aws::Aws;
use crate::aws::cloudwatch::{MetricQuery, MetricSeries, Statistic};
use crate::error::Result;
use crate::layout::{FleetId, Layout};
use crate::prices::{HOURS_PER_MONTH, Prices, Product};

/// How far back is looked: a week has all of its days.
const WINDOW: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Seconds of a period: sums of hours are kept for 15 months (CloudWatch concepts, "Metrics retention").
const HOUR: i32 = 3_600;
/// Buckets report once a day.
const DAY: i32 = 24 * HOUR;

/// Less than that says nothing of a month.
const SHORTEST: f64 = 0.25;

/// What nothing here reads.
const OTHER: &str = "billed by use, which no metric tells or is not read: data to the internet from gateway and load balancer, \
                     calls of Secrets Manager, custom metrics, the function that takes fleets to zero";

/// How much of something was measured.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(super) struct Measured {
    /// Of the product's unit, within the span.
    pub(super) amount: f64,
    /// `GB`, `hour` or `request`.
    pub(super) unit: &'static str,
    /// From the first hour with a datum, or from when the thing was made, at most seven days ago.
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) per_month: f64,
}

/// One amount that is billed, and the metrics that it is the sum of.
#[derive(Clone, Debug)]
struct Want {
    part: Part,
    name: String,
    fleet: Option<FleetId>,
    product: Product,
    queries: Vec<MetricQuery>,
    /// Units of the product for one of the metric.
    factor: f64,
    /// When the thing was made, where AWS says so. A metric without data in the hours since has measured nothing there.
    made: Option<Timestamp>,
    /// Whether CloudWatch has it in us-east-1 alone.
    global: bool,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Usage {
    wants: Vec<Want>,
    /// In the order of the wants.
    regional: Read<Vec<MetricSeries>>,
    global: Read<Vec<MetricSeries>>,
    /// Bytes in S3 Standard of buckets that are too large to be counted, with the day.
    pub(super) held: BTreeMap<String, (Timestamp, f64)>,
    /// What could not be asked for at all: part, name and why.
    missing: Vec<(Part, String, String)>,
    now: Timestamp,
}

/// Ids of the platform's distributions, by their stack.
async fn distributions(aws: &Aws, layout: &Layout) -> Result<Read<Vec<String>>> {
    let Some(stack) = layout.core_stack("data") else {
        return Ok(Ok(Vec::new()));
    };
    let found = match aws.stack_resources(&stack).await {
        Err(error) if error.reply().is_some_and(|reply| reply.is("ValidationError")) => Ok(Vec::new()),
        other => other,
    };
    Ok(read(found)?.map(|resources| {
        let all = resources.into_iter();
        all.filter(|one| one.kind == "AWS::CloudFront::Distribution")
            .filter_map(|one| one.physical)
            .collect()
    }))
}

/// Reads everything in as few calls as there are batches.
///
/// # Errors
/// What fails for another reason than a missing permission.
pub(super) async fn look(aws: &Aws, layout: &Layout, seen: &Seen) -> Result<Usage> {
    let now = whole_hour(aws.clock().now());
    let from = now.checked_sub(WINDOW).unwrap_or(Timestamp::MIN);
    let (mut wants, mut missing) = (Vec::new(), Vec::new());
    wants.extend(logs(seen, layout));
    match &seen.outputs {
        Ok(outputs) => {
            wants.extend(gateways(seen, outputs));
            wants.extend(balancers(seen, outputs));
        }
        Err(why) => missing.extend([Part::NatData, Part::LoadBalancerUse].map(|part| {
            let why = format!("the stacks, which say whose they are, could not be read: {why}");
            (part, part.word().to_owned(), why)
        })),
    }
    wants.extend(requests(seen));
    match distributions(aws, layout).await? {
        Ok(ids) => {
            let has_domain = seen
                .outputs
                .as_ref()
                .is_ok_and(|outputs| outputs.contains_key("CloudFrontDomain"));
            if ids.is_empty() && has_domain {
                let why =
                    "the data stack names its domain, and no distribution among its resources".to_owned();
                missing.push((Part::Delivery, Part::Delivery.word().to_owned(), why));
            }
            wants.extend(ids.iter().flat_map(|id| delivery(id)));
        }
        Err(why) => missing.push((Part::Delivery, Part::Delivery.word().to_owned(), why)),
    }
    let of = |global: bool| -> Vec<MetricQuery> {
        let wants = wants.iter().filter(|want| want.global == global);
        wants.flat_map(|want| want.queries.clone()).collect()
    };
    let large = too_large(seen);
    let sizes: Vec<MetricQuery> = large.iter().map(|bucket| size_of(bucket)).collect();
    let (of_region, of_world) = (of(false), of(true));
    let asked: Vec<MetricQuery> = of_region.iter().chain(&sizes).cloned().collect();
    let (regional, global) = futures::join!(
        aws.metric_data(&asked, from, now),
        aws.global_metric_data(&of_world, from, now)
    );
    let mut regional = read(regional)?;
    let mut held = BTreeMap::new();
    if let Ok(series) = &mut regional {
        let sizes = series.split_off(of_region.len().min(series.len()));
        for (bucket, series) in large.into_iter().zip(sizes) {
            if let Some(point) = series.latest() {
                held.insert(bucket, (point.at, point.value));
            }
        }
    }
    Ok(Usage {
        wants,
        regional,
        global: read(global)?,
        held,
        missing,
        now,
    })
}

/// The hour that is under way has not all of its data.
fn whole_hour(now: Timestamp) -> Timestamp {
    let hour = i64::from(HOUR);
    Timestamp::from_second(now.as_second().div_euclid(hour) * hour).unwrap_or(now)
}

fn metric(namespace: &'static str, metric: &'static str, dimensions: &[(&'static str, &str)]) -> MetricQuery {
    MetricQuery {
        namespace,
        metric,
        dimensions: dimensions
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect(),
        statistic: Statistic::Sum,
        period_seconds: HOUR,
    }
}

/// "The volume of log events in uncompressed bytes uploaded to CloudWatch Logs" (User Guide, "Monitoring with CloudWatch
/// metrics").
fn logs(seen: &Seen, layout: &Layout) -> Vec<Want> {
    let slugs = super::count::Slugs::of(seen, layout);
    let groups = seen.logs.iter().flat_map(|logs| &logs.facts.log_groups);
    groups
        .map(|group| Want {
            part: Part::LogsTakenIn,
            fleet: slugs.of_log_group(&group.name),
            queries: vec![metric(
                "AWS/Logs",
                "IncomingBytes",
                &[("LogGroupName", &group.name)],
            )],
            name: group.name.clone(),
            product: Product::LogsTakenIn,
            factor: 1e-9,
            made: group.created,
            global: false,
        })
        .collect()
}

/// Every byte is billed once, whichever way it goes: what the gateway sends out on both sides (Amazon VPC User Guide, "NAT gateway
/// metrics and dimensions").
fn gateways(seen: &Seen, outputs: &BTreeMap<String, String>) -> Vec<Want> {
    let gateways = seen.gateways.iter().flatten();
    gateways
        .filter(|gateway| gateway.state == "available" && is_own_gateway(gateway, outputs))
        .map(|gateway| Want {
            part: Part::NatData,
            fleet: None,
            queries: ["BytesOutToDestination", "BytesOutToSource"]
                .map(|name| metric("AWS/NATGateway", name, &[("NatGatewayId", &gateway.id)]))
                .into(),
            name: gateway.id.clone(),
            product: Product::NatData,
            factor: 1e-9,
            // A gateway without traffic reports zeros: hours without a datum are of a time before its metrics.
            made: None,
            global: false,
        })
        .collect()
}

/// A datum a minute says how many capacity units were in use; an hour has sixty ("CloudWatch metrics for your Application
/// Load Balancer", ConsumedLCUs).
fn balancers(seen: &Seen, outputs: &BTreeMap<String, String>) -> Vec<Want> {
    let balancers = seen.balancers.iter().flatten();
    balancers
        .filter(|balancer| balancer.kind == "application" && is_own_balancer(balancer, outputs))
        .map(|balancer| {
            let named = balancer.arn.split_once(":loadbalancer/");
            let named = named.map_or(balancer.arn.as_str(), |(_, name)| name);
            Want {
                part: Part::LoadBalancerUse,
                fleet: None,
                queries: vec![metric(
                    "AWS/ApplicationELB",
                    "ConsumedLCUs",
                    &[("LoadBalancer", named)],
                )],
                name: balancer.name.clone(),
                product: Product::LoadBalancerCapacity,
                factor: 1.0 / 60.0,
                made: None,
                global: false,
            }
        })
        .collect()
}

/// Buckets report requests when they are told to, mostly with a filter of this name (Amazon S3 User Guide, "Creating a metrics
/// configuration for all the objects in your bucket").
fn requests(seen: &Seen) -> Vec<Want> {
    let buckets = seen.buckets.iter().flat_map(|all| all.facts.buckets.keys());
    let of = |bucket: &String, product: Product, what: &str, names: &[&'static str]| Want {
        part: Part::BucketRequests,
        fleet: None,
        queries: names
            .iter()
            .map(|name| {
                metric(
                    "AWS/S3",
                    name,
                    &[("BucketName", bucket), ("FilterId", "EntireBucket")],
                )
            })
            .collect(),
        name: format!("{what} of {bucket}"),
        product,
        factor: 1.0,
        made: None,
        global: false,
    };
    buckets
        .flat_map(|bucket| {
            [
                of(
                    bucket,
                    Product::BucketWrites,
                    "writes",
                    &["PutRequests", "PostRequests", "ListRequests"],
                ),
                of(
                    bucket,
                    Product::BucketReads,
                    "reads",
                    &["GetRequests", "HeadRequests"],
                ),
            ]
        })
        .collect()
}

fn delivery(id: &str) -> [Want; 2] {
    let of = |product: Product, name: &'static str, what: &str, factor: f64| Want {
        part: Part::Delivery,
        fleet: None,
        queries: vec![metric(
            "AWS/CloudFront",
            name,
            &[("DistributionId", id), ("Region", "Global")],
        )],
        name: format!("{what} of {id}"),
        product,
        factor,
        made: None,
        global: true,
    };
    [
        of(Product::Delivery, "BytesDownloaded", "data", 1e-9),
        of(Product::DeliveryRequests, "Requests", "requests", 1.0),
    ]
}

/// Buckets with more than was counted.
fn too_large(seen: &Seen) -> Vec<String> {
    let all = seen.buckets.iter().flat_map(|all| &all.facts.buckets);
    all.filter(|(_, usage)| usage.more)
        .map(|(name, _)| name.clone())
        .collect()
}

fn size_of(bucket: &str) -> MetricQuery {
    MetricQuery {
        statistic: Statistic::Average,
        period_seconds: DAY,
        ..metric(
            "AWS/S3",
            "BucketSizeBytes",
            &[("BucketName", bucket), ("StorageType", "StandardStorage")],
        )
    }
}

impl Want {
    /// What its metrics come to; `Err` says why there is nothing.
    fn measured(&self, series: &[MetricSeries], now: Timestamp) -> Result<Measured, String> {
        if let Some(trouble) = series.iter().find_map(|one| one.trouble.as_ref()) {
            return Err(format!("CloudWatch does not tell: {trouble}"));
        }
        let points = series.iter().flat_map(|one| &one.points);
        let Some(first) = points.clone().map(|point| point.at).min() else {
            return Err("no metric has a datum of the last 7 days".to_owned());
        };
        let begin = now.checked_sub(WINDOW).unwrap_or(first);
        // The past of a thing that is older than its first datum was silent.
        let from = self.made.map_or(first, |made| made.min(first)).max(begin);
        let hours = now.duration_since(from).as_secs_f64() / 3_600.0;
        if hours < SHORTEST {
            return Err("it has been measured for less than a quarter of an hour".to_owned());
        }
        let amount = points.map(|point| point.value).sum::<f64>() * self.factor;
        Ok(Measured {
            amount,
            unit: self.product.unit(),
            from,
            to: now,
            per_month: amount / hours * HOURS_PER_MONTH,
        })
    }

    fn thing(&self, measured: Result<Measured, String>, prices: &Prices) -> Thing {
        let measured = match measured {
            Ok(measured) => measured,
            Err(why) => return Thing::new(self.part, &self.name, why, None).of_fleet(self.fleet.clone()),
        };
        let dollars = prices.of(&self.product).map(|price| price * measured.per_month);
        let hours = measured.to.duration_since(measured.from).as_secs_f64() / 3_600.0;
        let mut about = format!(
            "{} in the last {}, {} a month",
            shown(measured.amount, measured.unit),
            span(hours),
            shown(measured.per_month, measured.unit)
        );
        if dollars.is_none() {
            about.push_str(&format!(
                ": the price of {} is not known here",
                self.product.label()
            ));
        }
        Thing::new(self.part, &self.name, about, dollars)
            .of_fleet(self.fleet.clone())
            .measured(measured)
    }
}

/// `1.25 GB`, `0.3 capacity unit hours`, `12345 requests`.
fn shown(amount: f64, unit: &str) -> String {
    match unit {
        "GB" if amount < 0.01 => format!("{:.2} MB", amount * 1e3),
        "GB" => format!("{amount:.2} GB"),
        "request" => format!("{amount:.0} requests"),
        _ => format!("{amount:.2} unit-hours"),
    }
}

/// Buckets report no requests unless they are told to: that is said once for all of them.
fn silent_buckets(things: &mut Vec<Thing>) {
    let mut silent: Vec<Thing> = things
        .extract_if(.., |thing| {
            thing.part == Part::BucketRequests && thing.per_month.is_none()
        })
        .collect();
    let reasons: BTreeSet<&str> = silent.iter().map(|thing| thing.about.as_str()).collect();
    if silent.len() > 1 && reasons.len() == 1 {
        silent.truncate(1);
        if let Some(one) = silent.first_mut() {
            Part::BucketRequests.word().clone_into(&mut one.name);
        }
    }
    things.extend(silent);
}

fn span(hours: f64) -> String {
    if hours >= 48.0 {
        format!("{:.0} days", hours / 24.0)
    } else if hours >= 1.95 {
        format!("{hours:.0} hours")
    } else {
        format!("{:.0} minutes", hours * 60.0)
    }
}

impl Usage {
    /// Everything that is billed by use, with what it costs or why that is not known.
    pub(super) fn things(&self, prices: &Prices) -> Vec<Thing> {
        let (mut regional, mut global) = (0, 0);
        let mut things = Vec::with_capacity(self.wants.len());
        for want in &self.wants {
            let (read, place) = match want.global {
                true => (&self.global, &mut global),
                false => (&self.regional, &mut regional),
            };
            let range = *place..*place + want.queries.len();
            *place = range.end;
            let measured = match read {
                Ok(series) => want.measured(series.get(range).unwrap_or_default(), self.now),
                Err(why) => Err(format!("the metrics could not be read: {why}")),
            };
            things.push(want.thing(measured, prices));
        }
        silent_buckets(&mut things);
        let missing = self.missing.iter();
        things.extend(missing.map(|(part, name, why)| Thing::new(*part, name, why, None)));
        things.push(Thing::new(Part::Usage, Part::Usage.word(), OTHER, None));
        things
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::cloudwatch::Datapoint;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + hours * 3_600).unwrap()
    }

    fn want(made: Option<Timestamp>) -> Want {
        Want {
            part: Part::LogsTakenIn,
            name: "/ecs/a".to_owned(),
            fleet: None,
            product: Product::LogsTakenIn,
            queries: Vec::new(),
            factor: 1e-9,
            made,
            global: false,
        }
    }

    fn series(points: &[(i64, f64)]) -> MetricSeries {
        MetricSeries {
            points: points
                .iter()
                .map(|(hour, value)| Datapoint {
                    at: at(*hour),
                    value: *value,
                })
                .collect(),
            trouble: None,
        }
    }

    #[test]
    fn what_was_measured_is_taken_to_a_month_and_says_its_span() {
        let measured = want(None)
            .measured(&[series(&[(0, 1e9), (5, 1e9)])], at(10))
            .unwrap();
        assert_eq!((measured.amount, measured.per_month), (2.0, 146.0));
        let thing = want(None).thing(Ok(measured), &Prices::table());
        assert_eq!(thing.per_month, Some(73.0));
        assert_eq!(thing.about, "2.00 GB in the last 10 hours, 146.00 GB a month");
    }

    #[test]
    fn hours_without_a_datum_count_since_the_thing_was_made() {
        let points = [series(&[(9, 1e9)])];
        let young = want(Some(at(5))).measured(&points, at(10)).unwrap();
        assert_eq!(young.from, at(5));
        // Older than the window.
        let old = want(Some(at(-500))).measured(&points, at(10)).unwrap();
        assert_eq!(old.from, at(10 - 7 * 24));
    }

    #[test]
    fn no_datum_is_unknown_and_never_nothing() {
        let none = want(Some(at(0))).measured(&[MetricSeries::default()], at(10));
        assert_eq!(
            none.clone().unwrap_err(),
            "no metric has a datum of the last 7 days"
        );
        assert_eq!(want(None).thing(none, &Prices::table()).per_month, None);
        // A datum that says nothing happened is one.
        let zero = want(None).measured(&[series(&[(0, 0.0)])], at(10));
        assert_eq!(want(None).thing(zero, &Prices::table()).per_month, Some(0.0));
        let short = want(None).measured(&[series(&[(10, 5.0)])], at(10));
        assert!(short.unwrap_err().contains("quarter of an hour"));
        let forbidden = MetricSeries {
            trouble: Some("Forbidden".to_owned()),
            ..series(&[(0, 1.0)])
        };
        assert!(
            want(None)
                .measured(&[forbidden], at(10))
                .unwrap_err()
                .contains("Forbidden")
        );
    }
}
