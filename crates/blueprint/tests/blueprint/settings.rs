//! Settings that make a platform, and those that do not.

use blueprint::{Settings, Stage, stacks};
use serde_json::json;

use super::{fleet, full, plain, platforms};

#[test]
fn the_platforms_of_the_tests_have_no_problems() {
    for settings in platforms() {
        assert_eq!(settings.problems(), [] as [&str; 0]);
    }
}

#[test]
fn every_problem_names_its_field() {
    type Change = fn(&mut Settings);
    let changes: [(Change, &str); 20] = [
        (
            |it| it.prefix = "awsome".to_owned(),
            "`prefix` is `awsome`, which",
        ),
        (
            |it| it.prefix = "internal".to_owned(),
            "`prefix` is `internal`, which",
        ),
        (|it| it.prefix = "Bp".to_owned(), "`prefix` is `Bp`"),
        (|it| it.account = "123".to_owned(), "`account` is `123`"),
        (
            |it| {
                it.domain = None;
                it.region = "useast1".to_owned();
            },
            "`region` is `useast1`",
        ),
        (|it| it.sizes.nat_gateways = 3, "`sizes.nat_gateways` is 3"),
        (
            |it| it.sizes.backend.memory = 512,
            "`sizes.backend` is 1024 CPU units and 512 MiB",
        ),
        (|it| it.monthly_budget_usd = Some(0), "`monthly_budget_usd` is 0"),
        (
            |it| it.alert_email = None,
            "`monthly_budget_usd` needs `alert_email`",
        ),
        (
            |it| it.alert_email = Some("ops".to_owned()),
            "`alert_email` is `ops`",
        ),
        (
            |it| it.domain.as_mut().unwrap().name = "https://app.example.com".to_owned(),
            "`domain.name` is `https://app.example.com`",
        ),
        (
            |it| {
                it.domain.as_mut().unwrap().certificate_arn = "arn:aws:iam::1:server-certificate/x".to_owned()
            },
            "`domain.certificate_arn` is `arn:aws:iam::1:server-certificate/x`",
        ),
        (
            |it| it.region = "us-west-2".to_owned(),
            "`domain.certificate_arn` is in us-east-1",
        ),
        (
            |it| it.github.as_mut().unwrap().repository = "platform".to_owned(),
            "`github` is `platform`",
        ),
        (
            |it| it.fleet_templates[0].max_size = 0,
            "fleet template `gpu-default`: `max_size` is 0",
        ),
        (
            |it| it.fleet_templates[0].scale_to_zero_minutes = 1441,
            "fleet template `gpu-default`: `scale_to_zero_minutes` is 1441",
        ),
        (
            |it| it.fleets[0].slug = "a_b".to_owned(),
            "fleet `staging/a_b`: the slug",
        ),
        (
            |it| it.fleets.push(it.fleets[0].clone()),
            "fleet `staging/gpu-default`: it is there twice",
        ),
        (
            |it| it.fleets[0].template_slug = "none".to_owned(),
            "fleet `staging/gpu-default`: there is no template `none`",
        ),
        (
            |it| it.fleets[0].instance_type = "t3.micro".to_owned(),
            "fleet `staging/gpu-default`: template `gpu-default` does not allow `t3.micro`",
        ),
    ];
    for (change, said) in changes {
        let mut settings = full();
        change(&mut settings);
        let problems = stacks(&settings).unwrap_err();
        assert!(
            problems.len() == 1 && problems[0].starts_with(said),
            "{said}: {problems:?}"
        );
    }
}

#[test]
fn a_stage_has_its_own_fleets_and_a_prefix_that_load_balancers_take() {
    let said = |change: &dyn Fn(&mut Settings)| {
        let mut settings = super::staging();
        change(&mut settings);
        stacks(&settings).unwrap_err()
    };
    assert_eq!(
        said(&|it| it.fleets[0].stage = Stage::Production),
        [
            "fleet `production/image-to-video`: the layout `staged` has the fleets of its own stage, which is staging"
        ]
    );
    let alike = fleet(Stage::Staging, "imageto-video", "gpu-default", "g5.xlarge");
    assert_eq!(
        said(&|it| it.fleets.push(alike.clone())),
        [
            "fleet `staging/imageto-video`: its output in the stack of all fleets would be called as that of `image-to-video`"
        ]
    );
    assert_eq!(
        said(&|it| it.prefix = "a-prefix-of-many".to_owned()),
        [
            "`prefix` is `a-prefix-of-many`: the target group `a-prefix-of-many-staging-frontend` would have more than 32 \
             characters"
        ]
    );
    let mut single = plain();
    single.prefix = "a-prefix-of-many".to_owned();
    assert!(stacks(&single).is_ok());
}

#[test]
fn as_many_fleets_as_fit_into_a_request_are_said() {
    let with = |count: usize| {
        let mut settings = super::staging();
        settings.fleets = (0..count)
            .map(|n| {
                fleet(
                    Stage::Staging,
                    &format!("workflow-{n:02}"),
                    "gpu-default",
                    "g5.xlarge",
                )
            })
            .collect();
        stacks(&settings)
    };
    let problems = with(20).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].starts_with("`fleets` are 20: the template of bp-staging-gpu has "),
        "{problems:?}"
    );
    let said = problems[0].strip_suffix(" fit").unwrap();
    let fitting: usize = said.rsplit(' ').next().unwrap().parse().unwrap();
    assert!((5..20).contains(&fitting), "{fitting}");
    assert!(with(fitting).is_ok());
    assert!(with(fitting + 1).is_err());
}

#[test]
fn an_account_and_a_region_are_enough() {
    let written = json!({ "account": "123456789012", "region": "us-east-1" });
    let read: Settings = serde_json::from_value(written).unwrap();
    assert_eq!(read, Settings::new("123456789012", "us-east-1"));
    let unknown = json!({ "account": "123456789012", "region": "us-east-1", "acount": "" });
    let error = serde_json::from_value::<Settings>(unknown).unwrap_err();
    assert!(error.to_string().contains("unknown field `acount`"), "{error}");
}

#[test]
fn what_is_written_is_read_again() {
    for settings in platforms() {
        let written = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<Settings>(&written).unwrap(), settings);
    }
}

#[test]
fn the_production_fleet_makes_the_log_group_wherever_it_stands() {
    let mut settings = plain();
    settings
        .fleets
        .push(fleet(Stage::Staging, "gpu-default", "gpu-default", "g5.xlarge"));
    let owner = |settings: &Settings| settings.log_group_owner("gpu-default").map(|fleet| fleet.stage);
    assert_eq!(owner(&settings), Some(Stage::Production));
    settings.fleets.reverse();
    assert_eq!(owner(&settings), Some(Stage::Production));
    settings.fleets.pop();
    assert_eq!(owner(&settings), Some(Stage::Staging));
}
