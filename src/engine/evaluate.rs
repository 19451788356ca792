//! One evaluation of one rule: query, expand, step.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::alerting::{
    ActiveSample, NoData, RuleAlerts, RuleTiming, Step, StepError, final_labels, kept_transitions,
};
use crate::engine::away::Away;
use crate::engine::facts::shows_absence;
use crate::engine::no_data::Missing;
use crate::model::{Fingerprint, InstantVector, LabelSet, Sample, Timestamp};
use crate::query::{Querier, QueryError, QueryValue};
use crate::rule::AlertingRule;
use crate::template::{Expansion, QueryAnswers, RuleData, RuleTemplate};

/// How many different queries the templates of one rule may ask in one evaluation.
const MAX_TEMPLATE_QUERIES: usize = 1000;

/// Why an evaluation gave no alerts. The rule's alerts stay as they are, unless a limit cleared
/// them.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// The datasource did not answer.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The expression gives neither a vector nor a number.
    #[error("the expression gives a {0}, an alerting rule needs an instant vector or a scalar")]
    NotVector(&'static str),
    /// The result could not become alerts.
    #[error(transparent)]
    Step(#[from] StepError),
}

impl EvalError {
    /// Whether it shows that the datasource is not there, rather than a mistake of the rule.
    pub fn is_absence(&self) -> bool {
        matches!(self, Self::Query(error) if shows_absence(error) == Some(true))
    }
}

/// What is known of a rule beside its alerts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Past<'a> {
    /// Set where the datasource was away: an alert goes on firing while it is in doubt whether
    /// the datasource has seen everything again.
    pub away: Option<&'a Away>,
    /// What becomes of active alerts that have no data.
    pub no_data: NoData,
    /// Those that had none at the last evaluation.
    pub without_data: Option<&'a BTreeSet<Fingerprint>>,
}

/// What an evaluation did.
#[derive(Debug)]
pub struct Evaluated {
    /// What changed.
    pub step: Step,
    /// What the datasource warned of: the result may be partial.
    pub warnings: Vec<String>,
    /// How many samples the expression gave.
    pub samples: usize,
    /// Alerts that go on firing although the expression does not return them, because the
    /// datasource was away.
    pub doubted: BTreeSet<Fingerprint>,
    /// Active alerts that the expression does not return because they have no data; none where the
    /// rule's policy does not ask for them.
    pub without_data: BTreeSet<Fingerprint>,
}

/// Evaluates rules against a datasource.
#[derive(Clone)]
pub struct Evaluator {
    /// Answers the queries.
    pub querier: Arc<dyn Querier>,
    /// What templates see as `$externalLabels`.
    pub external_labels: LabelSet,
    /// The datasource's address for people: `$externalURL`, and where links to graphs begin.
    pub external_url: String,
}

impl Evaluator {
    /// Evaluates `rule` at `ts` and moves its alerts. The expression is queried at `query_at`,
    /// which is `ts` less the group's query offset; queries of templates run at `ts`.
    ///
    /// # Errors
    /// When the query fails or its result cannot be taken; nothing has changed then.
    pub async fn evaluate(
        &self,
        rule: &AlertingRule,
        limit: u64,
        alerts: &mut RuleAlerts,
        ts: Timestamp,
        query_at: Timestamp,
    ) -> Result<Evaluated, EvalError> {
        self.evaluate_after(&Past::default(), rule, limit, alerts, ts, query_at).await
    }

    /// The same for a rule with a past: alerts may stay although the expression does not return
    /// them.
    ///
    /// # Errors
    /// When the query fails or its result cannot be taken; nothing has changed then.
    pub async fn evaluate_after(
        &self,
        past: &Past<'_>,
        rule: &AlertingRule,
        limit: u64,
        alerts: &mut RuleAlerts,
        ts: Timestamp,
        query_at: Timestamp,
    ) -> Result<Evaluated, EvalError> {
        let result = self.querier.instant(&rule.query, query_at).await?;
        let vector = vector(result.value, query_at)?;
        let samples = vector.len();
        let mut active = self.expand(rule, vector, ts).await;
        let doubted = match past.away {
            Some(away) => self.doubted(away, alerts, &active, query_at).await,
            None => Vec::new(),
        };
        let held = doubted.iter().map(|sample| sample.labels.fingerprint()).collect();
        active.extend(doubted);
        let timing = RuleTiming {
            for_duration: rule.for_duration,
            keep_firing_for: rule.keep_firing_for,
            limit,
        };
        let missing = match past.no_data {
            NoData::Resolve => Missing::default(),
            NoData::Keep | NoData::Alert => self.missing(rule, alerts, &active, query_at).await,
        };
        let mut step = alerts.step_keeping(&timing, active, &missing.kept, ts);
        let (none, without_data) = (BTreeSet::new(), missing.without_data);
        let before = past.without_data.unwrap_or(&none);
        step.transitions.extend(kept_transitions(alerts, before, &without_data, ts));
        let unknown = missing.error.map(|error| format!("it is not known what has data: {error}"));
        let warnings = result.warnings.into_iter().chain(result.infos).chain(unknown).collect();
        Ok(Evaluated { step, warnings, samples, doubted: held, without_data })
    }

