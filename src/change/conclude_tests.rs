use super::*;

fn words() -> Words {
    Words {
        goal: "take all fleets to zero".to_owned(),
        thing: "fleet",
        settle: "see every instance leave".to_owned(),
        following: String::new(),
    }
}

fn failed(kind: ErrorKind) -> State {
    State::Failed(CtlError::new(kind, "x").hint("the hint"))
}

fn done() -> State {
    State::Done { did: String::new() }
}

fn running() -> End {
    End::Running {
        what: "it still has some".to_owned(),
        hint: Hint::new("look again"),
    }
}

/// The end of steps `f0`, `f1`, …, each with what the look afterwards showed.
fn end(steps: &[(State, Option<End>)], interrupted: bool) -> (Verdict, Option<CtlError>) {
    end_with(steps, interrupted, None)
}

fn end_with(
    steps: &[(State, Option<End>)],
    interrupted: bool,
    trouble: Option<CtlError>,
) -> (Verdict, Option<CtlError>) {
    let names: Vec<String> = (0..steps.len()).map(|number| format!("f{number}")).collect();
    let ends: BTreeMap<String, End> = names
        .iter()
        .zip(steps)
        .filter_map(|(name, (_, end))| Some((name.clone(), end.clone()?)))
        .collect();
    conclude(Facts {
        words: &words(),
        states: names
            .iter()
            .zip(steps)
            .map(|(name, (state, _))| (name.as_str(), state))
            .collect(),
        ends: &ends,
        trouble,
        interrupted,
        resume: &|left| CommandLine::bpctl(["go", "on"]).args(left.iter().copied()),
    })
}

fn status(steps: &[(State, Option<End>)]) -> u8 {
    let (_, error) = end(steps, false);
    error.map_or(0, |error| error.exit_status().code())
}

#[test]
fn everything_as_it_was_meant_is_done() {
    assert_eq!(
        end(&[(done(), Some(End::Settled)), (done(), None)], false),
        (Verdict::Done, None)
    );
    assert_eq!(end(&[], false), (Verdict::NothingToChange, None));
}

#[test]
fn a_single_failure_keeps_its_status_and_its_words() {
    let (verdict, error) = end(&[(failed(ErrorKind::Changed), None)], false);
    assert_eq!(verdict, Verdict::Changed);
    let error = error.unwrap();
    assert_eq!((error.exit_status().code(), error.message()), (5, "x"));
}

#[test]
fn failures_of_one_kind_keep_it() {
    let denied = || (failed(ErrorKind::AccessDenied), None);
    let (_, error) = end(&[denied(), denied()], false);
    let error = error.unwrap();
    assert_eq!(error.exit_status().code(), 4);
    assert_eq!(
        error.hints().iter().filter(|hint| **hint == "the hint").count(),
        1
    );
}

#[test]
fn a_mixture_is_partly_done_and_names_the_rest() {
    let (verdict, error) = end(&[(done(), None), (failed(ErrorKind::Changed), None)], false);
    assert_eq!(verdict, Verdict::PartlyDone);
    let error = error.unwrap();
    assert_eq!(error.exit_status().code(), 7);
    assert!(error.message().ends_with("1 of 2 fleets are, f1 not"), "{error}");
    assert!(error.hints().last().unwrap().contains("bpctl go on f1"));
}

#[test]
fn what_was_changed_back_is_no_success() {
    let back = || (done(), Some(End::Overturned("f0 was set to 2 again".to_owned())));
    assert_eq!(status(&[back()]), 1);
    assert_eq!(status(&[(done(), None), back()]), 7);
}

#[test]
fn what_only_needs_time_is_status_6() {
    assert_eq!(status(&[(done(), None), (done(), Some(running()))]), 6);
    assert_eq!(
        status(&[(done(), None), (State::NotReady("3 jobs".to_owned()), None)]),
        6
    );
}

