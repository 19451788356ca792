//! A notification as events of PagerDuty's Events API v2.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::http::parse_url;
use crate::model::{GroupKey, Notification, NotificationStatus, Timestamp};
use crate::notify::pagerduty::config::{Detail, PagerdutyConfig};
use crate::notify::{Context, RenderError, Text, TextSource, words};
use crate::template::{TemplateData, truncate};

/// The most characters of a summary (PagerDuty's reference of the Common Event Format).
const MAX_SUMMARY: usize = 1024;
/// The most characters of the other short texts: a bound of our own.
const MAX_TEXT: usize = 255;
/// How many alerts the shipped details list. Of more they are a digest.
const MAX_ALERTS: usize = 20;
/// The most links and images of an event: a bound of our own.
const MAX_LINKS: usize = 20;
/// The most characters of a link.
const MAX_URL: usize = 2048;
/// The most bytes of an event: PagerDuty takes 512 kB.
const MAX_EVENT: usize = 512_000;
/// What the routing key and its name add to an event.
const KEY_ROOM: usize = 512;
/// Where an event is too large, its details are cut to these lengths in turn.
const DETAIL_CUTS: [usize; 3] = [30_000, 4000, 500];

/// What an event does to the incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Trigger,
    Resolve,
}

impl Action {
    fn as_str(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Resolve => "resolve",
        }
    }
}

/// The events that tell of a notification. What was over before PagerDuty heard of it is triggered
/// first, so that there is an incident to resolve; a repeated trigger changes nothing.
pub(super) fn actions(notification: &Notification, announced: bool) -> &'static [Action] {
    match (notification.status(), announced) {
        (NotificationStatus::Firing, _) => &[Action::Trigger],
        (NotificationStatus::Resolved, true) => &[Action::Resolve],
        (NotificationStatus::Resolved, false) => &[Action::Trigger, Action::Resolve],
    }
}

/// What happens when a template fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnFailure {
    /// The event is not made.
    Refuse,
    /// Plain words stand in for the text, and the log says so.
    Plain,
}

