//! Certificate Manager: public certificates that are validated by DNS (ACM API Reference; ACM User Guide, "DNS
//! validation").
//!
//! A record is found in a hosted zone of the account. Where a name is kept elsewhere, a test or
//! a scenario says that its record is there, by [`World::validate_domain`](crate::World::validate_domain).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::error::{ApiError, OpResult};
use crate::service::member::{integer, page, present, text, texts};
use crate::service::table::operations;
use crate::service::{elb, route53};
use crate::time::SimTime;
use crate::world::World;

/// The records to validate with are told some seconds after the request (API Reference, RequestCertificate: "there may
/// be a delay before the certificate information can be retrieved").
const RECORDS_AFTER: Duration = Duration::from_secs(5);
/// "It can take up to 30 minutes"; mostly it is a few ("DNS validation").
const ISSUED_AFTER: Duration = Duration::from_secs(180);
/// Not validated within 72 hours: `VALIDATION_TIMED_OUT`.
const PATIENCE: Duration = Duration::from_secs(72 * 3600);
/// "Idempotency tokens time out after one hour."
const TOKEN: Duration = Duration::from_secs(3600);
/// Public certificates are valid for 198 days ("ACM certificate characteristics").
const VALID: Duration = Duration::from_secs(198 * 86_400);

/// Certificates by ARN.
#[derive(Debug, Default)]
pub(crate) struct State {
    certificates: BTreeMap<String, Certificate>,
    /// Domains whose records are in DNS: they stay good for later requests.
    validated: Vec<String>,
}

#[derive(Debug)]
struct Certificate {
    names: Vec<String>,
    by_dns: bool,
    requested: SimTime,
    token: Option<String>,
    /// A record of DNS for each name.
    records: Vec<(String, String)>,
    /// Since when all of them are there.
    validated: Option<SimTime>,
}

operations! {
    Read DescribeCertificate => describe_certificate,
    Read ListCertificates => list_certificates,
    Write RequestCertificate => request_certificate,
}

impl Certificate {
    fn status(&self, now: SimTime) -> &'static str {
        match self.issued(now) {
            Some(issued) if issued + VALID <= now => "EXPIRED",
            Some(_) => "ISSUED",
            None if self.requested + PATIENCE <= now => "VALIDATION_TIMED_OUT",
            None => "PENDING_VALIDATION",
        }
    }

    fn issued(&self, now: SimTime) -> Option<SimTime> {
        let issued = self.validated? + ISSUED_AFTER;
        (issued <= now).then_some(issued)
    }
}

/// The record for every name of a certificate under `domain` is there from now on.
pub(crate) fn validate(world: &mut World, domain: &str) {
    world.services.acm.validated.push(domain.to_owned());
    look_again(world);
}

/// A certificate that was issued some months ago, under an ARN that templates name already.
pub(crate) fn put_issued(world: &mut World, arn: &str, name: &str) {
    if world.services.acm.certificates.contains_key(arn) {
        return;
    }
    let requested = world.now - Duration::from_secs(90 * 86_400);
    let certificate = Certificate {
        records: vec![record_of(name, &world.options.account_id)],
        names: vec![name.to_owned()],
        by_dns: true,
        requested,
        token: None,
        validated: Some(requested),
    };
    world
        .services
        .acm
        .certificates
        .insert(arn.to_owned(), certificate);
}

/// Certificates whose records are in DNS are issued a while after they were first found there.
pub(crate) fn tick(world: &mut World) {
    if world
        .services
        .acm
        .certificates
        .values()
        .any(|one| one.validated.is_none())
    {
        look_again(world);
    }
}

fn look_again(world: &mut World) {
    let mut found = Vec::new();
    for (arn, certificate) in &world.services.acm.certificates {
        if certificate.validated.is_none() && is_validated(world, &certificate.records) {
            found.push(arn.clone());
        }
    }
    let now = world.now;
    for arn in found {
        if let Some(certificate) = world.services.acm.certificates.get_mut(&arn) {
            certificate.validated = Some(now);
        }
    }
}

/// Whether every record is in DNS: in a zone of the account, or wherever the name is kept.
fn is_validated(world: &World, records: &[(String, String)]) -> bool {
    let is_under = |record: &str, domain: &str| record.trim_end_matches('.').ends_with(&format!(".{domain}"));
    let elsewhere = &world.services.acm.validated;
    records.iter().all(|(name, value)| {
        elsewhere.iter().any(|domain| is_under(name, domain)) || route53::has_cname(world, name, value)
    })
}

