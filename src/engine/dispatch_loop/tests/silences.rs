//! Silences through the loop: answered when they are stored, or told that they are not.

use super::*;
use crate::engine::SilenceFailure;
use crate::model::{SilenceDraft, SilenceError, SilenceId, SilenceState, parse_matchers};

impl Rig {
    fn draft(&self, matchers: &str, secs: u64) -> SilenceDraft {
        let starts_at = self.clock.clock.now().wall;
        SilenceDraft {
            id: None,
            matchers: parse_matchers(matchers).unwrap(),
            starts_at,
            ends_at: starts_at + Duration::from_secs(secs),
            created_by: "ann".to_string(),
            comment: String::new(),
        }
    }

    async fn stored(&self) -> Vec<SilenceId> {
        self.store.load().await.unwrap().silences.iter().map(|silence| silence.id).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_silence_is_stored_before_it_is_answered() {
    let rig = rig(Duration::ZERO);
    rig.store.millis.store(3_000, Ordering::Relaxed);
    let before = tokio::time::Instant::now();
    let id = rig.handle.set_silence(rig.draft("alertname=A", 100)).await.unwrap();
    assert!(before.elapsed() >= Duration::from_secs(3));
    assert_eq!(rig.stored().await, [id]);
    assert_eq!(rig.handle.silence(id).unwrap().created_by, "ann", "whoever looks finds it");
    rig.fire("A").await;
    pass(50).await;
    assert!(rig.notifier.delivered().is_empty());

    rig.handle.expire_silence(id).await.unwrap();
    let now = rig.clock.clock.now().wall;
    assert_eq!(rig.handle.silence(id).unwrap().state(now), SilenceState::Expired);
    assert_eq!(rig.store.load().await.unwrap().silences[0].state(now), SilenceState::Expired);
    rig.handle.expire_silence(id).await.unwrap();
    let unknown = rig.handle.expire_silence(SilenceId::MAX).await.unwrap_err();
    assert!(matches!(unknown, SilenceFailure::Refused(SilenceError::NotFound)), "{unknown}");
    pass(70).await;
    assert_eq!(rig.notifier.delivered().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_told_and_the_silence_holds_all_the_same() {
    let rig = rig(Duration::ZERO);
    rig.store.fails.store(true, Ordering::Relaxed);
    let failure = rig.handle.set_silence(rig.draft("alertname=A", 1_000)).await.unwrap_err();
    let SilenceFailure::NotStored(id) = failure else { panic!("{failure}") };
    assert_eq!(rig.handle.silences().len(), 1);
    rig.fire("A").await;
    pass(50).await;
    assert!(rig.notifier.delivered().is_empty() && rig.stored().await.is_empty());
    rig.store.fails.store(false, Ordering::Relaxed);
    pass(61).await;
    assert_eq!(rig.stored().await, [id], "caught up with the next commit");
}

#[tokio::test(start_paused = true)]
async fn many_at_once_share_transactions_and_old_ones_go() {
    let rig = rig(Duration::ZERO);
    rig.store.millis.store(100, Ordering::Relaxed);
    let sets = (0..500).map(|n| rig.handle.set_silence(rig.draft(&format!("pod=p{n}"), 10)));
    let set = futures::future::join_all(sets).await;
    assert!(set.iter().all(Result::is_ok));
    assert!(rig.store.commits.load(Ordering::Relaxed) < 10);
    assert_eq!(rig.stored().await.len(), 500);
    pass(20).await;
    rig.handle.prune_silences(rig.clock.clock.now().wall).await.unwrap();
    pass(1).await;
    assert!(rig.stored().await.is_empty() && rig.handle.silences().is_empty());
}
