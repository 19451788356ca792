//! The section `datasource`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::diag::SourceFile;
use crate::http::{Auth, HttpConfig};
use crate::model::{Secret, SecretSource};
use crate::query::DatasourceConfig;
use crate::yaml::{Reader, load};

fn read(text: &str) -> (Option<DatasourceConfig>, Vec<String>) {
    let source = Arc::new(SourceFile::new("w.yml", text));
    let document = load(&source).unwrap();
    let mut reader = Reader::new(&document);
    let config = DatasourceConfig::read(&mut reader, &document.root);
    (config, reader.into_diagnostics().iter().map(ToString::to_string).collect())
}

#[test]
fn every_field_is_read() {
    let (config, mistakes) = read(
        "url: http://prometheus:9090/p/
external_url: https://prometheus.example.com/
timeout: 1m
max_concurrency: 3
params: {partial_response: false}
http_config: {bearer_token_file: token}",
    );
    assert_eq!(mistakes, [""; 0]);
    let mut config = config.unwrap();
    config.set_directory(Path::new("/conf"));
    let credentials = Some(SecretSource::File("/conf/token".into()));
    let auth = Auth::Scheme { scheme: "Bearer".to_string(), credentials };
    let expected = DatasourceConfig {
        url: Secret::new("http://prometheus:9090/p/"),
        external_url: Some("https://prometheus.example.com/".to_string()),
        timeout: Duration::from_secs(60),
        max_concurrency: 3,
        params: vec![("partial_response".to_string(), "false".to_string())],
        http: HttpConfig { auth, ..HttpConfig::default() },
    };
    assert_eq!(config, expected);
    assert_eq!(config.link_base(), "https://prometheus.example.com");
}

#[test]
fn only_the_url_is_needed() {
    let (config, mistakes) = read("url: http://user:hunter2@prometheus:9090/p/");
    assert_eq!(mistakes, [""; 0]);
    let config = config.unwrap();
    assert_eq!((config.timeout, config.max_concurrency), (Duration::from_secs(30), 20));
    assert_eq!(config.link_base(), "http://prometheus:9090/p", "links hold no password");
}

#[test]
fn each_mistake_has_its_place() {
    for (text, mistake) in [
        ("{}", "1:1: `datasource` needs `url`"),
        ("url: hunter2", "1:6: `url`: invalid url: relative URL"),
        ("url: ftp://hunter2", "1:6: `url`: invalid url: its scheme"),
        ("url: http://a/?hunter2=1", "1:6: `url`: must have neither"),
        ("{url: http://a, external_url: b}", "1:31: `external_url`: invalid url"),
        ("{url: http://a, timeout: 0}", "1:26: `timeout`: must be more than zero"),
        ("{url: http://a, timeout: 1}", "1:26: `timeout`: not a valid duration"),
        ("{url: http://a, max_concurrency: 0}", "1:34: `max_concurrency`: must be more"),
        ("{url: http://a, max_concurrency: -1}", "1:34: `max_concurrency`: must not be"),
        ("{url: http://a, params: {time: 1}}", "1:26: `time` is set by each query itself"),
        ("{url: http://a, basic_auth: {}}", "1:17: unknown key `basic_auth` in `datasource`"),
        ("{url: http://a, http_config: {x: 1}}", "1:31: unknown key `x` in `http_config`"),
    ] {
        let (_, mistakes) = read(text);
        assert_eq!(mistakes.len(), 1, "{text}: {mistakes:?}");
        assert!(mistakes[0].starts_with(&format!("w.yml:{mistake}")), "{text}: {mistakes:?}");
        assert!(!mistakes[0].contains("hunter2"), "{mistakes:?}");
    }
}
