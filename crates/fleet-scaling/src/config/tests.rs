use super::*;

fn spec() -> FleetSpec {
    FleetSpec::one_step()
}

/// The message for the example after `change`.
fn refused(change: impl FnOnce(&mut FleetSpec)) -> String {
    let mut spec = spec();
    change(&mut spec);
    FleetConfig::new(spec).unwrap_err().to_string()
}

#[test]
fn the_example_is_a_valid_configuration() {
    let config = FleetConfig::new(spec()).unwrap();
    assert_eq!(config.limits(), Limits { min: 0, max: 10 });
    assert_eq!(config.prices(), [0.526, 1.006, 2.24208]);
    let names: Vec<&str> = config.alarms().iter().map(|alarm| alarm.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "queue-has-jobs",
            "TargetTracking-backlog-AlarmHigh",
            "TargetTracking-backlog-AlarmLow",
            "queue-empty"
        ]
    );
}

#[test]
fn numbers_that_make_no_sense_name_their_field() {
    assert_eq!(refused(|s| s.min = -1), "`min` is -1, and may not be negative");
    assert_eq!(
        refused(|s| s.min = 11),
        "`min` is 11, more than `max`, which is 10"
    );
    assert_eq!(
        refused(|s| s.warmup_seconds = f64::NAN),
        "`warmup_seconds` is not a finite number"
    );
    assert_eq!(
        refused(|s| s.instance_types[1].hourly_price = Some(-0.2)),
        "`instance_types[1].hourly_price` is -0.2, and may not be negative"
    );
    assert_eq!(
        refused(|s| s.jobs.service = ServiceTime::Empirical {
            seconds: vec![1.0, 0.0]
        }),
        "`jobs.service.seconds[1]` is 0, and must be more than 0"
    );
    assert_eq!(
        refused(|s| s.jobs.service = ServiceTime::Empirical { seconds: Vec::new() }),
        "`jobs.service.seconds` is empty"
    );
    assert_eq!(
        refused(|s| s.deploy_desired = Some(11)),
        "`deploy_desired` is 11, and may be 10 at most"
    );
    assert_eq!(
        refused(|s| s.scale_to_zero = Some(ScaleToZeroSpec::unguarded(0))),
        "`scale_to_zero.minutes` is 0, and must be more than 0"
    );
}

#[test]
fn names_that_nothing_has_are_refused() {
    assert_eq!(
        refused(|s| s.instance_types[0].name = "g9.tiny".to_owned()),
        "`instance_types[0].name` is `g9.tiny`, whose price is not known: give its `hourly_price`"
    );
    assert_eq!(
        refused(|s| s.instance_types[2].spot = Some(SpotSpec {
            shortages: vec![ShortageSpec {
                zone: Some("z".to_owned()),
                hours_between: 1.0,
                minutes: 1.0
            }],
            ..SpotSpec::default()
        })),
        "`instance_types[2].spot.shortages[0].zone` is `z`, which is none of `zones`"
    );
    assert_eq!(
        refused(|s| s.instance_types[1].name = "g4dn.xlarge".to_owned()),
        "`instance_types[1]` repeats the name `g4dn.xlarge`"
    );
}

#[test]
fn contradictions_inside_a_policy_are_refused() {
    assert_eq!(
        refused(|s| {
            if let PolicySpec::Step { steps, .. } = &mut s.policies[0] {
                steps[0].upper = Some(1.0);
            }
        }),
        "`policies[0].steps` is invalid: step intervals overlap"
    );
    assert_eq!(
        refused(|s| {
            if let PolicySpec::Step { alarm, .. } = &mut s.policies[0] {
                alarm.period_seconds = 90.0;
            }
        }),
        "`policies[0].alarm.period_seconds` is 90, and must be a multiple of 60"
    );
    assert_eq!(
        refused(|s| {
            if let PolicySpec::Step { alarm, .. } = &mut s.policies[0] {
                alarm.datapoints_to_alarm = Some(2);
            }
        }),
        "`policies[0].alarm.datapoints_to_alarm` is 2, and may be 1 at most"
    );
}

/// CloudWatch API Reference, `PutMetricAlarm`, `Period`: 10, 20, 30 and multiples of 60 seconds; times the
/// number of periods at most 604,800 seconds, and 86,400 when a period is shorter than an hour.
#[test]
fn alarms_look_back_as_far_as_the_api_lets_them() {
    let with = |period: f64, periods: i64| {
        let mut spec = spec();
        if let PolicySpec::Step { alarm, .. } = &mut spec.policies[0] {
            (alarm.period_seconds, alarm.evaluation_periods) = (period, periods);
        }
        FleetConfig::new(spec)
            .map(drop)
            .map_err(|error| error.to_string())
    };
    for (period, periods) in [
        (3600.0, 48),
        (3600.0, 168),
        (86_400.0, 7),
        (60.0, 1440),
        (300.0, 288),
    ] {
        assert_eq!(with(period, periods), Ok(()), "{period} x {periods}");
    }
    for (period, periods, most) in [(3600.0, 169, 168), (300.0, 289, 288), (86_400.0, 8, 7)] {
        let expected =
            format!("`policies[0].alarm.evaluation_periods` is {periods}, and may be {most} at most");
        assert_eq!(with(period, periods), Err(expected));
    }
    for period in [10.0, 20.0, 30.0] {
        let expected = format!(
            "`policies[0].alarm.period_seconds` is {period}: high-resolution alarms are not modelled, only periods of \
             whole minutes"
        );
        assert_eq!(with(period, 1), Err(expected));
    }
}

#[test]
fn a_file_carries_a_configuration_there_and_back() {
    let mut spec = spec();
    spec.deploy_desired = Some(1);
    spec.jobs.service = ServiceTime::LogNormal {
        median_seconds: 40.0,
        sigma: 0.7,
    };
    let config = FleetConfig::new(spec).unwrap();
    let text = toml::to_string(&config).unwrap();
    assert_eq!(toml::from_str::<FleetConfig>(&text).unwrap(), config, "{text}");
    let json = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<FleetConfig>(&json).unwrap(), config);
}

#[test]
fn a_short_file_is_enough_and_its_mistakes_are_named() {
    let short = "max = 3\n[[instance_types]]\nname = \"g5.xlarge\"\n";
    let config: FleetConfig = toml::from_str(short).unwrap();
    assert_eq!(config.limits(), Limits { min: 0, max: 3 });
    let negative = toml::from_str::<FleetConfig>(&short.replace("max = 3", "max = -3")).unwrap_err();
    assert!(
        negative
            .to_string()
            .contains("`max` is -3, and may not be negative"),
        "{negative}"
    );
    let misspelt = toml::from_str::<FleetConfig>(&format!("maxx = 3\n{short}")).unwrap_err();
    assert!(
        misspelt.to_string().contains("unknown field `maxx`"),
        "{misspelt}"
    );
    let policy = format!("{short}[[policies]]\ntype = \"predictive\"\nname = \"x\"\n");
    let unknown = toml::from_str::<FleetConfig>(&policy).unwrap_err();
    assert!(
        unknown.to_string().contains("unknown variant `predictive`"),
        "{unknown}"
    );
}
