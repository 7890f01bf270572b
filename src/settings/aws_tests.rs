use std::collections::BTreeMap;
use std::path::Path;

use super::super::{ConfigFile, Inputs, resolve};
use super::*;

const CONFIG: &str = "[profile acme-staging]\nregion = us-east-1\n[profile china]\nrole_arn = arn:aws-cn:iam::111122223333:role/x\nsource_profile = acme-staging\n[profile console]\nlogin_session = arn:aws:iam::111122223333:user/jo\n";

/// What is wrong with `env`, in `[contexts.c]` of `file` when there is one.
fn complaint(env: &[(&str, &str)], file: &str) -> Option<CtlError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    std::fs::write(&path, CONFIG).unwrap();
    let mut env: BTreeMap<String, String> = env
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    env.insert("AWS_CONFIG_FILE".to_owned(), path.display().to_string());
    let profiles = Profiles::read(&env).unwrap();
    let file = ConfigFile::parse(Path::new("bpctl.toml"), file).unwrap();
    let mut inputs = Inputs::new(&env);
    (inputs.profiles, inputs.file) = (Some(&profiles), Some(&file));
    if !file.contexts.is_empty() {
        inputs.flags.insert("context", "c".to_owned());
    }
    let found = resolve(&inputs).and_then(|settings| settings.check_before_calls(&profiles));
    found
        .err()
        .inspect(|error| assert_eq!(error.exit_status().code(), 2))
}

#[test]
fn a_profile_that_is_not_there_has_neighbours() {
    let region = ("AWS_REGION", "us-east-1");
    let error = complaint(&[region, ("AWS_PROFILE", "acme-stagin")], "").unwrap();
    assert_eq!(error.hints(), ["did you mean `acme-staging`?"]);
    let keys = ("AWS_ACCESS_KEY_ID", "AKIA");
    let error = complaint(&[region, keys, ("AWS_PROFILE", "zz")], "").unwrap();
    assert_eq!(error.hints()[0], "there are `acme-staging`, `china`, `console`");
    assert!(error.hints()[1].contains("`--profile=`"));
    assert!(complaint(&[region, keys, ("AWS_PROFILE", "acme-staging")], "").is_none());
}

#[test]
fn no_region_is_said_first() {
    let error = complaint(&[], "").unwrap();
    assert_eq!(error.message(), "talk to AWS: no AWS region is set");
    assert!(complaint(&[("AWS_PROFILE", "acme-staging")], "").is_none());
}

#[test]
fn a_role_of_another_partition_is_refused() {
    let error = complaint(&[("AWS_REGION", "us-east-1"), ("AWS_PROFILE", "china")], "").unwrap();
    assert!(
        error.causes()[0].contains("partition `aws`, the role in `aws-cn`"),
        "{error}"
    );
    assert!(complaint(&[("AWS_REGION", "cn-north-1"), ("AWS_PROFILE", "china")], "").is_none());
    let file = "[contexts.c]\nrole_arn = \"arn:aws:iam::111122223333:role/x\"\nregion = \"us-gov-west-1\"\n";
    assert!(complaint(&[], file).is_some());
}

#[test]
fn plain_text_needs_the_words_of_the_context() {
    let region = ("AWS_REGION", "us-east-1");
    for variable in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECS"] {
        let plain = (variable, "http://10.1.2.3:4566");
        let error = complaint(&[region, plain], "").unwrap();
        assert!(error.message().contains("not encrypted"), "{error}");
        assert!(complaint(&[region, plain], "[contexts.c]\nallow_plain_http = true\n").is_none());
        assert!(complaint(&[region, (variable, "http://127.0.0.1:1")], "").is_none());
        assert!(complaint(&[region, (variable, "https://10.1.2.3")], "").is_none());
    }
}

#[test]
fn a_session_of_the_console_is_named() {
    let region = ("AWS_REGION", "us-east-1");
    let error = complaint(&[region, ("AWS_PROFILE", "console")], "").unwrap();
    assert!(
        error.hints()[0].contains("export-credentials --profile console"),
        "{error:?}"
    );
}
