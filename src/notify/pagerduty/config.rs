//! `pagerduty_configs`: Alertmanager's names and meanings, for the Events API v2.

use std::time::Duration;

use crate::http::{HttpConfig, parse_url};
use crate::model::{IntegrationId, SecretSource};
use crate::notify::globals::read_timeout;
use crate::notify::{Globals, IntegrationConfig, PAGERDUTY_URL, TextSource};
use crate::yaml::{Fields, Node, Reader, Scalar};

/// How deep `details` may nest.
const MAX_DEPTH: usize = 8;

/// The texts that can be configured: key, key with its list, template file where there is one.
const TEXTS: [(&str, &str, &str); 8] = [
    ("description", "pagerduty_configs.description", "pagerduty/description.txt.hbs"),
    ("severity", "pagerduty_configs.severity", "pagerduty/severity.txt.hbs"),
    ("source", "pagerduty_configs.source", "pagerduty/source.txt.hbs"),
    ("class", "pagerduty_configs.class", "pagerduty/class.txt.hbs"),
    ("component", "pagerduty_configs.component", "pagerduty/component.txt.hbs"),
    ("group", "pagerduty_configs.group", "pagerduty/group.txt.hbs"),
    ("client", "pagerduty_configs.client", "pagerduty/client.txt.hbs"),
    ("client_url", "pagerduty_configs.client_url", "pagerduty/client_url.txt.hbs"),
];

/// The shipped templates.
pub(super) const TEMPLATES: &[(&str, &str)] = &[
    (
        "pagerduty/description.txt.hbs",
        include_str!("../../../notifiers/pagerduty/description.txt.hbs"),
    ),
    ("pagerduty/severity.txt.hbs", include_str!("../../../notifiers/pagerduty/severity.txt.hbs")),
    ("pagerduty/source.txt.hbs", include_str!("../../../notifiers/pagerduty/source.txt.hbs")),
    ("pagerduty/class.txt.hbs", include_str!("../../../notifiers/pagerduty/class.txt.hbs")),
    ("pagerduty/component.txt.hbs", include_str!("../../../notifiers/pagerduty/component.txt.hbs")),
    ("pagerduty/group.txt.hbs", include_str!("../../../notifiers/pagerduty/group.txt.hbs")),
    ("pagerduty/client.txt.hbs", include_str!("../../../notifiers/pagerduty/client.txt.hbs")),
    (
        "pagerduty/client_url.txt.hbs",
        include_str!("../../../notifiers/pagerduty/client_url.txt.hbs"),
    ),
    ("pagerduty/firing.txt.hbs", include_str!("../../../notifiers/pagerduty/firing.txt.hbs")),
    ("pagerduty/digest.txt.hbs", include_str!("../../../notifiers/pagerduty/digest.txt.hbs")),
    ("pagerduty/resolved.txt.hbs", include_str!("../../../notifiers/pagerduty/resolved.txt.hbs")),
    ("pagerduty/alert.txt.hbs", include_str!("../../../notifiers/pagerduty/alert.txt.hbs")),
    ("pagerduty/summary.txt.hbs", include_str!("../../../notifiers/pagerduty/summary.txt.hbs")),
];

