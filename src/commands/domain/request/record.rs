//! The record that proves who owns a name, in a hosted zone of the account.

use std::time::Duration;

use super::{Action, RECORDS, Requesting, STEP};
use crate::aws::acm::{Certificate, ValidationRecord};
use crate::aws::route53::{CreateProof, Zone, ZoneRecord};
use crate::change::{Call as _, Done, Later, Plan, Step, StepRun};
use crate::error::{CtlError, ErrorKind, Result};
use crate::wait::{Look, Waited, Waiter};

/// The step that creates the record of a certificate that is yet to be requested.
pub(super) const PROOF: &str = "record";

/// Where records for the name can be created.
#[derive(Debug)]
pub(super) enum ZoneSeen {
    /// Nothing is to be created, or the operator does it.
    NotAsked,
    /// No public zone of the account holds the name, or several of one name, of which one alone is asked by resolvers.
    None(Vec<String>),
    /// It could not be looked for.
    Unread(String),
    /// The zone, and which records of the pending certificate are not in it.
    In(Zone, Vec<ValidationRecord>),
}

impl ZoneSeen {
    /// What the plan says of it.
    pub(super) fn tell(&self, plan: &mut Plan<Action>) {
        match self {
            Self::Unread(why) => plan.warnings.push(format!(
                "whether the name is in a hosted zone of this account could not be looked at ({why}): its record is \
                 left to be created by hand"
            )),
            Self::None(several) if !several.is_empty() => plan.warnings.push(format!(
                "several hosted zones have the name ({}): the record is left to be created in the one that is \
                 delegated to",
                several.join(", ")
            )),
            Self::None(_) | Self::NotAsked | Self::In(..) => {}
        }
    }

    /// The steps that create what a pending certificate waits for.
    pub(super) fn proofs(&self) -> Vec<Step<Action>> {
        let Self::In(zone, missing) = self else {
            return Vec::new();
        };
        let one = missing.len() == 1;
        let step = |record: &ValidationRecord| {
            let call = CreateProof {
                zone: (zone.id.clone(), zone.name.clone()),
                name: Later::Known(record.name.clone()),
                value: Later::Known(record.value.clone()),
            };
            let id = if one {
                PROOF.to_owned()
            } else {
                format!("{PROOF} {}", record.name)
            };
            proof(id, call)
        };
        missing.iter().map(step).collect()
    }

    /// The step that creates the record of the certificate that is requested before.
    pub(super) fn later_proof(&self) -> Option<Step<Action>> {
        let Self::In(zone, _) = self else {
            return None;
        };
        let call = CreateProof {
            zone: (zone.id.clone(), zone.name.clone()),
            name: Later::FromStep(STEP.to_owned()),
            value: Later::FromStep(STEP.to_owned()),
        };
        let mut step = proof(PROOF.to_owned(), call);
        step.needs.push(STEP.to_owned());
        Some(step)
    }
}

fn proof(id: String, call: CreateProof) -> Step<Action> {
    let summary = format!(
        "create the record that proves the name in the hosted zone {}",
        call.zone.1
    );
    let calls = vec![call.described()];
    let mut step = Step::new(id, summary, calls, Action::Prove(call));
    step.notes
        .push("it stays: ACM renews the certificate as long as the record is there".to_owned());
    step
}

fn holds(records: &[ZoneRecord], value: &str) -> bool {
    let value = value.trim_end_matches('.');
    let is_it = |one: &String| one.eq_ignore_ascii_case(value);
    records
        .iter()
        .any(|record| record.kind == "CNAME" && record.values.iter().any(is_it))
}

