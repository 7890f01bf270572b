//! Connections to the sessions of Systems Manager, under the same rules as requests: with an endpoint on this machine no
//! other machine is dialled, and others only with encryption.

use std::sync::Arc;

use rustls_native_certs::CertificateResult;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
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
        let trusted = trusting(rustls_native_certs::load_native_certs())?;
        Ok(Box::new(encrypted_to(bare, stream, trusted).await?))
    }
}

/// A connection whose other end proves with a certificate that it is this host.
async fn encrypted_to(host: &str, stream: TcpStream, trusted: ClientConfig) -> Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(|error| {
        CtlError::new(
            ErrorKind::Unexpected,
            "connect to the session: its host has no name that a certificate could prove",
        )
        .source(&error)
    })?;
    let connector = TlsConnector::from(Arc::new(trusted));
    connector
        .connect(name, stream)
        .await
        .map_err(|error| CtlError::new(ErrorKind::Unreachable, format!("connect to {host}")).source(&error))
}

/// TLS as the requests to AWS have it: rustls with ring, and the certificates that this machine trusts.
fn trusting(found: CertificateResult) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

    use super::*;

    /// Of `localhost`, signed by itself, valid until 2126:
    /// `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=localhost
    /// -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE`.
    const CERTIFICATE: &[u8] = include_bytes!("testdata/session.der");
    const KEY: &[u8] = include_bytes!("testdata/session-key.der");

    /// A server that answers over TLS with what it was sent; its port.
    async fn echo() -> u16 {
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(KEY));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key)
            .expect("a certificate and its key");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let mut sent = [0; 4];
                if stream.read_exact(&mut sent).await.is_ok() {
                    stream.write_all(&sent).await.expect("sent");
                }
            }
        });
        port
    }

    fn found(certificates: &[&'static [u8]]) -> CertificateResult {
        let mut found = CertificateResult::default();
        found.certs = certificates
            .iter()
            .map(|der| CertificateDer::from(*der))
            .collect();
        found
    }

    async fn connected(host: &str, trusted: CertificateResult) -> Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(("127.0.0.1", echo().await)).await;
        encrypted_to(host, stream.expect("a connection"), trusting(trusted)?).await
    }

    #[tokio::test]
    async fn bytes_go_both_ways_to_a_host_that_proves_its_name() {
        let mut stream = connected("localhost", found(&[CERTIFICATE]))
            .await
            .expect("the certificate is trusted");
        stream.write_all(b"ping").await.expect("sent");
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(&answer, b"ping");
    }

    #[tokio::test]
    async fn a_certificate_for_another_host_is_refused() {
        let error = connected("ssmmessages.us-east-1.amazonaws.com", found(&[CERTIFICATE]))
            .await
            .expect_err("another name");
        assert_eq!(error.kind(), ErrorKind::Unreachable);
        assert!(error.to_string().contains("connect to ssmmessages"), "{error}");
    }

    #[tokio::test]
    async fn a_machine_that_trusts_nothing_says_so() {
        let error = connected("localhost", found(&[])).await.expect_err("no trust");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("trusts no certificate"), "{error}");
    }
}
