//! `http_config` from YAML, every mistake at its place.
//!
//! Names and rules are those of prometheus/common's `HTTPClientConfig`. An empty text is the same
//! as no text, as it is for Go's decoder.

use crate::diag::Diagnostic;
use crate::http::read_oauth2::read_oauth2;
use crate::http::read_tls::read_tls;
use crate::http::request::header;
use crate::http::{Auth, ExtraHeader, HttpConfig, ProxyConfig, parse_url};
use crate::model::{Secret, SecretSource};
use crate::yaml::{Fields, Node, Reader};

/// Headers that the client or other fields set (`ReservedHeaders` in prometheus/common).
const RESERVED_HEADERS: [&str; 18] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "user-agent",
    "www-authenticate",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-prometheus-remote-read-version",
    "x-prometheus-remote-write-version",
    "x-prometheus-scrape-timeout-seconds",
];

impl HttpConfig {
    /// Reads an `http_config`. Mistakes are noted in the reader; what is left of the settings
    /// then counts for nothing, since the file is refused. `None` where it is no mapping.
    ///
    /// Paths are kept as they are written, see [`HttpConfig::set_directory`].
    pub fn read(reader: &mut Reader, node: &Node) -> Option<Self> {
        let mut fields = reader.mapping(node, "`http_config`")?;
        let default = Self::default();
        let config = Self {
            auth: read_auth(reader, &mut fields),
            tls: fields.get("tls_config").and_then(|n| read_tls(reader, n)).unwrap_or_default(),
            proxy: read_proxy(reader, &mut fields),
            follow_redirects: fields
                .bool(reader, "follow_redirects")
                .unwrap_or(default.follow_redirects),
            enable_http2: fields.bool(reader, "enable_http2").unwrap_or(default.enable_http2),
            headers: fields
                .get("http_headers")
                .map(|node| read_headers(reader, node))
                .unwrap_or_default(),
        };
        fields.finish(reader);
        Some(config)
    }
}

/// Reads a URL to which a path can be added. The text is not quoted, it may hold a password. `None`
/// where it is none, which is noted in the reader.
pub fn read_base_url(reader: &mut Reader, node: &Node, what: &str) -> Option<String> {
    let text = reader.string(node, what)?;
    if let Err(error) = parse_url(text) {
        reader.wrong_value(node, what, error);
        return None;
    }
    if text.contains(['?', '#']) {
        reader.wrong_value(node, what, "must have neither a query nor a fragment");
        return None;
    }
    Some(text.to_string())
}

/// Reads a secret that stands in `key`, or in the file that `file_key` names. `None` where both
/// are absent or empty. Both together are a mistake.
pub fn read_secret(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    key: &'static str,
    file_key: &'static str,
) -> Option<SecretSource> {
    let inline = text(reader, fields, key);
    let file = text(reader, fields, file_key);
    match (inline, file) {
        (Some(_), Some(_)) => {
            exclude(reader, fields, key, file_key);
            None
        }
        (Some(text), None) => Some(SecretSource::Inline(Secret::new(text))),
        (None, Some(path)) => Some(SecretSource::File(path.into())),
        (None, None) => None,
    }
}

/// A text that is not empty.
pub(super) fn text<'n>(
    reader: &mut Reader,
    fields: &mut Fields<'n>,
    key: &'static str,
) -> Option<&'n str> {
    fields.string(reader, key).filter(|text| !text.is_empty())
}

/// Notes that two keys cannot stand together.
pub(super) fn exclude(reader: &mut Reader, fields: &Fields<'_>, first: &str, second: &str) {
    let place = |key: &str| fields.key_span(key).unwrap_or_else(|| fields.span());
    let message = format!("`{first}` and `{second}` exclude each other");
    let diagnostic = Diagnostic::error("yaml/value", reader.source(), place(second), message)
        .label(place(first), "the other one");
    reader.report(diagnostic);
}

fn read_auth(reader: &mut Reader, fields: &mut Fields<'_>) -> Auth {
    let kinds = ["basic_auth", "authorization", "oauth2", "bearer_token", "bearer_token_file"];
    let mut given = Vec::new();
    for key in kinds {
        if fields.get(key).is_some_and(|node| node.as_scalar().is_none_or(|s| !s.text().is_empty()))
        {
            given.push(key);
        }
    }
    if let [first, second, ..] = given.as_slice() {
        exclude(reader, fields, first, second);
    }
    // Each one given is read, so that the mistakes in all of them are told.
    let basic = fields.get("basic_auth").and_then(|node| read_basic(reader, node));
    let scheme = fields.get("authorization").and_then(|node| read_authorization(reader, node));
    let oauth2 = fields.get("oauth2").and_then(|node| read_oauth2(reader, node));
    let bearer = ["bearer_token", "bearer_token_file"].map(|key| text(reader, fields, key));
    let credentials = match bearer {
        [Some(token), _] => Some(SecretSource::Inline(Secret::new(token))),
        [None, Some(path)] => Some(SecretSource::File(path.into())),
        [None, None] => None,
    };
    let bearer = credentials.map(|credentials| Auth::Scheme {
        scheme: "Bearer".to_string(),
        credentials: Some(credentials),
    });
    let oauth2 = oauth2.map(|config| Auth::OAuth2(Box::new(config)));
    basic.or(scheme).or(oauth2).or(bearer).unwrap_or_default()
}

