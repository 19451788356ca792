//! What Slack's answer means. The Web API says 200 to everything and tells in JSON; an incoming
//! webhook answers `ok`, or a code as plain text.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http::{HttpError, HttpResponse};
use crate::model::Timestamp;
use crate::notify::respond;
use crate::outbox::Outcome;

/// Codes that pass by themselves (Slack's reference of `chat.postMessage` and of webhooks).
const TRANSIENT: [&str; 8] = [
    "ratelimited",
    "rate_limited",
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "rollup_error",
    "timeout",
];

/// Codes that say that the message in front of the thread is gone or takes no replies.
const THREAD_LOST: [&str; 4] =
    ["thread_not_found", "cannot_reply_to_message", "message_not_found", "invalid_thread_ts"];

/// The thread of a group, as it is remembered between deliveries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Thread {
    /// The channel's id, as Slack told it.
    pub(super) channel: String,
    /// The first message.
    pub(super) ts: String,
    /// The channel as it was asked for. Another one in the configuration starts a new thread.
    pub(super) asked_for: String,
}

impl Thread {
    /// The remembered thread, where it belongs to the channel that is asked for now.
    pub(super) fn recall(state: Option<&Value>, channel: &str) -> Option<Self> {
        let thread: Self = serde_json::from_value(state?.clone()).ok()?;
        (thread.asked_for == channel).then_some(thread)
    }
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// The message is posted: channel and timestamp, where they were told.
    Posted { place: Option<(String, String)>, status: u16 },
    /// There is no such thread any more.
    ThreadLost,
    /// It did not work.
    Failed(Outcome),
}

/// The body of a Web API answer, as far as it matters.
#[derive(Deserialize)]
struct Body {
    ok: bool,
    error: Option<String>,
    channel: Option<String>,
    ts: Option<String>,
}

/// Reads an answer.
pub(super) fn read(answer: Result<HttpResponse, HttpError>, now: Timestamp) -> Answer {
    let response = match answer {
        Ok(response) => response,
        failed => return Answer::Failed(respond::outcome(failed, now)),
    };
    let json = serde_json::from_slice::<Body>(response.body()).ok();
    let status = response.status();
    match json {
        Some(body) if body.ok && response.is_success() => {
            Answer::Posted { place: body.channel.zip(body.ts), status }
        }
        Some(Body { ok: false, error: Some(code), .. }) => refused(&code, &response, now),
        _ if !response.is_success() => refused(text(&response), &response, now),
        // An empty body comes from servers that speak Slack's webhook format.
        _ if matches!(text(&response), "ok" | "") => Answer::Posted { place: None, status },
        _ => refused(text(&response), &response, now),
    }
}

fn text(response: &HttpResponse) -> &str {
    std::str::from_utf8(response.body()).map_or("unreadable", str::trim)
}

fn refused(code: &str, response: &HttpResponse, now: Timestamp) -> Answer {
    let status = Some(response.status());
    let is_code = !code.is_empty()
        && code.len() <= 64
        && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !is_code {
        return Answer::Failed(match response.is_success() {
            // Sent again it might be posted again, so this is not tried again.
            true => Outcome::Permanent { error: response.status_error().to_string(), status },
            false => respond::refusal(response, now),
        });
    }
    if THREAD_LOST.contains(&code) {
        return Answer::ThreadLost;
    }
    let mut error = format!("slack answered {code}");
    if let Some(hint) = hint(code) {
        error = format!("{error}: {hint}");
    } else if response.body().len() > code.len() {
        // The excerpt is cleaned of secrets.
        error = format!("{error}: {}", response.excerpt());
    }
    let passes = TRANSIENT.contains(&code) || matches!(response.status(), 408 | 429 | 500..=599);
    Answer::Failed(if passes {
        Outcome::Retry { after: response.retry_after(now), error, status }
    } else {
        Outcome::Permanent { error, status }
    })
}

/// What to do about the mistakes that people make.
fn hint(code: &str) -> Option<&'static str> {
    Some(match code {
        "ratelimited" | "rate_limited" => "too many messages",
        "invalid_auth" | "not_authed" | "invalid_token" => "the token is wrong",
        "account_inactive" | "token_revoked" | "token_expired" => "the token is no longer valid",
        "missing_scope" => "the app needs the scope chat:write",
        "channel_not_found" => "no such channel, or the app cannot see it",
        "not_in_channel" => "invite the app to the channel",
        "is_archived" | "channel_is_archived" => "the channel is archived",
        "no_service" | "no_service_id" | "no_team" | "team_disabled" => {
            "the webhook is removed or its address is wrong"
        }
        "action_prohibited" | "posting_to_general_channel_denied" => {
            "the workspace forbids posting there"
        }
        _ => return None,
    })
}
