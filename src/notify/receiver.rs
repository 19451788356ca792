//! Receivers as configured: which integrations they have, by the kinds that exist.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use crate::diag::Span;
use crate::http::HttpError;
use crate::model::{IntegrationId, SecretError, SecretSource};
use crate::notify::{Context, Globals, Integration, KINDS, Notifier, Receiver, RenderError};
use crate::yaml::{Fields, Node, Reader};

/// Integrations that Alertmanager has and that do not exist here yet. They are refused by name.
const NOT_YET: [&str; 14] = [
    "discord_configs",
    "incidentio_configs",
    "jira_configs",
    "mattermost_configs",
    "msteams_configs",
    "msteamsv2_configs",
    "opsgenie_configs",
    "pushover_configs",
    "rocketchat_configs",
    "sns_configs",
    "telegram_configs",
    "victorops_configs",
    "webex_configs",
    "wechat_configs",
];

/// Reads the configuration of one integration.
pub type ReadConfig =
    fn(&mut Reader, &Node, &IntegrationId, &Globals) -> Option<Box<dyn IntegrationConfig>>;

/// A kind of integration: one line of the table [`KINDS`].
pub struct Kind {
    /// The name, as in metrics and API: `slack`.
    pub name: &'static str,
    /// The key of a receiver that holds a list of them: `slack_configs`.
    pub key: &'static str,
    /// The shipped templates: names such as `slack/title.txt.hbs`, and texts.
    pub templates: &'static [(&'static str, &'static str)],
    /// Reads one item of the list; notes every mistake and then returns `None`.
    pub read: ReadConfig,
}

/// The checked configuration of one integration.
pub trait IntegrationConfig: Debug + Send + Sync {
    /// Whether it is told of resolved alerts.
    fn send_resolved(&self) -> bool;

    /// What it needs to deliver and may be in files of its own. A file that is missing is told
    /// when the program starts, and refuses nothing: it may come later.
    fn secrets(&self) -> Vec<&SecretSource>;

    /// Makes the integration ready to deliver. Every template is rendered with a sample here, so
    /// that a broken one is found before it is needed.
    ///
    /// # Errors
    /// What is wrong; nothing is sent.
    fn build(&self, context: &Context) -> Result<Arc<dyn Notifier>, BuildError>;
}

/// Why an integration cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A template does not render a sample.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The HTTP client cannot be made: a certificate, say.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// A secret cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Something else, without any secret.
    #[error("{0}")]
    Other(String),
}

/// A receiver as configured.
#[derive(Debug)]
pub struct ReceiverConfig {
    /// Its name.
    pub name: String,
    /// The place of its name.
    pub span: Span,
    /// Its integrations with their identities and places, in the order of the file.
    pub integrations: Vec<(IntegrationId, Span, Box<dyn IntegrationConfig>)>,
}

impl ReceiverConfig {
    /// Makes the receiver ready to deliver.
    ///
    /// # Errors
    /// All integrations that cannot be made ready, each with its place.
    pub fn build(&self, context: &Context) -> Result<Receiver, Vec<(Span, BuildError)>> {
        let mut integrations = Vec::new();
        let mut errors = Vec::new();
        for (id, span, config) in &self.integrations {
            match config.build(context) {
                Ok(notifier) => integrations.push(Integration {
                    id: id.clone(),
                    send_resolved: config.send_resolved(),
                    notifier,
                }),
                Err(error) => errors.push((*span, error)),
            }
        }
        if errors.is_empty() {
            Ok(Receiver { name: self.name.clone(), integrations })
        } else {
            Err(errors)
        }
    }
}

/// Reads the list `receivers`. Names are unique and not empty.
pub fn read_receivers(reader: &mut Reader, node: &Node, globals: &Globals) -> Vec<ReceiverConfig> {
    let mut names: BTreeMap<String, Span> = BTreeMap::new();
    let mut receivers = Vec::new();
    for item in reader.list(node, "`receivers`").unwrap_or_default() {
        let Some(mut fields) = reader.mapping(item, "the receiver") else { continue };
        let span = fields.key_span("name").unwrap_or(item.span);
        let name = fields.require_string(reader, "name").map(str::to_string);
        if let Some(name) = &name {
            check_name(reader, name, span, &mut names);
        }
        let receiver = name.unwrap_or_default();
        let integrations = read_integrations(reader, &mut fields, &receiver, globals);
        fields.finish(reader);
        receivers.push(ReceiverConfig { name: receiver, span, integrations });
    }
    receivers
}

fn check_name(reader: &mut Reader, name: &str, span: Span, names: &mut BTreeMap<String, Span>) {
    if name.is_empty() {
        reader.error("receiver/name", span, "a receiver needs a name");
        return;
    }
    if let Some(first) = names.get(name).copied() {
        let message = format!("there are two receivers named {name:?}");
        let finding =
            crate::diag::Diagnostic::error("receiver/duplicate", reader.source(), span, message);
        reader.report(finding.label(first, "the first is here"));
    } else {
        names.insert(name.to_string(), span);
    }
}

fn read_integrations(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    receiver: &str,
    globals: &Globals,
) -> Vec<(IntegrationId, Span, Box<dyn IntegrationConfig>)> {
    for key in NOT_YET {
        fields.unsupported(reader, key, "");
    }
    let mut integrations = Vec::new();
    for kind in KINDS {
        let items = fields.list(reader, kind.key).unwrap_or_default();
        for (index, item) in items.iter().enumerate() {
            let id = IntegrationId {
                receiver: receiver.into(),
                kind: kind.name.into(),
                index: u32::try_from(index).unwrap_or(u32::MAX),
            };
            if let Some(config) = (kind.read)(reader, item, &id, globals) {
                integrations.push((id, item.span, config));
            }
        }
    }
    integrations.sort_by_key(|(_, span, _)| span.start);
    integrations
}
