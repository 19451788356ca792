//! `tls_config` from YAML.

use crate::http::read::{exclude, read_secret, text};
use crate::http::{PemSource, TlsConfig, TlsVersion};
use crate::yaml::{Fields, Node, Reader};

/// Reads a `tls_config`. `None` where it is no mapping.
pub fn read_tls(reader: &mut Reader, node: &Node) -> Option<TlsConfig> {
    let mut fields = reader.mapping(node, "`tls_config`")?;
    let config = TlsConfig {
        ca: read_pem(reader, &mut fields, "ca", "ca_file"),
        cert: read_pem(reader, &mut fields, "cert", "cert_file"),
        key: read_secret(reader, &mut fields, "key", "key_file"),
        server_name: text(reader, &mut fields, "server_name").map(str::to_string),
        insecure_skip_verify: fields.bool(reader, "insecure_skip_verify").unwrap_or(false),
        min_version: read_tls_version(reader, &mut fields, "min_version"),
        max_version: read_tls_version(reader, &mut fields, "max_version"),
    };
    for key in ["ca_ref", "cert_ref", "key_ref"] {
        fields.unsupported(reader, key, "");
    }
    // A pair of which one half is wrong has been told of already.
    let given = |a: &str, b: &str| fields.key_span(a).or_else(|| fields.key_span(b));
    match (given("cert", "cert_file"), given("key", "key_file")) {
        (Some(span), None) => reader.error("yaml/value", span, "a certificate needs its key"),
        (None, Some(span)) => reader.error("yaml/value", span, "a key needs its certificate"),
        (Some(_), Some(_)) | (None, None) => {}
    }
    if let (Some(lowest), Some(highest)) = (config.min_version, config.max_version)
        && lowest > highest
    {
        let span = fields.key_span("min_version").unwrap_or_else(|| fields.span());
        reader.error("yaml/value", span, "`min_version` is higher than `max_version`");
    }
    if let Some(name) = &config.server_name
        && rustls::pki_types::ServerName::try_from(name.as_str()).is_err()
        && let Some(node) = fields.get("server_name")
    {
        reader.wrong_value(node, "`server_name`", "is neither a host name nor an address");
    }
    fields.finish(reader);
    Some(config)
}

/// Reads certificates that stand in `key`, or in the file that `file_key` names. `None` where both
/// are absent or empty. Both together are a mistake.
pub fn read_pem(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    key: &'static str,
    file_key: &'static str,
) -> Option<PemSource> {
    match (text(reader, fields, key), text(reader, fields, file_key)) {
        (Some(_), Some(_)) => {
            exclude(reader, fields, key, file_key);
            None
        }
        (Some(pem), None) => Some(PemSource::Inline(pem.to_string())),
        (None, Some(path)) => Some(PemSource::File(path.into())),
        (None, None) => None,
    }
}

/// Reads a version of TLS: `TLS12` or `TLS13`. The old versions are known to Prometheus and not to
/// rustls. As a lowest version they mean the oldest one there is; as a highest one they cannot be
/// kept.
pub fn read_tls_version(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    key: &'static str,
) -> Option<TlsVersion> {
    let node = fields.get(key)?;
    let what = format!("`{key}`");
    match (text(reader, fields, key)?, key) {
        ("TLS13", _) => Some(TlsVersion::V13),
        ("TLS12", _) | ("TLS10" | "TLS11", "min_version") => Some(TlsVersion::V12),
        ("TLS10" | "TLS11", _) => {
            reader.wrong_value(node, &what, "TLS 1.0 and 1.1 are not supported");
            None
        }
        _ => {
            reader.wrong_value(node, &what, "must be TLS12 or TLS13");
            None
        }
    }
}
