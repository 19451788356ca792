//! `slack_configs`: Alertmanager's names and meanings.

use std::time::Duration;

use crate::http::{Auth, HttpConfig, parse_url};
use crate::model::{IntegrationId, Secret, SecretSource};
use crate::notify::globals::read_timeout;
use crate::notify::slack::text::{Spec, TEXTS, inline};
use crate::notify::{Globals, IntegrationConfig, SLACK_APP_URL, TextSource};
use crate::yaml::{Fields, Node, Reader};

/// The fields in which Slack reads markup, unless configured otherwise.
const MRKDWN_IN: [&str; 3] = ["fallback", "pretext", "text"];

/// One item of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SlackConfig {
    pub(super) id: IntegrationId,
    pub(super) send_resolved: bool,
    pub(super) endpoint: Endpoint,
    pub(super) texts: Vec<(&'static Spec, TextSource)>,
    pub(super) fields: Vec<FieldConfig>,
    pub(super) actions: Vec<ActionConfig>,
    pub(super) mrkdwn_in: Vec<String>,
    pub(super) link_names: bool,
    /// Whether a group's messages share a thread, where Slack's answer tells of one.
    pub(super) threads: bool,
    pub(super) timeout: Duration,
    pub(super) http: HttpConfig,
}

/// Where messages go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// An incoming webhook: its URL is its password.
    Webhook(SecretSource),
    /// `chat.postMessage` with a bot token.
    App { url: Secret, token: SecretSource },
}

/// A field of the attachment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldConfig {
    pub(super) title: TextSource,
    pub(super) value: TextSource,
    pub(super) short: bool,
}

