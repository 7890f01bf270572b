//! Certificate Manager: certificates for the load balancer.

use aws_sdk_acm::error::SdkError;
use aws_sdk_acm::types::{CertificateDetail, Filters, KeyAlgorithm, ValidationMethod};
use futures::future::try_join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Aws;
use super::convert::time;
use super::operation::ShowPermit;
use super::pages::Pages;
use crate::change::{Call, Permit, Repeated, parameters};
use crate::error::{CtlError, Required as _, Result, from_sdk};

/// Kinds of keys: without them ListCertificates tells of `RSA_2048` alone (ACM API Reference, Filters).
const KEYS: [KeyAlgorithm; 7] = [
    KeyAlgorithm::Rsa1024,
    KeyAlgorithm::Rsa2048,
    KeyAlgorithm::Rsa3072,
    KeyAlgorithm::Rsa4096,
    KeyAlgorithm::EcPrime256v1,
    KeyAlgorithm::EcSecp384r1,
    KeyAlgorithm::EcSecp521r1,
];

/// A certificate of the region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    pub(crate) arn: String,
    /// `PENDING_VALIDATION`, `ISSUED`, `INACTIVE`, `EXPIRED`, `VALIDATION_TIMED_OUT`, `REVOKED` or `FAILED`.
    pub(crate) status: String,
    /// The names that it stands for; `*.` begins one for all names below.
    pub(crate) names: Vec<String>,
    pub(crate) expires: Option<Timestamp>,
    /// Why it was not issued, e.g. `CAA_ERROR`.
    pub(crate) failure: Option<String>,
    /// Records that prove who owns the names; none until ACM tells them, some seconds after the request.
    pub(crate) records: Vec<ValidationRecord>,
    /// ARNs of what uses it.
    pub(crate) in_use_by: Vec<String>,
}

/// A record of DNS that proves who owns a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValidationRecord {
    pub(crate) name: String,
    /// `CNAME`.
    pub(crate) kind: String,
    pub(crate) value: String,
}

impl Certificate {
    pub(crate) fn is_issued(&self) -> bool {
        self.status == "ISSUED"
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.status == "PENDING_VALIDATION"
    }
}

impl Aws {
    /// The certificate; `None` when there is none of this ARN.
    pub(crate) async fn certificate(&self, arn: &str) -> Result<Option<Certificate>> {
        let answer = self
            .acm_client()
            .await?
            .describe_certificate()
            .certificate_arn(arn)
            .send()
            .await;
        match answer {
            Ok(answer) => {
                let detail = answer
                    .certificate()
                    .required("DescribeCertificate", "Certificate")?;
                convert(detail).map(Some)
            }
            Err(SdkError::ServiceError(error)) if error.err().is_resource_not_found_exception() => Ok(None),
            Err(error) => Err(from_sdk(format!("describe the certificate `{arn}`"), &error)),
        }
    }

    /// Every certificate of the region of which `wanted` says so, by its names as far as a list tells them.
    pub(crate) async fn certificates(&self, wanted: impl Fn(&[String]) -> bool) -> Result<Vec<Certificate>> {
        let stream = self
            .acm_client()
            .await?
            .list_certificates()
            .includes(Filters::builder().set_key_types(Some(KEYS.to_vec())).build())
            .into_paginator()
            .send();
        let listed = Pages::new("list the certificates", stream).all().await?;
        let mut arns = Vec::new();
        for summary in &listed {
            let mut names = summary.subject_alternative_name_summaries().to_vec();
            names.extend(summary.domain_name().map(str::to_owned));
            // A list tells the first hundred names.
            if wanted(&names) || summary.has_additional_subject_alternative_names() == Some(true) {
                arns.push(
                    summary
                        .certificate_arn()
                        .required("ListCertificates", "CertificateArn")?
                        .to_owned(),
                );
            }
        }
        let found = try_join_all(arns.iter().map(async |arn| self.certificate(arn).await)).await?;
        Ok(found
            .into_iter()
            .flatten()
            .filter(|one| wanted(&one.names))
            .collect())
    }
}

fn convert(detail: &CertificateDetail) -> Result<Certificate> {
    const REQUEST: &str = "DescribeCertificate";
    let mut names = detail.subject_alternative_names().to_vec();
    names.extend(
        detail
            .domain_name()
            .filter(|name| !names.iter().any(|one| one == name))
            .map(str::to_owned),
    );
    let records = detail.domain_validation_options().iter().filter_map(|option| {
        let record = option.resource_record()?;
        Some(ValidationRecord {
            name: record.name().to_owned(),
            kind: record.r#type().as_str().to_owned(),
            value: record.value().to_owned(),
        })
    });
    let mut records: Vec<ValidationRecord> = records.collect();
    // A name and its wildcard are proved by one record.
    records.dedup();
    Ok(Certificate {
        arn: detail
            .certificate_arn()
            .required(REQUEST, "CertificateArn")?
            .to_owned(),
        status: detail.status().required(REQUEST, "Status")?.as_str().to_owned(),
        names,
        expires: time(detail.not_after()),
        failure: detail.failure_reason().map(|reason| reason.as_str().to_owned()),
        records,
        in_use_by: detail.in_use_by().to_vec(),
    })
}

/// Requests a public certificate that is validated by DNS. A token makes one certificate within an hour (ACM API
/// Reference, RequestCertificate).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RequestCertificate {
    pub(crate) host: String,
    /// At most 32 letters and digits.
    pub(crate) token: String,
}

impl Call for RequestCertificate {
    const SERVICE: &'static str = "acm";
    const OPERATION: &'static str = "RequestCertificate";
    const REPEATED: Repeated = Repeated::Recognised;
    const VOLATILE: &'static [&'static str] = &["IdempotencyToken"];
    type Via = Aws;
    /// The ARN.
    type Answer = String;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("DomainName", self.host.as_str().into()),
            ("ValidationMethod", "DNS".into()),
            ("IdempotencyToken", self.token.as_str().into()),
        ])
    }

    fn resource(&self) -> String {
        format!("acm/{}", self.host)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<String> {
        let answer = aws
            .acm_client()
            .await?
            .request_certificate()
            .domain_name(&self.host)
            .validation_method(ValidationMethod::Dns)
            .idempotency_token(&self.token)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("request a certificate for {}", self.host), &error))?;
        let arn = answer
            .certificate_arn()
            .ok_or_else(|| CtlError::missing_in_response("RequestCertificate", "CertificateArn"));
        Ok(arn?.to_owned())
    }
}
