//! A notification as Slack's message: one attachment, as Alertmanager sends it.

use serde_json::{Map, Value, json};

use crate::model::{Notification, NotificationStatus, Timestamp};
use crate::notify::slack::config::{ActionConfig, FieldConfig, SlackConfig};
use crate::notify::slack::guard;
use crate::notify::slack::text::{Place, Reads, Spec, build_all};
use crate::notify::{Context, RenderError, Text, words};
use crate::template::TemplateData;

/// How many alerts the shipped text lists. Of more it is a digest.
const MAX_ALERTS: usize = 10;
/// The most fields of an attachment, and characters of a field's title and value (the limits of a
/// section block, which Slack names for fields).
const MAX_FIELDS: usize = 20;
const MAX_FIELD_TITLE: usize = 300;
const MAX_FIELD_VALUE: usize = 2000;
/// The most actions of an attachment.
const MAX_ACTIONS: usize = 5;
/// The most characters of a text of an action.
const MAX_ACTION_TEXT: usize = 2000;

/// Everything that is rendered, ready.
pub(super) struct Templates {
    context: Context,
    link_names: bool,
    mrkdwn_in: Vec<String>,
    texts: Vec<(&'static Spec, Text)>,
    fields: Vec<(Text, Text, bool)>,
    actions: Vec<Action>,
}

/// Texts by their names in Slack's message.
type Named = Vec<(&'static str, Text)>;

struct Action {
    texts: Named,
    confirm: Named,
}

/// What happens when a template fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnFailure {
    /// The message is not made.
    Refuse,
    /// Plain words stand in for the text, and the log says so.
    Plain,
}

/// One message on its way of being rendered.
struct Rendering<'a> {
    templates: &'a Templates,
    notification: &'a Notification,
    data: TemplateData,
    now: Timestamp,
    on_failure: OnFailure,
}

