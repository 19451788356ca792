//! One pass over a tracking server.

use std::sync::Arc;

use crate::collect::{Experiment, Ledger, Pass, Progress};
use crate::mlflow::{Tracking, TrackingError};
use crate::model::Timestamp;

/// How many answers with experiments are read in one pass.
const MAX_EXPERIMENT_PAGES: usize = 20;
/// How many experiments one question names.
const EXPERIMENTS_AT_ONCE: usize = 500;
/// How many answers with runs are read of each such question.
const MAX_RUN_PAGES: usize = 50;

/// Reads what has ended into the ledger, and says how far that came. What was read before an error
/// stays counted; the next pass begins where this one did. Experiments beyond the bound on answers
/// are left out; the second value says whether there are such.
///
/// # Errors
/// A [`TrackingError`] where a question has no answer.
pub async fn poll(
    tracking: &dyn Tracking,
    ledger: &mut Ledger,
    now: Timestamp,
) -> Result<(Progress, bool), TrackingError> {
    let (experiments, left_out) = experiments(tracking).await?;
    let mut pass = ledger.begin(now, &experiments);
    let ids: Vec<Arc<str>> = experiments.into_iter().map(|experiment| experiment.id).collect();
    for ids in ids.chunks(EXPERIMENTS_AT_ONCE) {
        runs(tracking, ledger, &mut pass, ids).await?;
    }
    Ok((ledger.finish(&pass), left_out))
}

async fn experiments(tracking: &dyn Tracking) -> Result<(Vec<Experiment>, bool), TrackingError> {
    let (mut all, mut page) = (Vec::new(), None);
    for _ in 0..MAX_EXPERIMENT_PAGES {
        let (experiments, next) = tracking.experiments(page.as_deref()).await?;
        all.extend(experiments);
        page = next;
        if page.is_none() {
            return Ok((all, false));
        }
    }
    Ok((all, true))
}

async fn runs(
    tracking: &dyn Tracking,
    ledger: &mut Ledger,
    pass: &mut Pass,
    ids: &[Arc<str>],
) -> Result<(), TrackingError> {
    let (mut page, mut last) = (None, pass.from);
    for _ in 0..MAX_RUN_PAGES {
        let answer = tracking.ended_runs(ids, pass.from, page.as_deref()).await?;
        ledger.take(pass, &answer.runs);
        last = answer.last_end.unwrap_or(last);
        page = answer.next;
        if page.is_none() {
            return Ok(());
        }
    }
    pass.cut_short(last);
    Ok(())
}