#[test]
fn a_rollback_by_aws_is_status_8_and_a_newer_change_is_status_5() {
    let error = || CtlError::new(ErrorKind::Failed, "deploy: x");
    assert_eq!(status(&[(done(), Some(End::RolledBack(error())))]), 8);
    assert_eq!(status(&[(done(), Some(End::Superseded(error())))]), 5);
}

#[test]
fn one_deployment_that_is_taken_back_does_not_hide_one_that_is_not() {
    let error = || CtlError::new(ErrorKind::Failed, "deploy: x").hint("the hint");
    let back = || (done(), Some(End::RolledBack(error())));
    let replaced = || (done(), Some(End::Superseded(error())));
    let settled = || (done(), Some(End::Settled));
    for ends in [[back(), settled()], [settled(), back()], [replaced(), settled()]] {
        assert_eq!(status(&ends), 7);
    }
    let (_, error) = end(&[back(), settled()], false);
    let error = error.unwrap();
    assert!(error.message().ends_with("1 of 2 fleets are, f0 not"), "{error}");
    assert!(error.hints().contains(&Hint::new("the hint")));
    // Of one kind: the status says it. A step that led to a deployment changes nothing.
    assert_eq!(status(&[back(), back()]), 8);
    assert_eq!(status(&[replaced(), replaced()]), 5);
    assert_eq!(status(&[(done(), None), back()]), 8);
    assert_eq!(status(&[back(), replaced()]), 1);
    assert_eq!(status(&[back(), (failed(ErrorKind::AccessDenied), None)]), 1);
    assert_eq!(status(&[back(), (done(), Some(running()))]), 7);
}

#[test]
fn the_status_of_a_container_is_passed_through_whatever_went_before() {
    let exited = End::Exited {
        status: 3,
        error: CtlError::new(ErrorKind::Failed, "migrate: php-fpm exited with 3"),
    };
    let steps = [(done(), None), (done(), Some(exited))];
    assert_eq!(end(&steps, false).0, Verdict::Exited(3));
    assert_eq!(status(&steps), 3);
}

#[test]
fn an_interrupt_says_how_far_it_came() {
    let (verdict, error) = end(&[(done(), None), (State::NotBegun, None)], true);
    assert_eq!(verdict, Verdict::Interrupted);
    let error = error.unwrap();
    assert!(error.message().contains("1 of 2 fleets"), "{error}");
    assert!(error.hints()[0].contains("f1"));
    // With everything done there is nothing left to be interrupted.
    assert_eq!(end(&[(done(), Some(End::Settled))], true).0, Verdict::Done);
}

#[test]
fn a_run_that_cannot_observe_any_more_says_why_and_how_to_look_again() {
    let trouble = CtlError::new(ErrorKind::AccessDenied, "denied");
    let (_, error) = end_with(&[(done(), Some(running()))], false, Some(trouble));
    let error = error.unwrap();
    assert_eq!(error.exit_status().code(), 4);
    assert!(error.hints().iter().any(|hint| hint.contains("look again")));
}

#[test]
fn what_a_verb_has_found_has_a_status_of_its_own() {
    let found = |status| End::Found {
        status,
        error: CtlError::new(ErrorKind::Failed, "it is not as it must be"),
    };
    let wrong = [(done(), Some(found(ExitStatus::Differences))), (done(), None)];
    assert_eq!(end(&wrong, false).0, Verdict::Found(ExitStatus::Differences));
    assert_eq!(status(&wrong), 9);
    assert_eq!(status(&[(done(), Some(found(ExitStatus::Partial)))]), 7);
    // A step that could not be carried out, and an interrupt, weigh more.
    let failed = [
        (done(), Some(found(ExitStatus::Differences))),
        (failed(ErrorKind::Failed), None),
    ];
    assert_ne!(status(&failed), 9);
    let left = [
        (done(), Some(found(ExitStatus::Differences))),
        (State::NotBegun, None),
    ];
    assert_eq!(end(&left, true).0, Verdict::Interrupted);
}
