//! `http_config` from YAML.

use std::path::Path;
use std::sync::Arc;

use crate::diag::SourceFile;
use crate::http::{
    Auth, ExtraHeader, HttpConfig, OAuth2Config, PemSource, ProxyConfig, TlsConfig, TlsVersion,
};
use crate::model::{Secret, SecretSource};
use crate::yaml::{Reader, load};

fn read(text: &str) -> (Option<HttpConfig>, Vec<String>) {
    let source = Arc::new(SourceFile::new("w.yml", text));
    let document = load(&source).unwrap();
    let mut reader = Reader::new(&document);
    let config = HttpConfig::read(&mut reader, &document.root);
    (config, reader.into_diagnostics().iter().map(ToString::to_string).collect())
}

fn inline(text: &str) -> SecretSource {
    SecretSource::Inline(Secret::new(text))
}

fn bearer(credentials: SecretSource) -> HttpConfig {
    let auth = Auth::Scheme { scheme: "Bearer".to_string(), credentials: Some(credentials) };
    HttpConfig { auth, ..HttpConfig::default() }
}

#[test]
fn every_field_is_read() {
    let text = "
basic_auth: {username: u, password_file: pw}
tls_config:
  ca_file: ca.pem
  cert: CERT
  key_file: /etc/k.pem
  server_name: prometheus.internal
  insecure_skip_verify: true
  min_version: TLS10
  max_version: TLS13
proxy_url: http://p:1
no_proxy: a,b
proxy_connect_header: {X-P: [p1, p2]}
follow_redirects: false
enable_http2: false
http_headers:
  X-H: {values: [v], secrets: [s], files: [f]}
";
    let (config, mistakes) = read(text);
    assert_eq!(mistakes, [""; 0]);
    let mut config = config.unwrap();
    config.set_directory(Path::new("/conf"));
    let file = |path: &str| SecretSource::File(path.into());
    let header = |name: &str, values| ExtraHeader { name: name.to_string(), values };
    let expected = HttpConfig {
        auth: Auth::Basic { username: Some(inline("u")), password: Some(file("/conf/pw")) },
        tls: TlsConfig {
            ca: Some(PemSource::File("/conf/ca.pem".into())),
            cert: Some(PemSource::Inline("CERT".to_string())),
            key: Some(file("/etc/k.pem")),
            server_name: Some("prometheus.internal".to_string()),
            insecure_skip_verify: true,
            min_version: Some(TlsVersion::V12),
            max_version: Some(TlsVersion::V13),
        },
        proxy: ProxyConfig::Url {
            url: Secret::new("http://p:1"),
            no_proxy: Some("a,b".to_string()),
            connect_headers: vec![header("X-P", vec![inline("p1"), inline("p2")])],
        },
        follow_redirects: false,
        enable_http2: false,
        headers: vec![header("X-H", vec![inline("v"), inline("s"), file("/conf/f")])],
    };
    assert_eq!(config, expected);
}

#[test]
fn oauth2_is_read_with_all_its_keys() {
    let (config, mistakes) = read(
        "oauth2: {client_id: a, client_secret_file: s, scopes: [b, c], token_url: 'https://t/x', \
         endpoint_params: {audience: d}, tls_config: {ca_file: ca}, proxy_url: 'http://p:1'}",
    );
    assert_eq!(mistakes, Vec::<String>::new());
    let mut config = config.unwrap();
    config.set_directory(std::path::Path::new("/conf"));
    let expected = OAuth2Config {
        client_id: "a".to_string(),
        client_secret: Some(SecretSource::File("/conf/s".into())),
        scopes: vec!["b".to_string(), "c".to_string()],
        token_url: Secret::new("https://t/x"),
        endpoint_params: vec![("audience".to_string(), Secret::new("d"))],
        tls: TlsConfig { ca: Some(PemSource::File("/conf/ca".into())), ..TlsConfig::default() },
        proxy: ProxyConfig::Url {
            url: Secret::new("http://p:1"),
            no_proxy: None,
            connect_headers: Vec::new(),
        },
    };
    assert!(!format!("{expected:?}").contains("https://t"), "{expected:?}");
    assert_eq!(config.auth, Auth::OAuth2(Box::new(expected)));
}

