//! `/silences/new`: the form, what it would hold back, and making the silence.

use std::fmt::Write as _;

use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::api::Shared;
use crate::api::answer::ApiError;
use crate::api::params::Params;
use crate::api::ui::form::{Form, PRESETS};
use crate::api::ui::html::{Raw, Shown, short};
use crate::api::ui::now::{AlertNow, alerts};
use crate::api::ui::page::{Page, Place};
use crate::engine::SilenceFailure;
use crate::model::{Fingerprint, Matchers};

/// How many alerts that match are named.
const MAX_NAMED: usize = 10;

/// The form that a link prefills: with matchers, or with an alert's labels by its fingerprint.
pub(super) async fn new(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let params = Params::parse(query.as_deref())?;
    let mut form = Form::from_link(&params);
    if let Some(wanted) = params.first("alert") {
        let all = alerts(&shared, &Matchers::default()).await;
        let wanted = wanted.parse::<Fingerprint>().ok();
        match all.iter().find(|alert| Some(alert.labels.fingerprint()) == wanted) {
            Some(alert) => form.add_labels(&alert.labels),
            None => {
                form.error = Some(
                    "The alert of this link is not active any more, so its labels are not known \
                     here. Write the matchers yourself."
                        .to_string(),
                );
            }
        }
    }
    Ok(show(&shared, form, StatusCode::OK).await)
}

/// Makes the silence, or shows what is wrong, or what the silence would hold.
pub(super) async fn create(
    State(shared): State<Shared>,
    body: String,
) -> Result<Response, ApiError> {
    let params = Params::parse(Some(&body))?;
    let mut form = Form::from_post(&params);
    if params.first("action") == Some("preview") {
        return Ok(show(&shared, form, StatusCode::OK).await);
    }
    let now = shared.daemon.clock.now().wall;
    let Some(draft) = form.draft(now) else {
        return Ok(show(&shared, form, StatusCode::UNPROCESSABLE_ENTITY).await);
    };
    let status = match shared.daemon.dispatch.set_silence(draft).await {
        Ok(id) => {
            let there = [(header::LOCATION, format!("../silences/{id}"))];
            return Ok((StatusCode::SEE_OTHER, there).into_response());
        }
        Err(SilenceFailure::Refused(error)) => {
            form.refuse(&error);
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Err(failure) => {
            form.error = Some(failure.to_string());
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    Ok(show(&shared, form, status).await)
}

async fn show(shared: &Shared, mut form: Form, status: StatusCode) -> Response {
    let found = match form.matchers() {
        Some(matchers) if !matchers.0.is_empty() => Some(alerts(shared, &matchers).await),
        _ => None,
    };
    let body = form_body(&form, found.as_deref());
    Page { status, title: "New silence", place: Place::New, root: "../", body }.into_response()
}

/// The form, and the alerts that it would hold where its matchers can be read.
fn form_body(form: &Form, found: Option<&[AlertNow]>) -> String {
    let mut out = String::new();
    let wrong = [&form.duration_error, &form.author_error, &form.comment_error];
    if let Some(error) = &form.error {
        let _ = write!(out, "<p class=\"box bad\" role=\"alert\">{}</p>", Shown(error));
    } else if wrong.iter().any(|e| e.is_some()) || form.rows.iter().any(|row| row.error.is_some()) {
        out.push_str("<p class=\"box bad\" role=\"alert\">Nothing is silenced yet: see below.</p>");
    }
    out.push_str(
        "<form method=\"post\" action=\"../silences/new\"><fieldset><legend>What: all of these have \
         to match</legend><p class=\"dim\">Untick a line to silence more.</p>",
    );
    for (number, row) in form.shown_rows().enumerate() {
        let checked = if row.on { " checked" } else { "" };
        let bad = if row.error.is_some() { " aria-invalid=\"true\"" } else { "" };
        let _ = write!(
            out,
            "<div class=\"matcher\"><input type=\"checkbox\" name=\"on\" value=\"{number}\" \
             aria-label=\"use this matcher\"{checked}><input class=\"code\" type=\"text\" \
             name=\"matcher\" value=\"{}\"{bad} aria-label=\"matcher\" \
             placeholder=\"instance=~&quot;gpu-.*&quot;\" autocapitalize=\"off\" \
             autocorrect=\"off\" spellcheck=\"false\"></div>{}",
            Raw(&row.text),
            mistake(row.error.as_ref())
        );
    }
    out.push_str("</fieldset>");
    out.push_str(&durations(form));
    for (name, label, value, error, hint) in [
        ("author", "Who", &form.author, &form.author_error, "name"),
        ("comment", "Why", &form.comment, &form.comment_error, "off"),
    ] {
        let bad = if error.is_some() { " aria-invalid=\"true\"" } else { "" };
        let _ = write!(
            out,
            "<fieldset><label class=\"label\" for=\"{name}\">{label}</label><input type=\"text\" \
             id=\"{name}\" name=\"{name}\" value=\"{}\"{bad} autocomplete=\"{hint}\">{}</fieldset>",
            Raw(value),
            mistake(error.as_ref())
        );
    }
    out.push_str(
        "<div class=\"row\"><button class=\"main\" name=\"action\" value=\"create\">Silence</button>\
         <button name=\"action\" value=\"preview\">Show what matches</button></div></form>",
    );
    match found {
        Some(found) => out + &matching(found, "../"),
        None => out,
    }
}

fn mistake(error: Option<&String>) -> String {
    error.map(|e| format!("<p class=\"bad\">{}</p>", Shown(e))).unwrap_or_default()
}

fn durations(form: &Form) -> String {
    let mut out = String::from("<fieldset><legend>For how long</legend><div class=\"choices\">");
    for (value, text) in PRESETS {
        let checked = if form.preset == value { " checked" } else { "" };
        let _ = write!(
            out,
            "<label><input type=\"radio\" name=\"duration\" value=\"{value}\"{checked}> {text}</label>"
        );
    }
    let checked = if form.preset.is_empty() { " checked" } else { "" };
    let bad = if form.duration_error.is_some() { " aria-invalid=\"true\"" } else { "" };
    let _ = write!(
        out,
        "<label><input type=\"radio\" name=\"duration\" value=\"other\"{checked}> other: \
         <input type=\"text\" name=\"other\" value=\"{}\"{bad} placeholder=\"1h30m\" \
         aria-label=\"other duration\"></label></div>{}</fieldset>",
        Raw(&form.other),
        mistake(form.duration_error.as_ref())
    );
    out
}

/// What matches at the moment: how many, and some of them.
pub(super) fn matching(found: &[AlertNow], root: &str) -> String {
    let mut out = match found.len() {
        0 => "<h2>No alert matches now</h2>".to_string(),
        1 => "<h2>1 alert matches now</h2>".to_string(),
        count => format!("<h2>{count} alerts match now</h2>"),
    };
    for alert in found.iter().take(MAX_NAMED) {
        let state = alert.state.as_str();
        let _ = write!(
            out,
            "<article class=\"card {state}\"><p><span class=\"name\">{}</span> <span class=\"tag {state}\">{state}</span></p>{}</article>",
            Shown(&short(alert.labels.alertname(), 120)),
            super::html::labels(&alert.labels, &["alertname"])
        );
    }
    if found.len() > MAX_NAMED {
        let rest = found.len() - MAX_NAMED;
        let _ = write!(
            out,
            "<p class=\"box\">… and {rest} more: <a href=\"{root}alerts\">all alerts</a></p>"
        );
    }
    out
}
