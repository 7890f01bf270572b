//! Certificates as they are shown.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::acm::Certificate;
use crate::change::RunId;
use crate::output::{Render, Table, View};

/// A certificate.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct CertificateRow {
    pub(super) arn: String,
    /// `PENDING_VALIDATION`, `ISSUED`, `INACTIVE`, `EXPIRED`, `VALIDATION_TIMED_OUT`, `REVOKED` or `FAILED`.
    pub(super) status: String,
    names: Vec<String>,
    expires: Option<Timestamp>,
    /// Whole days until then, negative afterwards.
    days_left: Option<i64>,
    /// Why it was not issued.
    failure: Option<String>,
    /// The records of DNS that it waits for, or that keep it renewed.
    pub(super) records: Vec<RecordRow>,
    /// ARNs.
    in_use_by: Vec<String>,
    /// Whether the platform's load balancer was deployed with it.
    pub(super) deployed: bool,
}

/// A record of DNS.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct RecordRow {
    pub(super) name: String,
    /// `CNAME`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) value: String,
}

impl CertificateRow {
    pub(super) fn of(certificate: &Certificate, deployed: Option<&str>, now: Timestamp) -> Self {
        let days = |expires: Timestamp| expires.duration_since(now).as_secs().div_euclid(86_400);
        Self {
            arn: certificate.arn.clone(),
            status: certificate.status.clone(),
            names: certificate.names.clone(),
            expires: certificate.expires,
            days_left: certificate.expires.map(days),
            failure: certificate.failure.clone(),
            records: certificate
                .records
                .iter()
                .map(|record| RecordRow {
                    name: record.name.clone(),
                    kind: record.kind.clone(),
                    value: record.value.clone(),
                })
                .collect(),
            in_use_by: certificate.in_use_by.clone(),
            deployed: deployed == Some(certificate.arn.as_str()),
        }
    }

    pub(super) fn is_pending(&self) -> bool {
        self.status == "PENDING_VALIDATION"
    }
}

/// Certificates under headers, and below them the records that those wait for which are pending.
pub(super) fn table(rows: &[CertificateRow], view: &View) -> String {
    let mut table = Table::new(&["NAMES", "STATUS", "DAYS LEFT", "DEPLOYED", "ARN"]);
    for row in rows {
        table.row([
            row.names.join(","),
            row.failure
                .as_ref()
                .map_or_else(|| row.status.clone(), |why| format!("{} ({why})", row.status)),
            row.days_left
                .map_or_else(|| "-".to_owned(), |days| days.to_string()),
            if row.deployed { "yes" } else { "no" }.to_owned(),
            row.arn.clone(),
        ]);
    }
    let mut out = table.render(view);
    let mut records = Table::new(&["RECORD TO CREATE", "TYPE", "VALUE"]);
    let mut any = false;
    for record in rows
        .iter()
        .filter(|row| row.is_pending())
        .flat_map(|row| &row.records)
    {
        any = true;
        records.row([record.name.clone(), record.kind.clone(), record.value.clone()]);
    }
    if any {
        out.push('\n');
        out.push_str(&records.render(view));
    }
    out
}

/// The document of `domain status`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DomainStatus {
    /// The name that was asked for, or that the platform has; null for neither.
    pub(super) domain: Option<String>,
    /// The name that the platform was deployed with.
    pub(super) deployed_domain: Option<String>,
    /// The certificates of this region that stand for the name; all of them without a name.
    pub(super) certificates: Vec<CertificateRow>,
}

impl Render for DomainStatus {
    fn human(&self, view: &View) -> String {
        table(&self.certificates, view)
    }

    fn names(&self) -> Vec<String> {
        self.certificates.iter().map(|row| row.arn.clone()).collect()
    }
}

/// The document of `domain request`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct RequestResult {
    pub(super) run: Option<RunId>,
    pub(super) domain: String,
    /// Null when AWS does not list it yet.
    pub(super) certificate: Option<CertificateRow>,
}

impl Render for RequestResult {
    fn human(&self, view: &View) -> String {
        self.certificate
            .as_ref()
            .map_or_else(String::new, |row| table(std::slice::from_ref(row), view))
    }

    fn names(&self) -> Vec<String> {
        self.certificate.iter().map(|row| row.arn.clone()).collect()
    }
}
