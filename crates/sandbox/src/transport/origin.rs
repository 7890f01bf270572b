//! Who may talk to the listener: programs of this machine that mean it, and no web page that a browser here shows.
//!
//! A page can reach the loopback interface, and can make a name of its own resolve to it. What it cannot do is leave
//! out what browsers add (Fetch Metadata Request Headers, section 2.4) or name another host than its own.

use http::uri::Authority;
use http::{HeaderMap, Request, StatusCode};

/// Why a request is refused before the account looks at what it asks for.
pub(super) type Refusal = (StatusCode, &'static str);

/// Checks where `request` comes from and whom it is for.
///
/// # Errors
/// 403 for a request of a web page or for another host, 400 without exactly one host.
///
/// `is_ours` knows the names of the account's own load balancers and buckets, which no page of another host can have here.
pub(super) fn check<B>(request: &Request<B>, is_ours: impl Fn(&str) -> bool) -> Result<(), Refusal> {
    let headers = request.headers();
    let hosts: Vec<_> = headers.get_all("host").iter().collect();
    let [host] = hosts.as_slice() else {
        return Err((StatusCode::BAD_REQUEST, "the request needs exactly one host"));
    };
    let host = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
    // The address may name a host as well.
    let named = [host.as_ref(), request.uri().authority()];
    let may_be_asked = |host: &Authority| is_this_machine(host) || is_ours(host.as_str());
    if host.is_none() || !named.into_iter().flatten().all(may_be_asked) {
        return Err((StatusCode::FORBIDDEN, "the host must be 127.0.0.1 or localhost"));
    }
    if comes_from_a_page(headers) {
        return Err((StatusCode::FORBIDDEN, "requests from web pages are refused"));
    }
    Ok(())
}

/// No SDK and no command line sends these headers. `Sec-Fetch-Site: none` is an address that a person typed.
fn comes_from_a_page(headers: &HeaderMap) -> bool {
    let site = headers
        .get_all("sec-fetch-site")
        .iter()
        .any(|site| site != "none");
    site || headers.contains_key("origin")
}

/// `localhost`, an address of it, or a name under `localhost`, where buckets have theirs: no resolver lets these
/// lead anywhere else (RFC 6761, section 6.3).
fn is_this_machine(authority: &Authority) -> bool {
    let host = authority.host().to_ascii_lowercase();
    !authority.as_str().contains('@')
        && (matches!(host.as_str(), "127.0.0.1" | "localhost" | "[::1]") || host.ends_with(".localhost"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(uri: &str, headers: &[(&str, &str)]) -> Option<StatusCode> {
        let mut request = Request::get(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        check(&request.body(()).unwrap(), |host| host == "balancer.example")
            .err()
            .map(|(status, _)| status)
    }

    #[test]
    fn only_hosts_of_this_machine_pass() {
        for host in [
            "127.0.0.1:4566",
            "localhost",
            "LocalHost:1",
            "[::1]:80",
            "bp-logs.localhost:4566",
            "balancer.example",
        ] {
            assert_eq!(checked("/", &[("host", host)]), None, "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example:80",
            "localhost.evil.example",
            "localhost@evil.example",
            "evillocalhost",
            "0.0.0.0",
            "",
        ] {
            assert_eq!(
                checked("/", &[("host", host)]),
                Some(StatusCode::FORBIDDEN),
                "{host}"
            );
        }
        assert_eq!(
            checked("http://evil.example/", &[("host", "localhost")]),
            Some(StatusCode::FORBIDDEN)
        );
    }

    #[test]
    fn there_is_exactly_one_host() {
        assert_eq!(checked("/", &[]), Some(StatusCode::BAD_REQUEST));
        let two = [("host", "localhost"), ("host", "localhost")];
        assert_eq!(checked("/", &two), Some(StatusCode::BAD_REQUEST));
    }

    #[test]
    fn what_a_browser_adds_gives_a_page_away() {
        for header in [
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "same-origin"),
        ] {
            let refused = checked("/", &[("host", "localhost"), header]);
            assert_eq!(refused, Some(StatusCode::FORBIDDEN), "{header:?}");
        }
        assert_eq!(
            checked("/", &[("host", "localhost"), ("sec-fetch-site", "none")]),
            None
        );
    }
}
