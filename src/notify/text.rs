//! One text of a message: written in the configuration, or in a template file.

use crate::model::Timestamp;
use crate::notify::{Context, RenderError};
use crate::template::{GoText, TemplateData};

/// A text as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextSource {
    /// The key in the configuration, for messages: `slack_configs.title`.
    pub key: &'static str,
    /// The Go template in the configuration, as `alertmanager.yml` has them.
    pub inline: Option<String>,
    /// The template file that is used where there is none.
    pub file: &'static str,
}

/// A text ready to be rendered.
#[derive(Clone, Debug)]
pub enum Text {
    /// From the configuration.
    Inline {
        /// The key.
        key: &'static str,
        /// The template.
        text: GoText,
    },
    /// From a template file.
    File(&'static str),
}

impl TextSource {
    /// Makes the text ready; escaped for HTML where `html` is set.
    ///
    /// # Errors
    /// When the inline text is no template.
    pub fn build(&self, context: &Context, html: bool) -> Result<Text, RenderError> {
        let Some(inline) = &self.inline else { return Ok(Text::File(self.file)) };
        let parsed = if html {
            GoText::parse_html(inline, &context.texts)
        } else {
            GoText::parse(inline, &context.texts)
        };
        match parsed {
            Ok(text) => Ok(Text::Inline { key: self.key, text }),
            Err(error) => Err(RenderError {
                template: format!("`{}`", self.key),
                reason: format!("at character {}: {}", error.span.start + 1, error.message),
            }),
        }
    }
}

impl Text {
    /// Renders the text.
    ///
    /// # Errors
    /// Names the key or the file.
    pub fn render(
        &self,
        context: &Context,
        data: &TemplateData,
        now: Timestamp,
    ) -> Result<String, RenderError> {
        match self {
            Self::Inline { key, text } => text.render(data, now).map_err(|error| RenderError {
                template: format!("`{key}`"),
                reason: error.message,
            }),
            Self::File(name) => Ok(context.messages.render(name, data.as_json())?),
        }
    }
}
