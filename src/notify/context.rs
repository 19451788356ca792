//! What every integration needs to render a message.

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::model::{Notification, Timestamp};
use crate::notify::{KINDS, RenderError};
use crate::template::{
    GoTemplates, MessageContext, MessageError, NotificationTemplates, TemplateData,
};

/// The surroundings of a message, the same for all integrations.
#[derive(Clone, Debug)]
pub struct Context {
    /// The messages: the shipped templates, and those of the configuration.
    pub messages: Arc<NotificationTemplates>,
    /// The named Go templates that inline texts may call.
    pub texts: GoTemplates,
    /// The zone of the times that people read.
    pub time_zone: TimeZone,
    /// The address under which people reach this program, without a slash at its end; empty
    /// where it is not known, and then nothing links to it.
    pub external_url: String,
}

impl Context {
    /// A context with the shipped templates and those of files, given by path and text. A file
    /// replaces the shipped template of the same folder and name, such as `slack/text.txt.hbs`;
    /// `*.tmpl` files define Go templates.
    ///
    /// # Errors
    /// Every file with a mistake.
    pub fn new(
        files: &[(String, String)],
        time_zone: TimeZone,
        external_url: String,
    ) -> Result<Self, Vec<RenderError>> {
        let (go, handlebars): (Vec<_>, Vec<_>) =
            files.iter().cloned().partition(|(path, _)| !path.ends_with(".hbs"));
        let shipped = KINDS.iter().flat_map(|kind| kind.templates.iter().copied());
        let own = handlebars.iter().map(|(path, text)| (template_name(path), text.as_str()));
        let messages = NotificationTemplates::load(shipped.chain(own));
        let texts = GoTemplates::new(&go);
        match (messages, texts) {
            (Ok(messages), Ok(texts)) => {
                Ok(Self { messages: Arc::new(messages), texts, time_zone, external_url })
            }
            (messages, texts) => {
                let messages = messages.err().unwrap_or_default().into_iter();
                let texts = texts.err().unwrap_or_default().into_iter();
                let go = |error: crate::template::GoFileError| RenderError {
                    reason: error.error.to_string(),
                    template: error.file,
                };
                Err(messages.map(RenderError::from).chain(texts.map(go)).collect())
            }
        }
    }

    /// A notification as templates see it.
    pub fn data(&self, notification: &Notification, now: Timestamp) -> TemplateData {
        let context =
            MessageContext { external_url: &self.external_url, time_zone: &self.time_zone, now };
        TemplateData::new(notification, &context)
    }
}

/// The name of a template by its path: the last folder and the file.
fn template_name(path: &str) -> &str {
    let mut slashes = path.rmatch_indices('/').map(|(index, _)| index + 1);
    let start = slashes.nth(1).unwrap_or(0);
    path.get(start..).unwrap_or(path)
}

impl From<MessageError> for RenderError {
    fn from(error: MessageError) -> Self {
        let reason = match (error.line, error.column) {
            (0, _) => error.message,
            (line, column) => format!("line {line}, column {column}: {}", error.message),
        };
        Self { template: error.name, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_named_by_its_folder_and_file() {
        assert_eq!(template_name("/etc/watchbell/slack/text.txt.hbs"), "slack/text.txt.hbs");
        assert_eq!(template_name("slack/text.txt.hbs"), "slack/text.txt.hbs");
        assert_eq!(template_name("text.txt.hbs"), "text.txt.hbs");
    }
}
