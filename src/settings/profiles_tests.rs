use super::*;

fn profiles(config: &str, credentials: &str) -> Profiles {
    let mut found = Profiles::default();
    found.parse(Path::new("config"), config, Kind::Config).unwrap();
    found
        .parse(Path::new("credentials"), credentials, Kind::Credentials)
        .unwrap();
    found
}

const CONFIG: &str = r#"
# ours
[default]
region = us-east-1
[profile ops]            ; the operators
region=eu-west-1 # Ireland
sso_session = corp
sso_account_id = 111122223333
services = local
s3 =
    max_concurrent_requests = 20
[profile "two words"]
Region = us-west-2
[sso-session corp]
sso_start_url = https://x.example.com/start
[services local]
ecs =
  endpoint_url = http://127.0.0.1:1
cloudwatch_logs =
  endpoint_url = http://127.0.0.1:2
[profile deploy]
role_arn = arn:aws:iam::444455556666:role/deploy
source_profile = ops
[plugins]
x = y
"#;

#[test]
fn a_value_knows_profile_file_and_line() {
    let found = profiles(
        CONFIG,
        "[ops]\naws_access_key_id = AKIA\naws_secret_access_key = hunter2\n",
    );
    let (region, source) = found.get("ops", "region").unwrap();
    assert_eq!(region, "eu-west-1");
    assert_eq!(source.to_string(), "profile ops, config:6");
    assert_eq!(found.get("two words", "region").unwrap().0, "us-west-2");
    assert_eq!(
        found.names().collect::<Vec<_>>(),
        ["default", "deploy", "ops", "two words"]
    );
    assert!(!format!("{found:?}").contains("hunter2"));
}

#[test]
fn services_have_endpoints_of_their_own() {
    let found = profiles(CONFIG, "");
    let endpoint = |service: &str| {
        found
            .service_endpoint("ops", service)
            .map(|(url, _)| url.to_owned())
    };
    assert_eq!(endpoint("ecs").unwrap(), "http://127.0.0.1:1");
    assert_eq!(endpoint("cloudwatch_logs").unwrap(), "http://127.0.0.1:2");
    assert_eq!(endpoint("sts"), None);
    assert_eq!(found.service_endpoint("default", "ecs"), None);
}

#[test]
fn a_role_begins_with_the_profile_that_signs_in() {
    let found = profiles(CONFIG, "");
    let chain = found.chain("deploy");
    assert_eq!(chain.roles, ["arn:aws:iam::444455556666:role/deploy"]);
    assert_eq!((chain.base.as_str(), chain.means), ("ops", Means::Sso));
    assert_eq!(found.chain("default").means, Means::Nothing);
    let keys = profiles(
        "[profile a]\nrole_arn = r\nsource_profile = a\n",
        "[a]\naws_access_key_id = K\n",
    );
    assert_eq!(keys.chain("a").means, Means::Keys);
    // Profiles that go in circles get an end here; the SDK says what is wrong.
    let circle =
        "[profile a]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn = s\nsource_profile = a\n";
    assert_eq!(profiles(circle, "").chain("a").roles.len(), 2);
}

#[test]
fn the_credentials_file_has_no_word_in_front_of_names() {
    let found = profiles(
        "[default]\nregion = a\n[profile default]\nregion = b\n",
        "[ops]\naws_access_key_id = K\n",
    );
    assert_eq!(found.get("default", "region").unwrap().0, "b");
    assert!(found.contains("ops"));
}

#[test]
fn what_is_no_profile_file_is_named_with_its_line() {
    for (text, line) in [
        ("region = x\n", 1),
        ("[default]\n\n[ops\n", 3),
        ("[default]\nregion\n", 2),
    ] {
        let error = Profiles::default()
            .parse(Path::new("c"), text, Kind::Config)
            .unwrap_err();
        assert_eq!(error.message(), format!("read `c:{line}`"));
    }
}

#[test]
fn the_environment_says_where_the_files_are() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine"), "[profile ops]\nregion = eu-west-1\n").unwrap();
    let home = folder.path().display().to_string();
    let env = BTreeMap::from([
        ("HOME".to_owned(), home),
        ("AWS_CONFIG_FILE".to_owned(), "~/mine".to_owned()),
        ("AWS_SHARED_CREDENTIALS_FILE".to_owned(), "/dev/null".to_owned()),
    ]);
    let found = Profiles::read(&env).unwrap();
    assert_eq!(found.names().collect::<Vec<_>>(), ["ops"]);
    assert!(
        found.files().contains("mine") && found.files().contains("/dev/null"),
        "{}",
        found.files()
    );
    let env = BTreeMap::from([("AWS_CONFIG_FILE".to_owned(), "/dev/zero".to_owned())]);
    assert!(
        Profiles::read(&env)
            .unwrap_err()
            .to_string()
            .contains("not a regular file")
    );
}
