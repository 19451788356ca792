//! Handlebars for messages: named templates, escaped by the ending of their files.

mod check;
mod helpers;

use std::fmt::Write as _;
use std::io;

use handlebars::{Handlebars, RenderError, Template, TemplateError as HandlebarsError};
use serde_json::Value;

pub use helpers::truncate;

/// The most bytes of one template.
const MAX_BYTES: usize = 512 * 1024;
/// The most bytes of one rendered message.
const MAX_OUTPUT: usize = 4 * 1024 * 1024;

/// Why a template is refused or gives no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template {name}:{line}:{column}: {message}")]
pub struct MessageError {
    /// The template.
    pub name: String,
    /// Line of the cause, from 1; 0 where it is not known.
    pub line: usize,
    /// Column of the cause, from 1; 0 where it is not known.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// How the values in a template are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escape {
    /// `.html.hbs`
    Html,
    /// `.json.hbs`: for the inside of a JSON string.
    Json,
    /// `.txt.hbs`
    None,
}

impl Escape {
    fn of(name: &str) -> Option<Self> {
        let ending = |e: &str| name.ends_with(e);
        match () {
            () if ending(".html.hbs") => Some(Self::Html),
            () if ending(".json.hbs") => Some(Self::Json),
            () if ending(".txt.hbs") => Some(Self::None),
            () => None,
        }
    }
}

/// The message templates of a configuration.
///
/// A field that the data lacks is written as nothing. A helper or a partial that does not exist is
/// refused when the templates are loaded. A partial is named as its file is, and has the ending of
/// the template that calls it. Beside Handlebars' own helpers there are those of `helpers.rs`.
pub struct NotificationTemplates {
    html: Handlebars<'static>,
    json: Handlebars<'static>,
    text: Handlebars<'static>,
}

impl NotificationTemplates {
    /// Loads templates by name and text. Of two with one name the later counts, so that a
    /// configuration replaces a default.
    ///
    /// # Errors
    /// Every template with a mistake, each with its first one.
    pub fn load<'a>(
        templates: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Vec<MessageError>> {
        let mut set = Self {
            html: registry(Escape::Html),
            json: registry(Escape::Json),
            text: registry(Escape::None),
        };
        let mut errors = Vec::new();
        for (name, text) in templates {
            if let Err(error) = set.add(name, text) {
                errors.push(error);
            }
        }
        for registry in [&set.html, &set.json, &set.text] {
            errors.extend(check::check(registry));
        }
        if errors.is_empty() { Ok(set) } else { Err(errors) }
    }

    fn add(&mut self, name: &str, text: &str) -> Result<(), MessageError> {
        let Some(escape) = Escape::of(name) else {
            let message = "the name must end in .html.hbs, .json.hbs or .txt.hbs";
            return Err(error(name, message));
        };
        if text.len() > MAX_BYTES {
            return Err(error(name, format!("a template may have {MAX_BYTES} bytes")));
        }
        check::nesting(text).map_err(|message| error(name, message))?;
        let template = Template::compile_with_name(text, name.to_string())
            .map_err(|e| syntax_error(name, &e))?;
        self.registry_mut(escape).register_template(name, template);
        Ok(())
    }

    fn registry_mut(&mut self, escape: Escape) -> &mut Handlebars<'static> {
        match escape {
            Escape::Html => &mut self.html,
            Escape::Json => &mut self.json,
            Escape::None => &mut self.text,
        }
    }

    /// Whether a template of this name is loaded.
    pub fn contains(&self, name: &str) -> bool {
        [&self.html, &self.json, &self.text].iter().any(|r| r.has_template(name))
    }

    /// Renders a template over data such as [`crate::template::TemplateData`].
    ///
    /// # Errors
    /// When there is no such template, a helper refuses its arguments, or the message exceeds its
    /// bound.
    pub fn render(&self, name: &str, data: &Value) -> Result<String, MessageError> {
        let registry = match Escape::of(name) {
            Some(Escape::Html) => &self.html,
            Some(Escape::Json) => &self.json,
            _ => &self.text,
        };
        if !registry.has_template(name) {
            return Err(error(name, "there is no such template"));
        }
        let mut out = Capped(Vec::new());
        registry.render_to_write(name, data, &mut out).map_err(|e| render_error(name, &e))?;
        String::from_utf8(out.0).map_err(|e| error(name, e.to_string()))
    }
}

impl std::fmt::Debug for NotificationTemplates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut names: Vec<&String> = [&self.html, &self.json, &self.text]
            .into_iter()
            .flat_map(|r| r.get_templates().keys())
            .collect();
        names.sort();
        f.debug_list().entries(names).finish()
    }
}

fn registry(escape: Escape) -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    registry.unregister_helper("log");
    match escape {
        Escape::Html => registry.register_escape_fn(handlebars::html_escape),
        Escape::Json => registry.register_escape_fn(json_escape),
        Escape::None => registry.register_escape_fn(handlebars::no_escape),
    }
    helpers::register(&mut registry);
    registry
}

/// A text as it stands inside of a JSON string.
fn json_escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' || c == '\u{7f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

fn error(name: &str, message: impl Into<String>) -> MessageError {
    MessageError { name: name.to_string(), line: 0, column: 0, message: message.into() }
}

fn syntax_error(name: &str, e: &HandlebarsError) -> MessageError {
    let (line, column) = e.pos().unwrap_or((0, 0));
    MessageError { line, column, ..error(name, e.reason().to_string()) }
}

fn render_error(name: &str, e: &RenderError) -> MessageError {
    let (line, column) = (e.line_no.unwrap_or(0), e.column_no.unwrap_or(0));
    let at = e.template_name.as_deref().unwrap_or(name);
    MessageError { line, column, ..error(at, e.reason().to_string()) }
}

/// A message that stops growing.
struct Capped(Vec<u8>);

impl io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(io::Error::other(format!("the message exceeds {MAX_OUTPUT} bytes")));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