fn read_basic(reader: &mut Reader, node: &Node) -> Option<Auth> {
    let mut fields = reader.mapping(node, "`basic_auth`")?;
    let username = read_secret(reader, &mut fields, "username", "username_file");
    let password = read_secret(reader, &mut fields, "password", "password_file");
    fields.unsupported(reader, "username_ref", "");
    fields.unsupported(reader, "password_ref", "");
    fields.finish(reader);
    Some(Auth::Basic { username, password })
}

fn read_authorization(reader: &mut Reader, node: &Node) -> Option<Auth> {
    let mut fields = reader.mapping(node, "`authorization`")?;
    let kind = fields.get("type");
    let scheme = text(reader, &mut fields, "type").map_or("Bearer", str::trim).to_string();
    if let Some(kind) = kind.filter(|_| scheme.eq_ignore_ascii_case("basic")) {
        reader.wrong_value(kind, "`type`", "must not be `Basic`, use `basic_auth`");
    }
    if let (Some(kind), Err(_)) = (kind, header("authorization", &scheme)) {
        reader.wrong_value(kind, "`type`", "holds characters that a header cannot hold");
    }
    let credentials = read_secret(reader, &mut fields, "credentials", "credentials_file");
    fields.unsupported(reader, "credentials_ref", "");
    fields.finish(reader);
    Some(Auth::Scheme { scheme, credentials })
}

pub(super) fn read_proxy(reader: &mut Reader, fields: &mut Fields<'_>) -> ProxyConfig {
    let url_node = fields.get("proxy_url");
    let url = text(reader, fields, "proxy_url");
    let no_proxy = text(reader, fields, "no_proxy").map(str::to_string);
    let environment = fields.bool(reader, "proxy_from_environment").unwrap_or(false);
    let header_node = fields.get("proxy_connect_header");
    let connect_headers =
        header_node.map(|node| read_connect_headers(reader, node)).unwrap_or_default();
    if environment {
        for (key, given) in [
            ("proxy_url", url.is_some()),
            ("no_proxy", no_proxy.is_some()),
            // reqwest gives us no way to add headers to a proxy that it finds itself.
            ("proxy_connect_header", header_node.is_some()),
        ] {
            if given {
                exclude(reader, fields, "proxy_from_environment", key);
            }
        }
        return ProxyConfig::Environment;
    }
    let Some(url) = url else {
        for key in ["no_proxy", "proxy_connect_header"] {
            if let Some(node) = fields.get(key) {
                reader.wrong_value(node, &format!("`{key}`"), "needs `proxy_url`");
            }
        }
        return ProxyConfig::Direct;
    };
    if let (Some(node), Some(reason)) = (url_node, wrong_proxy(url)) {
        reader.wrong_value(node, "`proxy_url`", reason);
    }
    ProxyConfig::Url { url: Secret::new(url), no_proxy, connect_headers }
}

fn wrong_proxy(url: &str) -> Option<&'static str> {
    let Ok(url) = url::Url::parse(url) else { return Some("is not a url") };
    match url.scheme() {
        "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h" if url.has_host() => None,
        _ => Some("must begin with http://, https:// or socks5:// and a host"),
    }
}

/// `name: [value, …]`, as Prometheus writes them; the values are secrets.
fn read_connect_headers(reader: &mut Reader, node: &Node) -> Vec<ExtraHeader> {
    let what = "`proxy_connect_header`";
    let Some(fields) = reader.mapping(node, what) else { return Vec::new() };
    let mut headers = Vec::new();
    for entry in fields.entries() {
        let name = entry.key.text().to_string();
        let Some(texts) = reader.strings(&entry.value, &format!("`{name}`")) else { continue };
        let values = texts.into_iter().map(|text| SecretSource::Inline(Secret::new(text)));
        let extra = ExtraHeader { name, values: values.collect() };
        check_header(reader, entry.key.span(), &extra);
        headers.push(extra);
    }
    // The names are free, so there is no key left to refuse.
    headers
}

/// `name: {values: […], secrets: […], files: […]}`.
fn read_headers(reader: &mut Reader, node: &Node) -> Vec<ExtraHeader> {
    let Some(map) = reader.mapping(node, "`http_headers`") else { return Vec::new() };
    let mut headers = Vec::new();
    for entry in map.entries() {
        let name = entry.key.text().to_string();
        if RESERVED_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            let message = format!("the header `{name}` cannot be set here");
            reader.error("yaml/value", entry.key.span(), message);
        }
        let Some(mut fields) = reader.mapping(&entry.value, &format!("the header `{name}`")) else {
            continue;
        };
        let mut values = Vec::new();
        for key in ["values", "secrets"] {
            let texts = fields.strings(reader, key).unwrap_or_default().into_iter();
            values.extend(texts.map(|text| SecretSource::Inline(Secret::new(text))));
        }
        let files = fields.strings(reader, "files").unwrap_or_default().into_iter();
        values.extend(files.map(|path| SecretSource::File(path.into())));
        fields.finish(reader);
        let extra = ExtraHeader { name, values };
        check_header(reader, entry.key.span(), &extra);
        headers.push(extra);
    }
    headers
}

fn check_header(reader: &mut Reader, span: crate::diag::Span, extra: &ExtraHeader) {
    let inline = extra.values.iter().filter_map(|value| match value {
        SecretSource::Inline(secret) => Some(secret.expose()),
        SecretSource::File(_) => None,
    });
    for value in std::iter::once("").chain(inline) {
        if header(&extra.name, value).is_err() {
            let message = format!("`{}` or its value cannot stand in a header", extra.name);
            reader.error("yaml/value", span, message);
            return;
        }
    }
}
