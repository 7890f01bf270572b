//! GetDownloadUrlForLayer, and the storage that it sends a client to. The account holds the configurations of its
//! images, which are blobs like any layer (OCI image specification, "Image Configuration"), and no layers.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::manifest::sha256;
use super::{Platform, Repository, named};
use crate::error::{ApiError, OpResult};
use crate::service::member::text;
use crate::world::World;

/// How long an address is good for, in seconds.
const VALID: i64 = 3600;

/// The configuration of the image with this manifest; that of an attestation names no processor.
pub(super) fn config(digest: &str, platform: Option<Platform>) -> String {
    let known = platform.map(Platform::architecture);
    json!({
        "architecture": known.unwrap_or("unknown"),
        "os": if known.is_some() { "linux" } else { "unknown" },
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [sha256(&format!("content {digest}"))]},
    })
    .to_string()
}

/// The configurations of everything in a repository.
fn configs(repository: &Repository) -> impl Iterator<Item = String> {
    let alone = repository.images.iter().filter(|image| !image.provenance);
    let alone = alone.map(|image| config(&image.digest, Some(image.platform)));
    alone.chain(repository.parts().map(|part| config(&part.digest, part.platform)))
}

/// AWS keeps layers in a bucket of its own in each region (Amazon ECR User Guide, "Amazon ECR interface VPC endpoints").
fn bucket(world: &World) -> String {
    format!("prod-{}-starport-layer-bucket", world.options.region)
}

/// The address is one of S3, signed beforehand, at the sandbox's own endpoint.
pub(super) fn get_download_url_for_layer(world: &World, input: &Value) -> OpResult {
    let name = text(input, "repositoryName").unwrap_or_default();
    let digest = text(input, "layerDigest").unwrap_or_default();
    let repository = named(world, name)?;
    if !configs(repository).any(|config| sha256(&config) == digest) {
        return Err(ApiError::client(
            "LayersNotFoundException",
            format!(
                "The layer with digest '{digest}' does not exist in the repository with name '{name}' in the registry with id '{}'",
                world.options.account_id
            ),
        ));
    }
    let (region, bucket) = (&world.options.region, bucket(world));
    // Without a listener the sandbox is reached in this process, whatever the address.
    let address = world.listens_at().unwrap_or("127.0.0.1:1");
    let base = format!("http://{address}/{bucket}");
    // `20260115T030000Z`, without the milliseconds.
    let now = world.now.iso8601();
    let seconds = now.split('.').next().unwrap_or_default();
    let signed: String = seconds
        .chars()
        .filter(|c| !"-:".contains(*c))
        .chain(['Z'])
        .collect();
    let (date, _) = signed.split_at(8);
    let url = format!(
        "{base}/{name}/{digest}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={signed}&X-Amz-SignedHeaders=host&X-Amz-Expires={VALID}&X-Amz-Credential=ASIASANDBOXREGISTRY1%2F{date}%2F{region}%2Fs3%2Faws4_request&X-Amz-Signature={}",
        sha256(&format!("{name} {digest} {signed}")).trim_start_matches("sha256:")
    );
    Ok(json!({"downloadUrl": url, "layerDigest": digest}))
}

/// Answers a request for a blob; `None` for any other.
pub(crate) fn answer(world: &World, request: &Request<Bytes>) -> Option<Response<Bytes>> {
    let bucket = bucket(world);
    let uri = request.uri();
    let by_host = uri
        .host()
        .is_some_and(|host| host.starts_with(&format!("{bucket}.s3.")));
    let path = match by_host {
        true => uri.path().strip_prefix('/')?,
        false => uri.path().strip_prefix(&format!("/{bucket}/"))?,
    };
    if request.method() != Method::GET {
        return Some(refused(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied"));
    }
    let query: Vec<(String, String)> = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .into_owned()
        .collect();
    let parameter = |name: &str| {
        query
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value)
    };
    let signed = parameter("X-Amz-Date").and_then(|date| date.parse::<jiff::Timestamp>().ok());
    let Some(signed) = signed.filter(|_| parameter("X-Amz-Signature").is_some()) else {
        return Some(refused(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied"));
    };
    if world.now.0 > signed.as_millisecond() + VALID * 1000 {
        return Some(refused(
            StatusCode::FORBIDDEN,
            "AccessDenied",
            "Request has expired",
        ));
    }
    let found = path.rsplit_once('/').and_then(|(name, digest)| {
        let repository = named(world, name).ok()?;
        configs(repository).find(|config| sha256(config) == digest)
    });
    Some(match found {
        Some(config) => {
            let mut response = Response::new(Bytes::from(config));
            let kind = http::HeaderValue::from_static("application/octet-stream");
            response.headers_mut().insert("content-type", kind);
            response
        }
        None => refused(
            StatusCode::NOT_FOUND,
            "NoSuchKey",
            "The specified key does not exist.",
        ),
    })
}

fn refused(status: StatusCode, code: &str, message: &str) -> Response<Bytes> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let kind = http::HeaderValue::from_static("application/xml");
    response.headers_mut().insert("content-type", kind);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::service::Service;

    fn get(world: &World, url: &str) -> Response<Bytes> {
        let request = Request::get(url).body(Bytes::new()).unwrap();
        answer(world, &request).expect("an address of the storage")
    }

    #[test]
    fn an_image_without_an_index_says_in_its_configuration_what_it_is_for() {
        let mut world = World::new(Options::default());
        world
            .push_image("bp-backend", &["php-plain"], false, std::time::Duration::ZERO)
            .unwrap();
        world.push_without_provenance("bp-backend", "php-plain");
        let mut ask = |operation: &str, input: Value| world.call(Service::Ecr, operation, &input);
        let ids = json!([{"imageTag": "php-plain"}]);
        let input = json!({"repositoryName": "bp-backend", "imageIds": ids});
        let got = ask("BatchGetImage", input).unwrap();
        let manifest = got["images"][0]["imageManifest"].as_str().unwrap();
        let manifest: Value = serde_json::from_str(manifest).unwrap();
        assert_eq!(manifest["manifests"], Value::Null);
        let config = &manifest["config"]["digest"];
        let input = json!({"repositoryName": "bp-backend", "layerDigest": config});
        let url = ask("GetDownloadUrlForLayer", input).unwrap()["downloadUrl"].clone();
        let url = url.as_str().unwrap();
        let blob = get(&world, url);
        assert_eq!(
            config.as_str(),
            Some(sha256(std::str::from_utf8(blob.body()).unwrap()).as_str())
        );
        let blob: Value = serde_json::from_slice(blob.body()).unwrap();
        assert_eq!(blob["architecture"], "amd64");

        let (bare, _) = url.split_once('?').unwrap();
        assert_eq!(get(&world, bare).status(), StatusCode::FORBIDDEN);
        let other = url.replacen("sha256:", "sha256:f", 1);
        assert_eq!(get(&world, &other).status(), StatusCode::NOT_FOUND);
        world.advance(world.now + std::time::Duration::from_secs(3601));
        assert_eq!(get(&world, url).status(), StatusCode::FORBIDDEN);
    }
}
