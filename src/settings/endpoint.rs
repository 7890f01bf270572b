//! Endpoints: what a URL may be, which services have one of their own, and who may be asked in plain text.

use std::net::IpAddr;

/// A service that bpctl asks: the id in AWS' configuration and, in capitals, at the end of `AWS_ENDPOINT_URL_<ID>`
/// (AWS SDKs and Tools Reference Guide, "Identifiers for service-specific endpoints").
pub(crate) const SERVICES: &[&str] = &[
    "acm",
    "application_auto_scaling",
    "auto_scaling",
    "budgets",
    "cloudformation",
    "cloudtrail",
    "cloudwatch",
    "cloudwatch_logs",
    "ec2",
    "ecr",
    "ecs",
    "elastic_load_balancing_v2",
    "elasticache",
    "iam",
    "pricing",
    "rds",
    "route_53",
    "s3",
    "secrets_manager",
    "sns",
    "ssm",
    "sts",
];

/// The variable that gives one service an endpoint of its own.
pub(super) fn variable(service: &str) -> String {
    format!("AWS_ENDPOINT_URL_{}", service.to_ascii_uppercase())
}

/// The endpoint as it is to be used, without a slash at its end.
///
/// # Errors
/// Why it is none. What may be a password is not repeated.
pub(super) fn check(value: &str) -> Result<String, String> {
    if holds_credentials(value) {
        return Err("user and password have no place in an endpoint (it is not repeated here)".to_owned());
    }
    let url: Option<http::Uri> = value.parse().ok();
    let authority = url.as_ref().and_then(http::Uri::authority);
    let (Some(scheme), Some(authority)) = (url.as_ref().and_then(http::Uri::scheme_str), authority) else {
        return Err(format!(
            "`{value}` is not a URL: it must begin with `http://` or `https://` and a host"
        ));
    };
    let port = authority
        .as_str()
        .strip_prefix(authority.host())
        .unwrap_or_default();
    if !matches!(scheme, "http" | "https") {
        return Err(format!(
            "`{value}` is not a URL that bpctl can use: it must begin with `http://` or `https://`"
        ));
    }
    if authority.host().is_empty() || (!port.is_empty() && authority.port_u16().is_none()) {
        return Err(format!("`{value}` has no valid host and port"));
    }
    Ok(value.trim_end_matches('/').to_owned())
}

/// Whether an endpoint may hold a user, a password or a token: an `@`, or a query.
pub(crate) fn holds_credentials(value: &str) -> bool {
    value.contains(['@', '?', '#'])
}

/// Whether requests to the endpoint would cross a network unencrypted.
pub(super) fn is_plain_http(value: &str) -> bool {
    value
        .get(..7)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"))
        && !is_loopback_url(value)
}

/// Whether a URL points at this machine.
pub(crate) fn is_loopback_url(url: &str) -> bool {
    url.parse::<http::Uri>()
        .ok()
        .and_then(|uri| uri.host().map(is_loopback_host))
        .unwrap_or(false)
}

/// Whether a host name or address is this machine's own.
pub(crate) fn is_loopback_host(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
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

    #[test]
    fn plain_text_to_another_machine_is_seen_however_it_is_spelled() {
        for plain in ["http://10.0.0.1", "HTTP://aws.example.com:80/x"] {
            assert!(is_plain_http(plain), "{plain}");
        }
        for fine in [
            "https://10.0.0.1",
            "http://[::1]:1",
            "http://localhost",
            "http:/",
            "é",
        ] {
            assert!(!is_plain_http(fine), "{fine}");
        }
    }

    #[test]
    fn what_may_be_a_password_is_not_repeated() {
        for value in [
            "http://jo:hunter2@127.0.0.1:1",
            "jo:hunter2@host",
            "https://host/?token=hunter2",
            "http://jo:hunter2@",
        ] {
            let reason = check(value).unwrap_err();
            assert!(!reason.contains("hunter2"), "{reason}");
        }
    }
}
