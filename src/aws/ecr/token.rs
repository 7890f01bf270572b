//! What `docker login` is given.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::aws::Aws;
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};
use crate::redact::Secret;

/// A login for the registry of the account.
#[derive(Debug)]
pub(crate) struct RegistryLogin {
    /// Host of the registry, e.g. `123456789012.dkr.ecr.us-east-1.amazonaws.com`.
    pub(crate) registry: String,
    pub(crate) user: String,
    pub(crate) password: Secret,
}

impl Aws {
    /// A login, good for twelve hours.
    pub(crate) async fn registry_login(&self) -> Result<RegistryLogin> {
        const REQUEST: &str = "GetAuthorizationToken";
        let answer = self
            .ecr_client()
            .await?
            .get_authorization_token()
            .send()
            .await
            .map_err(|error| from_sdk("get a login for the registry", &error))?;
        let data = answer.authorization_data().first();
        let data = data.required(REQUEST, "authorizationData")?;
        let token: Secret = data
            .authorization_token()
            .required(REQUEST, "authorizationToken")?
            .into();
        let endpoint = data.proxy_endpoint().required(REQUEST, "proxyEndpoint")?;
        let unreadable = || {
            CtlError::new(
                ErrorKind::Unexpected,
                "read the login for the registry: the token is not base64 of user:password",
            )
        };
        let decoded = STANDARD.decode(token.expose()).map_err(|_| unreadable())?;
        let decoded = String::from_utf8(decoded).map_err(|_| unreadable())?;
        let (user, password) = decoded.split_once(':').ok_or_else(unreadable)?;
        Ok(RegistryLogin {
            registry: endpoint
                .trim_start_matches("https://")
                .trim_end_matches('/')
                .to_owned(),
            user: user.to_owned(),
            password: password.into(),
        })
    }
}
