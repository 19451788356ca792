//! The words of a mail: subject, text, HTML, and what the headers say.

use crate::model::{Notification, NotificationStatus, Timestamp};
use crate::notify::{Context, RenderError, Text, TextSource};
use crate::template::{TemplateData, truncate};

use super::config::EmailConfig;
use super::view;

/// The shipped template of the subject.
pub(super) const SUBJECT: &str = "email/subject.txt.hbs";
/// The shipped template of the HTML part.
pub(super) const HTML: &str = "email/body.html.hbs";
/// The shipped template of the text part.
pub(super) const TEXT: &str = "email/body.txt.hbs";

/// The most bytes of the shipped HTML part: Gmail cuts a mail at 102 kB.
const MAX_HTML: usize = 100_000;
/// The most bytes of one part; servers refuse mails of 10 MB, and base64 adds a third.
const MAX_PART: usize = 3 * 1024 * 1024;

/// A mail's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: Option<String>,
    /// The addresses as written in the configuration.
    pub(super) to: String,
    pub(super) from: String,
    /// Names and values of the configured headers, without the subject.
    pub(super) headers: Vec<(String, String)>,
}

/// The templates of one integration.
pub(super) struct Texts {
    context: Context,
    subject: Text,
    text: Text,
    html: Option<Text>,
    to: Text,
    from: Text,
    headers: Vec<(String, Text)>,
}

/// One notification in the forms that templates see.
struct Data {
    /// For inline Go templates.
    full: TemplateData,
    /// For Handlebars files: with `mail` added.
    shown: serde_json::Value,
    now: Timestamp,
}

impl Data {
    /// The same for a mail that is a digest with so many alerts.
    fn into_storm(self, room: usize) -> Self {
        let full = self.full.as_storm();
        Self { shown: view::extend(full.as_json(), room), full, now: self.now }
    }
}

impl Texts {
    /// Parses the templates.
    pub(super) fn new(config: &EmailConfig, context: &Context) -> Result<Self, RenderError> {
        let inline = |key, text: &str| {
            TextSource { key, inline: Some(text.to_string()), file: "" }.build(context, false)
        };
        let is_subject = |name: &str| name.eq_ignore_ascii_case("subject");
        let subject = config.headers.iter().find(|(name, _)| is_subject(name));
        let subject = TextSource {
            key: "email_configs.headers.Subject",
            inline: subject.map(|(_, text)| text.clone()),
            file: SUBJECT,
        };
        let text =
            TextSource { key: "email_configs.text", inline: config.text.clone(), file: TEXT };
        let html =
            TextSource { key: "email_configs.html", inline: config.html.clone(), file: HTML };
        let has_html = config.html.as_ref().is_none_or(|html| !html.is_empty());
        let headers = config.headers.iter().filter(|(name, _)| !is_subject(name));
        Ok(Self {
            subject: subject.build(context, false)?,
            text: text.build(context, false)?,
            html: has_html.then(|| html.build(context, true)).transpose()?,
            to: inline("email_configs.to", &config.to)?,
            from: inline("email_configs.from", &config.from)?,
            headers: headers
                .map(|(name, text)| Ok((name.clone(), inline("email_configs.headers", text)?)))
                .collect::<Result<_, RenderError>>()?,
            context: context.clone(),
        })
    }

    /// The day of a time in the zone of the messages: `2026-01-02`.
    pub(super) fn day(&self, now: Timestamp) -> String {
        let at = jiff::Timestamp::from_millisecond(now.millis()).unwrap_or_default();
        at.to_zoned(self.context.time_zone.clone()).date().to_string()
    }

    /// Renders everything.
    pub(super) fn render(
        &self,
        notification: &Notification,
        now: Timestamp,
    ) -> Result<Words, RenderError> {
        let mut data = self.data(notification, now);
        let mut html = self.html.as_ref().map(|html| self.one(html, &data)).transpose()?;
        for room in view::DIGEST {
            let cut = html.as_ref().is_some_and(|html| html.len() > MAX_HTML);
            let Some(file @ Text::File(_)) = self.html.as_ref().filter(|_| cut) else { break };
            data = data.into_storm(room);
            html = Some(self.one(file, &data)?);
        }
        Ok(Words {
            subject: self.one(&self.subject, &data)?,
            text: self.one(&self.text, &data)?,
            html,
            to: self.one(&self.to, &data)?,
            from: self.one(&self.from, &data)?,
            headers: self
                .headers
                .iter()
                .map(|(name, text)| Ok((name.clone(), self.one(text, &data)?)))
                .collect::<Result<_, RenderError>>()?,
        })
    }

    /// The words where a template fails: plain, but all that matters. Whatever of the other texts
    /// can be rendered is kept; without an address nothing can be sent.
    pub(super) fn plain(&self, notification: &Notification, now: Timestamp) -> Words {
        let data = self.data(notification, now);
        let title = data.full.as_json().get("title").and_then(serde_json::Value::as_str);
        let title = title.unwrap_or_default().to_string();
        let headers = self.headers.iter();
        Words {
            text: plain_text(&title, notification),
            subject: self.one(&self.subject, &data).unwrap_or(title),
            html: None,
            to: self.one(&self.to, &data).unwrap_or_default(),
            from: self.one(&self.from, &data).unwrap_or_default(),
            headers: headers
                .filter_map(|(name, text)| Some((name.clone(), self.one(text, &data).ok()?)))
                .collect(),
        }
    }

    fn data(&self, notification: &Notification, now: Timestamp) -> Data {
        let full = self.context.data(notification, now);
        let (full, room) = match notification.alerts.len() > view::MAX_ALERTS {
            true => (full.as_storm(), view::DIGEST[0]),
            false => (full, view::MAX_ALERTS),
        };
        Data { shown: view::extend(full.as_json(), room), full, now }
    }

    fn one(&self, text: &Text, data: &Data) -> Result<String, RenderError> {
        let rendered = match text {
            Text::File(name) => self.context.messages.render(name, &data.shown)?,
            inline @ Text::Inline { .. } => inline.render(&self.context, &data.full, data.now)?,
        };
        if rendered.len() > MAX_PART {
            let template = match text {
                Text::File(name) => (*name).to_string(),
                Text::Inline { key, .. } => format!("`{key}`"),
            };
            let reason = format!("the text exceeds {MAX_PART} bytes");
            return Err(RenderError { template, reason });
        }
        Ok(rendered)
    }
}

/// A list in our own words, for when there are no others.
fn plain_text(title: &str, notification: &Notification) -> String {
    let mut text = format!("{title}\n");
    for notified in notification.alerts.iter().take(view::MAX_ALERTS) {
        let alert = &notified.alert;
        let state = match (notified.status(), notified.missed) {
            (NotificationStatus::Firing, _) => "firing",
            (NotificationStatus::Resolved, true) => "fired and resolved",
            (NotificationStatus::Resolved, false) => "resolved",
        };
        let summary = truncate(alert.annotations.value("summary"), 400);
        let labels = truncate(&alert.labels.to_string(), 2000);
        text += &format!("\n{state}: {summary}\n{labels}\nsince {}\n", alert.starts_at);
        if !alert.generator_url.is_empty() {
            text += &format!("{}\n", truncate(&alert.generator_url, 4000));
        }
    }
    let more = notification.alerts.len().saturating_sub(view::MAX_ALERTS);
    if more > 0 {
        text += &format!("\nand {more} more\n");
    }
    text + "\nA template of this mail failed; the log says why.\n"
}
