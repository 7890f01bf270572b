//! `bpctl image build` and `push`, with a stand-in for docker that records its calls and pushes into the sandbox.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bpctl_sandbox::Service;
use bpctl_sandbox::transport::{ServeOptions, serve};
use serde_json::{Value, json};

use crate::broken_network::{Break, Network};
use crate::support::{Account, Run};

const PUT: &str = "Ecr:PutImage";
const REGISTRY: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";

/// An account, the application's repository, and docker.
struct Bench {
    account: Account,
    folder: tempfile::TempDir,
    host: String,
    token: String,
}

impl Bench {
    /// Real time: the stand-in is a process.
    async fn new(account: Account) -> Self {
        let server = serve(account.sandbox.clone(), ServeOptions::default())
            .await
            .expect("a listener");
        let (host, token) = (server.address.to_string(), server.token.clone());
        tokio::spawn(server.run());
        let bench = Self {
            account,
            folder: tempfile::tempdir().expect("a folder"),
            host,
            token,
        };
        for file in [
            "infrastructure/docker/backend/Dockerfile.nginx",
            "infrastructure/docker/backend/Dockerfile.php-fpm",
            "frontend/Dockerfile",
        ] {
            let file = bench.source().join(file);
            fs::create_dir_all(file.parent().expect("a folder")).expect("folders");
            fs::write(file, "FROM scratch\n").expect("a file");
        }
        fs::create_dir_all(bench.record()).expect("a folder");
        fs::create_dir_all(bench.bin()).expect("a folder");
        let stand_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/stand-in-docker");
        std::os::unix::fs::symlink(stand_in, bench.bin().join("docker")).expect("a link");
        bench
    }

    fn source(&self) -> PathBuf {
        self.folder.path().join("app")
    }

    fn record(&self) -> PathBuf {
        self.folder.path().join("record")
    }

    fn bin(&self) -> PathBuf {
        self.folder.path().join("bin")
    }

    /// Makes the stand-in behave so.
    fn let_it(&self, behave: &str) {
        fs::write(self.record().join(behave), "").expect("a file");
    }

    fn stop(&self, behaving: &str) {
        fs::remove_file(self.record().join(behaving)).expect("a file");
    }

    async fn run(&self, args: &[&str]) -> Run {
        self.run_on(args, &format!("{}:/usr/bin:/bin", self.bin().display()))
            .await
    }

    async fn run_on(&self, args: &[&str], path: &str) -> Run {
        let (host, port) = self.host.split_once(':').expect("an address");
        self.account
            .run_with(args, |process| {
                process.cwd = self.source();
                for (name, value) in [
                    ("PATH", path),
                    ("STAND_IN", &self.record().display().to_string()),
                    ("STAND_IN_HOST", host),
                    ("STAND_IN_PORT", port),
                    ("STAND_IN_TOKEN", &self.token),
                ] {
                    process.env.insert(name.to_owned(), value.to_owned());
                }
            })
            .await
    }

    /// The same over a network that breaks. `None`: bpctl was killed, and docker with it.
    async fn run_over(&self, args: &[&str], network: &Network) -> Option<Run> {
        let (host, port) = self.host.split_once(':').expect("an address");
        let path = format!("{}:/usr/bin:/bin", self.bin().display());
        let (given, killed) = (network.clone(), network.killed.clone());
        let run = self.account.run_with(args, move |process| {
            process.cwd = self.source();
            for (name, value) in [
                ("PATH", path.as_str()),
                ("STAND_IN", &self.record().display().to_string()),
                ("STAND_IN_HOST", host),
                ("STAND_IN_PORT", port),
                ("STAND_IN_TOKEN", &self.token),
            ] {
                process.env.insert(name.to_owned(), value.to_owned());
            }
            process.cancel = given.interrupted.clone();
            if let Some(transport) = &mut process.transport {
                transport.client = given.client();
            }
        });
        tokio::select! {
            run = run => Some(run),
            () = killed.notified() => None,
        }
    }

    /// The calls of docker, without the question for buildx.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.record().join("calls")).unwrap_or_default();
        calls
            .lines()
            .filter(|line| *line != "buildx version")
            .map(str::to_owned)
            .collect()
    }

    fn digest(&self, repository: &str, tag: &str) -> Option<String> {
        let input = json!({"repositoryName": repository, "imageIds": [{"imageTag": tag}]});
        let found = self
            .account
            .sandbox
            .with_world(|world| world.call(Service::Ecr, "BatchGetImage", &input))
            .expect("an answer");
        let digest = &found["images"][0]["imageId"]["imageDigest"];
        digest.as_str().map(str::to_owned)
    }
}

