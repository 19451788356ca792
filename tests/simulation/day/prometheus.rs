//! The datasource: what it has scraped, and when it does not answer.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use watchbell::model::{LabelSet, Sample, Timestamp};
use watchbell::query::{
    ApiErrorKind, Querier, QueryError, QueryResult, QueryValue, RangeResult, Series,
};

use super::plan::{Effect, MINUTE, Ms, Outage, PODS, Plan};
use super::setup::query;
use super::world::World;

/// For how long a sample counts that no newer one follows: Prometheus' default.
const LOOKBACK: Ms = 5 * MINUTE;
/// When a querier gives up waiting.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether a rule's expression holds for a pod.
pub fn is_active(plan: &Plan, rule: usize, pod: usize, at: Ms) -> bool {
    plan.toggles[rule][pod].iter().take_while(|toggle| **toggle <= at).count() % 2 == 1
}

/// The last time before which a pod was scraped without a break, where it has not been since.
fn unscraped_since(plan: &Plan, pod: usize, at: Ms) -> Option<Ms> {
    let stopped = |outage: &&Outage| {
        let blind = outage.span.from..outage.span.to + plan.scraped_after[pod];
        outage.stops && blind.contains(&at)
    };
    plan.outages.iter().find(stopped).map(|outage| outage.span.from)
}

/// Whether the datasource returns a rule's expression for a pod.
pub fn returns(plan: &Plan, rule: usize, pod: usize, at: Ms) -> bool {
    match unscraped_since(plan, pod, at) {
        None => is_active(plan, rule, pod, at),
        Some(last) => at < last + LOOKBACK && is_active(plan, rule, pod, last),
    }
}

/// How many targets it knows of.
pub fn targets(plan: &Plan, at: Ms) -> usize {
    let known =
        |pod: &usize| unscraped_since(plan, *pod, at).is_none_or(|last| at < last + LOOKBACK);
    (0..PODS).filter(known).count()
}

/// What is wrong with it at a time.
pub fn outage(plan: &Plan, at: Ms) -> Option<Outage> {
    plan.outages.iter().find(|outage| outage.span.contains(at)).copied()
}

/// Whom the process asks.
pub struct Prometheus {
    world: Arc<World>,
}

impl Prometheus {
    pub fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world) }
    }

    /// The way of every question. `at` is the true time that it is about.
    async fn ask(&self, at: Ms) -> Result<(), QueryError> {
        self.world.effect(Effect::QueryAsked).await;
        self.world.latency().await;
        match outage(&self.world.plan, at) {
            None => Ok(()),
            Some(outage) => {
                if outage.hangs {
                    tokio::time::sleep(PATIENCE).await;
                }
                let (kind, message) = (ApiErrorKind::Unavailable, "away".to_string());
                Err(QueryError::Api { kind, status: 503, message })
            }
        }
    }

    fn rule(&self, text: &str) -> Option<usize> {
        (0..self.world.plan.rules.len()).find(|rule| query(*rule) == text)
    }
}

fn pod(pod: usize) -> LabelSet {
    LabelSet::from([("pod", format!("p{pod}").as_str())])
}

#[async_trait]
impl Querier for Prometheus {
    async fn instant(&self, query: &str, time: Timestamp) -> Result<QueryResult, QueryError> {
        let plan = &self.world.plan;
        let at = self.world.state().true_time(plan, time);
        let asked = self.ask(at).await;
        self.world.effect(Effect::QueryAnswered).await;
        let sample = |labels, value| Sample { labels, timestamp: time, value };
        let rule = self.rule(query);
        let vector = match rule {
            Some(rule) => {
                let found = (0..PODS).filter(|pod| returns(plan, rule, *pod, at));
                found.map(|number| sample(pod(number), 1.0)).collect()
            }
            None => match targets(plan, at) {
                0 => Vec::new(),
                count => vec![sample(LabelSet::new(), count as f64)],
            },
        };
        if let Some(rule) = rule {
            let mut state = self.world.state();
            let wall = time.millis() - plan.start.millis() - at;
            let answered = state.rules.evaluated(plan, rule, at, wall, asked.is_ok());
            drop(state);
            self.world.check(answered);
        }
        asked?;
        let value = QueryValue::Vector(vector);
        Ok(QueryResult { value, warnings: Vec::new(), infos: Vec::new() })
    }

    async fn range(
        &self,
        query: &str,
        start: Timestamp,
        end: Timestamp,
        step: Duration,
    ) -> Result<RangeResult, QueryError> {
        let plan = &self.world.plan;
        self.ask(self.world.now()).await?;
        let offset = self.world.state().offset;
        let steps = std::iter::successors(Some(start), |at| Some(*at + step));
        let steps: Vec<Timestamp> = steps.take_while(|at| *at <= end).collect();
        let true_time = |at: Timestamp| at.millis() - plan.start.millis() - offset;
        let series = |labels, value: &dyn Fn(Ms) -> usize| {
            let points = steps.iter().map(|at| (*at, value(true_time(*at)) as f64));
            let samples: Vec<_> = points.filter(|(_, value)| *value > 0.0).collect();
            (!samples.is_empty()).then_some(Series { labels, samples })
        };
        let found: Vec<Series> = match self.rule(query) {
            Some(rule) => {
                self.world.state().rules.looked_back(rule);
                let of_pod = |number| {
                    series(pod(number), &|at| usize::from(returns(plan, rule, number, at)))
                };
                (0..PODS).filter_map(of_pod).collect()
            }
            None => series(LabelSet::new(), &|at| targets(plan, at)).into_iter().collect(),
        };
        self.world.effect(Effect::QueryAnswered).await;
        Ok(RangeResult { series: found, ..RangeResult::default() })
    }
}