fn request_certificate(world: &mut World, input: &Value) -> OpResult {
    let mut names = vec![text(input, "DomainName").unwrap_or_default().to_lowercase()];
    for name in texts(input, "SubjectAlternativeNames") {
        let name = name.to_lowercase();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let plain = |name: &String| {
        let name = name.strip_prefix("*.").unwrap_or(name);
        name.contains('.')
            && name
                .split('.')
                .all(|label| !label.is_empty() && !label.contains('*'))
    };
    if let Some(wrong) = names.iter().find(|name| !plain(name)) {
        return Err(ApiError::client(
            "InvalidDomainValidationOptionsException",
            format!("Invalid domain name: {wrong}"),
        ));
    }
    let now = world.now;
    let token = text(input, "IdempotencyToken").map(str::to_owned);
    let recognised = world.services.acm.certificates.iter().find(|(_, one)| {
        token.is_some() && one.token == token && one.names == names && one.requested + TOKEN > now
    });
    if let Some((arn, _)) = recognised {
        return Ok(json!({ "CertificateArn": arn }));
    }
    let arn = format!(
        "arn:aws:acm:{}:{}:certificate/{}",
        world.options.region,
        world.options.account_id,
        world.ids.uuid()
    );
    let account = &world.options.account_id;
    let records = names.iter().map(|name| record_of(name, account));
    let records: Vec<_> = records.collect();
    let certificate = Certificate {
        validated: is_validated(world, &records).then_some(now),
        records,
        by_dns: text(input, "ValidationMethod") == Some("DNS"),
        requested: now,
        token,
        names,
    };
    let certificates = &mut world.services.acm.certificates;
    certificates.insert(arn.clone(), certificate);
    Ok(json!({ "CertificateArn": arn }))
}

/// Name and value of the record that validates a name and its wildcard.
fn record_of(name: &str, account: &str) -> (String, String) {
    let name = name.strip_prefix("*.").unwrap_or(name);
    let mark = digits_of(name, account);
    (
        format!("_{}.{name}.", &mark[..32]),
        format!("_{}.jkddzztszm.acm-validations.aws.", &mark[16..48]),
    )
}

/// The same digits for a name and an account whenever it is asked for ("DNS validation": the record stays good).
fn digits_of(name: &str, account: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::digest(format!("{account}/{name}"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn describe_certificate(world: &mut World, input: &Value) -> OpResult {
    let arn = text(input, "CertificateArn").unwrap_or_default();
    if !arn.starts_with("arn:") || !arn.contains(":acm:") {
        return Err(ApiError::client(
            "InvalidArnException",
            format!("The ARN {arn} is not valid."),
        ));
    }
    let now = world.now;
    let Some(certificate) = world.services.acm.certificates.get(arn) else {
        let message = format!("Could not find certificate {arn}.");
        return Err(ApiError::client("ResourceNotFoundException", message));
    };
    let told = certificate.requested + RECORDS_AFTER <= now;
    let used = elb::users_of(world, arn);
    let status = certificate.status(now);
    let issued = certificate.issued(now);
    let validation = certificate.names.iter().zip(&certificate.records);
    let validation: Vec<Value> = validation
        .map(|(name, (record, value))| {
            json!({
                "DomainName": name,
                "ValidationDomain": name,
                "ValidationStatus": match status {
                    "ISSUED" | "EXPIRED" => "SUCCESS",
                    "VALIDATION_TIMED_OUT" => "FAILED",
                    _ => "PENDING_VALIDATION",
                },
                "ValidationMethod": if certificate.by_dns { "DNS" } else { "EMAIL" },
                "ResourceRecord": certificate.by_dns.then(|| json!({ "Name": record, "Type": "CNAME", "Value": value })),
            })
        })
        .collect();
    Ok(present(json!({ "Certificate": {
        "CertificateArn": arn,
        "DomainName": certificate.names.first(),
        "SubjectAlternativeNames": certificate.names,
        "DomainValidationOptions": told.then_some(validation),
        "Status": status,
        "Type": "AMAZON_ISSUED",
        "KeyAlgorithm": "RSA_2048",
        "CreatedAt": certificate.requested.epoch_seconds(),
        "IssuedAt": issued.map(SimTime::epoch_seconds),
        "NotBefore": issued.map(SimTime::epoch_seconds),
        "NotAfter": issued.map(|issued| (issued + VALID).epoch_seconds()),
        "InUseBy": used,
        "RenewalEligibility": "INELIGIBLE",
    } })))
}

fn list_certificates(world: &mut World, input: &Value) -> OpResult {
    let now = world.now;
    let wanted = texts(input, "CertificateStatuses");
    let all = world.services.acm.certificates.iter();
    let found = all
        .map(|(arn, one)| (arn, one, one.status(now)))
        .filter(|(_, _, status)| wanted.is_empty() || wanted.iter().any(|wanted| wanted == status))
        .map(|(arn, one, status)| {
            json!({
                "CertificateArn": arn,
                "DomainName": one.names.first(),
                "SubjectAlternativeNameSummaries": one.names,
                "HasAdditionalSubjectAlternativeNames": false,
                "Status": status,
                "Type": "AMAZON_ISSUED",
                "KeyAlgorithm": "RSA_2048",
                "InUse": !elb::users_of(world, arn).is_empty(),
            })
        })
        .collect();
    let size = usize::try_from(integer(input, "MaxItems").unwrap_or(1000)).unwrap_or(1000);
    let (found, next) = page(found, text(input, "NextToken"), size, || {
        ApiError::client("ValidationException", "NextToken is not valid.")
    })?;
    Ok(present(
        json!({ "CertificateSummaryList": found, "NextToken": next }),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::service::Service;
    use crate::service::member::list;

    fn ask(world: &mut World, operation: &str, input: &Value) -> Value {
        world.call(Service::Acm, operation, input).unwrap()
    }

    #[test]
    fn a_token_asks_for_one_certificate_and_the_record_issues_it_after_a_while() {
        let mut world = World::new(Options::default());
        let request =
            json!({ "DomainName": "app.example.com", "ValidationMethod": "DNS", "IdempotencyToken": "t" });
        let arn = ask(&mut world, "RequestCertificate", &request)["CertificateArn"].clone();
        assert_eq!(
            ask(&mut world, "RequestCertificate", &request)["CertificateArn"],
            arn
        );
        let other =
            json!({ "DomainName": "app.example.com", "ValidationMethod": "DNS", "IdempotencyToken": "u" });
        assert_ne!(
            ask(&mut world, "RequestCertificate", &other)["CertificateArn"],
            arn
        );
        let named = json!({ "CertificateArn": arn });
        let first = ask(&mut world, "DescribeCertificate", &named)["Certificate"].clone();
        assert_eq!(first["Status"], "PENDING_VALIDATION");
        assert!(first.get("DomainValidationOptions").is_none(), "{first}");
        world.advance(world.now + RECORDS_AFTER);
        let pending = ask(&mut world, "DescribeCertificate", &named)["Certificate"].clone();
        let record = &pending["DomainValidationOptions"][0]["ResourceRecord"];
        assert_eq!(record["Type"], "CNAME");
        assert!(
            record["Name"].as_str().unwrap().ends_with(".app.example.com."),
            "{record}"
        );
        world.validate_domain("example.com");
        world.advance(world.now + ISSUED_AFTER);
        let issued = ask(&mut world, "DescribeCertificate", &named)["Certificate"].clone();
        assert_eq!(issued["Status"], "ISSUED");
        assert!(
            issued["NotAfter"].as_f64() > issued["IssuedAt"].as_f64(),
            "{issued}"
        );
        world.advance(world.now + TOKEN);
        assert_ne!(
            ask(&mut world, "RequestCertificate", &request)["CertificateArn"],
            arn
        );
        let listed = ask(
            &mut world,
            "ListCertificates",
            &json!({ "CertificateStatuses": ["ISSUED"] }),
        );
        assert_eq!(list(&listed, "CertificateSummaryList").len(), 2, "{listed}");
    }

    #[test]
    fn a_certificate_that_is_not_validated_in_three_days_never_comes() {
        let mut world = World::new(Options::default());
        let request = json!({ "DomainName": "app.example.com", "ValidationMethod": "DNS" });
        let arn = ask(&mut world, "RequestCertificate", &request)["CertificateArn"].clone();
        world
            .services
            .acm
            .certificates
            .values_mut()
            .for_each(|one| one.requested = one.requested - PATIENCE);
        let found = ask(
            &mut world,
            "DescribeCertificate",
            &json!({ "CertificateArn": arn }),
        );
        assert_eq!(found["Certificate"]["Status"], "VALIDATION_TIMED_OUT");
        let none = json!({ "CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/none" });
        let error = world
            .call(Service::Acm, "DescribeCertificate", &none)
            .unwrap_err();
        assert_eq!(error.code, "ResourceNotFoundException");
    }
}
