//! Hides secrets in the lines of configurations that findings show.
//!
//! A finding draws the lines that it speaks of, and a mistake may stand in an address that is a
//! password, or on one line with one. What comes out often ends in the log of a CI job.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use regex::Regex;

use crate::diag::{Diagnostic, SourceFile, Span};
use crate::yaml::{self, Node, Value};

/// Keys whose values, and everything inside of them, are secret. An address may hold a password,
/// and the path of a webhook's is one.
const SECRET_KEYS: [&str; 27] = [
    "api_key",
    "api_secret",
    "api_url",
    "app_token",
    "auth_password",
    "auth_secret",
    "bearer_token",
    "bot_token",
    "client_secret",
    "credentials",
    "key",
    "pagerduty_url",
    "params",
    "password",
    "proxy_connect_header",
    "proxy_url",
    "routing_key",
    "secret",
    "secrets",
    "service_key",
    "slack_api_url",
    "slack_app_token",
    "slack_app_url",
    "smtp_auth_password",
    "token",
    "url",
    "webhook_url",
];

/// The findings with every secret of their files hidden. Places stay where they are.
pub(super) fn mask(findings: &[Diagnostic]) -> Vec<Diagnostic> {
    let mut known: HashMap<*const SourceFile, Arc<SourceFile>> = HashMap::new();
    let mut masked = |source: &Arc<SourceFile>| {
        let hidden = known.entry(Arc::as_ptr(source));
        Arc::clone(hidden.or_insert_with(|| mask_source(source)))
    };
    let mut findings = findings.to_vec();
    for finding in &mut findings {
        finding.source = masked(&finding.source);
        for label in &mut finding.labels {
            label.source = masked(&label.source);
        }
    }
    findings
}

fn mask_source(source: &Arc<SourceFile>) -> Arc<SourceFile> {
    let mut spans = Vec::new();
    match yaml::load(source) {
        Ok(document) => secrets(&document.root, false, &mut spans),
        // Broken YAML has no tree: by lines then.
        Err(_) => {
            let lines = KEY_AND_VALUE.iter().flat_map(|regex| regex.captures_iter(source.text()));
            let values = lines.filter_map(|found| found.name("value"));
            spans.extend(values.map(|value| Span::new(value.start(), value.end())));
        }
    }
    if spans.is_empty() {
        return Arc::clone(source);
    }
    let mut text = source.text().as_bytes().to_vec();
    for span in spans {
        hide(&mut text, span);
    }
    // Stars and whole characters are left, so that nothing is lost here.
    let text = String::from_utf8_lossy(&text).into_owned();
    Arc::new(SourceFile::new(source.path(), text))
}

/// A secret key, and the rest of its line.
static KEY_AND_VALUE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let keys = SECRET_KEYS.join("|");
    Regex::new(&format!(r#"\b(?:{keys})["']?[ \t]*:(?P<value>[^\n]*)"#)).ok()
});

/// The places of all secrets at or below a node. Trees are bounded when they are read.
fn secrets(node: &Node, inside: bool, spans: &mut Vec<Span>) {
    match &node.value {
        Value::Scalar(_) if inside => spans.push(node.span),
        Value::Scalar(_) => {}
        Value::Sequence(items) => {
            for item in items.iter() {
                secrets(item, inside, spans);
            }
        }
        Value::Mapping(entries) => {
            for entry in entries.iter() {
                let secret = inside || SECRET_KEYS.contains(&entry.key.text());
                secrets(&entry.value, secret, spans);
            }
        }
    }
}

/// Puts stars over a place, but not over line ends, quotes, or the scheme of an address: that is
/// what is wrong with most.
fn hide(text: &mut [u8], span: Span) {
    let Some(secret) = text.get_mut(span.start..span.end) else { return };
    let scheme = secret.windows(3).position(|part| part == b"://").map_or(0, |at| at + 3);
    let scheme = if secret.iter().take(scheme).any(u8::is_ascii_whitespace) { 0 } else { scheme };
    for byte in secret.iter_mut().skip(scheme) {
        if !matches!(byte, b'\n' | b'\r' | b' ' | b'"' | b'\'') {
            *byte = b'*';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let source = Arc::new(SourceFile::new("f", text));
        let finding = Diagnostic::error("x", &source, Span::at(0), "m");
        mask(&[finding])[0].source.text().to_string()
    }

    #[test]
    fn secrets_are_hidden_where_they_stand() {
        for (text, expected) in [
            ("url: ftp://u:p@h/x # y\n", "url: ftp://******* # y\n"),
            ("a: {password: 'p q', b: c}\n", "a: {password: '* *', b: c}\n"),
            ("routing_key: |\n  abc\n  def\n", "routing_key: |\n  ***\n  ***\n"),
            ("h: {X: {secrets: [a, bé]}}\n", "h: {X: {secrets: [*, ***]}}\n"),
            ("params: {token: t}\n", "params: {token: *}\n"),
            ("url_file: secrets/url\nexternal_url: http://e\n", ""),
        ] {
            assert_eq!(masked(text), if expected.is_empty() { text } else { expected });
        }
    }

    #[test]
    fn broken_yaml_is_hidden_by_lines() {
        let text = "a: [\nurl: http://u:p@h\n\"password\": x y }\nfor: 5m\n";
        let expected = "a: [\nurl: ************\n\"password\": * * *\nfor: 5m\n";
        assert_eq!(masked(text), expected);
    }
}
