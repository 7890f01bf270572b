//! The images of the services: what each is built from, as the runbook's "Docker images" section has it.

use super::App;

/// One image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Build {
    /// As it is typed.
    pub(crate) word: &'static str,
    pub(crate) app: App,
    /// What stands before the commit, and before `latest`, in its tags.
    pub(crate) prefix: &'static str,
    /// From the root of the repository.
    pub(crate) dockerfile: &'static str,
    /// What the build sees, from the root of the repository.
    pub(crate) context: &'static str,
}

/// What the tasks run on.
pub(crate) const PLATFORM: &str = "linux/arm64";

/// Every image, in the order in which they are built.
pub(crate) const BUILDS: [Build; 3] = [
    Build {
        word: "nginx",
        app: App::Backend,
        prefix: "nginx-",
        dockerfile: "infrastructure/docker/backend/Dockerfile.nginx",
        context: ".",
    },
    Build {
        word: "php",
        app: App::Backend,
        prefix: "php-",
        dockerfile: "infrastructure/docker/backend/Dockerfile.php-fpm",
        context: ".",
    },
    Build {
        word: "frontend",
        app: App::Frontend,
        prefix: "",
        dockerfile: "frontend/Dockerfile",
        context: "./frontend",
    },
];

impl Build {
    /// The tag of a commit's image.
    pub(crate) fn tag(&self, commit: &str) -> String {
        format!("{}{commit}", self.prefix)
    }

    /// The tag that the services pull.
    pub(crate) fn moving_tag(&self) -> String {
        format!("{}latest", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Layout;
    use super::*;

    #[test]
    fn the_moving_tags_are_those_that_the_services_pull() {
        for build in BUILDS {
            let pulled = Layout::service_tags(build.app);
            assert!(pulled.contains(&build.moving_tag().as_str()), "{}", build.word);
        }
        assert_eq!(BUILDS[1].tag("0af12cd"), "php-0af12cd");
        assert_eq!(BUILDS[2].tag("0af12cd"), "0af12cd");
    }
}
