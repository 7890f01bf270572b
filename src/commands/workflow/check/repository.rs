//! Which repository on GitHub this is: said, or read from the runner's environment or from git's configuration.

use std::path::{Path, PathBuf};

use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::files::{CONFIG_LIMIT, read_text};
use crate::iam::is_repository;

/// OWNER/NAME.
///
/// # Errors
/// One that GitHub does not have, or none at all.
pub(super) fn repository(ctx: &Ctx, given: Option<&str>) -> Result<String> {
    let of_runner = ctx.env.get("GITHUB_REPOSITORY").filter(|name| !name.is_empty());
    let (name, place) = match (given, of_runner) {
        (Some(given), _) => (given.to_owned(), "--repository"),
        (None, Some(name)) => (name.clone(), "GITHUB_REPOSITORY"),
        (None, None) => {
            let origin = config(&ctx.cwd)
                .and_then(|config| read_text(&config, CONFIG_LIMIT).ok())
                .and_then(|config| origin(&config));
            return origin.ok_or_else(|| {
                CtlError::usage("tell which repository this is: the working folder is in none with an `origin` on github.com")
                    .hint("name it, e.g. `--repository acme/platform`")
            });
        }
    };
    if is_repository(&name) {
        return Ok(name);
    }
    Err(
        CtlError::usage(format!("read the repository `{name}`: it is not OWNER/NAME"))
            .cause(format!("it comes from {place}"))
            .hint("write it as in its address, e.g. `--repository acme/platform`"),
    )
}

/// git's configuration of the repository that a folder is in. In a further working tree `.git` is a file that leads to a
/// folder, and that has a file that leads to the repository's.
fn config(folder: &Path) -> Option<PathBuf> {
    let git = folder
        .ancestors()
        .map(|above| above.join(".git"))
        .find(|git| git.exists())?;
    if git.is_dir() {
        return Some(git.join("config"));
    }
    let leads = |file: &Path| read_text(file, CONFIG_LIMIT).ok();
    let own = leads(&git)?;
    let own = git.parent()?.join(own.strip_prefix("gitdir:")?.trim());
    let common = leads(&own.join("commondir"));
    let common = common.map_or_else(|| own.clone(), |common| own.join(common.trim()));
    Some(common.join("config"))
}

/// OWNER/NAME from the address of the remote `origin`, if that is on github.com.
fn origin(config: &str) -> Option<String> {
    let mut inside = false;
    for line in config.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line.replace(' ', "").eq_ignore_ascii_case("[remote\"origin\"]");
        } else if inside
            && let Some((key, value)) = line.split_once('=')
            && key.trim().eq_ignore_ascii_case("url")
        {
            return of_address(value.trim().trim_matches('"'));
        }
    }
    None
}

fn of_address(address: &str) -> Option<String> {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    // `git@github.com:owner/name`, or user and password of an address.
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let host = "github.com";
    let path = rest
        .get(..host.len())
        .filter(|start| start.eq_ignore_ascii_case(host))
        .map(|_| &rest[host.len()..])?;
    let path = path.strip_prefix(":22/").or(path.strip_prefix([':', '/']))?;
    let path = path.trim_matches('/');
    let name = path.strip_suffix(".git").unwrap_or(path);
    is_repository(name).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn addresses_of_git_name_the_repository() {
        for address in [
            "https://github.com/acme/platform",
            "https://github.com/acme/platform.git",
            "https://GitHub.com/acme/platform/",
            "https://jo:secret@github.com/acme/platform.git",
            "git@github.com:acme/platform.git",
            "ssh://git@github.com/acme/platform.git",
            "ssh://git@github.com:22/acme/platform.git",
        ] {
            assert_eq!(of_address(address).as_deref(), Some("acme/platform"), "{address}");
        }
        for address in [
            "",
            "https://gitlab.com/acme/platform",
            "https://github.com.evil.example/acme/platform",
            "https://github.com/acme",
            "https://github.com/acme/platform/tree",
            "../platform.git",
            "/srv/github.com/acme/platform.git",
        ] {
            assert_eq!(of_address(address), None, "{address}");
        }
    }

    #[test]
    fn the_origin_counts_and_no_other_remote() {
        let config = "[core]\n\turl = https://github.com/a/core\n[remote \"fork\"]\n\turl = https://github.com/jo/platform\n\
                      [remote \"origin\"]\n\tfetch = +refs/heads/*\n\turl = git@github.com:acme/platform.git\n";
        assert_eq!(origin(config).as_deref(), Some("acme/platform"));
        assert_eq!(
            origin("[remote \"fork\"]\nurl = https://github.com/jo/platform\n"),
            None
        );
    }

    #[test]
    fn the_configuration_is_found_from_a_folder_below_and_from_a_working_tree() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        fs::create_dir_all(at("main/.git/worktrees/other")).unwrap();
        fs::create_dir_all(at("main/a/b")).unwrap();
        fs::create_dir_all(at("other")).unwrap();
        fs::write(
            at("other/.git"),
            format!("gitdir: {}\n", at("main/.git/worktrees/other").display()),
        )
        .unwrap();
        fs::write(at("main/.git/worktrees/other/commondir"), "../..\n").unwrap();
        fs::write(at("main/.git/config"), "x").unwrap();
        assert_eq!(config(&at("main/a/b")), Some(at("main/.git/config")));
        let config = config(&at("other")).unwrap();
        assert_eq!(fs::read_to_string(config).unwrap(), "x");
    }
}