/// Texts by their names in the event.
type Named = Vec<(&'static str, Text)>;

/// Everything that is rendered, ready.
pub(super) struct Templates {
    context: Context,
    texts: Named,
    details: Vec<(String, Detail<Text>)>,
    links: Vec<Named>,
    images: Vec<Named>,
}

impl Templates {
    /// Parses every template of a configuration.
    pub(super) fn new(config: &PagerdutyConfig, context: &Context) -> Result<Self, RenderError> {
        let named = |list: &Vec<(&'static str, TextSource)>| -> Result<Named, RenderError> {
            list.iter().map(|(name, text)| Ok((*name, text.build(context, false)?))).collect()
        };
        let details = config.details.iter();
        let details = details.map(|(name, d)| Ok((name.clone(), build_detail(d, context)?)));
        Ok(Self {
            context: context.clone(),
            texts: named(&config.texts)?,
            details: details.collect::<Result<_, RenderError>>()?,
            links: config.links.iter().map(named).collect::<Result<_, _>>()?,
            images: config.images.iter().map(named).collect::<Result<_, _>>()?,
        })
    }

    /// An event without its routing key.
    pub(super) fn event(
        &self,
        notification: &Notification,
        action: Action,
        now: Timestamp,
        on_failure: OnFailure,
    ) -> Result<Value, RenderError> {
        let mut data = self.context.data(notification, now);
        if notification.alerts.len() > MAX_ALERTS {
            data = data.as_storm();
        }
        let rendering = Rendering { templates: self, notification, data, now, on_failure };
        let mut event = Map::new();
        event.insert("event_action".to_string(), Value::from(action.as_str()));
        event.insert("dedup_key".to_string(), Value::from(dedup_key(&notification.group_key)));
        let mut payload = Map::new();
        for (name, text) in &self.texts {
            let rendered = rendering.text(name, text)?;
            match *name {
                "client" => insert(&mut event, "client", truncate(&rendered, MAX_TEXT)),
                "client_url" => insert(&mut event, "client_url", usable_url(&rendered)),
                "description" => insert(&mut payload, "summary", one_line(&rendered, MAX_SUMMARY)),
                "severity" => insert(&mut payload, "severity", severity(&rendered).to_string()),
                other => insert(&mut payload, other, one_line(&rendered, MAX_TEXT)),
            }
        }
        // PagerDuty refuses an event without these.
        let headline = words::headline(notification);
        payload.entry("summary").or_insert_with(|| Value::from(truncate(&headline, MAX_SUMMARY)));
        payload.entry("source").or_insert_with(|| Value::from("watchbell"));
        payload.insert("timestamp".to_string(), Value::from(started(notification).rfc3339()));
        payload.insert("custom_details".to_string(), rendering.details()?);
        event.insert("payload".to_string(), Value::Object(payload));
        rendering.lists(&mut event)?;
        Ok(fit(Value::Object(event)))
    }
}

fn build_detail(
    detail: &Detail<TextSource>,
    context: &Context,
) -> Result<Detail<Text>, RenderError> {
    Ok(match detail {
        Detail::Text(text) => Detail::Text(text.build(context, false)?),
        Detail::List(items) => {
            let items = items.iter().map(|item| build_detail(item, context));
            Detail::List(items.collect::<Result<_, _>>()?)
        }
        Detail::Map(entries) => {
            let entries = entries.iter();
            let entries =
                entries.map(|(name, item)| Ok((name.clone(), build_detail(item, context)?)));
            Detail::Map(entries.collect::<Result<_, RenderError>>()?)
        }
    })
}

/// Alertmanager's key: SHA-256 of the group key in hexadecimal digits. So an incident that
/// Alertmanager opened is resolved by us, and the other way round.
fn dedup_key(group: &GroupKey) -> String {
    Sha256::digest(group.0.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// PagerDuty's four severities, for the words that rules use. Alertmanager's default is `error`.
fn severity(rendered: &str) -> &'static str {
    match rendered.trim().to_ascii_lowercase().as_str() {
        "critical" | "page" | "emergency" | "disaster" | "fatal" => "critical",
        "warning" | "warn" | "minor" | "average" | "medium" => "warning",
        "info" | "information" | "notice" | "low" | "none" | "debug" => "info",
        _ => "error",
    }
}

/// The earliest start of what fires, or of all where nothing does.
fn started(notification: &Notification) -> Timestamp {
    let starts = notification.with_status(notification.status()).map(|a| a.alert.starts_at);
    starts.min().unwrap_or(notification.created_at)
}

fn insert(object: &mut Map<String, Value>, name: &str, text: String) {
    if !text.is_empty() {
        object.insert(name.to_string(), Value::from(text));
    }
}

/// A text in one line, cut.
fn one_line(text: &str, max: usize) -> String {
    truncate(&text.split_whitespace().collect::<Vec<_>>().join(" "), max)
}

/// An address for a browser, or nothing.
fn usable_url(rendered: &str) -> String {
    let url = parse_url(rendered.trim()).ok();
    let url = url.map(String::from).filter(|url| url.len() <= MAX_URL);
    url.unwrap_or_default()
}

/// One event on its way of being rendered.
struct Rendering<'a> {
    templates: &'a Templates,
    notification: &'a Notification,
    data: TemplateData,
    now: Timestamp,
    on_failure: OnFailure,
}

impl Rendering<'_> {
    fn text(&self, name: &str, text: &Text) -> Result<String, RenderError> {
        let rendered = text.render(&self.templates.context, &self.data, self.now);
        let error = match rendered {
            Ok(rendered) => return Ok(rendered.trim().to_string()),
            Err(error) => error,
        };
        if self.on_failure == OnFailure::Refuse {
            return Err(error);
        }
        let integration = &self.notification.integration;
        tracing::warn!(%integration, %error, "a template failed, plain words are sent instead");
        Ok(match name {
            "description" => words::headline(self.notification),
            "firing" => words::listing(self.notification, Some(NotificationStatus::Firing)),
            "resolved" => words::listing(self.notification, Some(NotificationStatus::Resolved)),
            "severity" => self.data.as_json()["severity"].as_str().unwrap_or("").to_string(),
            _ => String::new(),
        })
    }

    /// Alertmanager's four details, and those of the configuration, which may replace them.
    fn details(&self) -> Result<Value, RenderError> {
        let count = |status| self.notification.with_status(status).count();
        let mut details = Map::new();
        for (name, file) in
            [("firing", "pagerduty/firing.txt.hbs"), ("resolved", "pagerduty/resolved.txt.hbs")]
        {
            details.insert(name.to_string(), Value::from(self.text(name, &Text::File(file))?));
        }
        details.insert("num_firing".to_string(), json!(count(NotificationStatus::Firing)));
        details.insert("num_resolved".to_string(), json!(count(NotificationStatus::Resolved)));
        for (name, detail) in &self.templates.details {
            details.insert(name.clone(), self.detail(detail)?);
        }
        Ok(Value::Object(details))
    }

    fn detail(&self, detail: &Detail<Text>) -> Result<Value, RenderError> {
        match detail {
            Detail::Text(text) => self.text("", text).map(typed),
            Detail::List(items) => items.iter().map(|item| self.detail(item)).collect(),
            Detail::Map(entries) => {
                let entries = entries.iter();
                entries.map(|(name, item)| Ok((name.clone(), self.detail(item)?))).collect()
            }
        }
    }

    /// Links and images as configured; without configured links those that the alerts bring.
    fn lists(&self, event: &mut Map<String, Value>) -> Result<(), RenderError> {
        let mut links = self.list(&self.templates.links, "href")?;
        if self.templates.links.is_empty() {
            links = own_links(self.notification, self.data.as_json());
        }
        let images = self.list(&self.templates.images, "src")?;
        for (name, list) in [("links", links), ("images", images)] {
            if !list.is_empty() {
                event.insert(name.to_string(), Value::Array(list));
            }
        }
        Ok(())
    }

    /// The items of a list whose `needed` address can be used.
    fn list(&self, items: &[Named], needed: &str) -> Result<Vec<Value>, RenderError> {
        let mut list = Vec::new();
        for item in items.iter().take(MAX_LINKS) {
            let mut shown = Map::new();
            for (name, text) in item {
                let rendered = self.text("", text)?;
                let address = matches!(*name, "href" | "src");
                let text =
                    if address { usable_url(&rendered) } else { truncate(&rendered, MAX_TEXT) };
                insert(&mut shown, name, text);
            }
            if shown.contains_key(needed) {
                list.push(Value::Object(shown));
            }
        }
        Ok(list)
    }
}

