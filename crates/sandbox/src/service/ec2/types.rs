//! Instance types, where they are offered, and what they cost as Spot Instances.

use std::time::Duration;

use fleet_scaling::config::on_demand;
use serde_json::{Value, json};

use super::derived_number;
use super::describe::{Kind, describe};
use crate::error::OpResult;
use crate::service::member::{text, texts};
use crate::time::SimTime;
use crate::world::World;

/// An instance type that fleets or the platform use.
struct Type {
    name: &'static str,
    vcpus: u32,
    /// In mebibytes.
    memory: u64,
    /// Name, manufacturer, number, and memory of one in mebibytes.
    gpu: (&'static str, u32, u64),
    network: &'static str,
}

/// EC2 instance types guide, "Specifications for Amazon EC2 accelerated computing instances".
const TYPES: &[Type] = &[
    Type {
        name: "g4dn.xlarge",
        vcpus: 4,
        memory: 16 * 1024,
        gpu: ("T4", 1, 16 * 1024),
        network: "Up to 25 Gigabit",
    },
    Type {
        name: "g5.xlarge",
        vcpus: 4,
        memory: 16 * 1024,
        gpu: ("A10G", 1, 22 * 1024),
        network: "Up to 10 Gigabit",
    },
    Type {
        name: "g6e.2xlarge",
        vcpus: 8,
        memory: 64 * 1024,
        gpu: ("L40S", 1, 44 * 1024),
        network: "Up to 20 Gigabit",
    },
    Type {
        name: "p5.48xlarge",
        vcpus: 192,
        memory: 2048 * 1024,
        gpu: ("H100", 8, 80 * 1024),
        network: "3200 Gigabit",
    },
];

/// Whether there are instances of this type.
pub(super) fn is_known(name: &str) -> bool {
    TYPES.iter().any(|kind| kind.name == name)
}

pub(super) fn types(_: &World, input: &Value) -> OpResult {
    const KIND: Kind = Kind {
        output: "InstanceTypes",
        ids: &[("InstanceTypes", "InstanceType")],
        missing: ("InvalidInstanceType", "instance type"),
        filters: &[
            ("current-generation", "CurrentGeneration"),
            ("instance-type", "InstanceType"),
            ("memory-info.size-in-mib", "MemoryInfo.SizeInMiB"),
            ("supported-usage-class", "SupportedUsageClasses"),
            ("vcpu-info.default-vcpus", "VCpuInfo.DefaultVCpus"),
        ],
    };
    let types = TYPES
        .iter()
        .map(|kind| {
            let (gpu, count, memory) = kind.gpu;
            json!({
                "InstanceType": kind.name,
                "CurrentGeneration": true,
                "BareMetal": false,
                "Hypervisor": "nitro",
                "SupportedUsageClasses": ["on-demand", "spot"],
                "SupportedRootDeviceTypes": ["ebs"],
                "SupportedVirtualizationTypes": ["hvm"],
                "ProcessorInfo": { "SupportedArchitectures": ["x86_64"] },
                "VCpuInfo": {
                    "DefaultVCpus": kind.vcpus,
                    "DefaultCores": kind.vcpus / 2,
                    "DefaultThreadsPerCore": 2,
                },
                "MemoryInfo": { "SizeInMiB": kind.memory },
                "InstanceStorageSupported": true,
                "NetworkInfo": { "NetworkPerformance": kind.network, "EnaSupport": "required" },
                "GpuInfo": {
                    "Gpus": [{
                        "Name": gpu,
                        "Manufacturer": "NVIDIA",
                        "Count": count,
                        "MemoryInfo": { "SizeInMiB": memory },
                    }],
                    "TotalGpuMemoryInMiB": u64::from(count) * memory,
                },
                "BurstablePerformanceSupported": false,
            })
        })
        .collect();
    describe(&KIND, types, input)
}

fn zones(world: &World) -> [String; 2] {
    ["a", "b"].map(|zone| format!("{}{zone}", world.options.region))
}

pub(super) fn offerings(world: &World, input: &Value) -> OpResult {
    const KIND: Kind = Kind {
        output: "InstanceTypeOfferings",
        ids: &[],
        missing: ("", ""),
        filters: &[("instance-type", "InstanceType"), ("location", "Location")],
    };
    let by = text(input, "LocationType").unwrap_or("region");
    let locations = match by {
        "region" => vec![world.options.region.clone()],
        _ => zones(world).to_vec(),
    };
    let offerings = TYPES
        .iter()
        .flat_map(|kind| {
            locations.iter().map(
                move |location| json!({ "InstanceType": kind.name, "LocationType": by, "Location": location }),
            )
        })
        .collect();
    describe(&KIND, offerings, input)
}

/// Spot prices change a few times a day; here every six hours.
const PRICE_HOLDS: Duration = Duration::from_secs(6 * 3600);

/// How far back prices are kept (EC2 user guide, "View Spot Instance pricing history").
const PRICES_KEPT: Duration = Duration::from_secs(90 * 86_400);

/// A third of the price on demand, and up to a tenth of that more.
fn spot_price(kind: &str, zone: &str, at: SimTime) -> Option<f64> {
    let moved = derived_number(&format!("{kind} {zone} {}", at.0), 1000) as f64 / 10_000.0;
    Some(on_demand(kind)? * (0.32 + 0.32 * moved))
}

pub(super) fn spot_prices(world: &World, input: &Value) -> OpResult {
    const KIND: Kind = Kind {
        output: "SpotPriceHistory",
        ids: &[],
        missing: ("", ""),
        filters: &[
            ("availability-zone", "AvailabilityZone"),
            ("instance-type", "InstanceType"),
            ("product-description", "ProductDescription"),
        ],
    };
    let named = |name: &str| {
        input
            .get(name)
            .and_then(Value::as_f64)
            .map(SimTime::from_epoch_seconds)
    };
    let earliest = world.now - PRICES_KEPT;
    let start = named("StartTime").unwrap_or(earliest).max(earliest);
    let end = named("EndTime").unwrap_or(world.now).min(world.now);
    let wanted = texts(input, "InstanceTypes");
    let products = texts(input, "ProductDescriptions");
    let zone = text(input, "AvailabilityZone");
    let step = PRICE_HOLDS.as_millis() as i64;
    let mut prices = Vec::new();
    let linux = products.is_empty() || products.iter().any(|product| product.starts_with("Linux/UNIX"));
    let mut at = SimTime(end.0.div_euclid(step) * step);
    // The price in force at the start is told as well, and nothing before it.
    while linux && at.0 > start.0 - step {
        for kind in TYPES
            .iter()
            .filter(|kind| wanted.is_empty() || wanted.iter().any(|name| name == kind.name))
        {
            for place in zones(world)
                .into_iter()
                .filter(|place| zone.is_none_or(|zone| zone == place))
            {
                if let Some(price) = spot_price(kind.name, &place, at) {
                    prices.push(json!({
                        "InstanceType": kind.name,
                        "ProductDescription": "Linux/UNIX",
                        "AvailabilityZone": place,
                        "SpotPrice": format!("{price:.6}"),
                        "Timestamp": at.epoch_seconds(),
                    }));
                }
            }
        }
        at = SimTime(at.0 - step);
    }
    describe(&KIND, prices, input)
}
