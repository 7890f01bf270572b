//! The other end of the control endpoints: talks to a sandbox that runs in another process.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::listener::TOKEN_HEADER;

/// A sandbox on this machine answers at once or not at all.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The list of calls is the longest answer; whatever is longer is no sandbox's.
const LARGEST_ANSWER: usize = 32 * 1024 * 1024;

/// A running sandbox, by its address and token.
#[derive(Clone, Debug)]
pub struct Remote {
    address: SocketAddr,
    token: String,
}

impl Remote {
    /// The sandbox at `url` (`http://127.0.0.1:<port>`).
    ///
    /// # Errors
    /// `InvalidInput` when the URL is not that of a loopback listener.
    pub fn new(url: &str, token: &str) -> io::Result<Self> {
        let address: Option<SocketAddr> = url
            .strip_prefix("http://")
            .and_then(|rest| rest.trim_end_matches('/').parse().ok());
        match address {
            Some(address) if address.ip().is_loopback() => Ok(Self {
                address,
                token: token.to_owned(),
            }),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("`{url}` is not a sandbox on this machine"),
            )),
        }
    }

    /// Simulated time in milliseconds since the epoch, and simulated seconds per second.
    ///
    /// # Errors
    /// When nothing answers there, or not a sandbox.
    pub async fn clock(&self) -> io::Result<(i64, f64)> {
        let answer = self.call(Method::GET, "clock", Value::Null).await?;
        match (answer["now_ms"].as_i64(), answer["speed"].as_f64()) {
            (Some(now), Some(speed)) => Ok((now, speed)),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "what answers there is not a sandbox",
            )),
        }
    }

    /// What is going on: `pid`, `layout`, `stage`, `scenarios` (null in a drill), `now`, `speed`, `calls`.
    ///
    /// # Errors
    /// When nothing answers there.
    pub async fn status(&self) -> io::Result<Value> {
        self.call(Method::GET, "status", Value::Null).await
    }

    /// The scenarios in force, also in a drill.
    ///
    /// # Errors
    /// When nothing answers there, or the token is wrong.
    pub async fn reveal(&self) -> io::Result<Value> {
        self.call(Method::GET, "reveal", Value::Null).await
    }

    /// Lets simulated time pass at once.
    ///
    /// # Errors
    /// When nothing answers there, or the token is wrong.
    pub async fn advance(&self, duration: Duration) -> io::Result<Value> {
        self.call(
            Method::POST,
            "advance",
            json!({ "seconds": duration.as_secs_f64() }),
        )
        .await
    }

    /// Starts over.
    ///
    /// # Errors
    /// When nothing answers there, or the token is wrong.
    pub async fn reset(&self) -> io::Result<Value> {
        self.call(Method::POST, "reset", Value::Null).await
    }

    /// Breaks or mends the running platform.
    ///
    /// # Errors
    /// When nothing answers there, the token is wrong, or a name is unknown.
    pub async fn set_scenarios(&self, names: &[String]) -> io::Result<Value> {
        self.call(Method::POST, "scenarios", json!({ "names": names }))
            .await
    }

    /// Stops it.
    ///
    /// # Errors
    /// When nothing answers there, or the token is wrong.
    pub async fn stop(&self) -> io::Result<Value> {
        self.call(Method::POST, "stop", Value::Null).await
    }

    async fn call(&self, method: Method, name: &str, body: Value) -> io::Result<Value> {
        tokio::time::timeout(TIMEOUT, self.exchange(method, name, body))
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    async fn exchange(&self, method: Method, name: &str, body: Value) -> io::Result<Value> {
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        let driver = tokio::spawn(connection);
        let body = if body.is_null() {
            Bytes::new()
        } else {
            Bytes::from(body.to_string())
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("/_sandbox/{name}"))
            .header("host", self.address.to_string())
            .header(TOKEN_HEADER, &self.token)
            .body(Full::new(body))
            .map_err(io::Error::other)?;
        let response = sender.send_request(request).await.map_err(io::Error::other)?;
        let status = response.status();
        let bytes = Limited::new(response.into_body(), LARGEST_ANSWER)
            .collect()
            .await
            .map_err(io::Error::other)?
            .to_bytes();
        drop(sender);
        driver.abort();
        let answer: Value = serde_json::from_slice(&bytes)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "what answers there is not a sandbox"))?;
        if status.is_success() {
            Ok(answer)
        } else {
            let reason = answer["error"].as_str().unwrap_or("refused without a reason");
            Err(io::Error::other(format!("the sandbox refused: {reason}")))
        }
    }
}
