//! Whose account a real bpctl is in: profiles, keys in the environment, endpoints of single services.

use std::fs;
use std::process::Output;
use std::time::Duration;

use bpctl_sandbox::Options;

use crate::site::Site;

const CONFIG: &str = r#"[profile ops]
region = us-east-1
aws_access_key_id = AKIAPROFILE
aws_secret_access_key = secret
[profile sso]
region = us-east-1
sso_session = corp
sso_account_id = 111122223333
sso_role_name = operator
[profile across]
region = us-east-1
role_arn = arn:aws:iam::444455556666:role/operator
source_profile = ops
[profile yesterday]
region = us-east-1
credential_process = printf '{"Version":1,"AccessKeyId":"ASIAX","SecretAccessKey":"s","SessionToken":"t","Expiration":"2020-01-01T00:00:00Z"}'
[profile years]
region = us-east-1
credential_process = printf '{"Version":1,"AccessKeyId":"ASIAX","SecretAccessKey":"s","SessionToken":"t","Expiration":"2199-01-01T00:00:00Z"}'
[sso-session corp]
sso_start_url = https://example.awsapps.com/start
sso_region = us-east-1
"#;

/// `whoami` outside the context `sandbox`, with the simulated account as AWS.
fn whoami(site: &Site, args: &[&str], variables: &[(&str, &str)]) -> Output {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".aws")).unwrap();
    fs::write(home.path().join(".aws/config"), CONFIG).unwrap();
    let args: Vec<&str> = args.iter().copied().chain(["whoami", "-o", "json"]).collect();
    site.bpctl(home.path(), &args)
        .env_remove("BPCTL_CONTEXT")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn document(output: &Output) -> serde_json::Value {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn site() -> Site {
    Site::start(Options::default(), 1.0, Duration::ZERO)
}

const KEYS: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "AKIAENV"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
];

#[test]
fn a_named_profile_wins_over_keys_in_the_environment() {
    let site = site();
    let provider = |args: &[&str], more: &[(&str, &str)]| {
        let variables: Vec<_> = KEYS.iter().chain(more).copied().collect();
        document(&whoami(&site, args, &variables))["credentials"]["provider"].clone()
    };
    let keys = provider(&["--region", "us-east-1"], &[]);
    assert_eq!(keys, "keys in the environment (AWS_ACCESS_KEY_ID)");
    let profile = "profile `ops` (keys in a file)";
    assert_eq!(provider(&["--profile", "ops"], &[]), profile);
    assert_eq!(provider(&[], &[("AWS_PROFILE", "ops")]), profile);
    let none = provider(
        &["--profile=", "--region", "us-east-1"],
        &[("AWS_PROFILE", "ops")],
    );
    assert_eq!(none, keys);
}

#[test]
fn a_profile_that_cannot_sign_says_what_to_type() {
    let site = site();
    let unknown = whoami(&site, &["--profile", "opps"], &KEYS);
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
    let said = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(said.contains("did you mean `ops`?"), "{said}");
    let signed_out = whoami(&site, &["--profile", "sso"], &[]);
    assert_eq!(signed_out.status.code(), Some(4), "{signed_out:?}");
    let said = String::from_utf8_lossy(&signed_out.stderr).into_owned();
    assert!(said.contains("aws sso login --profile sso"), "{said}");
}

#[test]
fn one_service_may_be_somewhere_else() {
    let site = site();
    // Nothing answers at the address of all services.
    let nowhere = ("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let own = ("AWS_ENDPOINT_URL_STS", site.url.as_str());
    let seen = document(&whoami(&site, &["--profile", "ops"], &[nowhere, own]));
    let of = |service: &str| {
        let endpoints = seen["endpoints"].as_array().unwrap();
        endpoints
            .iter()
            .find(|endpoint| endpoint["service"] == service)
            .unwrap()
            .clone()
    };
    assert_eq!(of("sts")["url"], site.url);
    assert_eq!(of("sts")["source"], "environment AWS_ENDPOINT_URL_STS");
    assert_eq!(of("ecs")["url"], nowhere.1);
}

fn complaint(output: &Output, status: i32) -> String {
    assert_eq!(output.status.code(), Some(status), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// By the flag bpctl asks for the role, by the profile the SDK does; what is said is the same.
#[test]
fn a_refused_role_is_named_with_whom_it_does_not_trust() {
    let site = site();
    let role = "arn:aws:iam::444455556666:role/operator";
    for args in [
        &["--profile", "ops", "--role-arn", role][..],
        &["--profile", "across"],
    ] {
        let said = complaint(&whoami(&site, args, &[]), 4);
        let error: serde_json::Value = serde_json::from_str(said.trim()).expect("a document");
        assert_eq!(error["code"], "role-refused", "{said}");
        let causes = error["causes"].to_string();
        assert!(causes.contains(&format!("assume the role `{role}`")), "{said}");
        let principal = "`arn:aws:sts::123456789012:assumed-role/bp-operator/operator` may not assume it";
        assert!(causes.contains(principal), "{said}");
        let trust = error["hints"][0]["text"].as_str().expect("a hint");
        assert!(
            trust.contains("the role's trust policy must name `arn:aws:iam::123456789012:role/bp-operator`"),
            "{said}"
        );
        assert!(
            !said.contains("SdkError") && !said.contains("ServiceError"),
            "{said}"
        );
    }
}

#[test]
fn whoami_says_when_the_credentials_end() {
    let site = site();
    let role = "arn:aws:iam::123456789012:role/bp-deploy";
    let seen = document(&whoami(&site, &["--profile", "ops", "--role-arn", role], &[]));
    assert_eq!(
        seen["principal"],
        "arn:aws:sts::123456789012:assumed-role/bp-deploy/bpctl"
    );
    let end: jiff::Timestamp = seen["credentials"]["expires"]
        .as_str()
        .and_then(|end| end.parse().ok())
        .expect("a time");
    #[expect(
        clippy::disallowed_methods,
        reason = "the credentials end by the machine's clock"
    )]
    let left = end.duration_since(jiff::Timestamp::now()).as_secs();
    // An hour, as STS gives by default.
    assert!((3_500..=3_600).contains(&left), "{left}");
    let keys = document(&whoami(&site, &["--profile", "ops"], &[]));
    assert_eq!(keys["credentials"]["expires"], serde_json::Value::Null);
    let years = document(&whoami(&site, &["--profile", "years"], &[]));
    assert_eq!(years["credentials"]["expires"], "2199-01-01T00:00:00Z");
    let calls = site.sandbox.with_world(|world| world.call_count());
    let yesterday = complaint(&whoami(&site, &["--profile", "yesterday"], &[]), 4);
    assert!(
        yesterday.contains("they ended at 2020-01-01T00:00:00Z")
            && yesterday.contains("aws sts get-caller-identity --profile yesterday"),
        "{yesterday}"
    );
    assert_eq!(site.sandbox.with_world(|world| world.call_count()), calls);
}
