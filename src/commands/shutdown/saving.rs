//! What a day of sleep saves, and what that figure assumes.

use schemars::JsonSchema;
use serde::Serialize;

use super::platform::Platform;
use super::record::Record;
use crate::layout::{App, Layout};
use crate::prices::{Cpu, Prices, Product, cents};

/// vCPUs and GB of a task of the platform's definitions.
fn task(app: App) -> (f64, f64) {
    match app {
        App::Backend => (1.0, 2.0),
        App::Frontend => (0.5, 1.0),
    }
}

/// The estimate.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Saving {
    /// US dollars.
    pub(super) dollars_per_day: f64,
    pub(super) assumptions: Vec<String>,
}

impl Saving {
    /// What the services and fleets on record cost a day at the sizes that they had.
    pub(super) fn of(layout: &Layout, platform: &Platform, record: &Record) -> Self {
        let prices = Prices::table();
        let mut hourly = 0.0;
        let mut assumptions = Vec::new();
        for app in [App::Backend, App::Frontend] {
            if let Some(size) = record.services.get(&layout.service(app)) {
                let (vcpus, gigabytes) = task(app);
                let task = prices.task(Cpu::Arm, vcpus, gigabytes).unwrap_or_default();
                hourly += f64::from(size.desired) * task;
            }
        }
        if !record.services.is_empty() {
            assumptions.push(
                "tasks of 1 vCPU and 2 GB (backend), 0.5 vCPU and 1 GB (frontend) at the Fargate price of us-east-1 for ARM; Fargate Spot is cheaper"
                    .to_owned(),
            );
        }
        let mut unknown = Vec::new();
        for (fleet, size) in &record.fleets {
            let types = platform
                .groups
                .get(fleet)
                .map(|group| group.instance_types.as_slice());
            let kind = types.and_then(<[String]>::first);
            match kind.and_then(|kind| prices.of(&Product::Instance(kind.clone()))) {
                Some(price) => hourly += f64::from(size.desired) * price,
                None if size.desired > 0 => unknown.push(fleet.to_string()),
                None => {}
            }
        }
        if record.fleets.values().any(|size| size.desired > 0) {
            assumptions.push(
                "instances of the fleets' first type at its On-Demand list price, as many as there were; Spot is cheaper"
                    .to_owned(),
            );
        }
        if !unknown.is_empty() {
            assumptions.push(format!(
                "not counted, for want of a price: {}",
                unknown.join(", ")
            ));
        }
        assumptions.push(match &record.database {
            None => "database, cache, load balancer, NAT gateway, storage and logs cost as before".to_owned(),
            Some(_) => "the hours of the stopped database are saved as well and not counted; cache, load balancer, NAT gateway, storage, backups and logs cost as before".to_owned(),
        });
        Self {
            dollars_per_day: cents(hourly * 24.0),
            assumptions,
        }
    }
}