impl Requesting<'_> {
    /// The zone of the name, and what of the pending certificate is not in it.
    pub(super) async fn zone(&self, pending: Option<&Certificate>) -> Result<ZoneSeen> {
        if self.by_hand {
            return Ok(ZoneSeen::NotAsked);
        }
        let aws = &self.ctx.aws;
        let mut zones = match aws.zones_of(&self.host).await {
            Ok(zones) => zones,
            Err(error) => return unread(error),
        };
        let zone = match zones.len() {
            1 => zones.remove(0),
            _ => return Ok(ZoneSeen::None(zones.into_iter().map(|zone| zone.id).collect())),
        };
        let records = match pending {
            // Requested some seconds ago: what proves it is told soon.
            Some(one) if one.records.is_empty() => self.told(&one.arn).await?,
            Some(one) => one.records.clone(),
            None => Vec::new(),
        };
        let mut missing = Vec::new();
        for record in &records {
            let within = record
                .name
                .trim_end_matches('.')
                .ends_with(&format!(".{}", zone.name));
            if !within {
                continue;
            }
            match aws.zone_records(&zone, &record.name).await {
                Ok(found) if holds(&found, &record.value) => {}
                Ok(_) => missing.push(record.clone()),
                Err(error) => return unread(error),
            }
        }
        Ok(ZoneSeen::In(zone, missing))
    }

    /// Creates the record, and reads it back.
    pub(super) async fn prove(&self, step: &StepRun<'_, Self>, proof: &CreateProof) -> Result<Done<Self>> {
        let aws = &self.ctx.aws;
        let call = match (&proof.name, step.output(STEP)) {
            (Later::Known(_), _) => proof.clone(),
            (Later::FromStep(_), arn) => {
                let mut records = self.told(&arn.unwrap_or_default()).await?;
                let record = records.remove(0);
                CreateProof {
                    zone: proof.zone.clone(),
                    name: Later::Known(record.name),
                    value: Later::Known(record.value),
                }
            }
        };
        let (name, value) = (call.name.known()?, call.value.known()?);
        let zone = Zone {
            id: call.zone.0.clone(),
            name: call.zone.1.clone(),
        };
        if holds(&aws.zone_records(&zone, name).await?, value) {
            return Ok(Done::new(format!("found {name} in the zone already")));
        }
        let sent = step.send(aws, &call).await;
        // An attempt whose answer was lost has created it, and the next one is refused because it is there.
        let is_there = holds(&aws.zone_records(&zone, name).await?, value);
        if !is_there {
            sent?;
            return Err(CtlError::new(
                ErrorKind::Failed,
                format!(
                    "read the record {name} back: the zone {} does not hold it",
                    zone.name
                ),
            ));
        }
        Ok(Done::new(format!("created {name}")))
    }

    /// The records of a certificate, at least one: ACM tells them some seconds after the request.
    async fn told(&self, arn: &str) -> Result<Vec<ValidationRecord>> {
        let (aws, clock) = (&self.ctx.aws, &self.ctx.clock);
        let mut found = Vec::new();
        let waited = Waiter::new(clock, RECORDS, &self.ctx.cancel)
            .pace(Duration::from_secs(2), Duration::from_secs(5))
            .until(
                async || {
                    let certificate = aws.certificate(arn).await?;
                    found = certificate.map_or_else(Vec::new, |one| one.records);
                    Ok(match found.is_empty() {
                        false => Look::Ready(()),
                        true => Look::Pending("waiting for the record to create".to_owned()),
                    })
                },
                |_| {},
            )
            .await?;
        match (waited, found.is_empty()) {
            (Waited::Cancelled, _) => Err(CtlError::new(
                ErrorKind::Interrupted,
                "wait for ACM to tell the record",
            )),
            (_, false) => Ok(found),
            (_, true) => Err(CtlError::new(
                ErrorKind::Failed,
                format!("read which record proves {}: ACM does not tell it", self.host),
            )),
        }
    }
}

/// Looking at zones may be forbidden: the certificate can be requested all the same.
fn unread(error: CtlError) -> Result<ZoneSeen> {
    match error.kind() {
        ErrorKind::AccessDenied => Ok(ZoneSeen::Unread(error.to_string())),
        _ => Err(error),
    }
}
