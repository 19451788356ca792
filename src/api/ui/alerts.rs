//! `/` and `/alerts`: what fires now, what is held back and why.

use std::fmt::Write as _;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::alerting::AlertState;
use crate::api::Shared;
use crate::api::answer::ApiError;
use crate::api::params::Params;
use crate::api::ui::html::{Raw, Shown, encode, labels, short};
use crate::api::ui::now::{AlertNow, alerts, whereabouts};
use crate::api::ui::page::{Page, Place};
use crate::engine::Whereabouts;
use crate::http::parse_url;
use crate::model::{LabelSet, MatchOp, Matcher, Matchers, Tally, Timestamp, parse_matchers};
use crate::template::duration_text;

/// How many alerts a page shows.
const PER_PAGE: usize = 50;
/// How many alerts are asked for their ways at most; of more the gravest.
const MAX_LOOKED_AT: usize = 10_000;
/// From how many alerts on they are counted by their labels.
const MANY: usize = 20;
/// How many values of a label are counted.
const MAX_VALUES: usize = 8;

/// What a link or the form asks for.
struct Asked {
    filter: String,
    receiver: String,
    /// `firing`, `pending`, `held`, or empty for all.
    state: String,
    page: usize,
    matchers: Result<Matchers, String>,
}

impl Asked {
    fn read(params: &Params) -> Self {
        let filters: Vec<&str> = params.all("filter").filter(|f| !f.trim().is_empty()).collect();
        let matchers = filters.iter().try_fold(Vec::new(), |mut all, filter| {
            all.extend(parse_matchers(filter).map_err(|error| error.to_string())?.0);
            Ok(all)
        });
        let text = |name| params.first(name).unwrap_or_default().to_string();
        let filter = match &matchers {
            Ok(matchers) if filters.len() > 1 => Matchers(matchers.clone()).to_string(),
            _ => filters.join(","),
        };
        Self {
            filter,
            receiver: text("receiver"),
            state: text("state"),
            page: params.first("page").and_then(|page| page.parse().ok()).unwrap_or(1).max(1),
            matchers: matchers.map(Matchers),
        }
    }

    /// The address of this list with another state and page.
    fn link(&self, state: &str, page: usize) -> String {
        let mut link = String::from("alerts?");
        for (name, value) in
            [("filter", self.filter.as_str()), ("receiver", &self.receiver), ("state", state)]
        {
            if !value.is_empty() {
                let _ = write!(link, "{name}={}&", encode(value));
            }
        }
        if page > 1 {
            let _ = write!(link, "page={page}");
        }
        link.trim_end_matches(['&', '?']).to_string()
    }
}

/// What fires and the rest, each with its ways.
type Found<'a> = Vec<(&'a AlertNow, &'a Whereabouts)>;

/// The page.
pub(super) async fn page(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let asked = Asked::read(&Params::parse(query.as_deref())?);
    let mut body = filter_form(&asked);
    let matchers = match &asked.matchers {
        Ok(matchers) => matchers,
        Err(error) => {
            let _ = write!(body, "<p class=\"box bad\">{}</p>", Shown(error));
            return Ok(answer(StatusCode::BAD_REQUEST, body));
        }
    };
    let mut all = alerts(&shared, matchers).await;
    let left_out = all.len().saturating_sub(MAX_LOOKED_AT);
    all.truncate(MAX_LOOKED_AT);
    let ways = whereabouts(&shared, &all).await;
    let mut found: Found = all.iter().zip(&ways).collect();
    if !asked.receiver.is_empty() {
        found.retain(|(_, ways)| ways.ends.iter().any(|end| end.receiver == asked.receiver));
    }
    // What nobody is told of comes behind what somebody has to act on.
    found.sort_by_key(|found| match state(found).0 {
        "firing" => 0,
        "held" => 1,
        _ => 2,
    });
    body.push_str(&states(&asked, &found));
    if left_out > 0 {
        let _ = write!(
            body,
            "<p class=\"box\">These are the gravest {MAX_LOOKED_AT}; {left_out} more are not looked at. Use the filter.</p>"
        );
    }
    found.retain(|found| asked.state.is_empty() || state(found).0 == asked.state);
    body.push_str(&counts(&asked, matchers, &found));
    let now = shared.daemon.clock.now().wall;
    let first = (asked.page - 1).saturating_mul(PER_PAGE);
    for found in found.iter().skip(first).take(PER_PAGE) {
        body.push_str(&card(found, now));
    }
    if found.is_empty() {
        body.push_str("<p class=\"box\">No alert. ");
        body.push_str(if shared.daemon.state.is_ready() {
            "All is quiet here.</p>"
        } else {
            "Watchbell is starting or stopping.</p>"
        });
    }
    body.push_str(&pages(&asked, found.len()));
    Ok(answer(StatusCode::OK, body))
}

