//! Leases over time: while other runs are waited for, and while the store cannot be reached.

use super::*;

const LONG: Duration = Duration::from_secs(15 * 60);

/// Machines with a state folder each, and one store.
fn machines<const N: usize>(store: &memory::MemoryStore) -> [Here; N] {
    std::array::from_fn(|_| Here::beside(Rc::new(tempfile::tempdir().expect("a folder")), store.clone()))
}

/// Takes leases as a run of its own.
async fn take<'a>(
    here: &'a Here,
    (names, target): &'a (RunNames, Target),
    resources: &[&str],
    wait: Duration,
) -> Result<lease::Leases<'a, Here>> {
    let holder = lease::Holder {
        run: &names.run,
        verb: "touch",
        reason: None,
        target,
    };
    let resources: Vec<String> = resources.iter().map(|&resource| resource.to_owned()).collect();
    lease::take(here, &holder, &resources, wait).await
}

async fn run_of(here: &Here) -> (RunNames, Target) {
    (
        RunNames::draw(here.clock.now()).unwrap(),
        here.target().await.unwrap(),
    )
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_while_its_run_waits_for_another_one() {
    let store = memory::MemoryStore::default();
    let [one, other, third] = machines(&store);
    let runs = (run_of(&one).await, run_of(&other).await, run_of(&third).await);
    let first = async {
        let held = take(&one, &runs.0, &["world/b"], Duration::ZERO).await.unwrap();
        let work = async {
            one.clock.sleep(Duration::from_secs(300)).await;
            Ok(())
        };
        held.kept_during(work).await.unwrap();
        held.release().await;
    };
    let second = async {
        other.clock.sleep(Duration::from_secs(1)).await;
        let held = take(&other, &runs.1, &["world/a", "world/b"], LONG)
            .await
            .unwrap();
        held.held().check().unwrap();
        other.clock.now()
    };
    // Two minutes and more after the second run has taken it.
    let between = async {
        third.clock.sleep(Duration::from_secs(200)).await;
        take(&third, &runs.2, &["world/a"], Duration::ZERO)
            .await
            .map(drop)
    };
    let ((), taken, refused) = tokio::join!(first, second, between);
    assert!(
        taken >= "2026-01-15T09:05:00Z".parse::<Timestamp>().unwrap(),
        "{taken}"
    );
    let refused = refused.unwrap_err();
    assert!(
        refused.message().contains("another run has the lease"),
        "{refused}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_cannot_be_renewed_is_not_relied_on() {
    let store = memory::MemoryStore::default();
    let [here] = machines(&store);
    let run = run_of(&here).await;
    let leases = take(&here, &run, &["world/a"], Duration::ZERO).await.unwrap();
    store.close();
    let work = async {
        here.clock.sleep(Duration::from_secs(90)).await;
        leases.held().check().unwrap();
        here.clock.sleep(Duration::from_secs(11)).await;
        let error = leases.held().check().unwrap_err();
        assert!(
            error
                .message()
                .contains("rely on the lease on world/a: it was not renewed since"),
            "{error}"
        );
        // No other run has taken the lease: a renewal that gets through makes it good again.
        store.open_again();
        here.clock.sleep(Duration::from_secs(30)).await;
        leases.held().check().unwrap();
        Ok(())
    };
    leases.kept_during(work).await.unwrap();
    let stderr = here.captured.stderr();
    assert_eq!(
        stderr.matches("no change is sent until it is renewed").count(),
        1,
        "{stderr}"
    );
    assert!(!here.cancel.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_lease_is_gone_sends_nothing() {
    let here = Here::new();
    let verb = Toucher::new(plan(&["a"]), World::default());
    let journal = journal::Journal::none(&here.clock);
    let leases = held::HeldLeases::none(&here.clock);
    leases.lose(
        "world/a",
        CtlError::new(ErrorKind::Changed, "keep the lease on world/a"),
    );
    let running = running::Running {
        ui: &here.ui,
        clock: &here.clock,
        cancel: &here.cancel,
        journal: &journal,
        leases: &leases,
        outputs: RefCell::new(BTreeMap::new()),
        deadline: Timestamp::MAX,
    };
    let steps = steps::carry_out(&verb, &running, &plan(&["a"]).steps, 1, "")
        .await
        .unwrap();
    assert!(
        matches!(&steps.states["a"], State::Failed(error) if error.kind() == ErrorKind::Changed),
        "{:?}",
        steps.states
    );
    assert_eq!(verb.sent(), [""; 0]);
}
