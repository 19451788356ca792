//! A datasource that knows nothing yet: what fired is not over for that, also after a restart and a
//! reload.

use super::*;

const UP: &str = "up == 0";
const TARGETS: &str = "count(up)";

/// A bench on which an alert fires; the number of changes until then.
async fn firing() -> (Bench, usize) {
    let mut bench = Bench::new(MemoryStore::new(), VirtualClock::new(START)).await;
    bench.datasource.set(UP, true);
    bench.datasource.set(TARGETS, true);
    bench.apply(DOWN).await;
    bench.wait(125).await;
    let history = bench.history().await;
    assert_eq!(history.last().map(|change| change.1), Some("firing"));
    (bench, history.len())
}

/// Nothing ends while the datasource knows no target, and what it then lacks has ended.
async fn is_doubted_until_targets_are_back(bench: &Bench, before: usize) {
    bench.wait(95).await;
    assert_eq!(bench.history().await.len(), before, "it may only not have scraped yet");
    bench.datasource.set(TARGETS, true);
    bench.wait(35).await;
    let history = bench.history().await.split_off(before);
    assert_eq!(history.len(), 1, "{history:?}");
    assert_eq!((history[0].1, history[0].2), ("inactive", "absent"));
}

#[tokio::test(start_paused = true)]
async fn a_datasource_that_started_together_with_the_program_ends_nothing() {
    let (mut bench, before) = firing().await;
    bench.rules.stop().await;
    let alerts = bench.store.load().await.unwrap().alerts;
    let leftover = Leftover { alerts, last_alive: bench.clock.now().wall };
    bench.wait(20).await;
    bench.datasource.set(UP, false);
    bench.datasource.set(TARGETS, false);
    let settings = bench.settings();
    bench.rules.apply(groups(DOWN), &settings, Some(leftover)).await;
    is_doubted_until_targets_are_back(&bench, before).await;
}

#[tokio::test(start_paused = true)]
async fn a_reload_does_not_forget_that_the_datasource_was_away() {
    let (mut bench, before) = firing().await;
    *bench.datasource.refuses.lock().unwrap() = UP.to_string();
    bench.wait(120).await;
    // The group is another one now, and its rules the same.
    bench.apply(&format!("{DOWN}  - alert: Other\n    expr: y\n")).await;
    bench.datasource.set(UP, false);
    bench.datasource.set(TARGETS, false);
    bench.datasource.refuses.lock().unwrap().clear();
    is_doubted_until_targets_are_back(&bench, before).await;
}