fn answer(status: StatusCode, body: String) -> Response {
    Page { status, title: "Alerts", place: Place::Alerts, root: "", body }.into_response()
}

fn filter_form(asked: &Asked) -> String {
    let bad = if asked.matchers.is_err() { " aria-invalid=\"true\"" } else { "" };
    let mut form = format!(
        "<form action=\"alerts\" method=\"get\"><label class=\"label\" for=\"filter\">Filter</label>\
         <input class=\"code\" type=\"text\" id=\"filter\" name=\"filter\" value=\"{}\"{bad} \
         placeholder=\"severity=&quot;critical&quot;, instance=~&quot;gpu-.*&quot;\" \
         autocapitalize=\"off\" autocorrect=\"off\" spellcheck=\"false\">",
        Raw(&asked.filter)
    );
    if !asked.receiver.is_empty() {
        let _ = write!(
            form,
            "<p class=\"dim\"><label><input type=\"checkbox\" name=\"receiver\" value=\"{}\" checked> \
             only what goes to <b>{}</b></label></p>",
            Raw(&asked.receiver),
            Shown(&asked.receiver)
        );
    }
    let _ = write!(form, "<div class=\"row\"><button>Filter</button>");
    if asked.matchers.as_ref().is_ok_and(|matchers| !matchers.0.is_empty()) {
        let _ = write!(
            form,
            "<a class=\"button\" href=\"silences/new?filter={}\">Silence what matches</a>\
             <a class=\"button\" href=\"alerts\">Show all</a>",
            encode(&asked.filter)
        );
    }
    form + "</div></form>"
}

/// The state of an alert for people, with its class.
fn state((alert, ways): &(&AlertNow, &Whereabouts)) -> (&'static str, &'static str) {
    let held = !ways.ends.is_empty() && ways.ends.iter().all(|end| end.held.is_some());
    match alert.state {
        AlertState::Firing if held => ("held", "held back"),
        AlertState::Firing => ("firing", "firing"),
        _ => ("pending", "pending"),
    }
}

/// How many alerts there are of each state, as links.
fn states(asked: &Asked, found: &Found) -> String {
    let mut out = String::from("<nav class=\"row\">");
    let all = [("", "all"), ("firing", "firing"), ("pending", "pending"), ("held", "held back")];
    for (name, text) in all {
        let count = found.iter().filter(|f| name.is_empty() || state(f).0 == name).count();
        let current = if name == asked.state { " aria-current=\"true\"" } else { "" };
        let _ = write!(
            out,
            "<a class=\"tag {name}\" href=\"{}\"{current}>{count} {text}</a>",
            Raw(&asked.link(name, 1))
        );
    }
    out + "</nav>"
}

/// Of many alerts how many have which label, each a link that narrows the list.
fn counts(asked: &Asked, matchers: &Matchers, found: &Found) -> String {
    if found.len() <= MANY {
        return String::new();
    }
    let labels: Vec<&LabelSet> = found.iter().map(|(alert, _)| &alert.labels).collect();
    let mut out = String::from("<div class=\"card counts\">");
    for tally in Tally::telling(&labels) {
        let _ = write!(out, "<div><h2>{}</h2><table>", Shown(&short(tally.name, 80)));
        for (value, count) in tally.values.iter().take(MAX_VALUES) {
            let mut narrower = matchers.clone();
            narrower.0.extend(Matcher::new(tally.name, MatchOp::Equal, *value).ok());
            let link = Asked {
                filter: narrower.to_string(),
                receiver: asked.receiver.clone(),
                state: String::new(),
                page: 1,
                matchers: Ok(Matchers::default()),
            };
            let shown = if value.is_empty() { "without it" } else { value };
            let _ = write!(
                out,
                "<tr><td class=\"n\">{count}</td><td><a href=\"{}\">{}</a></td></tr>",
                Raw(&link.link(&asked.state, 1)),
                Shown(&short(shown, 80))
            );
        }
        let rest = tally.values.iter().skip(MAX_VALUES).map(|(_, count)| count).sum::<usize>();
        if rest + tally.others > 0 {
            let rest = rest + tally.others;
            let _ = write!(out, "<tr><td class=\"n\">{rest}</td><td>other values</td></tr>");
        }
        out.push_str("</table></div>");
    }
    out + "</div>"
}