#[tokio::test]
async fn everything_is_built_pushed_and_then_the_tags_move() {
    let bench = Bench::new(Account::with(&[])).await;
    let argv = ["image", "push", "--tag", "0af12cd", "--yes", "-o", "json"];
    let run = bench.run(&argv).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let build = |file: &str, name: &str, context: &str| {
        format!(
            "buildx build --platform linux/arm64 --progress plain --file {file} --tag {REGISTRY}/{name} --push {context}"
        )
    };
    assert_eq!(
        bench.calls(),
        [
            format!("login --username AWS --password-stdin {REGISTRY}"),
            build(
                "infrastructure/docker/backend/Dockerfile.nginx",
                "bp-backend:nginx-0af12cd",
                "."
            ),
            build(
                "infrastructure/docker/backend/Dockerfile.php-fpm",
                "bp-backend:php-0af12cd",
                "."
            ),
            build("frontend/Dockerfile", "bp-frontend:0af12cd", "./frontend"),
        ]
    );
    assert_eq!(run.changes, [PUT, PUT, PUT]);
    for (repository, commit, moving) in [
        ("bp-backend", "nginx-0af12cd", "nginx-latest"),
        ("bp-backend", "php-0af12cd", "php-latest"),
        ("bp-frontend", "0af12cd", "latest"),
    ] {
        let pushed = bench.digest(repository, commit);
        assert!(
            pushed.is_some() && pushed == bench.digest(repository, moving),
            "{moving}"
        );
    }
    let document = run.json();
    let images = document["images"].as_array().expect("a list");
    assert!(
        images.iter().all(|image| image["built"] == true
            && image["moving_tag"].is_string()
            && image["platforms"] == json!(["linux/arm64"])),
        "{document}"
    );
    // The lines of docker are shown, and the token of the login is nowhere: not in a command line, a line or a journal.
    assert!(
        run.stderr.contains("php | #1 [internal] load build definition"),
        "{}",
        run.stderr
    );
    let token = fs::read_to_string(bench.record().join("stdin")).expect("a login");
    assert!(token.len() > 30 && !run.text().contains(&token));
    let journals = fs::read_dir(bench.account.home().join(".local/state/bpctl/journal")).expect("journals");
    for journal in journals {
        let text = fs::read_to_string(journal.expect("a file").path()).expect("text");
        assert!(text.contains("buildx build") && !text.contains(&token));
    }
    // Once more: nothing is built and nothing moves.
    let again = bench.run(&argv).await;
    assert_eq!(again.status.code(), 0, "{}", again.text());
    assert!(again.changes.is_empty() && bench.calls().len() == 4);
}

#[tokio::test]
async fn a_build_that_fails_moves_no_tag_and_the_next_run_goes_on_behind_what_is_there() {
    let bench = Bench::new(Account::staged(&[])).await;
    let before = bench.digest("bp-backend-staging", "nginx-latest");
    bench.let_it("fail-php");
    let argv = ["image", "push", "--tag", "0af12cd", "--yes"];
    let run = bench.run(&argv).await;
    assert_eq!(run.status.code(), 7, "{}", run.text());
    assert!(run.changes.is_empty(), "{:?}", run.changes);
    assert!(run.stderr.contains("composer install"), "{}", run.stderr);
    assert!(
        run.stderr.contains("bpctl image push all --tag 0af12cd"),
        "{}",
        run.stderr
    );
    assert_eq!(bench.digest("bp-backend-staging", "nginx-latest"), before);
    assert!(bench.digest("bp-backend-staging", "nginx-0af12cd").is_some());
    bench.stop("fail-php");
    let so_far = bench.calls().len();
    let run = bench.run(&argv).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let calls = bench.calls().split_off(so_far);
    assert_eq!(calls.len(), 3, "a login and two builds: {calls:?}");
    assert!(!calls.iter().any(|call| call.contains("nginx")));
    assert_ne!(bench.digest("bp-backend-staging", "nginx-latest"), before);
    assert!(run.stdout.contains("was there"), "{}", run.stdout);
}