    /// The link to the graph of a rule's expression, in the form that Prometheus gives it.
    pub fn generator_url(&self, query: &str) -> String {
        let escaped: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        // Go's escaping differs in these two.
        let escaped = escaped.replace('*', "%2A").replace("%7E", "~");
        format!("{}/graph?g0.expr={escaped}&g0.tab=1", self.external_url.trim_end_matches('/'))
    }

    /// Expands the templates of one sample, asking the queries that they lack.
    pub(super) async fn expand_all<'t>(
        &self,
        templates: &'t [(String, RuleTemplate)],
        sample: &Sample,
        answers: &mut QueryAnswers,
        ts: Timestamp,
    ) -> Texts<'t> {
        Expander { evaluator: self, answers, asked: &mut 0, ts }.all(templates, sample).await
    }

    /// Makes alerts of samples: expands labels, then annotations.
    async fn expand(
        &self,
        rule: &AlertingRule,
        vector: InstantVector,
        ts: Timestamp,
    ) -> Vec<ActiveSample> {
        let mut answers = QueryAnswers::new();
        let mut asked = 0;
        let mut active = Vec::with_capacity(vector.len());
        for sample in vector {
            let mut texts =
                Expander { evaluator: self, answers: &mut answers, asked: &mut asked, ts };
            let labels = texts.all(&rule.labels, &sample).await;
            let annotations = texts.all(&rule.annotations, &sample).await;
            active.push(ActiveSample {
                labels: final_labels(&sample.labels, &labels, &rule.name),
                annotations: annotations.into_iter().collect(),
                value: sample.value,
            });
        }
        active
    }
}

/// Names and what their templates have become.
type Texts<'t> = Vec<(&'t str, Cow<'t, str>)>;

/// Expands the templates of one rule in one evaluation. Queries that several samples ask are
/// asked once.
struct Expander<'a> {
    evaluator: &'a Evaluator,
    answers: &'a mut QueryAnswers,
    asked: &'a mut usize,
    ts: Timestamp,
}

impl Expander<'_> {
    async fn all<'t>(
        &mut self,
        templates: &'t [(String, RuleTemplate)],
        sample: &Sample,
    ) -> Texts<'t> {
        let mut texts = Vec::with_capacity(templates.len());
        for (name, template) in templates {
            texts.push((name.as_str(), self.one(template, sample).await));
        }
        texts
    }

    /// The text, or Prometheus' words for why there is none: the alert is told of all the same.
    async fn one<'t>(&mut self, template: &'t RuleTemplate, sample: &Sample) -> Cow<'t, str> {
        let data = RuleData {
            labels: &sample.labels,
            value: sample.value,
            external_labels: &self.evaluator.external_labels,
            external_url: &self.evaluator.external_url,
            now: self.ts,
        };
        loop {
            let query = match template.expand(&data, self.answers) {
                Ok(Expansion::Text(text)) => return text,
                Ok(Expansion::NeedsQuery(query)) => query,
                Err(error) => return format!("<error expanding template: {error}>").into(),
            };
            *self.asked += 1;
            let answer = if *self.asked > MAX_TEMPLATE_QUERIES {
                Err(format!(
                    "the templates of one rule asked more than {MAX_TEMPLATE_QUERIES} queries"
                ))
            } else {
                self.answer(&query).await
            };
            self.answers.insert(query, answer);
        }
    }

    async fn answer(&self, query: &str) -> Result<InstantVector, String> {
        let result = self.evaluator.querier.instant(query, self.ts).await;
        let result = result.map_err(|error| error.to_string())?;
        vector(result.value, self.ts).map_err(|error| error.to_string())
    }
}

/// A scalar becomes one sample without labels, as in Prometheus.
pub(super) fn vector(value: QueryValue, ts: Timestamp) -> Result<InstantVector, EvalError> {
    match value {
        QueryValue::Vector(vector) => Ok(vector),
        QueryValue::Scalar(value) => {
            Ok(vec![Sample { labels: LabelSet::new(), timestamp: ts, value }])
        }
        QueryValue::String(_) => Err(EvalError::NotVector("string")),
        QueryValue::Matrix(_) => Err(EvalError::NotVector("range vector")),
    }
}
