//! What counts as this machine.

/// Whether a URL points at this machine.
pub(crate) fn is_loopback_url(url: &str) -> bool {
    url.parse::<http::Uri>()
        .ok()
        .and_then(|uri| uri.host().map(is_loopback_host))
        .unwrap_or(false)
}

/// Whether a host name or address is this machine's own.
pub(super) fn is_loopback_host(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for good in [
            "http://127.0.0.1:4566",
            "http://localhost:1/x",
            "https://[::1]:9",
            "http://127.9.9.9",
        ] {
            assert!(is_loopback_url(good), "{good}");
        }
        for bad in [
            "http://127.0.0.1.example.com",
            "https://ecs.us-east-1.amazonaws.com",
            "http://10.0.0.1",
            "nonsense",
        ] {
            assert!(!is_loopback_url(bad), "{bad}");
        }
    }
}