/// A button: every text by its name in Slack's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ActionConfig {
    pub(super) texts: Vec<(&'static str, TextSource)>,
    pub(super) confirm: Vec<(&'static str, TextSource)>,
}

/// Reads one item of `slack_configs`.
pub(super) fn read(
    reader: &mut Reader,
    node: &Node,
    id: &IntegrationId,
    globals: &Globals,
) -> Option<Box<dyn IntegrationConfig>> {
    let mut fields = reader.mapping(node, "the Slack integration")?;
    if fields.bool(reader, "update_message") == Some(true) {
        let why = "an edited message alerts nobody; a group's messages share a thread instead";
        fields.unsupported(reader, "update_message", why);
    }
    let http = globals.http_config_or_default(reader, &mut fields);
    let endpoint = read_endpoint(reader, &mut fields, globals, &http);
    let short_fields = fields.bool(reader, "short_fields").unwrap_or(false);
    let mrkdwn_in = fields.strings(reader, "mrkdwn_in").unwrap_or_else(|| MRKDWN_IN.to_vec());
    let texts = TEXTS.iter().filter_map(|spec| Some((spec, read_text(reader, &mut fields, spec)?)));
    let texts = texts.collect();
    let timeout = read_timeout(reader, &mut fields);
    let list = read_fields(reader, &mut fields, short_fields);
    let actions = read_actions(reader, &mut fields);
    let send_resolved = fields.bool(reader, "send_resolved").unwrap_or(false);
    let link_names = fields.bool(reader, "link_names").unwrap_or(false);
    let threads = fields.bool(reader, "post_updates_to_thread").unwrap_or(true);
    let has_channel = fields.key_span("channel").is_some();
    if matches!(endpoint, Some(Endpoint::App { .. })) && !has_channel {
        reader.error("receiver/slack", fields.span(), "a Slack app needs `channel`");
    }
    fields.finish(reader);
    Some(Box::new(SlackConfig {
        id: id.clone(),
        send_resolved,
        endpoint: endpoint?,
        texts,
        fields: list,
        actions,
        mrkdwn_in: mrkdwn_in.iter().map(ToString::to_string).collect(),
        link_names,
        threads,
        timeout,
        http,
    }))
}

/// The configured text or the shipped template. An empty text leaves the field out.
fn read_text(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    spec: &'static Spec,
) -> Option<TextSource> {
    let inline = fields.string(reader, spec.key).map(str::to_string);
    match (inline, spec.file) {
        (None, None) => None,
        (inline, file) => Some(TextSource { key: spec.path, inline, file: file.unwrap_or("") }),
    }
}

/// The integration's own webhook or token, otherwise the global one.
fn read_endpoint(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    globals: &Globals,
    http: &HttpConfig,
) -> Option<Endpoint> {
    let url = globals.secret(reader, fields, "api_url", "api_url_file");
    let token = globals.secret(reader, fields, "app_token", "app_token_file");
    let app_url = fields.string(reader, "app_url").filter(|url| !url.is_empty());
    for (key, url) in [("api_url", inline_text(url.as_ref())), ("app_url", app_url)] {
        if let (Some(url), Some(node)) = (url, fields.get(key))
            && parse_url(url).is_err()
        {
            reader.wrong_value(node, &format!("`{key}`"), "is no http or https address");
        }
    }
    let configured = ["api_url", "api_url_file", "app_token", "app_token_file"];
    let own = configured.iter().any(|key| fields.key_span(key).is_some());
    let (url, token) = match own {
        true => (url, token),
        false => (globals.slack_api_url.clone(), globals.slack_app_token.clone()),
    };
    let app_url = app_url.or(globals.slack_app_url.as_deref()).unwrap_or(SLACK_APP_URL);
    let mut refuse = |why: &str| reader.error("receiver/slack", fields.span(), why);
    match (url, token) {
        (Some(_), Some(_)) => {
            refuse(
                "Slack takes either a webhook (`api_url`) or a bot token (`app_token`), not both",
            );
            None
        }
        (Some(url), None) => Some(Endpoint::Webhook(url)),
        (None, Some(_)) if http.auth != Auth::None => {
            refuse("`app_token` and an authorization in `http_config` exclude each other");
            None
        }
        (None, Some(token)) => Some(Endpoint::App { url: Secret::new(app_url), token }),
        (None, None) => {
            // An own key that could not be read has been reported.
            if !own {
                refuse("Slack needs `api_url` or `app_token`, here or in `global`");
            }
            None
        }
    }
}

fn inline_text(source: Option<&SecretSource>) -> Option<&str> {
    match source {
        Some(SecretSource::Inline(secret)) => Some(secret.expose()),
        _ => None,
    }
}

fn read_fields(reader: &mut Reader, fields: &mut Fields<'_>, short: bool) -> Vec<FieldConfig> {
    let mut list = Vec::new();
    for node in fields.list(reader, "fields").unwrap_or_default() {
        let Some(mut item) = reader.mapping(node, "the field") else { continue };
        let title = item.require_string(reader, "title");
        let value = item.require_string(reader, "value");
        let short = item.bool(reader, "short").unwrap_or(short);
        item.finish(reader);
        if let (Some(title), Some(value)) = (title, value) {
            list.push(FieldConfig {
                title: inline("slack_configs.fields.title", title),
                value: inline("slack_configs.fields.value", value),
                short,
            });
        }
    }
    list
}

fn read_actions(reader: &mut Reader, fields: &mut Fields<'_>) -> Vec<ActionConfig> {
    let mut list = Vec::new();
    for node in fields.list(reader, "actions").unwrap_or_default() {
        let Some(mut item) = reader.mapping(node, "the action") else { continue };
        item.require_string(reader, "type");
        item.require_string(reader, "text");
        let texts = read_texts(
            reader,
            &mut item,
            &[
                ("type", "slack_configs.actions.type"),
                ("text", "slack_configs.actions.text"),
                ("url", "slack_configs.actions.url"),
                ("style", "slack_configs.actions.style"),
                ("name", "slack_configs.actions.name"),
                ("value", "slack_configs.actions.value"),
            ],
        );
        if !texts.iter().any(|(key, _)| matches!(*key, "url" | "name")) {
            reader.error("receiver/slack", item.span(), "an action needs `url` or `name`");
        }
        let confirm = match item.mapping(reader, "confirm") {
            Some(mut confirm) => read_confirm(reader, &mut confirm),
            None => Vec::new(),
        };
        item.finish(reader);
        list.push(ActionConfig { texts, confirm });
    }
    list
}

fn read_confirm(reader: &mut Reader, confirm: &mut Fields<'_>) -> Vec<(&'static str, TextSource)> {
    confirm.require_string(reader, "text");
    let keys = [
        ("text", "slack_configs.actions.confirm.text"),
        ("title", "slack_configs.actions.confirm.title"),
        ("ok_text", "slack_configs.actions.confirm.ok_text"),
        ("dismiss_text", "slack_configs.actions.confirm.dismiss_text"),
    ];
    read_texts(reader, confirm, &keys)
}

fn read_texts(
    reader: &mut Reader,
    item: &mut Fields<'_>,
    keys: &[(&'static str, &'static str)],
) -> Vec<(&'static str, TextSource)> {
    let texts = keys.iter().filter_map(|(key, path)| {
        let text = item.string(reader, key).filter(|text| !text.is_empty())?;
        Some((*key, inline(path, text)))
    });
    texts.collect()
}
