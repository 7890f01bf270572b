//! Connections to the sessions of Systems Manager, under the same rules as requests: with an endpoint on this machine no
//! other machine is dialled, and others only with encryption.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::Aws;
use super::http::Reach;
use super::loopback::is_loopback_host;
use crate::error::{CtlError, ErrorKind, Result};

/// A stream of bytes, whatever carries it.
pub(crate) trait Bytes: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Bytes for T {}

impl Aws {
    /// Connects to the host of a session's address.
    ///
    /// # Errors
    /// An address that may not be dialled, or a host that does not answer.
    pub(crate) async fn connect(&self, url: &str) -> Result<Box<dyn Bytes>> {
        if let Some(transport) = &self.transport {
            return Ok(Box::new(transport.dial.open()));
        }
        let unusable =
            |why: &str| CtlError::new(ErrorKind::Unexpected, format!("connect to the session: {why}"));
        let uri: http::Uri = url
            .parse()
            .map_err(|error: http::uri::InvalidUri| unusable("its address is no URL").source(&error))?;
        let host = uri.host().ok_or_else(|| unusable("its address has no host"))?;
        let (encrypted, usual) = match uri.scheme_str() {
            Some("wss") => (true, 443),
            Some("ws") => (false, 80),
            _ => return Err(unusable("its address is not that of a WebSocket")),
        };
        let reach = Reach::of(&self.settings, self.settings.is_sandbox());
        let refused = match reach {
            _ if is_loopback_host(host) => None,
            Reach::PlainLoopback | Reach::Loopback => Some("an endpoint override points at this machine"),
            Reach::Encrypted if !encrypted => Some("it would be reached without encryption"),
            Reach::Encrypted | Reach::AnyHost => None,
        };
        if let Some(why) = refused {
            return Err(unusable(&format!("refused to dial `{host}`: {why}")));
        }
        let port = uri.port_u16().unwrap_or(usual);
        let bare = host.trim_matches(['[', ']']);
        let unreachable = |error: &std::io::Error| {
            CtlError::new(ErrorKind::Unreachable, format!("connect to {host}")).source(error)
        };
        let stream = TcpStream::connect((bare, port))
            .await
            .map_err(|error| unreachable(&error))?;
        // Keys and small answers must not wait for each other; a connection without the option works as well.
        let _ = stream.set_nodelay(true);
        if !encrypted {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(bare.to_owned()).map_err(|error| {
            unusable("its host has no name that a certificate could prove").source(&error)
        })?;
        let stream = TlsConnector::from(Arc::new(trusting()?))
            .connect(name, stream)
            .await
            .map_err(|error| unreachable(&error))?;
        Ok(Box::new(stream))
    }
}

/// TLS as the requests to AWS have it: rustls with ring, and the certificates that this machine trusts.
fn trusting() -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let mut error = CtlError::new(
            ErrorKind::Config,
            "connect to the session: this machine trusts no certificate",
        );
        if let Some(first) = found.errors.first() {
            error = error.source(first);
        }
        return Err(error);
    }
    let provider = tokio_rustls::rustls::crypto::ring::default_provider();
    let builder = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| CtlError::new(ErrorKind::Unexpected, "set up TLS").source(&error))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