#[test]
fn forms_of_authentication() {
    for (text, config) in [
        ("{}", HttpConfig::default()),
        ("basic_auth:", HttpConfig::default()),
        ("bearer_token: ''", HttpConfig::default()),
        ("bearer_token: t", bearer(inline("t"))),
        ("bearer_token_file: t", bearer(SecretSource::File("t".into()))),
        ("authorization: {credentials: t}", bearer(inline("t"))),
        ("authorization: {type: ' Bearer ', credentials: t}", bearer(inline("t"))),
    ] {
        let (read, mistakes) = read(text);
        assert_eq!((read, mistakes), (Some(config), Vec::new()), "{text}");
    }
    let (config, _) = read("{proxy_from_environment: true}");
    assert_eq!(config.unwrap().proxy, ProxyConfig::Environment);
}

#[test]
fn each_mistake_has_its_place() {
    for (text, mistake) in [
        ("oauth2: {client_id: a}", "1:9: `oauth2` needs `token_url`"),
        ("oauth2: {token_url: 'http://a'}", "1:9: `oauth2` needs `client_id`"),
        ("oauth2: {client_id: a, token_url: hunter2}", "1:35: `token_url`: invalid url"),
        (
            "oauth2: {client_id: a, token_url: 'http://a', claims: {b: c}}",
            "1:47: `claims` in `oauth2` is not supported yet",
        ),
        (
            "oauth2: {client_id: a, token_url: 'http://a', grant_type: password}",
            "1:59: `grant_type`: only client_credentials",
        ),
        (
            "oauth2: {client_id: a, token_url: 'http://a'}\nbearer_token: b",
            "2:1: `oauth2` and `bearer_token` exclude each other: ",
        ),
        ("folow_redirects: true", "1:1: unknown key `folow_redirects` in `http_config`"),
        ("basic_auth: {user: a}", "1:14: unknown key `user` in `basic_auth`"),
        (
            "basic_auth: {username: a}\nbearer_token: b",
            "2:1: `basic_auth` and `bearer_token` exclude each other: ",
        ),
        (
            "bearer_token: a\nauthorization: {credentials: b}",
            "1:1: `authorization` and `bearer_token` exclude each other",
        ),
        (
            "basic_auth: {password: a, password_file: b}",
            "1:27: `password` and `password_file` exclude each other",
        ),
        ("authorization: {type: basic}", "1:23: `type`: must not be `Basic`, use `basic_auth`"),
        ("authorization: {type: \"a\\nb\"}", "1:23: `type`: holds characters"),
        ("tls_config: {ca: a, ca_file: b}", "1:21: `ca` and `ca_file` exclude each other"),
        ("tls_config: {cert_file: a}", "1:14: a certificate needs its key"),
        ("tls_config: {key: a}", "1:14: a key needs its certificate"),
        ("tls_config: {min_version: TLS14}", "1:27: `min_version`: must be TLS12 or TLS13"),
        ("tls_config: {max_version: TLS11}", "1:27: `max_version`: TLS 1.0 and 1.1 are not"),
        (
            "tls_config: {min_version: TLS13, max_version: TLS12}",
            "1:14: `min_version` is higher than `max_version`",
        ),
        ("tls_config: {server_name: 'a b'}", "1:27: `server_name`: is neither"),
        ("proxy_url: hunter2", "1:12: `proxy_url`: is not a url"),
        ("proxy_url: ftp://hunter2", "1:12: `proxy_url`: must begin with http://"),
        ("no_proxy: a", "1:11: `no_proxy`: needs `proxy_url`"),
        ("proxy_connect_header: {a: [b]}", "1:23: `proxy_connect_header`: needs `proxy_url`"),
        (
            "proxy_from_environment: true\nproxy_url: http://a",
            "2:1: `proxy_from_environment` and `proxy_url` exclude each other",
        ),
        ("http_headers: {Host: {values: [a]}}", "1:16: the header `Host` cannot be set here"),
        ("http_headers: {'a b': {values: [c]}}", "1:16: `a b` or its value cannot stand"),
        ("http_headers: {a: {secrets: [\"hunter2\\n\"]}}", "1:16: `a` or its value cannot"),
        ("http_headers: {a: {value: b}}", "1:20: unknown key `value` in the header `a`"),
        ("enable_http2: 1", "1:15: `enable_http2` must be true or false"),
    ] {
        let (_, mistakes) = read(text);
        assert_eq!(mistakes.len(), 1, "{text}: {mistakes:?}");
        let place = format!("w.yml:{}", mistake.trim_end_matches(": "));
        assert!(mistakes.iter().all(|m| m.starts_with(&place)), "{text}: {mistakes:?}");
        assert!(!mistakes.concat().contains("hunter2"), "{mistakes:?}");
    }
    let (config, mistakes) = read("[]");
    assert!(config.is_none() && mistakes.len() == 1);
}
