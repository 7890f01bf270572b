use super::observe::Seen;
use super::plan::{Asked, BASE_TAG, COMMAND_TAG, plan, undo};
use super::{After, BUILDER, BUNDLE, BakeAction, CLEAN_UP, IMAGE};
use crate::aws::ec2::{Image, Machine};
use crate::change::{Basis, OnFailure, Plan, RunNames, Target};
use crate::commands::bundle::Sound;
use crate::layout::{FleetId, Layout, LayoutKind};

fn seen() -> Seen {
    let base = Image {
        id: "ami-base".to_owned(),
        state: "available".to_owned(),
        architecture: Some("x86_64".to_owned()),
        root_device: Some("/dev/sda1".to_owned()),
        root_gib: Some(120),
        ..Image::default()
    };
    let mut seen = Seen {
        base_id: Some(base.id.clone()),
        base: Some(base),
        parameter: "/bp/ami/fleets/staging/a".to_owned(),
        bundle: Sound {
            label: "b-2".to_owned(),
            id: "b-2".to_owned(),
            prefix: "bundles/b-2".to_owned(),
            bytes: 5_000,
            problem: None,
        },
        bucket: "bp-models-1".to_owned(),
        architectures: vec!["x86_64".to_owned()],
        profile: Some("packer".to_owned()),
        subnet: Some("subnet-1".to_owned()),
        is_default_subnet: true,
        ..Seen::default()
    };
    seen.kind.name = Some("g5.xlarge".to_owned());
    seen
}

fn machine(id: &str, state: &str) -> Machine {
    Machine {
        id: id.to_owned(),
        state: Some(state.to_owned()),
        image: Some("ami-base".to_owned()),
        instance_type: Some("g5.xlarge".to_owned()),
        ..Machine::default()
    }
}

fn made(id: &str, state: &str, bundle: &str) -> Image {
    let tags = [
        ("BundleId", bundle),
        (BASE_TAG, "ami-base"),
        (COMMAND_TAG, "ami bake"),
    ];
    Image {
        id: id.to_owned(),
        name: Some(format!("name of {id}")),
        state: state.to_owned(),
        tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        ..Image::default()
    }
}

fn planned(seen: &Seen, force: bool) -> Plan<BakeAction> {
    let fleet: FleetId = "staging/a".parse().unwrap();
    let asked = Asked {
        layout: &Layout::new(LayoutKind::Single, "bp", None).unwrap(),
        fleet: &fleet,
        force,
        goes_on: After {
            promote: false,
            refresh: false,
        },
    };
    let basis = Basis {
        target: &Target::sample(),
        names: &RunNames::fixed(),
        now: "2026-01-15T09:00:00Z".parse().unwrap(),
    };
    plan(&asked, seen, &basis)
}

fn ids(plan: &Plan<BakeAction>) -> Vec<&str> {
    plan.steps.iter().map(|step| step.id.as_str()).collect()
}

#[test]
fn a_builder_is_started_baked_imaged_and_terminated_and_each_step_has_a_way_back() {
    let plan = planned(&seen(), false);
    assert!(plan.blockers.is_empty(), "{:?}", plan.blockers);
    assert_eq!(ids(&plan), [BUILDER, BUNDLE, IMAGE]);
    let fleet: FleetId = "staging/a".parse().unwrap();
    for step in &plan.steps {
        assert_eq!(step.on_failure, OnFailure::Undo);
        assert!(undo(step, &fleet).is_some());
    }
    let BakeAction::Start(call) = &plan.steps[0].action else {
        panic!("no builder is started");
    };
    assert_eq!((call.volume.size, call.volume.encrypted), (120, true));
    assert!(call.ends_by_shutdown && call.user_data.contains("shutdown -h +480"));
    let BakeAction::Apply(call) = &plan.steps[1].action else {
        panic!("no bundle is applied");
    };
    assert!(
        call.lines
            .contains(&"printf '%s\\n' 'b-2' > /opt/comfyui/.baked_bundle_id".to_owned())
    );
    let labels: Vec<String> = plan.steps[2].calls.iter().map(|call| call.label()).collect();
    assert_eq!(
        labels,
        ["ec2:StopInstances", "ec2:CreateImage", "ec2:TerminateInstances"]
    );
}

#[test]
fn a_builder_that_runs_is_gone_on_with_and_others_are_ended() {
    let mut seen = seen();
    seen.builders = vec![machine("i-stopped", "stopped"), machine("i-runs", "running")];
    let plan = planned(&seen, false);
    assert_eq!(ids(&plan), [CLEAN_UP, BUILDER, BUNDLE, IMAGE]);
    let BakeAction::CleanUp(left) = &plan.steps[0].action else {
        panic!("nothing is cleaned up");
    };
    assert_eq!(left.machines, ["i-stopped"]);
    assert!(matches!(&plan.steps[1].action, BakeAction::GoOn(id) if id == "i-runs"));
    assert_eq!(plan.steps[1].needs, [CLEAN_UP]);
}

#[test]
fn a_builder_of_another_image_is_not_gone_on_with() {
    let mut seen = seen();
    seen.builders = vec![Machine {
        image: Some("ami-other".to_owned()),
        ..machine("i-other", "running")
    }];
    assert!(matches!(
        planned(&seen, false).steps[1].action,
        BakeAction::Start(_)
    ));
}

#[test]
fn an_image_that_is_pending_is_waited_for_and_one_of_another_bundle_is_removed() {
    let mut seen = seen();
    seen.builders = vec![machine("i-1", "stopped")];
    seen.images = vec![made("ami-p", "pending", "b-2"), made("ami-o", "pending", "b-1")];
    let plan = planned(&seen, false);
    assert_eq!(ids(&plan), [CLEAN_UP, IMAGE]);
    let BakeAction::Await { image, machines, .. } = &plan.steps[1].action else {
        panic!("no image is waited for");
    };
    assert_eq!(
        (image.as_str(), machines.as_slice()),
        ("ami-p", &["i-1".to_owned()][..])
    );
}

#[test]
fn an_image_that_is_there_is_not_made_again_and_what_is_left_beside_it_goes() {
    let mut seen = seen();
    seen.images = vec![made("ami-done", "available", "b-2")];
    assert!(planned(&seen, false).steps.is_empty());
    seen.builders = vec![machine("i-1", "stopped")];
    assert_eq!(ids(&planned(&seen, false)), [CLEAN_UP]);
    // Of another base it is another image.
    seen.images[0]
        .tags
        .insert(BASE_TAG.to_owned(), "ami-older".to_owned());
    assert!(ids(&planned(&seen, false)).contains(&BUILDER));
}

#[test]
fn what_is_missing_is_told_and_a_bad_bundle_is_forced_only() {
    let mut bare = seen();
    (bare.base, bare.profile, bare.subnet, bare.kind.name) = (None, None, None, None);
    let plan = planned(&bare, true);
    assert_eq!((plan.steps.len(), plan.blockers.len()), (0, 4));
    let mut bad = seen();
    bad.bundle.problem = Some("x: is missing".to_owned());
    assert_eq!(planned(&bad, false).blockers.len(), 1);
    assert!(planned(&bad, true).blockers.is_empty());
}
