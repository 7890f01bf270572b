//! Names of images: which of them are in the platform's registry, and what another tag makes of them. Pure.

/// An image in ECR, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EcrImage<'a> {
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    pub(crate) repository: &'a str,
    /// A tag, or a digest that begins with `sha256:`.
    pub(crate) reference: &'a str,
}

/// Takes `<account>.dkr.ecr.<region>.amazonaws.com[.cn]/<repository>[:tag|@digest]` apart; `None` for an image that is
/// elsewhere.
pub(crate) fn ecr(image: &str) -> Option<EcrImage<'_>> {
    let (registry, path) = image.split_once('/')?;
    let (account, rest) = registry.split_once(".dkr.ecr.")?;
    let (region, _) = rest.split_once(".amazonaws.com")?;
    let (repository, reference) = match path.split_once('@') {
        Some((named, digest)) => (named.split(':').next().unwrap_or(named), digest),
        // Without a tag `latest` is meant (Docker's reference for image names).
        None => path.rsplit_once(':').unwrap_or((path, "latest")),
    };
    Some(EcrImage {
        account,
        region,
        repository,
        reference,
    })
}

/// The image with the tag of another commit: what stands before the last hyphen of its tag says which part of the
/// build it is (`php-latest`, `nginx-0af12cd`, `latest`). `None` for an image by its digest: nothing says which part.
pub(super) fn retagged(image: &str, commit: &str) -> Option<String> {
    let known = ecr(image)?;
    if known.reference.starts_with("sha256:") {
        return None;
    }
    let (name, _) = image
        .rsplit_once(':')
        .filter(|(_, tag)| !tag.contains('/'))
        .unwrap_or((image, ""));
    let part = known
        .reference
        .rsplit_once('-')
        .map_or(String::new(), |(part, _)| format!("{part}-"));
    Some(format!("{name}:{part}{commit}"))
}

/// An image as it is told: without its registry.
pub(crate) fn short(image: &str) -> &str {
    image.split_once('/').map_or(image, |(_, path)| path)
}

/// A digest as it is told: as long as a commit.
pub(crate) fn brief(digest: &str) -> &str {
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    hex.get(..12).unwrap_or(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTRY: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";

    #[test]
    fn images_in_ecr_are_taken_apart() {
        let image = format!("{REGISTRY}/bp-backend:php-latest");
        let known = ecr(&image).unwrap();
        assert_eq!((known.repository, known.reference), ("bp-backend", "php-latest"));
        assert_eq!((known.account, known.region), ("123456789012", "us-east-1"));
        let image = format!("{REGISTRY}/bp-backend@sha256:ab");
        assert_eq!(ecr(&image).unwrap().reference, "sha256:ab");
        let image = format!("{REGISTRY}/bp-frontend");
        assert_eq!(ecr(&image).unwrap().reference, "latest");
        for elsewhere in [
            "nginx:1.27",
            "docker.io/library/nginx",
            "public.ecr.aws/nginx/nginx:1",
        ] {
            assert_eq!(ecr(elsewhere), None, "{elsewhere}");
        }
    }

    #[test]
    fn a_commit_replaces_the_last_part_of_a_tag() {
        for (before, after) in [
            ("bp-backend:php-latest", "bp-backend:php-0af12cd"),
            ("bp-backend:nginx-1111111", "bp-backend:nginx-0af12cd"),
            ("bp-frontend:latest", "bp-frontend:0af12cd"),
            ("bp-frontend:1111111", "bp-frontend:0af12cd"),
            ("bp-frontend", "bp-frontend:0af12cd"),
        ] {
            let (before, after) = (format!("{REGISTRY}/{before}"), format!("{REGISTRY}/{after}"));
            assert_eq!(retagged(&before, "0af12cd"), Some(after));
        }
        assert_eq!(
            retagged(&format!("{REGISTRY}/bp-backend@sha256:ab"), "0af12cd"),
            None
        );
        assert_eq!(retagged("nginx:1.27", "0af12cd"), None);
    }

    #[test]
    fn what_is_told_is_short() {
        assert_eq!(
            short(&format!("{REGISTRY}/bp-backend:php-latest")),
            "bp-backend:php-latest"
        );
        assert_eq!(brief("sha256:0123456789abcdef"), "0123456789ab");
        assert_eq!(brief("x"), "x");
    }
}
