use std::path::Path;

use super::*;

fn file() -> ConfigFile {
    let text = "current_context = \"eu\"\n[contexts.eu]\nregion = \"eu-west-1\"\naccount_id = \"111122223333\"\n[contexts.us]\nregion = \"us-west-2\"\n";
    ConfigFile::parse(Path::new("/x/bpctl.toml"), text).unwrap()
}

fn settings(
    flags: &[(&'static str, &str)],
    env: &[(&str, &str)],
    file: Option<&ConfigFile>,
) -> Result<Settings> {
    let env = env
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    let flags = flags.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
    let mut inputs = Inputs::new(&env);
    (inputs.flags, inputs.file) = (flags, file);
    resolve(&inputs)
}

#[test]
fn flag_beats_environment_beats_file_beats_default() {
    let file = file();
    let region = |flags: &[(&'static str, &str)], env: &[(&str, &str)]| {
        settings(flags, env, Some(&file)).unwrap().region.unwrap()
    };
    assert_eq!(
        region(&[("region", "us-east-1")], &[("AWS_REGION", "us-east-2")]).source,
        Source::Flag("--region".to_owned())
    );
    assert_eq!(
        region(&[], &[("AWS_REGION", "us-east-2"), ("BPCTL_REGION", "us-west-1")]).value,
        "us-west-1"
    );
    assert_eq!(region(&[], &[("AWS_REGION", "us-east-2")]).value, "us-east-2");
    let from_file = region(&[], &[]);
    assert_eq!(from_file.value, "eu-west-1");
    assert_eq!(from_file.source.to_string(), "file /x/bpctl.toml:3");
    assert_eq!(region(&[("context", "us")], &[]).value, "us-west-2");
    assert_eq!(
        settings(&[], &[], Some(&file)).unwrap().layout.source,
        Source::Default
    );
}

#[test]
fn the_sandbox_ignores_the_operators_aws_settings_but_not_the_endpoint() {
    let env = [
        ("AWS_PROFILE", "prod"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9/"),
    ];
    let settings = settings(&[("context", "sandbox")], &env, None).unwrap();
    assert_eq!(settings.profile, None);
    assert_eq!(settings.region.unwrap().value, "us-east-1");
    assert_eq!(settings.endpoint_url.unwrap().value, "http://127.0.0.1:9");
}

#[test]
fn what_would_only_fail_later_is_refused_now() {
    let refused = |name: &str, value: &str| settings(&[], &[(name, value)], None).unwrap_err();
    for value in [
        "127.0.0.1:4566",
        "http://",
        "http://a b",
        "ftp://x",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:",
    ] {
        refused("BPCTL_ENDPOINT_URL", value);
    }
    let error = refused("BPCTL_ENDPOINT_URL", "http://jo:hunter2@127.0.0.1:1");
    assert!(!error.to_string().contains("hunter2"), "{error}");
    for value in ["http://127.0.0.1:4566/", "https://[::1]:9", "http://localhost"] {
        settings(&[], &[("BPCTL_ENDPOINT_URL", value)], None).unwrap();
    }
    refused("BPCTL_READ_TIMEOUT", "500000000000y");
    refused("BPCTL_CONNECT_TIMEOUT", "0s");
}

#[test]
fn a_bad_value_names_its_layer_and_the_way_to_look() {
    let error = settings(&[], &[("BPCTL_WAIT_TIMEOUT", "30")], None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "use `wait_timeout` from environment BPCTL_WAIT_TIMEOUT: `30` is not a duration: write e.g. `90s` or `30m`"
    );
    assert_eq!(error.exit_status().code(), 2);
}

#[test]
fn what_mends_the_configuration_works_with_a_broken_one() {
    let text = "current_context = \"prduction\"\n[contexts.production]\n";
    let file = ConfigFile::parse(Path::new("bpctl.toml"), text).unwrap();
    let error = settings(&[], &[], Some(&file)).unwrap_err();
    assert!(error.hints()[0].contains("`production`"), "{error:?}");
    assert!(settings(&[("context", "production")], &[], Some(&file)).is_ok());
    let env = BTreeMap::from([("BPCTL_WAIT_TIMEOUT".to_owned(), "30".to_owned())]);
    let leniently = |flags: &[(&'static str, &str)]| {
        let mut inputs = Inputs::new(&env);
        inputs.flags = flags.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
        inputs.file = Some(&file);
        resolve_leniently(&inputs)
    };
    let settled = leniently(&[]).unwrap();
    assert_eq!(settled.context.value, "prduction");
    assert_eq!(settled.wait_timeout.source, Source::Default);
    assert!(leniently(&[("context", "nope")]).is_err());
    assert!(leniently(&[("account-id", "nope")]).is_err());
}

#[test]
fn an_undefined_context_is_refused() {
    assert!(settings(&[("context", "nope")], &[], None).is_err());
    assert!(settings(&[], &[("BPCTL_CONTEXT", "default")], None).is_err());
    assert_eq!(settings(&[], &[], None).unwrap().context.value, "default");
}

#[test]
fn a_wrong_flag_is_not_repeated_in_its_hints() {
    for (flag, value) in [
        ("context", "nope"),
        ("stage", "prodution!"),
        ("region", "us-west-2a"),
        ("endpoint-url", "x"),
    ] {
        let error = settings(&[(flag, value)], &[], None).unwrap_err();
        assert_eq!(error.wrong_flags(), [flag]);
    }
    let error = settings(&[], &[("AWS_REGION", "us-eest-1")], None).unwrap_err();
    assert!(error.wrong_flags().is_empty());
    assert!(error.to_string().contains("did you mean `us-east-1`?"), "{error}");
}

#[test]
fn protection_is_raised_and_never_lowered() {
    let text = "current_context = \"prod\"\n[contexts.prod]\nprotected = true\n[contexts.dev]\n";
    let file = ConfigFile::parse(Path::new("bpctl.toml"), text).unwrap();
    let protected = |flags: &[(&'static str, &str)], env: &[(&str, &str)]| {
        settings(flags, env, Some(&file)).unwrap().protected
    };
    let kept = protected(&[], &[("BPCTL_PROTECTED", "false")]);
    assert!(kept.value);
    assert_eq!(kept.source.to_string(), "file bpctl.toml:3");
    assert!(!protected(&[("context", "dev")], &[]).value);
    assert!(protected(&[("context", "dev")], &[("BPCTL_PROTECTED", "true")]).value);
    let by_flag = protected(
        &[("context", "dev"), ("protected", "true")],
        &[("BPCTL_PROTECTED", "false")],
    );
    assert!(by_flag.value);
    assert_eq!(by_flag.source, Source::Flag("--protected".to_owned()));
}

fn profiles(text: &str) -> (tempfile::TempDir, Profiles) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    std::fs::write(&path, text).unwrap();
    let env = BTreeMap::from([("AWS_CONFIG_FILE".to_owned(), path.display().to_string())]);
    let found = Profiles::read(&env).unwrap();
    (folder, found)
}

#[test]
fn endpoints_are_found_in_the_order_of_the_sdks_reference() {
    let (_folder, profiles) = profiles(
        "[profile ops]\nendpoint_url = http://127.0.0.1:5\nservices = s\n[services s]\necs =\n  endpoint_url = http://127.0.0.1:4\n",
    );
    let file = ConfigFile::parse(
        Path::new("bpctl.toml"),
        "[contexts.c]\nendpoint_url = \"http://127.0.0.1:3\"\n",
    )
    .unwrap();
    let ports = |flags: &[(&'static str, &str)], env: &[(&str, &str)]| {
        let env: BTreeMap<String, String> = env
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let mut inputs = Inputs::new(&env);
        (inputs.profiles, inputs.file) = (Some(&profiles), Some(&file));
        inputs.flags = flags.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
        let settings = resolve(&inputs).unwrap();
        ["ecs", "sts"].map(|service| {
            let port = settings
                .endpoint(service)
                .map(|url| url.value.rsplit(':').next().unwrap().to_owned());
            port.unwrap_or_else(|| "-".to_owned())
        })
    };
    let profile = ("AWS_PROFILE", "ops");
    let (all, one) = (
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:2"),
        ("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1"),
    );
    assert_eq!(ports(&[], &[]), ["-", "-"]);
    assert_eq!(ports(&[], &[profile]), ["4", "5"]);
    assert_eq!(ports(&[], &[profile, all]), ["2", "2"]);
    assert_eq!(ports(&[], &[profile, all, one]), ["2", "1"]);
    assert_eq!(ports(&[], &[profile, one]), ["4", "1"]);
    assert_eq!(ports(&[("context", "c")], &[profile]), ["3", "3"]);
    assert_eq!(ports(&[("context", "c")], &[profile, one]), ["3", "1"]);
    let bpctl = ("BPCTL_ENDPOINT_URL", "http://127.0.0.1:0");
    assert_eq!(ports(&[], &[profile, all, one, bpctl]), ["0", "0"]);
    assert_eq!(
        ports(&[("endpoint-url", "http://127.0.0.1:9")], &[one, bpctl]),
        ["9", "9"]
    );
    // Explicit ones stay (AWS SDKs and Tools Reference Guide, `ignore_configured_endpoint_urls`).
    let ignore = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
    assert_eq!(ports(&[], &[profile, all, one, ignore]), ["-", "-"]);
    assert_eq!(
        ports(&[("context", "c")], &[profile, all, one, ignore]),
        ["3", "3"]
    );
}

#[test]
fn the_region_of_the_profile_is_the_last_word() {
    let (_folder, profiles) =
        profiles("[default]\nregion = eu-north-1\n[profile ops]\nregion = us-west-2a\n");
    let region = |env: &[(&str, &str)]| {
        let env: BTreeMap<String, String> = env
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let mut inputs = Inputs::new(&env);
        inputs.profiles = Some(&profiles);
        resolve(&inputs).map(|settings| settings.region.unwrap())
    };
    assert_eq!(region(&[]).unwrap().value, "eu-north-1");
    assert_eq!(region(&[("AWS_REGION", "us-east-1")]).unwrap().value, "us-east-1");
    assert!(region(&[("AWS_PROFILE", "ops")]).is_err());
}
