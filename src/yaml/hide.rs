//! Hides secrets in the lines of a configuration that findings show.
//!
//! A finding draws the lines that it speaks of, and a mistake may stand in an address that is a
//! password, or on one line with one. What is drawn often ends in the log of a CI job.

use std::sync::LazyLock;

use regex::Regex;

use crate::diag::{SourceFile, Span, nearest};
use crate::yaml::{Node, Value, load};

/// Parts of the names of secrets, also of names that are spelled wrongly.
const PARTS: [&str; 7] = [
    "pass",
    "pwd",
    "token",
    "secret",
    "credential",
    "proxy_connect_header",
    // Of `oauth2`: some services take the secret there.
    "endpoint_param",
];

/// Names of secrets that hold none of the parts, and those that may lose one by a slip of the keys:
/// a key with a mistake is what is drawn.
const NAMES: [&str; 9] = [
    "routing_key",
    "service_key",
    "api_key",
    "api_url",
    "password",
    "secret",
    "token",
    "credentials",
    // Of the web configuration: hashes of passwords, which can be guessed from them.
    "basic_auth_users",
];

/// Whether the value of a key, and everything inside of it, is secret. An address may hold a
/// password, and the path of a webhook's is one. The names of files that hold secrets are not.
fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    if key.ends_with("_file") || key == "external_url" || key == "runbook_url" {
        return false;
    }
    let is = |name: &str| key == name || key.strip_suffix(name).is_some_and(|k| k.ends_with('_'));
    let part = PARTS.iter().any(|part| key.contains(part));
    is("url") || is("uri") || is("key") || is("params") || part || nearest(&key, NAMES).is_some()
}

/// The file with stars over every secret wherever its text is drawn. Places stay where they are.
pub fn hide_secrets(source: &SourceFile) -> SourceFile {
    let plain = SourceFile::new(source.path(), source.text());
    let mut spans = Vec::new();
    match load(&std::sync::Arc::new(SourceFile::new(source.path(), source.text()))) {
        Ok(document) => {
            secrets(&document.root, false, &mut spans);
            // What stands behind the document is in no tree.
            by_lines(source.text(), document.root.span.end, &mut spans);
        }
        // Nor is broken YAML.
        Err(_) => by_lines(source.text(), 0, &mut spans),
    }
    let mut text = source.text().as_bytes().to_vec();
    for span in spans {
        hide(&mut text, span);
    }
    // Stars and whole characters are left, so nothing is replaced here.
    plain.drawn_as(String::from_utf8_lossy(&text).into_owned())
}

/// A key with its colon. Several may stand on one line.
static KEY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?P<key>[\w.-]+)["']?[ \t]*:"#).ok());

/// The rest of each line behind the key of a secret, from a place on.
fn by_lines(text: &str, from: usize, spans: &mut Vec<Span>) {
    let text_behind = text.get(from..).unwrap_or_default();
    for key in KEY.iter().flat_map(|regex| regex.captures_iter(text_behind)) {
        let start = from + key.get_match().end();
        let rest = text.get(start..).and_then(|rest| rest.lines().next());
        if key.name("key").is_some_and(|key| is_secret(key.as_str())) {
            spans.push(Span::new(start, start + rest.map_or(0, str::len)));
        }
    }
}

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
                secrets(&entry.value, inside || is_secret(entry.key.text()), spans);
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

    fn hidden(text: &str) -> String {
        let source = hide_secrets(&SourceFile::new("f", text));
        assert_eq!(source.text(), text, "what is read stays what it is");
        source.drawn(0..text.len()).unwrap().to_string()
    }

    #[test]
    fn secrets_are_hidden_where_they_stand() {
        for (text, expected) in [
            ("url: ftp://u:p@h/x # y\n", "url: ftp://******* # y\n"),
            ("a: {password: 'p q', b: c}\n", "a: {password: '* *', b: c}\n"),
            ("smtp_auth_passwrod: x\n", "smtp_auth_passwrod: *\n"),
            ("routing_key: |\n  abc\n  def\n", "routing_key: |\n  ***\n  ***\n"),
            ("h: {X: {secrets: [a, bé]}}\n", "h: {X: {secrets: [*, ***]}}\n"),
            ("params: {token: t}\n", "params: {token: *}\n"),
            ("basic_auth_users: {ann: $2y$1}\n", "basic_auth_users: {ann: *****}\n"),
            ("routing_kex: ab\npasword: c\n", "routing_kex: **\npasword: *\n"),
            ("basic_auth_usres: {ann: $2y$1}\n", "basic_auth_usres: {ann: *****}\n"),
            ("basic_auth: {username: u}\nreceiver: r\nmatchers: [a=b]\n", ""),
            ("url_file: secrets/url\nexternal_url: http://e\nmonkey: m\n", ""),
        ] {
            assert_eq!(hidden(text), if expected.is_empty() { text } else { expected });
        }
    }

    #[test]
    fn broken_yaml_is_hidden_by_lines() {
        let text = "a: [\nurl: http://u:p@h\n\"password\": x y }\nfor: 5m\n";
        let expected = "a: [\nurl: ************\n\"password\": * * *\nfor: 5m\n";
        assert_eq!(hidden(text), expected);
        for behind in
            [" a: 1\npassword: p\n", "a: 1\n--- password: p\n", "a: 1\n...\n}password: p\n"]
        {
            assert_eq!(hidden(behind), behind.replace(": p", ": *"));
        }
        // The rest of the line, since where the value ends is not known.
        let text = "global: {smtp_auth_password: p, x: [y}\n";
        assert_eq!(hidden(text), "global: {smtp_auth_password: ** ** ***\n");
    }
}
