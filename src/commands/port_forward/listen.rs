//! The ports of a command line, and the listener on this machine.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use tokio::net::{TcpListener, TcpStream};

use crate::error::{CommandLine, CtlError, ErrorKind, Result};

/// A port on this machine and one elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ports {
    /// 0 for any that is free.
    pub(crate) local: u16,
    pub(crate) remote: u16,
}

impl FromStr for Ports {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let port = |text: &str| match text.parse::<u16>() {
            Ok(port) if port > 0 => Ok(port),
            _ => Err(format!("`{text}` is no port: write a number from 1 to 65535")),
        };
        match text.split_once(':') {
            None => port(text).map(|port| Self {
                local: port,
                remote: port,
            }),
            Some(("", remote)) => Ok(Self {
                local: 0,
                remote: port(remote)?,
            }),
            Some((local, remote)) => Ok(Self {
                local: port(local)?,
                remote: port(remote)?,
            }),
        }
    }
}

/// A bound listener.
#[derive(Debug)]
pub(crate) struct Listener {
    inner: TcpListener,
    address: SocketAddr,
}

impl Listener {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection of a program on this machine.
    pub(super) async fn accept(&self) -> io::Result<TcpStream> {
        let (stream, _) = self.inner.accept().await?;
        // Small answers must not wait for the program's acknowledgement.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }
}

/// Listens on the loopback interface.
///
/// # Errors
/// A port that is taken or that only root may have, with what to do about it.
pub(crate) async fn listen(ports: Ports) -> Result<Listener> {
    let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, ports.local));
    let failed = |error: &io::Error| {
        let failure = |what: &str| CtlError::new(ErrorKind::Conflict, format!("listen on {wanted}: {what}"));
        match error.kind() {
            io::ErrorKind::AddrInUse => failure("another program listens there")
                .coded("port-in-use")
                .hint((
                    "see which with",
                    CommandLine::other("lsof", ["-nP", &format!("-iTCP:{}", ports.local), "-sTCP:LISTEN"]),
                ))
                .hint(format!(
                    "or choose another port: `{}:{}`, or any free one: `:{}`",
                    ports.local.checked_add(1).unwrap_or(8080),
                    ports.remote,
                    ports.remote
                )),
            io::ErrorKind::PermissionDenied => failure("ports below 1024 are root's").hint(format!(
                "choose another one: `{}:{}`",
                u32::from(ports.local) + 8000,
                ports.remote
            )),
            _ => failure("it cannot be done").source(error),
        }
    };
    let inner = TcpListener::bind(wanted).await.map_err(|error| failed(&error))?;
    let address = inner.local_addr().map_err(|error| failed(&error))?;
    Ok(Listener { inner, address })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_written_in_three_ways() {
        let ports = |text: &str| text.parse::<Ports>().map(|ports| (ports.local, ports.remote));
        assert_eq!(ports("8080:80"), Ok((8080, 80)));
        assert_eq!(ports("80"), Ok((80, 80)));
        assert_eq!(ports(":80"), Ok((0, 80)));
        for bad in [
            "", ":", "x", "0", "80:", "8080:0", "65536", "1:2:3", "-1", "8080: 80",
        ] {
            assert!(ports(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_said_with_what_to_do() {
        let first = listen(Ports { local: 0, remote: 80 }).await.unwrap();
        let taken = Ports {
            local: first.address().port(),
            remote: 80,
        };
        let error = listen(taken).await.unwrap_err();
        assert_eq!((error.code(), error.kind()), ("port-in-use", ErrorKind::Conflict));
        assert!(
            error.hints().iter().any(|hint| hint.contains("`:80`")),
            "{:?}",
            error.hints()
        );
    }
}