/// A rendered detail: what is written as a number, a list or an object becomes one, as it does in
/// Alertmanager, so that `{{ .CommonLabels | toJson }}` is a table in PagerDuty.
fn typed(text: String) -> Value {
    match serde_json::from_str(&text) {
        Ok(Value::String(_) | Value::Null) | Err(_) => Value::from(text),
        Ok(value) => value,
    }
}

/// The pages of this program, and graph, runbook and dashboard of the alerts that are listed, each
/// address once.
fn own_links(notification: &Notification, data: &Value) -> Vec<Value> {
    let one_rule = notification.common_labels().get("alertname").is_some();
    let mut links: Vec<(String, String)> = Vec::new();
    if notification.status() == NotificationStatus::Firing {
        let (silence, text) = match notification.alerts.as_slice() {
            [_] => (&data["alerts"][0]["silenceURL"], "Silence"),
            _ => (&data["silenceURL"], "Silence the group"),
        };
        for (url, text) in [(silence, text), (&data["alertsURL"], "All alerts of the group")] {
            let href = url.as_str().map(usable_url).filter(|href| !href.is_empty());
            links.extend(href.map(|href| (href, text.to_string())));
        }
    }
    for notified in notification.alerts.iter().take(MAX_ALERTS) {
        let annotations = &notified.alert.annotations;
        for (address, text) in [
            (&*notified.alert.generator_url, "Graph"),
            (annotations.value("runbook_url"), "Runbook"),
            (annotations.value("runbook"), "Runbook"),
            (annotations.value("dashboard_url"), "Dashboard"),
            (annotations.value("dashboard"), "Dashboard"),
        ] {
            let href = usable_url(address);
            if !href.is_empty() && links.iter().all(|(known, _)| *known != href) {
                let name = notified.alert.labels.alertname();
                let text = if one_rule { text.to_string() } else { format!("{text}: {name}") };
                links.push((href, truncate(&text, MAX_TEXT)));
            }
        }
    }
    links.truncate(MAX_LINKS);
    links.into_iter().map(|(href, text)| json!({ "href": href, "text": text })).collect()
}

/// Cuts the details of an event that is too large, first their texts, then all of them.
fn fit(mut event: Value) -> Value {
    let too_large = |event: &Value| event.to_string().len() > MAX_EVENT - KEY_ROOM;
    for max in DETAIL_CUTS {
        if !too_large(&event) {
            return event;
        }
        cut_texts(&mut event["payload"]["custom_details"], max);
    }
    if too_large(&event) {
        let counts = &event["payload"]["custom_details"];
        let (firing, resolved) = (counts["num_firing"].clone(), counts["num_resolved"].clone());
        event["payload"]["custom_details"] = json!({
            "num_firing": firing,
            "num_resolved": resolved,
            "cut": "… the details were larger than PagerDuty takes",
        });
    }
    event
}

fn cut_texts(value: &mut Value, max: usize) {
    match value {
        Value::String(text) => *text = truncate(text, max),
        Value::Array(items) => items.iter_mut().for_each(|item| cut_texts(item, max)),
        Value::Object(fields) => fields.values_mut().for_each(|item| cut_texts(item, max)),
        _ => {}
    }
}
