//! What S3 keeps of an object beside its bytes. A copy in one piece has it as well; one in parts begins without it, and is
//! told (Amazon S3 User Guide, "Copying an object using multipart upload").

use std::collections::BTreeMap;

use aws_sdk_s3::types::ChecksumAlgorithm;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::Aws;
use super::super::operation::ShowPermit;
use super::status;
use crate::change::{Call, Permit, Repeated, parameters};
use crate::error::{Required as _, Result, from_sdk};

/// Headers, metadata and tags of an object. How it is stored is its bucket's affair.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Beside {
    pub(crate) content_type: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_language: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) redirect: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Beside {
    fn members(&self) -> Map<String, Value> {
        let given = [
            ("ContentType", &self.content_type),
            ("ContentEncoding", &self.content_encoding),
            ("ContentDisposition", &self.content_disposition),
            ("ContentLanguage", &self.content_language),
            ("CacheControl", &self.cache_control),
            ("WebsiteRedirectLocation", &self.redirect),
        ];
        let given = given.into_iter().filter_map(|(name, value)| {
            let value = value.as_deref()?;
            Some((name.to_owned(), value.into()))
        });
        let mut members: Map<String, Value> = given.collect();
        if !self.metadata.is_empty() {
            members.insert("Metadata".to_owned(), json!(self.metadata));
        }
        if let Some(tags) = self.tagging() {
            members.insert("Tagging".to_owned(), tags.into());
        }
        members
    }

    /// As the header has tags: a query of a URL.
    fn tagging(&self) -> Option<String> {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let tags = self.tags.iter();
        let tags: Vec<String> = tags
            .map(|(key, value)| format!("{}={}", encoded(key), encoded(value)))
            .collect();
        (!tags.is_empty()).then(|| tags.join("&"))
    }
}

/// Begins an upload that an object is copied into in parts, each with a SHA-256 digest.
#[derive(Clone, Debug)]
pub(crate) struct BeginCopy {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) beside: Beside,
}

impl Call for BeginCopy {
    const SERVICE: &'static str = "s3";
    const OPERATION: &'static str = "CreateMultipartUpload";
    // A second one lies beside the first without being seen.
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    /// The id of the upload.
    type Answer = String;

    fn parameters(&self) -> Map<String, Value> {
        let mut members = parameters([
            ("Bucket", self.bucket.as_str().into()),
            ("Key", self.key.as_str().into()),
            ("ChecksumAlgorithm", "SHA256".into()),
        ]);
        members.extend(self.beside.members());
        members
    }

    fn resource(&self) -> String {
        format!("object/{}", self.key)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<String> {
        let beside = self.beside.clone();
        let metadata = beside.metadata.into_iter().collect();
        let answer = aws
            .s3_client()
            .await?
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(&self.key)
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .set_tagging(self.beside.tagging())
            .set_metadata((!self.beside.metadata.is_empty()).then_some(metadata))
            .set_content_type(beside.content_type)
            .set_content_encoding(beside.content_encoding)
            .set_content_disposition(beside.content_disposition)
            .set_content_language(beside.content_language)
            .set_cache_control(beside.cache_control)
            .set_website_redirect_location(beside.redirect)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("begin the copy of `{}`", self.key), &error))?;
        Ok(answer
            .upload_id()
            .required(Self::OPERATION, "UploadId")?
            .to_owned())
    }
}

impl Aws {
    /// What an object has beside its bytes; `None` when it is not there.
    pub(crate) async fn beside_object(&self, bucket: &str, key: &str) -> Result<Option<Beside>> {
        let client = self.s3_client().await?;
        let answer = client.head_object().bucket(bucket).key(key).send().await;
        let head = match answer {
            Ok(head) => head,
            Err(error) if status(&error) == Some(404) => return Ok(None),
            Err(error) => {
                let doing = format!("look at `{key}` in bucket {bucket}");
                return Err(from_sdk(doing, &error));
            }
        };
        let answer = client.get_object_tagging().bucket(bucket).key(key).send().await;
        let tagging = match answer {
            Ok(tagging) => tagging,
            Err(error) if status(&error) == Some(404) => return Ok(None),
            Err(error) => {
                let doing = format!("read the tags of `{key}` in bucket {bucket}");
                return Err(from_sdk(doing, &error));
            }
        };
        let text = |text: Option<&str>| text.map(str::to_owned);
        let tags = tagging.tag_set().iter();
        Ok(Some(Beside {
            content_type: text(head.content_type()),
            content_encoding: text(head.content_encoding()),
            content_disposition: text(head.content_disposition()),
            content_language: text(head.content_language()),
            cache_control: text(head.cache_control()),
            redirect: text(head.website_redirect_location()),
            metadata: head.metadata().cloned().unwrap_or_default().into_iter().collect(),
            tags: tags
                .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
                .collect(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_an_object_has_is_told_and_tags_are_a_query() {
        assert!(Beside::default().members().is_empty());
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let beside = Beside {
            content_type: Some("video/mp4".to_owned()),
            metadata: [pair("owner", "a b")].into(),
            tags: [pair("a&b", "c d"), pair("keep", "")].into(),
            ..Beside::default()
        };
        let members = json!({
            "ContentType": "video/mp4", "Metadata": {"owner": "a b"}, "Tagging": "a%26b=c%20d&keep=",
        });
        assert_eq!(Value::Object(beside.members()), members);
    }
}