impl Templates {
    /// Parses every template of a configuration.
    pub(super) fn new(config: &SlackConfig, context: &Context) -> Result<Self, RenderError> {
        let texts = config.texts.iter();
        let texts = texts.map(|(spec, text)| Ok((*spec, text.build(context, false)?)));
        Ok(Self {
            context: context.clone(),
            link_names: config.link_names,
            mrkdwn_in: config.mrkdwn_in.clone(),
            texts: texts.collect::<Result<_, RenderError>>()?,
            fields: config
                .fields
                .iter()
                .map(|f| build_field(f, context))
                .collect::<Result<_, _>>()?,
            actions: config
                .actions
                .iter()
                .map(|a| build_action(a, context))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The body of the request, without what belongs to a thread.
    pub(super) fn message(
        &self,
        notification: &Notification,
        now: Timestamp,
        on_failure: OnFailure,
    ) -> Result<Map<String, Value>, RenderError> {
        let mut data = self.context.data(notification, now).map_texts(&guard::hide);
        if notification.alerts.len() > MAX_ALERTS || self.is_cut(&data, now) {
            data = data.as_storm();
        }
        let rendering = Rendering { templates: self, notification, data, now, on_failure };
        let mut message = Map::new();
        let mut attachment = Map::new();
        for (spec, text) in &self.texts {
            let Some(words) = rendering.text(spec, text)? else { continue };
            match spec.place {
                Place::Message => message.insert(spec.field.to_string(), Value::from(words)),
                Place::Attachment => attachment.insert(spec.field.to_string(), Value::from(words)),
            };
        }
        rendering.lists(&mut attachment)?;
        attachment.insert("mrkdwn_in".to_string(), json!(self.mrkdwn_in));
        message.insert("attachments".to_string(), Value::Array(vec![Value::Object(attachment)]));
        if self.link_names {
            message.insert("link_names".to_string(), Value::Bool(true));
        }
        Ok(message)
    }

    /// Whether the text of a template file, with all alerts in it, is longer than Slack shows.
    fn is_cut(&self, data: &TemplateData, now: Timestamp) -> bool {
        let text = self.texts.iter().find(|(spec, _)| spec.key == "text");
        let Some((spec, file @ Text::File(_))) = text else { return false };
        let rendered = file.render(&self.context, data, now).unwrap_or_default();
        guard::with_entities(&tidy(&rendered), self.link_names).chars().nth(spec.max).is_some()
    }
}

fn build_field(field: &FieldConfig, context: &Context) -> Result<(Text, Text, bool), RenderError> {
    Ok((field.title.build(context, false)?, field.value.build(context, false)?, field.short))
}

fn build_action(action: &ActionConfig, context: &Context) -> Result<Action, RenderError> {
    let named = |list: &[(&'static str, crate::notify::TextSource)]| {
        let texts = build_all(list.iter().map(|(_, text)| text), context)?;
        Ok::<Named, RenderError>(list.iter().map(|(name, _)| *name).zip(texts).collect())
    };
    Ok(Action { texts: named(&action.texts)?, confirm: named(&action.confirm)? })
}

/// A text without spaces at the ends of its lines.
fn tidy(text: &str) -> String {
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

impl Rendering<'_> {
    /// A text of the table; nothing where it is empty or no usable address.
    fn text(&self, spec: &Spec, text: &Text) -> Result<Option<String>, RenderError> {
        let rendered = match text.render(&self.templates.context, &self.data, self.now) {
            Ok(rendered) => rendered,
            Err(error) => self.stand_in(spec.key, error)?,
        };
        // These are shown in one line.
        let one_line = matches!(spec.key, "title" | "fallback" | "footer");
        let rendered = match one_line {
            true => rendered.split_whitespace().collect::<Vec<_>>().join(" "),
            false => rendered,
        };
        Ok(self.finish(&rendered, spec.reads, spec.max))
    }

    /// What is said where the template of a text fails.
    fn stand_in(&self, key: &str, error: RenderError) -> Result<String, RenderError> {
        if self.on_failure == OnFailure::Refuse {
            return Err(error);
        }
        let integration = &self.notification.integration;
        tracing::warn!(%integration, %error, "a template failed, plain words are sent instead");
        let resolved = self.notification.status() == NotificationStatus::Resolved;
        Ok(match key {
            "title" | "fallback" => guard::hide(&words::headline(self.notification)),
            "text" => guard::hide(&words::listing(self.notification, None)),
            "color" => (if resolved { "good" } else { "danger" }).to_string(),
            _ => String::new(),
        })
    }

    fn finish(&self, rendered: &str, reads: Reads, max: usize) -> Option<String> {
        let trimmed = rendered.trim();
        let words = match reads {
            Reads::Url => guard::url(trimmed).filter(|url| url.chars().count() <= max)?,
            Reads::Plain => crate::template::truncate(&guard::plain(trimmed), max),
            Reads::Markup => {
                guard::cut(&guard::with_entities(&tidy(trimmed), self.templates.link_names), max)
            }
        };
        Some(words).filter(|words| !words.is_empty())
    }

    fn lists(&self, attachment: &mut Map<String, Value>) -> Result<(), RenderError> {
        let mut fields = Vec::new();
        for (title, value, short) in self.templates.fields.iter().take(MAX_FIELDS) {
            let title = self.words(title, Reads::Markup, MAX_FIELD_TITLE)?;
            let value = self.words(value, Reads::Markup, MAX_FIELD_VALUE)?;
            fields.push(json!({ "title": title, "value": value, "short": short }));
        }
        let mut actions = Vec::new();
        for action in self.templates.actions.iter().take(MAX_ACTIONS) {
            let mut shown = self.named(&action.texts)?;
            // A button that opens an address sends nothing, so there is nothing to confirm.
            if shown.contains_key("url") {
                shown.remove("name");
                shown.remove("value");
            } else if !action.confirm.is_empty() {
                shown.insert("confirm".to_string(), Value::Object(self.named(&action.confirm)?));
            }
            actions.push(Value::Object(shown));
        }
        for (name, list) in [("fields", fields), ("actions", actions)] {
            if !list.is_empty() {
                attachment.insert(name.to_string(), Value::Array(list));
            }
        }
        Ok(())
    }

    fn named(&self, texts: &Named) -> Result<Map<String, Value>, RenderError> {
        let mut shown = Map::new();
        for (name, text) in texts {
            let reads = match *name {
                "url" => Reads::Url,
                "type" | "style" | "name" | "value" => Reads::Plain,
                _ => Reads::Markup,
            };
            let words = self.words(text, reads, MAX_ACTION_TEXT)?;
            if !words.is_empty() {
                shown.insert((*name).to_string(), Value::from(words));
            }
        }
        Ok(shown)
    }

    fn words(&self, text: &Text, reads: Reads, max: usize) -> Result<String, RenderError> {
        let rendered = match text.render(&self.templates.context, &self.data, self.now) {
            Ok(rendered) => rendered,
            Err(error) => self.stand_in("", error)?,
        };
        Ok(self.finish(&rendered, reads, max).unwrap_or_default())
    }
}