#[tokio::test]
async fn tags_move_back_with_an_undo() {
    let bench = Bench::new(Account::with(&[])).await;
    let before = bench.digest("bp-frontend", "latest");
    let run = bench
        .run(&[
            "image", "push", "frontend", "--tag", "0af12cd", "--yes", "-o", "json",
        ])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_ne!(bench.digest("bp-frontend", "latest"), before);
    let id = run.json()["run"].as_str().expect("a run").to_owned();
    let undone = bench.run(&["runs", "undo", &id, "--yes"]).await;
    assert_eq!(undone.status.code(), 0, "{}", undone.text());
    assert_eq!(bench.digest("bp-frontend", "latest"), before);
    assert!(bench.digest("bp-frontend", "0af12cd").is_some());
}

#[tokio::test]
async fn an_image_for_another_processor_is_said_and_moves_no_tag() {
    let bench = Bench::new(Account::with(&[])).await;
    bench.let_it("amd64");
    let before = bench.digest("bp-frontend", "latest");
    let run = bench
        .run(&["image", "push", "frontend", "--tag", "0af12cd", "--yes"])
        .await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert!(
        run.stderr.contains("linux/amd64 and not for linux/arm64"),
        "{}",
        run.stderr
    );
    assert!(run.changes.is_empty() && bench.digest("bp-frontend", "latest") == before);
    // It is built anew, whatever is there under the commit.
    bench.stop("amd64");
    let run = bench
        .run(&["image", "push", "frontend", "--tag", "0af12cd", "--yes"])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(run.stderr.contains("built anew"), "{}", run.stderr);
}

#[tokio::test]
async fn what_is_missing_is_said_before_aws_is_asked() {
    let bench = Bench::new(Account::with(&[])).await;
    let push = ["image", "push", "--tag", "0af12cd", "--yes"];
    let none = bench.run_on(&push, "/nonexistent").await;
    bench.let_it("no-buildx");
    let no_buildx = bench.run(&push).await;
    bench.stop("no-buildx");
    let no_file = bench
        .run(&[
            "image", "push", "--tag", "0af12cd", "--source", "frontend", "--yes",
        ])
        .await;
    let no_commit = bench.run(&["image", "build"]).await;
    for (run, wanted) in [
        (&none, "docker is not on the PATH"),
        (&no_buildx, "docker has no buildx"),
        (&no_file, "Dockerfile.nginx"),
        (&no_commit, "--tag 0af12cd"),
    ] {
        assert_eq!(run.status.code(), 2, "{}", run.text());
        assert_eq!(run.calls, 0, "{}", run.text());
        assert!(
            run.stderr.contains(wanted) && run.stderr.contains("hint:"),
            "{}",
            run.stderr
        );
    }
}

#[tokio::test]
async fn a_login_that_is_refused_pushes_nothing() {
    let bench = Bench::new(Account::with(&[])).await;
    bench.let_it("refuse-login");
    let run = bench.run(&["image", "push", "--tag", "0af12cd", "--yes"]).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert!(run.stderr.contains("400 Bad Request"), "{}", run.stderr);
    assert_eq!(bench.calls().len(), 1);
    assert!(run.changes.is_empty());
}

#[tokio::test]
async fn a_dry_run_shows_the_command_lines_and_calls_docker_for_nothing() {
    let bench = Bench::new(Account::with(&[])).await;
    let run = bench
        .run(&[
            "image",
            "push",
            "backend",
            "--tag",
            "0af12cd",
            "--dry-run",
            "-o",
            "json",
        ])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(run.changes.is_empty() && bench.calls().is_empty());
    let plan = run.json();
    let steps: Vec<&Value> = plan["steps"].as_array().expect("steps").iter().collect();
    let ids: Vec<&str> = steps
        .iter()
        .map(|step| step["id"].as_str().expect("an id"))
        .collect();
    assert_eq!(ids, ["nginx", "php", "nginx latest", "php latest"]);
    assert_eq!(steps[2]["needs"], json!(["nginx", "php"]));
    let printed = bench
        .run(&[
            "image",
            "push",
            "php",
            "--tag",
            "0af12cd",
            "--no-latest",
            "--print-aws",
        ])
        .await;
    assert!(
        printed.stdout.starts_with("docker buildx build"),
        "{}",
        printed.text()
    );
}

