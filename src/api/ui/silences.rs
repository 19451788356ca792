//! `/silences` and `/silences/{id}`: what is silenced, by whom and for how long; the button that
//! ends it.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::api::Shared;
use crate::api::answer::ApiError;
use crate::api::params::Params;
use crate::api::ui::alerts::clock;
use crate::api::ui::html::{Raw, Shown, encode, short};
use crate::api::ui::now::alerts;
use crate::api::ui::page::{Page, Place};
use crate::model::{Silence, SilenceId, SilenceState, Timestamp};
use crate::template::duration_text;

/// How many silences of one state are listed.
const MAX_LISTED: usize = 200;

/// All silences: active ones first, then those that are to come, then those that are over.
pub(super) async fn list(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let params = Params::parse(query.as_deref())?;
    let wanted = params.first("q").unwrap_or_default().to_string();
    let now = shared.daemon.clock.now().wall;
    let all = shared.daemon.dispatch.silences();
    let body = list_body(&all, &wanted, now);
    let title = "Silences";
    Ok(Page { status: StatusCode::OK, title, place: Place::Silences, root: "", body }
        .into_response())
}

fn list_body(all: &[Arc<Silence>], wanted: &str, now: Timestamp) -> String {
    let mut body = format!(
        "<form action=\"silences\" method=\"get\"><label class=\"label\" for=\"q\">Search in matchers, \
         comments and authors</label><input type=\"text\" id=\"q\" name=\"q\" value=\"{}\">\
         <div class=\"row\"><button>Search</button><a class=\"button\" href=\"silences/new\">New silence</a></div></form>",
        Raw(wanted)
    );
    let needle = wanted.to_lowercase();
    let has = |text: &str| text.to_lowercase().contains(&needle);
    let found: Vec<&Arc<Silence>> = all
        .iter()
        .filter(|s| has(&s.comment) || has(&s.created_by) || has(&s.matchers.to_string()))
        .collect();
    for (state, title) in [
        (SilenceState::Active, "Active"),
        (SilenceState::Pending, "To come"),
        (SilenceState::Expired, "Over"),
    ] {
        let mut of: Vec<&Arc<Silence>> =
            found.iter().copied().filter(|silence| silence.state(now) == state).collect();
        match state {
            SilenceState::Expired => of.sort_by_key(|s| (Reverse(s.ends_at), s.id)),
            SilenceState::Active => of.sort_by_key(|s| (s.ends_at, s.id)),
            SilenceState::Pending => of.sort_by_key(|s| (s.starts_at, s.id)),
        }
        let _ = write!(body, "<h2>{title} ({})</h2>", of.len());
        for silence in of.iter().take(MAX_LISTED) {
            let _ = write!(
                body,
                "<article class=\"card {}\">{}<div class=\"row\"><a class=\"button\" href=\"silences/{}\">Show</a></div></article>",
                state.as_str(),
                facts(silence, now),
                silence.id
            );
        }
        if of.len() > MAX_LISTED {
            let rest = of.len() - MAX_LISTED;
            let _ = write!(body, "<p class=\"box\">… and {rest} more; search for them.</p>");
        }
    }
    body
}

/// Matchers, times, author and comment.
fn facts(silence: &Silence, now: Timestamp) -> String {
    let state = silence.state(now);
    let when = match state {
        SilenceState::Active => format!("ends in {}", duration_text(silence.ends_at.since(now))),
        SilenceState::Pending => {
            format!("begins in {}", duration_text(silence.starts_at.since(now)))
        }
        SilenceState::Expired => {
            format!("over since {}", duration_text(now.since(silence.ends_at)))
        }
    };
    let mut out = format!(
        "<p><span class=\"tag {0}\">{0}</span> <b>{when}</b></p><ul class=\"labels\">",
        state.as_str()
    );
    for matcher in &silence.matchers.0 {
        let _ = write!(out, "<li>{}</li>", Shown(&short(&matcher.to_string(), 400)));
    }
    let _ = write!(
        out,
        "</ul><p>{}</p><p class=\"dim\">by {}, from {} to {}</p>",
        Shown(&short(&silence.comment, 1000)),
        Shown(&short(&silence.created_by, 200)),
        clock(silence.starts_at),
        clock(silence.ends_at)
    );
    out
}

/// One silence.
pub(super) async fn one(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    show(&shared, &id, StatusCode::OK, ("", "../")).await
}

/// Ends a silence, and shows it.
pub(super) async fn expire(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    let Ok(parsed) = id.parse::<SilenceId>() else { return not_found("../../") };
    match shared.daemon.dispatch.expire_silence(parsed).await {
        Ok(()) => {
            (StatusCode::SEE_OTHER, [(header::LOCATION, format!("../{parsed}"))]).into_response()
        }
        Err(failure) => {
            let words = format!("<p class=\"box bad\">{}</p>", Shown(&failure.to_string()));
            show(&shared, &id, StatusCode::CONFLICT, (&words, "../../")).await
        }
    }
}

fn not_found(root: &'static str) -> Response {
    let body = format!(
        "<p class=\"box bad\">There is no such silence. One that has been over for long is \
         forgotten.</p><p><a href=\"{root}silences\">All silences</a></p>"
    );
    page(StatusCode::NOT_FOUND, body, root)
}

fn page(status: StatusCode, body: String, root: &'static str) -> Response {
    Page { status, title: "Silence", place: Place::Silences, root, body }.into_response()
}

/// The page of one silence below a notice; `root` is the way from the address to the root.
async fn show(
    shared: &Shared,
    id: &str,
    status: StatusCode,
    (notice, root): (&str, &'static str),
) -> Response {
    let silence = id.parse().ok().and_then(|id| shared.daemon.dispatch.silence(id));
    let Some(silence) = silence else { return not_found(root) };
    let now = shared.daemon.clock.now().wall;
    let state = silence.state(now);
    let mut body = format!(
        "{notice}<article class=\"card {}\">{}<p class=\"dim\">{}</p>",
        state.as_str(),
        facts(&silence, now),
        silence.id
    );
    let matchers: Vec<String> = silence.matchers.0.iter().map(ToString::to_string).collect();
    let again = format!(
        "{root}silences/new?filter={}&comment={}&author={}",
        encode(&matchers.join(",")),
        encode(&silence.comment),
        encode(&silence.created_by)
    );
    body.push_str("<div class=\"row\">");
    if state != SilenceState::Expired {
        let _ = write!(
            body,
            "<form method=\"post\" action=\"{root}silences/{}/expire\"><button class=\"danger\">End it now</button></form>",
            silence.id
        );
    }
    let _ = write!(
        body,
        "<a class=\"button\" href=\"{}\">New one like this</a></div></article>",
        Raw(&again)
    );
    let matching = alerts(shared, &silence.matchers).await;
    body.push_str(&super::silence_form::matching(&matching, root));
    page(status, body, root)
}
