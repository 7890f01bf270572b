//! Plans of `ami promote` and `ami rollback`.

use super::ImageAction;
use super::observe::Seen;
use super::plan::{Asked, plan};
use crate::aws::autoscaling::Phase;
use crate::aws::autoscaling::sample::group;
use crate::aws::ec2::{Image, Template};
use crate::change::Plan;
use crate::error::ErrorKind;
use crate::fleet::Pointer;
use crate::layout::{FleetId, Layout, LayoutKind};

/// Makes one thing wrong in what was seen.
type Spoil = fn(&mut Seen);

const PARAMETER: &str = "/bp/ami/fleets/production/gpu-default";
const OLD: &str = "ami-00000000000000001";
const NEW: &str = "ami-00000000000000002";

fn fleet() -> FleetId {
    "production/gpu-default".parse().unwrap()
}

fn seen() -> Seen {
    let image = Image {
        id: NEW.to_owned(),
        owner: Some("123456789012".to_owned()),
        state: "available".to_owned(),
        architecture: Some("x86_64".to_owned()),
        tags: [("FleetSlug", "gpu-default"), ("BundleId", "b-1")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        root_device: Some("/dev/sda1".to_owned()),
        encrypted: Some(false),
        ..Image::default()
    };
    Seen {
        parameter: PARAMETER.to_owned(),
        pointer: Some(Pointer {
            parameter: PARAMETER.to_owned(),
            value: OLD.to_owned(),
            version: 2,
            modified: None,
            data_type: "aws:ec2:image".to_owned(),
        }),
        target: NEW.to_owned(),
        stays: None,
        image: Some(image),
        account: "123456789012".to_owned(),
        active_bundle: Some("b-1".to_owned()),
        group: Some(group("asg-production-gpu-default", 2, &[Phase::InService; 2])),
        template: Some(Template {
            image: Some(format!("resolve:ssm:{PARAMETER}")),
            encrypts: vec!["/dev/sda1".to_owned()],
        }),
        architectures: [("g5.xlarge".to_owned(), vec!["x86_64".to_owned()])].into(),
        running: 2,
        on_others: 2,
        refresh: None,
    }
}

fn planned(seen: &Seen, force: bool) -> Plan<ImageAction> {
    let layout = Layout::new(LayoutKind::Single, "bp", None).unwrap();
    let asked = Asked {
        refresh: None,
        force,
        back: false,
    };
    plan(&layout, &fleet(), seen, &asked)
}

fn image(seen: &mut Seen) -> &mut Image {
    seen.image.as_mut().unwrap()
}

#[test]
fn a_pointer_moves_and_the_instances_are_told_of() {
    let plan = planned(&seen(), false);
    assert!(plan.blockers.is_empty() && plan.warnings.is_empty());
    assert_eq!(
        plan.steps[0].notes,
        [
            "the image has bundle b-1, which is active: new nodes skip the synchronisation",
            "2 of 2 instances keep another image until they are replaced",
        ]
    );
    let call = serde_json::to_value(&plan.steps[0].calls[0]).unwrap().to_string();
    assert!(call.contains("aws:ec2:image") && call.contains(NEW), "{call}");
}

#[test]
fn a_pointer_that_is_right_stays() {
    let mut seen = seen();
    seen.target = OLD.to_owned();
    let plan = planned(&seen, false);
    assert!(plan.steps.is_empty() && plan.blockers.is_empty());
}

#[test]
fn a_fleet_without_a_pointer_gets_one() {
    let mut seen = seen();
    (seen.pointer, seen.group, seen.template) = (None, None, None);
    let plan = planned(&seen, false);
    assert!(plan.blockers.is_empty());
    assert!(
        plan.warnings[0].contains("could not check whether the root volume"),
        "{:?}",
        plan.warnings
    );
    assert_eq!(plan.steps[0].before.as_deref(), Some("no parameter"));
    let ImageAction::Move(action) = &plan.steps[0].action else {
        panic!("a pointer")
    };
    assert!(!action.call.exists);
}

#[test]
fn what_starts_no_instance_is_refused_whatever_is_forced() {
    let cases: [(Spoil, &str); 5] = [
        (|seen| seen.image = None, "no such image"),
        (|seen| image(seen).state = "pending".to_owned(), "it is pending"),
        (
            |seen| image(seen).architecture = Some("arm64".to_owned()),
            "g5.xlarge starts x86_64 only",
        ),
        (
            |seen| seen.pointer.as_mut().unwrap().data_type = "text".to_owned(),
            "has the data type text",
        ),
        (
            |seen| seen.template.as_mut().unwrap().image = Some(OLD.to_owned()),
            "would not follow the pointer",
        ),
    ];
    for (break_it, words) in cases {
        let mut seen = seen();
        break_it(&mut seen);
        for force in [false, true] {
            let plan = planned(&seen, force);
            assert_eq!(plan.blockers.len(), 1, "{words}: {:?}", plan.blockers);
            assert!(plan.blockers[0].reason.contains(words), "{:?}", plan.blockers);
        }
    }
}

#[test]
fn what_is_not_as_it_should_be_is_refused_unless_forced() {
    let cases: [(Spoil, &str); 4] = [
        (
            |seen| image(seen).owner = Some("999988887777".to_owned()),
            "belongs to account 999988887777",
        ),
        (|seen| image(seen).tags.clear(), "no tag FleetSlug"),
        (
            |seen| {
                let tags = &mut image(seen).tags;
                tags.insert("FleetSlug".to_owned(), "other".to_owned());
            },
            "built for other",
        ),
        (
            |seen| seen.template.as_mut().unwrap().encrypts.clear(),
            "encrypts the root volume",
        ),
    ];
    for (break_it, words) in cases {
        let mut seen = seen();
        break_it(&mut seen);
        let refused = planned(&seen, false);
        assert!(
            refused.blockers[0].reason.contains(words),
            "{:?}",
            refused.blockers
        );
        assert_eq!(refused.blockers[0].kind, ErrorKind::Failed);
        let forced = planned(&seen, true);
        assert!(forced.blockers.is_empty(), "{:?}", forced.blockers);
        assert!(forced.warnings[0].contains("`--force`"), "{:?}", forced.warnings);
    }
}

#[test]
fn the_bundle_of_the_image_is_compared_with_the_active_one() {
    let mut other = seen();
    other.active_bundle = Some("b-2".to_owned());
    assert!(planned(&other, false).steps[0].notes[0].contains("synchronise to b-2"));
    let mut none = seen();
    image(&mut none).tags.remove("BundleId");
    assert!(planned(&none, false).steps[0].notes[0].contains("fetch all of b-1"));
}