/// One alert.
fn card(found: &(&AlertNow, &Whereabouts), now: Timestamp) -> String {
    let (alert, ways) = found;
    let (class, text) = state(found);
    let severity = alert.labels.value("severity");
    let mut out = format!(
        "<article class=\"card {class}\"><p><span class=\"name\">{}</span> <span class=\"tag {class}\">{text}</span>",
        Shown(&short(alert.labels.alertname(), 120))
    );
    if !severity.is_empty() {
        let _ = write!(out, " <span class=\"tag\">{}</span>", Shown(&short(severity, 40)));
    }
    out.push_str("</p>");
    let text = |name: &str| alert.annotations.value(name);
    let summary = [text("summary"), text("title"), text("message"), text("description")];
    if let Some(summary) = summary.iter().find(|summary| !summary.is_empty()) {
        let _ = write!(out, "<p>{}</p>", Shown(&short(summary, 400)));
    }
    out.push_str(&labels(&alert.labels, &["alertname", "severity"]));
    let since = duration_text(now.since(alert.since));
    let _ = write!(
        out,
        "<p class=\"dim\">since {since} ({}), value {}</p>",
        clock(alert.since),
        Shown(&alert.value.to_string())
    );
    out.push_str(&held(ways));
    let _ = write!(
        out,
        "<div class=\"row\"><a class=\"button\" href=\"silences/new?filter={}\">Silence</a>",
        encode(&filter_of(&alert.labels))
    );
    let explain = alert.labels.iter().filter_map(|(n, v)| Matcher::new(n, MatchOp::Equal, v).ok());
    let explain = explain.map(|m| format!("filter={}", encode(&m.to_string())));
    let explain = explain.collect::<Vec<_>>().join("&");
    let _ = write!(
        out,
        "<a class=\"button\" href=\"{}\">Explain</a>",
        Raw(&format!("api/watchbell/explain?{explain}"))
    );
    let runbook = [text("runbook_url"), text("runbook")];
    if let Some(url) = runbook.iter().find_map(|url| parse_url(url.trim()).ok()) {
        let _ = write!(
            out,
            "<a class=\"button\" rel=\"noreferrer\" href=\"{}\">Runbook</a>",
            Raw(url.as_str())
        );
    }
    out + "</div></article>"
}

/// Where an alert goes, and what holds it back.
fn held(ways: &Whereabouts) -> String {
    let mut out = String::new();
    for end in &ways.ends {
        let receiver = Shown(&end.receiver).to_string();
        let Some(held) = &end.held else {
            let _ = write!(out, "<p class=\"dim\">goes to <b>{receiver}</b></p>");
            continue;
        };
        let reason = held.reason.replace('_', " ");
        let _ = write!(
            out,
            "<p class=\"why\">held back from <b>{receiver}</b>: {reason} {}",
            Shown(&short(&held.words, 500))
        );
        for id in held.silences.iter().take(5) {
            let _ = write!(out, " <a href=\"silences/{id}\">show silence</a>");
        }
        out.push_str("</p>");
    }
    out
}

/// Links to the other pages.
fn pages(asked: &Asked, count: usize) -> String {
    let last = count.div_ceil(PER_PAGE).max(1);
    if last == 1 {
        return String::new();
    }
    let mut out =
        format!("<nav class=\"row\"><span>page {} of {last}</span>", asked.page.min(last));
    for (text, page) in [("Back", asked.page - 1), ("Next", asked.page.saturating_add(1))] {
        if (1..=last).contains(&page) {
            let link = asked.link(&asked.state, page);
            let _ = write!(out, "<a class=\"button\" href=\"{}\">{text}</a>", Raw(&link));
        }
    }
    out + "</nav>"
}

/// The matchers of a label set, as the value of `filter`.
pub(super) fn filter_of(labels: &LabelSet) -> String {
    let matchers = labels.iter().filter_map(|(n, v)| Matcher::new(n, MatchOp::Equal, v).ok());
    matchers.map(|matcher| matcher.to_string()).collect::<Vec<_>>().join(",")
}

/// A time as people read it, in UTC.
pub(super) fn clock(at: Timestamp) -> String {
    crate::template::time_text(at, &jiff::tz::TimeZone::UTC)
}