/// One item of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PagerdutyConfig {
    pub(super) id: IntegrationId,
    pub(super) send_resolved: bool,
    pub(super) url: String,
    pub(super) routing_key: SecretSource,
    pub(super) texts: Vec<(&'static str, TextSource)>,
    pub(super) details: Vec<(String, Detail<TextSource>)>,
    /// Each a list of texts by their names in the event.
    pub(super) links: Vec<Vec<(&'static str, TextSource)>>,
    pub(super) images: Vec<Vec<(&'static str, TextSource)>>,
    pub(super) timeout: Duration,
    pub(super) http: HttpConfig,
}

/// A value of `details`: texts, which may stand in lists and mappings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Detail<T> {
    Text(T),
    List(Vec<Detail<T>>),
    Map(Vec<(String, Detail<T>)>),
}

/// Reads one item of `pagerduty_configs`.
pub(super) fn read(
    reader: &mut Reader,
    node: &Node,
    id: &IntegrationId,
    globals: &Globals,
) -> Option<Box<dyn IntegrationConfig>> {
    let mut fields = reader.mapping(node, "the PagerDuty integration")?;
    for key in ["service_key", "service_key_file"] {
        fields.unsupported(
            reader,
            key,
            "it is of the Events API v1; `routing_key` is of version 2",
        );
    }
    let routing_key = globals.secret(reader, &mut fields, "routing_key", "routing_key_file");
    let keys = ["routing_key", "routing_key_file", "service_key", "service_key_file"];
    if routing_key.is_none() && !keys.iter().any(|key| fields.key_span(key).is_some()) {
        let message = "PagerDuty needs `routing_key` or `routing_key_file`";
        reader.error("receiver/pagerduty", fields.span(), message);
    }
    let url = read_url(reader, &mut fields, globals);
    let texts = TEXTS.iter().map(|(key, path, file)| {
        let inline = fields.string(reader, key).map(str::to_string);
        (*key, TextSource { key: path, inline, file })
    });
    let texts = texts.collect();
    let details = match fields.get("details") {
        Some(node) => read_details(reader, node),
        None => Vec::new(),
    };
    let links =
        [("href", "pagerduty_configs.links.href"), ("text", "pagerduty_configs.links.text")];
    let images = [
        ("src", "pagerduty_configs.images.src"),
        ("href", "pagerduty_configs.images.href"),
        ("alt", "pagerduty_configs.images.alt"),
    ];
    let links = read_list(reader, &mut fields, "links", &links);
    let images = read_list(reader, &mut fields, "images", &images);
    let timeout = read_timeout(reader, &mut fields);
    let send_resolved = fields.bool(reader, "send_resolved").unwrap_or(true);
    let http = globals.http_config_or_default(reader, &mut fields);
    fields.finish(reader);
    Some(Box::new(PagerdutyConfig {
        id: id.clone(),
        send_resolved,
        url,
        routing_key: routing_key?,
        texts,
        details,
        links,
        images,
        timeout,
        http,
    }))
}

fn read_url(reader: &mut Reader, fields: &mut Fields<'_>, globals: &Globals) -> String {
    let own = fields.string(reader, "url").filter(|url| !url.is_empty());
    if let (Some(url), Some(node)) = (own, fields.get("url"))
        && parse_url(url).is_err()
    {
        reader.wrong_value(node, "`url`", "is no http or https address");
    }
    own.or(globals.pagerduty_url.as_deref()).unwrap_or(PAGERDUTY_URL).to_string()
}

fn read_details(reader: &mut Reader, node: &Node) -> Vec<(String, Detail<TextSource>)> {
    match read_detail(reader, node, MAX_DEPTH) {
        Some(Detail::Map(entries)) => entries,
        Some(_) => {
            reader.wrong_type(node, "`details`", "a mapping");
            Vec::new()
        }
        None => Vec::new(),
    }
}

fn read_detail(reader: &mut Reader, node: &Node, depth: usize) -> Option<Detail<TextSource>> {
    let Some(depth) = depth.checked_sub(1) else {
        reader.wrong_value(node, "`details`", format!("nests more than {MAX_DEPTH} deep"));
        return None;
    };
    if let Some(entries) = node.as_mapping() {
        let entries = entries.iter().filter_map(|entry| {
            Some((entry.key.text().to_string(), read_detail(reader, &entry.value, depth)?))
        });
        return Some(Detail::Map(entries.collect()));
    }
    if let Some(items) = node.as_sequence() {
        let items = items.iter().filter_map(|item| read_detail(reader, item, depth));
        return Some(Detail::List(items.collect()));
    }
    let text = node.as_scalar().filter(|scalar| !scalar.is_null()).map_or("", Scalar::text);
    Some(Detail::Text(TextSource {
        key: "pagerduty_configs.details",
        inline: Some(text.to_string()),
        file: "",
    }))
}

fn read_list(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    key: &'static str,
    names: &[(&'static str, &'static str)],
) -> Vec<Vec<(&'static str, TextSource)>> {
    let mut list = Vec::new();
    for node in fields.list(reader, key).unwrap_or_default() {
        let Some(mut item) = reader.mapping(node, &format!("an item of `{key}`")) else { continue };
        let texts = names.iter().filter_map(|(name, path)| {
            let inline = Some(item.string(reader, name)?.to_string());
            Some((*name, TextSource { key: path, inline, file: "" }))
        });
        list.push(texts.collect());
        item.finish(reader);
    }
    list
}
