//! MLflow's REST API, as far as it is needed.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Deserializer};
use serde_json::json;

use crate::collect::{EndedRun, Experiment, RunStatus};
use crate::http::{HttpClient, HttpError, HttpRequest, Timeouts};
use crate::mlflow::MlflowConfig;
use crate::model::{Secret, Timestamp};

/// Experiments in one answer, as many as MLflow gives without being pressed.
const EXPERIMENTS: usize = 1_000;
/// Runs in one answer. Each comes with all its parameters, metrics and tags.
const RUNS: usize = 200;
/// The largest answer to read.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// Why MLflow has not told what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum TrackingError {
    /// There is no answer, or it is a refusal.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The answer is not the API's: a page of a proxy, say.
    #[error("the answer is not that of mlflow's api: {0}")]
    Decode(String),
}

impl TrackingError {
    /// The kind as one word, for metrics: a closed set.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Http(error) => error.kind(),
            Self::Decode(_) => "decode",
        }
    }

    /// Tells one trouble from another, so that a lasting one is logged once.
    pub fn same_as(&self) -> (&'static str, u16) {
        match self {
            Self::Http(HttpError::Status { status, .. }) => (self.kind(), *status),
            _ => (self.kind(), 0),
        }
    }
}

/// Runs of one answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunPage {
    /// Those that have ended.
    pub runs: Vec<EndedRun>,
    /// The last end in the answer, which is ordered by it: that of a run that has been resumed
    /// among them.
    pub last_end: Option<Timestamp>,
    /// Where the next answer begins; `None` where this is the last.
    pub next: Option<String>,
}

/// What is asked of a tracking server.
#[async_trait]
pub trait Tracking: Send + Sync {
    /// The experiments that are not deleted, and where the next answer begins. MLflow needs its
    /// database for it, unlike for `/health`.
    async fn experiments(
        &self,
        page: Option<&str>,
    ) -> Result<(Vec<Experiment>, Option<String>), TrackingError>;

    /// The runs of some experiments that ended at a time or later, ordered by their end.
    async fn ended_runs(
        &self,
        experiments: &[Arc<str>],
        from: Timestamp,
        page: Option<&str>,
    ) -> Result<RunPage, TrackingError>;
}

/// A tracking server over HTTP.
#[derive(Debug)]
pub struct MlflowClient {
    client: HttpClient,
    /// Without a slash at its end.
    base: Secret,
}

impl MlflowClient {
    /// A client for a tracking server.
    ///
    /// # Errors
    /// [`HttpError`] where the settings cannot work; nothing is sent yet.
    pub fn new(config: &MlflowConfig) -> Result<Self, HttpError> {
        let timeouts = Timeouts {
            total: config.timeout,
            connect: Timeouts::default().connect.min(config.timeout),
        };
        Ok(Self {
            client: HttpClient::new(&config.http, timeouts)?,
            base: Secret::new(config.tracking_uri.expose().trim_end_matches('/')),
        })
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        what: &str,
        question: &serde_json::Value,
    ) -> Result<T, TrackingError> {
        let url = format!("{}/api/2.0/mlflow/{what}/search", self.base.expose());
        let request = HttpRequest::post(&url)?
            .body("application/json", question.to_string())
            .hide_url(&self.base)
            .max_body(MAX_BODY);
        let response = self.client.send(request).await?.error_for_status()?;
        serde_json::from_slice(response.body()).map_err(|e| TrackingError::Decode(e.to_string()))
    }
}

#[async_trait]
impl Tracking for MlflowClient {
    async fn experiments(
        &self,
        page: Option<&str>,
    ) -> Result<(Vec<Experiment>, Option<String>), TrackingError> {
        let mut question = json!({"max_results": EXPERIMENTS, "view_type": "ACTIVE_ONLY"});
        turn_to(&mut question, page);
        let answer: Experiments = self.ask("experiments", &question).await?;
        let experiments = answer.experiments.into_iter();
        let experiments = experiments.map(|e| Experiment { id: e.experiment_id, name: e.name });
        Ok((experiments.collect(), token(answer.next_page_token)))
    }

    async fn ended_runs(
        &self,
        experiments: &[Arc<str>],
        from: Timestamp,
        page: Option<&str>,
    ) -> Result<RunPage, TrackingError> {
        // MLflow refuses `status IN (…)`; runs that have not ended have no `end_time`.
        let mut question = json!({
            "experiment_ids": experiments,
            "filter": format!("attributes.end_time >= {}", from.millis()),
            "order_by": ["attributes.end_time ASC"],
            "run_view_type": "ACTIVE_ONLY",
            "max_results": RUNS,
        });
        turn_to(&mut question, page);
        let answer: Runs = self.ask("runs", &question).await?;
        let infos = || answer.runs.iter().map(|run| &run.info);
        Ok(RunPage {
            runs: infos().filter_map(Info::ended).collect(),
            last_end: infos().filter_map(|info| info.end_time).max().map(Timestamp::from_millis),
            next: token(answer.next_page_token),
        })
    }
}

fn turn_to(question: &mut serde_json::Value, page: Option<&str>) {
    if let (Some(page), Some(question)) = (page, question.as_object_mut()) {
        question.insert("page_token".to_string(), page.into());
    }
}

/// An empty token is the same as none.
fn token(token: Option<String>) -> Option<String> {
    token.filter(|token| !token.is_empty())
}

#[derive(Deserialize)]
struct Experiments {
    #[serde(default)]
    experiments: Vec<ExperimentInfo>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct ExperimentInfo {
    experiment_id: Arc<str>,
    name: Arc<str>,
}

#[derive(Deserialize)]
struct Runs {
    #[serde(default)]
    runs: Vec<Run>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Run {
    info: Info,
}

#[derive(Deserialize)]
struct Info {
    run_id: Arc<str>,
    experiment_id: Arc<str>,
    status: String,
    #[serde(default, deserialize_with = "millis")]
    end_time: Option<i64>,
}

impl Info {
    fn ended(&self) -> Option<EndedRun> {
        Some(EndedRun {
            id: Arc::clone(&self.run_id),
            experiment: Arc::clone(&self.experiment_id),
            status: RunStatus::from_name(&self.status)?,
            ended_at: Timestamp::from_millis(self.end_time?),
        })
    }
}

/// A number, which some servers write as text, as JSON of protocol buffers has it.
fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(i64),
        Text(String),
    }
    match Option::<Written>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Written::Number(number)) => Ok(Some(number)),
        Some(Written::Text(text)) => text.parse().map(Some).map_err(serde::de::Error::custom),
    }
}
