//! Which service and operation a request is for, read off its wire format.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

/// Service and operation of a request, read off the wire format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Operation {
    pub(super) service: String,
    pub(super) name: String,
}

impl Operation {
    pub(super) fn of(request: &HttpRequest) -> Self {
        let service = request
            .headers()
            .get("authorization")
            .and_then(|value| value.split('/').nth(3))
            .unwrap_or("unsigned")
            .to_owned();
        Self {
            service,
            name: operation_name(request).unwrap_or("Unknown").to_owned(),
        }
    }

    pub(super) fn label(&self) -> String {
        format!("{}:{}", self.service, self.name)
    }
}

/// JSON services name the operation in a header, CBOR services in the path, query services in the body.
fn operation_name(request: &HttpRequest) -> Option<&str> {
    if let Some(target) = request.headers().get("x-amz-target") {
        return target.rsplit('.').next();
    }
    if let Some((_, operation)) = request.uri().rsplit_once("/operation/") {
        return Some(operation);
    }
    let body = std::str::from_utf8(request.body().bytes()?).ok()?;
    body.split('&').find_map(|pair| pair.strip_prefix("Action="))
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn request(uri: &str, headers: &[(&'static str, &str)], body: &'static str) -> HttpRequest {
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_uri(uri).unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, (*value).to_owned());
        }
        request
    }

    #[test]
    fn the_operation_is_read_from_every_wire_format() {
        let auth = (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKID/20260115/us-east-1/ecs/aws4_request, …",
        );
        let json = request(
            "http://x/",
            &[
                auth,
                ("x-amz-target", "AmazonEC2ContainerServiceV20141113.RunTask"),
            ],
            "{}",
        );
        assert_eq!(Operation::of(&json).label(), "ecs:RunTask");
        let query = request("http://x/", &[], "Action=DescribeStacks&Version=2010-05-15");
        assert_eq!(Operation::of(&query).label(), "unsigned:DescribeStacks");
        let cbor = request(
            "http://x/service/GraniteServiceVersion20100801/operation/GetMetricData",
            &[],
            "",
        );
        assert_eq!(Operation::of(&cbor).label(), "unsigned:GetMetricData");
    }
}
