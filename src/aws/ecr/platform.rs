//! What an image without an index is for: its manifest does not say, its configuration does.

use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use futures::{StreamExt as _, stream};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Manifest;
use crate::aws::Aws;
use crate::aws::direct::{KeepComponents, call};
use crate::aws::operation::read_of;
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};

/// How long the storage of the layers may take to answer.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The longest configuration that is read. Those of real images have some thousands of bytes.
const LONGEST: usize = 1 << 20;

/// Configurations that are read side by side.
const AT_ONCE: usize = 8;

impl Aws {
    /// Reads the configurations of those manifests that are of one image, and enters what these are for; what could not
    /// be read is entered as the reason.
    pub(crate) async fn tell_platforms<'m>(
        &self,
        repository: &str,
        manifests: impl IntoIterator<Item = &'m mut Manifest>,
    ) {
        let silent = manifests
            .into_iter()
            .filter(|manifest| manifest.platforms.is_none());
        let told = silent.map(async |manifest| {
            let Some(digest) = manifest.config.clone() else {
                return;
            };
            match self.platform(repository, &digest).await {
                Ok(platform) => manifest.platforms = Some(vec![platform]),
                Err(error) => manifest.unread = Some(error.to_string()),
            }
        });
        stream::iter(told)
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<()>>()
            .await;
    }

    /// Operating system and processor of the configuration with this digest, e.g. `linux/arm64`.
    ///
    /// # Errors
    /// When it cannot be downloaded, or is not what the digest says.
    async fn platform(&self, repository: &str, digest: &str) -> Result<String> {
        const REQUEST: &str = "GetDownloadUrlForLayer";
        let doing = format!("read the configuration of an image of `{repository}`");
        let kept = KeepComponents::default();
        let answer = self
            .ecr_client()
            .await?
            .get_download_url_for_layer()
            .repository_name(repository)
            .layer_digest(digest)
            .customize()
            .interceptor(kept.clone())
            .send()
            .await
            .map_err(|error| from_sdk(doing.clone(), &error))?;
        let url = answer.download_url.required(REQUEST, "downloadUrl")?;
        let wrong = |why: &str| CtlError::new(ErrorKind::Unexpected, format!("{doing}: {why}"));
        let mut request = HttpRequest::new(SdkBody::empty());
        request
            .set_uri(url.as_str())
            .map_err(|_| wrong("the address that ECR gives is none"))?;
        // ECR sends its clients to a bucket that S3 serves.
        read_of(&mut request, "s3", "GetObject");
        let answer = call(&kept.taken()?, TIMEOUT, &doing, request).await?;
        let status = answer.status().as_u16();
        if status != 200 {
            return Err(wrong(&format!("its storage answers {status}")));
        }
        let mut body = ByteStream::new(answer.into_body());
        let mut bytes = Vec::new();
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| wrong("the answer broke off").source(&error))?;
            bytes.extend_from_slice(&chunk);
            if bytes.len() > LONGEST {
                return Err(wrong(&format!("it has more than {LONGEST} bytes")));
            }
        }
        let computed: String = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        if digest.strip_prefix("sha256:") != Some(computed.as_str()) {
            return Err(wrong("what came has another digest"));
        }
        platform_of(&bytes).ok_or_else(|| wrong("it names no processor"))
    }
}

/// `os` and `architecture` (OCI image specification, "Image Configuration"); both are required there.
fn platform_of(config: &[u8]) -> Option<String> {
    let config: Value = serde_json::from_slice(config).ok()?;
    let member = |name: &str| config.get(name)?.as_str();
    Some(format!("{}/{}", member("os")?, member("architecture")?))
}

#[cfg(test)]
mod tests {
    use super::platform_of;

    #[test]
    fn a_configuration_names_system_and_processor() {
        let of = |text: &str| platform_of(text.as_bytes());
        let arm = r#"{"architecture": "arm64", "variant": "v8", "os": "linux", "rootfs": {}}"#;
        assert_eq!(of(arm).as_deref(), Some("linux/arm64"));
        for silent in [
            r#"{"os": "linux"}"#,
            r#"{"architecture": 7, "os": "linux"}"#,
            "",
            "[]",
        ] {
            assert_eq!(of(silent), None, "{silent}");
        }
    }
}