#[tokio::test]
async fn an_interrupt_ends_docker_and_says_how_to_go_on() {
    let bench = Bench::new(Account::with(&[])).await;
    bench.let_it("hang");
    let cancel = tokio_util::sync::CancellationToken::new();
    let (host, port) = bench.host.split_once(':').expect("an address");
    let ends = cancel.clone();
    let calls = bench.record().join("calls");
    tokio::spawn(async move {
        loop {
            let begun = fs::read_to_string(&calls).unwrap_or_default().contains("--push");
            if begun {
                ends.cancel();
                return;
            }
            #[expect(clippy::disallowed_methods, reason = "the stand-in's time is the machine's")]
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let path = format!("{}:/usr/bin:/bin", bench.bin().display());
    let run = bench
        .account
        .run_with(&["image", "push", "--tag", "0af12cd", "--yes"], |process| {
            process.cwd = bench.source();
            process.cancel = cancel;
            for (name, value) in [
                ("PATH", path.as_str()),
                ("STAND_IN", &bench.record().display().to_string()),
                ("STAND_IN_HOST", host),
                ("STAND_IN_PORT", port),
                ("STAND_IN_TOKEN", &bench.token),
            ] {
                process.env.insert(name.to_owned(), value.to_owned());
            }
        })
        .await;
    assert_eq!(run.status.code(), 130, "{}", run.text());
    assert!(run.changes.is_empty());
    // The same command goes on.
    bench.stop("hang");
    let again = bench.run(&["image", "push", "--tag", "0af12cd", "--yes"]).await;
    assert_eq!(again.status.code(), 0, "{}", again.text());
}

#[tokio::test]
async fn a_build_pushes_nothing_and_names_images_as_the_runbook_does() {
    let bench = Bench::new(Account::with(&[])).await;
    let run = bench
        .run(&[
            "image",
            "build",
            "frontend",
            "--tag",
            "0af12cd",
            "--build-arg",
            "A=b c",
            "-o",
            "json",
        ])
        .await;
    assert_eq!((run.status.code(), run.calls), (0, 0), "{}", run.text());
    assert_eq!(
        bench.calls(),
        [
            "buildx build --platform linux/arm64 --progress plain --file frontend/Dockerfile --tag bp-frontend:0af12cd --tag bp-frontend:latest --build-arg A=b c --load ./frontend"
        ]
    );
    assert_eq!(
        run.json()["images"][0]["names"],
        json!(["bp-frontend:0af12cd", "bp-frontend:latest"])
    );
    bench.let_it("fail-frontend");
    let failed = bench.run(&["image", "build", "--tag", "0af12cd"]).await;
    assert_eq!(failed.status.code(), 1, "{}", failed.text());
    assert!(
        failed.stderr.contains("failed to build frontend"),
        "{}",
        failed.stderr
    );
}

#[tokio::test]
async fn killed_at_any_request_the_same_command_finishes() {
    let argv = ["image", "push", "backend", "--tag", "0af12cd", "--yes"];
    let known = Bench::new(Account::with(&[])).await;
    let network = Network::sound(known.account.sandbox.clone(), known.account.clock());
    let run = known.run_over(&argv, &network).await.expect("it is not killed");
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let requests = network.seen.lock().expect("no panic").clone();
    assert!(requests.len() > 12, "{requests:?}");
    for (at, request) in requests.iter().enumerate() {
        // A read that is killed behind its answer is one that is killed before the next request.
        let breaks = match request.writes {
            true => &[Break::KilledBefore, Break::KilledAfter][..],
            false => &[Break::KilledBefore],
        };
        for what in breaks {
            let label = format!("{what:?} at request {at} ({})", request.operation);
            let bench = Bench::new(Account::with(&[])).await;
            let network = Network::new(bench.account.sandbox.clone(), bench.account.clock(), at, *what);
            let run = bench.run_over(&argv, &network).await;
            assert!(run.is_none() && network.was_hit(), "{label}");
            let moved = ["nginx-latest", "php-latest"].map(|tag| bench.digest("bp-backend", tag));
            let pushed = ["nginx-0af12cd", "php-0af12cd"].map(|tag| bench.digest("bp-backend", tag));
            let any_moved = moved
                .iter()
                .zip(&pushed)
                .any(|(one, other)| other.is_some() && one == other);
            assert!(!any_moved || pushed.iter().all(Option::is_some), "{label}");
            let again = bench.run(&argv).await;
            assert_eq!(again.status.code(), 0, "{label}\n{}", again.text());
            for (commit, moving) in [("nginx-0af12cd", "nginx-latest"), ("php-0af12cd", "php-latest")] {
                let pushed = bench.digest("bp-backend", commit);
                let moved = bench.digest("bp-backend", moving);
                assert!(pushed.is_some() && pushed == moved, "{label}");
            }
        }
    }
}
