use super::*;
use crate::config::{FleetSpec, PolicySpec, ScaleToZeroSpec, ServiceTime};
use crate::policy::AdjustmentType;

fn config() -> FleetConfig {
    let mut spec = FleetSpec::one_step();
    spec.scale_to_zero = Some(ScaleToZeroSpec::safe(15));
    spec.jobs.protect_busy = true;
    spec.jobs.service = ServiceTime::Exponential { mean_seconds: 120.0 };
    if let PolicySpec::Step {
        adjustment_type,
        steps,
        ..
    } = &mut spec.policies[0]
    {
        *adjustment_type = AdjustmentType::ChangeInCapacity;
        steps.remove(0);
    }
    FleetConfig::new(spec).unwrap()
}

fn search(wait_minutes: u64) -> Pareto {
    let config = config();
    tune(
        &config,
        &"daily:2..40/h".parse().unwrap(),
        Duration::from_secs(86_400),
        &[1, 2],
        &Objective::wait_p95(Duration::from_secs(60 * wait_minutes)),
        &Space {
            scale_to_zero_minutes: vec![5, 30],
            warmup_seconds: vec![240.0],
            type_mixes: vec![vec![0, 1, 2], vec![1]],
            ..Space::around(config.spec())
        },
    )
    .unwrap()
}

#[test]
fn the_best_is_feasible_and_no_feasible_one_is_cheaper() {
    let pareto = search(10);
    let best = pareto.best.clone().unwrap();
    assert!(best.wait_p95_seconds <= 600.0 && best.lost_share == 0.0);
    assert!(best.cost <= pareto.current.cost || !pareto.current.feasible);
    for candidate in &pareto.frontier {
        assert!(!candidate.feasible || candidate.cost >= best.cost);
    }
    assert_eq!(pareto.evaluated, 4 * 2 * 3 * 2);
}

#[test]
fn the_frontier_falls_in_wait_as_it_rises_in_cost() {
    let frontier = search(10).frontier;
    assert!(frontier.len() > 1);
    for pair in frontier.windows(2) {
        assert!(pair[0].cost <= pair[1].cost && pair[0].wait_p95_seconds > pair[1].wait_p95_seconds);
    }
}

#[test]
fn what_cannot_be_reached_has_no_best() {
    assert_eq!(search(0).best, None);
}

#[test]
fn every_combination_is_reported_once() {
    let config = config();
    let space = Space {
        backlog_targets: vec![1.0, 2.0],
        scale_to_zero_minutes: vec![15],
        max_sizes: vec![4, 8, 9],
        warmup_seconds: vec![240.0],
        type_mixes: vec![vec![0]],
    };
    let seen = std::sync::Mutex::new(Vec::new());
    tune_with_progress(
        &config,
        &Arrivals::Poisson { per_hour: 5.0 },
        Duration::from_secs(86_400),
        &[1],
        &Objective::wait_p95(Duration::from_secs(600)),
        &space,
        &|done, all| seen.lock().unwrap().push((done, all)),
    )
    .unwrap();
    let mut seen = seen.into_inner().unwrap();
    seen.sort_unstable();
    assert_eq!(seen, [1, 2, 3, 4, 5, 6].map(|done| (done, 6)));
}

#[cfg(feature = "rayon")]
#[test]
fn threads_do_not_matter() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        serde_json::to_string(&pool.install(|| search(10))).unwrap()
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn searches_that_make_no_sense_are_refused() {
    let config = config();
    let refused = |change: fn(&mut Space, &mut Objective)| {
        let mut space = Space::around(config.spec());
        let mut objective = Objective::wait_p95(Duration::from_secs(60));
        change(&mut space, &mut objective);
        let day = Duration::from_secs(86_400);
        tune(&config, &Arrivals::None, day, &[1], &objective, &space)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(|space, _| space.max_sizes.clear()),
        "`max_sizes` has no value to try"
    );
    assert_eq!(
        refused(|space, _| space.backlog_targets = vec![f64::NAN]),
        "`policies[1].target` is not a finite number"
    );
    assert_eq!(
        refused(|space, _| space.type_mixes = vec![vec![9]]),
        "`instance_types` is empty"
    );
    assert_eq!(
        refused(|_, objective| objective.wait_p95_seconds = f64::NAN),
        "`wait_p95_seconds` is not usable"
    );
    assert!(
        refused(|space, _| space.warmup_seconds = vec![1.0; 10_000]).contains("at most 100000 are tried")
    );
}

#[test]
fn the_winner_keeps_its_promise_on_held_out_seeds() {
    let config = config();
    let arrivals: Arrivals = "daily:2..40/h".parse().unwrap();
    let day = Duration::from_secs(86_400);
    let objective = Objective::wait_p95(Duration::from_secs(420));
    let space = Space {
        scale_to_zero_minutes: vec![5, 30],
        warmup_seconds: vec![240.0],
        type_mixes: vec![vec![0]],
        ..Space::around(config.spec())
    };
    let pareto = tune(&config, &arrivals, day, &[1], &objective, &space).unwrap();
    let (best, held_out) = (pareto.best.unwrap(), pareto.held_out.unwrap());
    assert_eq!(held_out.seeds, 19);
    assert!(held_out.wait_p95_bound_seconds <= 420.0, "{held_out:?}");
    // A bound of 95 %: of sixty further runs three exceed it in the mean, and hardly ever more than ten.
    let tuned = FleetConfig::new(best.choice.apply(config.spec())).unwrap();
    let above = (5001..=5060)
        .map(|seed| {
            Scenario::new(arrivals.clone(), seed, day)
                .run(&tuned)
                .unwrap()
                .wait
                .p95
        })
        .filter(|wait| *wait > held_out.wait_p95_bound_seconds)
        .count();
    assert!(above <= 10, "{above}");
}
