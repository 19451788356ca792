//! What an HTTP answer means for a delivery.

use crate::http::{HttpError, HttpResponse};
use crate::model::Timestamp;
use crate::outbox::Outcome;

/// 2xx is delivered. No answer, 5xx, 408 and 429 are tried again, honouring Retry-After. All else
/// will not change by itself.
pub fn outcome(answer: Result<HttpResponse, HttpError>, now: Timestamp) -> Outcome {
    match answer {
        Ok(response) if response.is_success() => Outcome::delivered(Some(response.status())),
        Ok(response) => refusal(&response, now),
        Err(error) if error.is_transient() => Outcome::retry(error.to_string()),
        Err(error) => Outcome::permanent(error.to_string()),
    }
}

/// An answer that is no success.
pub fn refusal(response: &HttpResponse, now: Timestamp) -> Outcome {
    let status = Some(response.status());
    let error = response.status_error().to_string();
    match response.status() {
        408 | 429 | 500..=599 => Outcome::Retry { after: response.retry_after(now), error, status },
        _ => Outcome::Permanent { error, status },
    }
}
