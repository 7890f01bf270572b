//! Keys of the Key Management Service. The platform's stores use keys that AWS manages, for which the services' own
//! permissions are enough; a key of the account's own wants statements beside them.

use std::collections::BTreeMap;

use super::document::{Document, Statement};
use super::place::Place;
use super::uses::Use;
use crate::error::{CtlError, Result};

/// Actions that decrypt or encrypt, the service that does it, and what it needs of the key (AWS Secrets Manager User
/// Guide, "Secret encryption and decryption"; Systems Manager User Guide, "AWS KMS encryption for Parameter Store
/// SecureString parameters"; Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys").
const NEEDS: &[(&str, &str, &[&str])] = &[
    ("s3:GetObject", "s3", &["kms:Decrypt"]),
    // An upload in parts also decrypts the parts.
    ("s3:PutObject", "s3", &["kms:Decrypt", "kms:GenerateDataKey"]),
    (
        "secretsmanager:GetSecretValue",
        "secretsmanager",
        &["kms:Decrypt"],
    ),
    (
        "secretsmanager:PutSecretValue",
        "secretsmanager",
        &["kms:Decrypt", "kms:GenerateDataKey"],
    ),
    ("ssm:GetParameterHistory", "ssm", &["kms:Decrypt"]),
    ("ssm:GetParameters", "ssm", &["kms:Decrypt"]),
    ("ssm:PutParameter", "ssm", &["kms:Encrypt"]),
];

/// Keys of the account's own, by their ARNs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys(Vec<String>);

impl Keys {
    /// # Errors
    /// What is not the ARN of a key: an alias is no resource of a policy.
    pub(crate) fn new(arns: &[String]) -> Result<Self> {
        for arn in arns {
            let parts: Vec<&str> = arn.splitn(6, ':').collect();
            let is_key = matches!(parts.as_slice(), ["arn", _, "kms", _, _, key] if key.starts_with("key/") && !key.contains(['*', '?', '$']));
            if !is_key {
                return Err(
                    CtlError::usage(format!("read the key `{arn}`: it is not the ARN of a KMS key"))
                        .hint("write it as arn:aws:kms:REGION:ACCOUNT:key/ID; an alias is not enough"),
                );
            }
        }
        Ok(Self(arns.to_vec()))
    }

    /// Adds what `uses` need of these keys, through the services only.
    pub(crate) fn add(&self, document: &mut Document, uses: &[Use], place: &Place) {
        if self.0.is_empty() {
            return;
        }
        let (mut actions, mut services) = (Vec::new(), Vec::new());
        for (action, service, needed) in NEEDS {
            if uses.iter().any(|used| used.action == *action) {
                actions.extend(needed.iter().map(|action| (*action).to_owned()));
                services.push(format!("{service}.{}.amazonaws.com", place.region));
            }
        }
        for list in [&mut actions, &mut services] {
            list.sort();
            list.dedup();
        }
        if actions.is_empty() {
            return;
        }
        document.push(Statement {
            sid: "Keys".to_owned(),
            effect: "Allow",
            principal: None,
            action: actions,
            resource: self.0.clone(),
            condition: BTreeMap::from([(
                "StringEquals",
                BTreeMap::from([("kms:ViaService".to_owned(), services)]),
            )]),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::On;
    use crate::iam::place::tests::single;

    #[test]
    fn a_key_is_used_through_the_services_that_need_it_and_not_at_all_without_them() {
        let key = "arn:aws:kms:us-east-1:123456789012:key/1234abcd".to_owned();
        let keys = Keys::new(&[key]).unwrap();
        let text = |uses: &[Use]| {
            let mut document = Document::of(uses, &single());
            keys.add(&mut document, uses, &single());
            document.text()
        };
        let writes = text(&[Use::of("secretsmanager:PutSecretValue", On::Secrets)]);
        assert!(writes.contains("kms:GenerateDataKey"), "{writes}");
        assert!(
            writes.contains("secretsmanager.us-east-1.amazonaws.com"),
            "{writes}"
        );
        assert!(!writes.contains("ssm.us-east-1"), "{writes}");
        assert!(!text(&[Use::of("ecs:RunTask", On::BackendDefinitions)]).contains("kms:"));
        for wrong in [
            "alias/x",
            "arn:aws:kms:us-east-1:123456789012:alias/x",
            "arn:aws:kms:r:1:key/*",
            "",
        ] {
            assert_eq!(
                Keys::new(&[wrong.to_owned()]).unwrap_err().exit_status().code(),
                2
            );
        }
    }
}
