//! The report on a healthy and on a broken platform, in every format.

use super::*;
use crate::layout::App;
use crate::triage::rules::sample;

fn broken() -> Snapshot {
    let mut snapshot = sample::healthy();
    let backend = sample::service_mut(&mut snapshot, App::Backend);
    (backend.desired, backend.running) = (0, 0);
    snapshot.targets.as_mut().unwrap()[0].targets.clear();
    snapshot.metrics.as_mut().unwrap().balancer_5xx = sample::series(0..5, 100.0);
    snapshot.topics = Err(sample::blind());
    snapshot
}

fn human(snapshot: &Snapshot, wide: bool, width: Option<u16>) -> String {
    Report::new(snapshot, sample::now()).human(&View {
        wide,
        width,
        color: false,
    })
}

#[test]
fn a_healthy_platform_has_no_finding_and_every_check_is_ok() {
    let report = Report::new(&sample::healthy(), sample::now());
    assert_eq!(report.names(), Vec::<String>::new());
    assert_eq!(report.worst(), None);
    assert_eq!(report.summary.ok, Probe::ALL.len());
    assert_eq!(
        human(&sample::healthy(), false, None),
        format!("no problem found: {} checks\n", Probe::ALL.len())
    );
}

#[test]
fn the_report_reads_from_the_cause_down() {
    insta::assert_snapshot!(human(&broken(), false, Some(80)), @r"
    1. P1 BP-ECS-002 service is scaled to zero: bp-backend
       - desired 0, running 0, pending 0
       - event 2026-01-15T04:00:00Z (5 h ago): (service bp-backend) has reached a
         steady state.
       cause: somebody or a script set the desired count to 0; ECS keeps it there
              until it is raised
       next:  bpctl describe service backend
       change: aws ecs update-service --cluster bp --service bp-backend --desired-count 2
       -> P1 BP-ALB-003 target group has no usable targets: bp-backend
       -> P1 BP-ALB-001 load balancer answers with 5xx: load balancer

    2. P3 BP-TRI-001 could not check: scale-to-zero-topic
       - not authorized
       cause: the principal may not call this API
       next:  bpctl triage

    1 root cause (3 P1, 1 P3); 23 checks, 1 could not be checked
    not checked: scale-to-zero-topic
    ");
}

#[test]
fn nothing_but_commands_is_longer_than_the_terminal() {
    for line in human(&broken(), true, Some(80)).lines() {
        let command = ["next:", "then:", "change:"]
            .iter()
            .any(|label| line.trim_start().starts_with(label));
        assert!(command || line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn symptoms_are_inside_their_cause_in_json() {
    let report = Report::new(&broken(), sample::now());
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["findings"][0]["code"], "BP-ECS-002");
    assert_eq!(json["findings"][0]["symptoms"][0]["code"], "BP-ALB-003");
    assert_eq!(json["findings"][0]["symptoms"][1]["code"], "BP-ALB-001");
    assert_eq!(json["summary"]["could_not_check"], 1);
    assert_eq!(json["checked"].as_array().unwrap().len(), Probe::ALL.len());
    let topics = json["checked"]
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["probe"] == "scale-to-zero-topic")
        .unwrap();
    assert_eq!(topics["state"], "could-not-check");
    assert_eq!(json["findings"].as_array().unwrap().len(), report.findings.len());
    assert_eq!(report.worst(), Some(Severity::P1));
}

#[test]
fn a_log_line_cannot_speak_to_the_terminal() {
    let mut snapshot = sample::healthy();
    snapshot.metrics.as_mut().unwrap().target_5xx = sample::series(0..5, 100.0);
    snapshot.backend_logs = Ok(vec![sample::line(
        1,
        "php",
        "production.ERROR: \u{1b}[2Jboom\r\u{7} password=hunter2",
    )]);
    let text = human(&snapshot, true, None);
    assert!(text.contains("boom"), "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn one_blind_probe_is_not_blindness() {
    let mut snapshot = sample::healthy();
    snapshot.services = Err(sample::blind());
    let report = Report::new(&snapshot, sample::now());
    assert!(!report.is_blind());
    assert_eq!((report.worst(), report.unchecked()), (None, vec!["ecs-services"]));
    let looked = Probe::ALL.len() - 1;
    let text = human(&snapshot, false, None);
    let end = format!(
        "no problem found in what could be checked: {looked} checks, 1 could not be checked\nnot checked: ecs-services\n"
    );
    assert!(text.ends_with(&end), "{text}");
    let text = report.markdown().unwrap();
    assert!(
        text.contains("No problem found in what could be checked.\n"),
        "{text}"
    );
    assert!(text.contains("Could not be checked: ecs-services."), "{text}");
}

#[test]
fn markdown_has_a_section_for_each_cause() {
    let text = Report::new(&broken(), sample::now()).markdown().unwrap();
    assert!(
        text.contains("### 1. P1 service is scaled to zero: bp-backend"),
        "{text}"
    );
    assert!(
        text.contains("\n# changes something:\naws ecs update-service --cluster bp"),
        "{text}"
    );
    assert!(
        text.contains("| scale-to-zero-topic | could not check | not authorized |"),
        "{text}"
    );
}
