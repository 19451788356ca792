//! `tls_server_config` from YAML.

use crate::diag::Diagnostic;
use crate::http::{read_pem, read_secret, read_tls_version};
use crate::web::read::warning;
use crate::web::suites::{Named, cipher_suite, curve};
use crate::web::{ClientAuth, ServerTls};
use crate::yaml::{Fields, Node, Reader};

/// Reads the section. `None` where it is wrong, or empty as in a file that leaves TLS out.
pub(super) fn read_server_tls(reader: &mut Reader, node: &Node) -> Option<ServerTls> {
    let mut fields = reader.mapping(node, "`tls_server_config`")?;
    let cert = read_pem(reader, &mut fields, "cert", "cert_file");
    let key = read_secret(reader, &mut fields, "key", "key_file");
    let client_ca = read_pem(reader, &mut fields, "client_ca", "client_ca_file");
    let client_auth = read_client_auth(reader, &mut fields);
    let sans = fields.strings(reader, "client_allowed_sans");
    for version in ["min_version", "max_version"] {
        warn_of_old_version(reader, &mut fields, version);
    }
    let min_version = read_tls_version(reader, &mut fields, "min_version");
    let max_version = read_tls_version(reader, &mut fields, "max_version");
    if let (Some(lowest), Some(highest)) = (min_version, max_version)
        && lowest > highest
    {
        let span = fields.key_span("min_version").unwrap_or_else(|| fields.span());
        reader.error("yaml/value", span, "`min_version` is higher than `max_version`");
    }
    let cipher_suites = read_names(reader, &mut fields, "cipher_suites", cipher_suite);
    let curves = read_names(reader, &mut fields, "curve_preferences", curve);
    let prefer_server_order = fields.bool(reader, "prefer_server_cipher_suites").unwrap_or(true);
    let given = !fields.entries().is_empty();
    check_clients(reader, &fields, client_auth, client_ca.is_some(), sans.is_some());
    // A pair of which one half is wrong has been told of already.
    for (half, file) in [("cert", "cert_file"), ("key", "key_file")] {
        let there = fields.key_span(half).or_else(|| fields.key_span(file));
        if given && there.is_none() {
            let message = format!("`tls_server_config` needs `{half}` or `{file}`");
            reader.error("yaml/missing-key", node_head(reader, node), message);
        }
    }
    fields.finish(reader);
    Some(ServerTls {
        cert: cert?,
        key: key?,
        client_auth,
        client_ca,
        client_allowed_sans: sans.map(|sans| sans.into_iter().map(str::to_string).collect()),
        min_version,
        max_version,
        cipher_suites,
        curves,
        prefer_server_order,
        span: node_head(reader, node),
    })
}

/// The first line of a node: what is missing has no place of its own.
fn node_head(reader: &Reader, node: &Node) -> crate::diag::Span {
    let text = reader.source().text().get(node.span.range()).unwrap_or_default();
    let len = text.lines().next().unwrap_or_default().trim_end().len();
    crate::diag::Span::new(node.span.start, node.span.start + len)
}

fn read_client_auth(reader: &mut Reader, fields: &mut Fields<'_>) -> ClientAuth {
    let Some(node) = fields.get("client_auth_type") else { return ClientAuth::default() };
    let text = reader.string(node, "`client_auth_type`").unwrap_or_default();
    if text.is_empty() {
        return ClientAuth::default();
    }
    ClientAuth::parse(text).unwrap_or_else(|| {
        let reason = "must be NoClientCert, RequestClientCert, RequireAnyClientCert, \
                      VerifyClientCertIfGiven or RequireAndVerifyClientCert";
        reader.wrong_value(node, "`client_auth_type`", reason);
        ClientAuth::default()
    })
}

/// What belongs to certificates of clients must be of use.
fn check_clients(
    reader: &mut Reader,
    fields: &Fields<'_>,
    auth: ClientAuth,
    has_ca: bool,
    has_sans: bool,
) {
    let place = |key: &str| fields.key_span(key).unwrap_or_else(|| fields.span());
    if has_ca && auth == ClientAuth::NoClientCert {
        let span = fields.key_span("client_ca_file").unwrap_or_else(|| place("client_ca"));
        let finding = Diagnostic::error(
            "yaml/value",
            reader.source(),
            span,
            "a client CA is of no use where `client_auth_type` is NoClientCert",
        );
        reader.report(finding.help("set `client_auth_type: RequireAndVerifyClientCert`"));
    }
    if auth.verifies() && !has_ca {
        let message = "`client_auth_type` needs `client_ca_file`: the machine's authorities sign \
                       for everybody";
        reader.error("yaml/value", place("client_auth_type"), message);
    }
    if has_sans && !auth.requires() {
        let message = "`client_allowed_sans` needs a `client_auth_type` of RequireAnyClientCert or \
                       RequireAndVerifyClientCert";
        reader.error("yaml/value", place("client_allowed_sans"), message);
    }
    if auth == ClientAuth::RequestClientCert || auth == ClientAuth::RequireAnyClientCert {
        let message = "certificates of clients are not verified, so they prove nothing";
        let finding = warning(reader, place("client_auth_type"), message)
            .help("use VerifyClientCertIfGiven or RequireAndVerifyClientCert");
        reader.report(finding);
    }
}

/// TLS 1.0 and 1.1 as the lowest version mean the oldest one that there is here.
fn warn_of_old_version(reader: &mut Reader, fields: &mut Fields<'_>, key: &'static str) {
    let old = fields.get(key).filter(|node| {
        let text = node.as_scalar().map(|scalar| scalar.text());
        key == "min_version" && matches!(text, Some("TLS10" | "TLS11"))
    });
    if let Some(node) = old {
        let message = "TLS 1.0 and 1.1 are not spoken, the lowest version is TLS 1.2";
        let finding = warning(reader, node.span, message);
        reader.report(finding);
    }
}

/// A list of Go's names. One that rustls does not have is left out with a warning: the others are
/// no weaker without it. A list of which nothing is left is refused.
fn read_names<T>(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    key: &'static str,
    named: fn(&str) -> Named<T>,
) -> Vec<T> {
    let mut known = Vec::new();
    let Some(node) = fields.get(key) else { return known };
    let mut unsupported = false;
    for node in reader.list(node, &format!("`{key}`")).unwrap_or_default() {
        let Some(name) = reader.string(node, &format!("an item of `{key}`")) else { continue };
        match named(name) {
            Named::Known(value) => known.push(value),
            Named::Always => {}
            Named::Unsupported => {
                unsupported = true;
                let message = format!("{name} is not supported here and not offered");
                let finding = warning(reader, node.span, message);
                reader.report(finding);
            }
            Named::Unknown => {
                reader.wrong_value(node, &format!("`{key}`"), format!("there is no {name}"));
            }
        }
    }
    if unsupported && known.is_empty() {
        reader.error("yaml/value", node.span, format!("nothing of `{key}` is supported here"));
    }
    known
}
