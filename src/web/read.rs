//! The web configuration file from YAML, every mistake at its place.
//!
//! Names and rules are those of prometheus/exporter-toolkit; what goes beyond it stands under keys
//! that it does not have.

use std::sync::Arc;

use crate::diag::{Diagnostic, Severity, SourceFile, Span, has_errors};
use crate::web::read_tls::read_server_tls;
use crate::web::read_users::{read_bearers, read_certificate_roles, read_users};
use crate::web::{Rate, Rates, Role, WebConfig, duration};
use crate::yaml::{self, Fields, Node, Reader};

/// The headers that can be set, each with the values that it may have; any where there are none
/// (`extraHTTPHeaders` in the exporter toolkit).
const HEADERS: [(&str, &[&str]); 5] = [
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
    ("Content-Security-Policy", &[]),
];

impl WebConfig {
    /// Checks a file that has been read, and gives what is worth a warning. Paths are kept as they
    /// are written.
    ///
    /// # Errors
    /// All mistakes of the file, each with its place.
    pub fn parse(source: &Arc<SourceFile>) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let document = yaml::load(source)?;
        let mut reader = Reader::new(&document);
        let config = if document.root.is_null() {
            Some(Self::default())
        } else {
            let fields = reader.mapping(&document.root, "the web configuration");
            fields.map(|fields| read(&mut reader, fields))
        };
        let findings = reader.into_diagnostics();
        match config {
            Some(config) if !has_errors(&findings) => Ok((config, findings)),
            _ => Err(findings),
        }
    }
}

fn read(reader: &mut Reader, mut fields: Fields<'_>) -> WebConfig {
    let tls_node = fields.get("tls_server_config");
    let tls = tls_node.and_then(|node| read_server_tls(reader, node));
    let headers =
        fields.get("http_server_config").map(|node| read_http(reader, node)).unwrap_or_default();
    let users = read_users(reader, &mut fields);
    let bearers = read_bearers(reader, &mut fields);
    let certificate_roles = read_certificate_roles(reader, &mut fields);
    let anonymous = fields.get("anonymous_role");
    let config = WebConfig {
        tls,
        headers,
        users,
        bearers,
        certificate_roles,
        anonymous_role: anonymous.and_then(|node| read_role(reader, node, "`anonymous_role`")),
        allowed_hosts: fields
            .strings(reader, "allowed_hosts")
            .unwrap_or_default()
            .into_iter()
            .map(|host| host.trim_end_matches('.').to_string())
            .collect(),
        rates: read_rates(reader, &mut fields),
    };
    check_together(reader, &fields, &config, tls_node.is_some());
    fields.finish(reader);
    config
}

/// What fits together or does not, beyond single keys.
fn check_together(reader: &mut Reader, fields: &Fields<'_>, config: &WebConfig, has_tls: bool) {
    let secrets = [("basic_auth_users", !config.users.is_empty()), ("bearer_auth", true)];
    let first = secrets.into_iter().find_map(|(key, given)| {
        fields.key_span(key).filter(|_| given && !has_tls).map(|span| (key, span))
    });
    if let Some((key, span)) = first {
        let message = format!("`{key}` without `tls_server_config`");
        let finding = warning(reader, span, message)
            .caret("passwords and tokens travel in clear text")
            .note("unless something in front of this program speaks TLS");
        reader.report(finding);
    }
    let verifies = config.tls.as_ref().is_some_and(|tls| tls.client_auth.verifies());
    let roles = fields.key_span("client_certificate_roles").filter(|_| !verifies);
    // A mistake in the TLS section has been told of already.
    if let Some(span) = roles.filter(|_| config.tls.is_some() || !has_tls) {
        let message = "`client_certificate_roles` needs certificates that are verified";
        let finding = Diagnostic::error("yaml/value", reader.source(), span, message).help(
            "set `client_auth_type` to VerifyClientCertIfGiven or RequireAndVerifyClientCert",
        );
        reader.report(finding);
    }
}

fn read_http(reader: &mut Reader, node: &Node) -> Vec<(&'static str, String)> {
    let Some(mut fields) = reader.mapping(node, "`http_server_config`") else { return Vec::new() };
    if fields.bool(reader, "http2") == Some(true) {
        let span = fields.key_span("http2").unwrap_or_else(|| fields.span());
        let finding = warning(reader, span, "HTTP/2 is not offered, HTTP/1.1 is spoken instead");
        reader.report(finding);
    }
    let headers = fields.string_map(reader, "headers").unwrap_or_default();
    fields.finish(reader);
    let mut read = Vec::new();
    for (key, node) in headers {
        let what = format!("`{}`", key.text());
        let Some((name, allowed)) = HEADERS.iter().find(|(name, _)| *name == key.text()) else {
            let names: Vec<&str> = HEADERS.iter().map(|(name, _)| *name).collect();
            let message = format!("the header {what} cannot be set here");
            let finding = Diagnostic::error("yaml/value", reader.source(), key.span(), message)
                .help(format!("there are {}", names.join(", ")));
            reader.report(finding);
            continue;
        };
        let value = reader.string(node, &what).unwrap_or_default();
        if value.is_empty() {
            continue;
        }
        if !allowed.is_empty() && !allowed.contains(&value) {
            reader.wrong_value(node, &what, format!("must be {}", allowed.join(" or ")));
        }
        if !value.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            reader.wrong_value(node, &what, "holds characters that a header cannot hold");
        }
        read.push((*name, value.to_string()));
    }
    read
}

fn read_rates(reader: &mut Reader, fields: &mut Fields<'_>) -> Rates {
    let default = Rates::default();
    let mut one = |key, default| match fields.get(key) {
        Some(node) => read_rate(reader, node, key),
        None => default,
    };
    Rates {
        all: one("rate_limit", default.all),
        client: one("rate_limit_per_client", default.client),
    }
}

/// `None` where the interval is 0: no limit.
fn read_rate(reader: &mut Reader, node: &Node, key: &str) -> Option<Rate> {
    let mut fields = reader.mapping(node, &format!("`{key}`"))?;
    let interval_node = fields.get("interval");
    let burst = fields.unsigned(reader, "burst").unwrap_or(0);
    fields.finish(reader);
    let interval_node = interval_node?;
    let text = reader.scalar(interval_node, "`interval`")?.text().to_string();
    let Some(interval) = duration::parse(&text) else {
        let reason = "must be a duration of at most a day, such as 100ms";
        reader.wrong_value(interval_node, "`interval`", reason);
        return None;
    };
    if interval.is_zero() {
        return None;
    }
    let burst = u32::try_from(burst).unwrap_or(u32::MAX);
    if burst == 0 {
        let message = format!("`{key}` needs a `burst` of at least 1, or no request is answered");
        reader.error("yaml/value", interval_node.span, message);
        return None;
    }
    Some(Rate { interval, burst })
}

/// A role by its name.
pub(super) fn read_role(reader: &mut Reader, node: &Node, what: &str) -> Option<Role> {
    let text = reader.string(node, what)?;
    let role = Role::parse(text);
    if role.is_none() {
        reader.wrong_value(node, what, "must be read or write");
    }
    role
}

/// A finding that refuses nothing.
pub(super) fn warning(reader: &Reader, span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new("yaml/value", Severity::Warning, reader.source(), span, message)
}
