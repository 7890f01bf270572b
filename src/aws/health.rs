//! Whether the application answers: one GET to the platform's own address, without credentials.

use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;

use super::Aws;
use super::direct::call;
use super::loopback::is_loopback_url;
use super::operation::{APPLICATION, HEALTH, read_of};
use crate::error::{CtlError, ErrorKind, Result};

/// How long the application may take. The load balancer's own checks wait 5 s.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What a GET is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    /// Where a redirect leads; it is not followed.
    pub(crate) location: Option<String>,
}

impl Aws {
    /// The status that a GET of `path` is answered with, as [`Aws::asked`].
    ///
    /// # Errors
    /// When no answer comes.
    pub(crate) async fn health(&self, base: &str, path: &str) -> Result<u16> {
        Ok(self.asked(base, path).await?.status)
    }

    /// What a GET of `path` is answered with. `base` is scheme and host, as the stack says them. Where all of AWS is an
    /// endpoint on this machine, that is asked under the platform's name, and told which of the two ports is meant.
    ///
    /// # Errors
    /// When no answer comes, or over a connection whose certificate does not stand for the host.
    pub(crate) async fn asked(&self, base: &str, path: &str) -> Result<Answered> {
        let doing = format!("ask {base}{path}");
        let wrong = || CtlError::new(ErrorKind::Unexpected, format!("{doing}: the address is none"));
        let address: http::Uri = base.parse().map_err(|_| wrong())?;
        let host = address.authority().ok_or_else(wrong)?.as_str();
        let mut request = HttpRequest::new(SdkBody::empty());
        let endpoint = self.endpoint("application");
        let here = endpoint.filter(|endpoint| is_loopback_url(endpoint));
        let at = here.as_deref().unwrap_or(base);
        let url = format!("{}{path}", at.trim_end_matches('/'));
        request.set_uri(url.as_str()).map_err(|_| wrong())?;
        request
            .headers_mut()
            .try_insert("host", host.to_owned())
            .map_err(|_| wrong())?;
        if here.is_some() {
            let scheme = address.scheme_str().unwrap_or("http").to_owned();
            request
                .headers_mut()
                .try_insert("x-forwarded-proto", scheme)
                .map_err(|_| wrong())?;
        }
        read_of(&mut request, APPLICATION, HEALTH);
        let answer = call(&self.components().await?, TIMEOUT, &doing, request).await?;
        Ok(Answered {
            status: answer.status().as_u16(),
            location: answer.headers().get("location").map(str::to_owned),
        })
    }
}
