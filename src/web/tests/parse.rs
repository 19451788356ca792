//! What the file may say, and what is said of a file that says something else.

use std::time::Duration;

use super::{HUNTER2, good, parse};
use crate::diag::Severity;
use crate::http::{PemSource, TlsVersion};
use crate::model::SecretSource;
use crate::web::{ClientAuth, Rate, Role};

#[test]
fn a_file_of_the_exporter_toolkit_is_read_as_it_stands() {
    let text = format!(
        "tls_server_config:\n\
         \x20 cert_file: server.crt\n\
         \x20 key_file: server.key\n\
         \x20 client_auth_type: RequireAndVerifyClientCert\n\
         \x20 client_ca_file: ca.crt\n\
         \x20 client_allowed_sans: [ops.example.com, ops@example.com]\n\
         \x20 min_version: TLS12\n\
         \x20 max_version: TLS13\n\
         \x20 cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256]\n\
         \x20 prefer_server_cipher_suites: false\n\
         \x20 curve_preferences: [CurveP384, X25519]\n\
         http_server_config:\n\
         \x20 http2: false\n\
         \x20 headers: {{Strict-Transport-Security: max-age=1, X-Frame-Options: sameorigin, X-XSS-Protection: ''}}\n\
         basic_auth_users: {{alice: {HUNTER2}, bob: {HUNTER2}}}\n\
         rate_limit: {{interval: 1.5ms, burst: 7}}\n"
    );
    let (config, warnings) = parse(&text).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    let tls = config.tls.unwrap();
    assert_eq!(tls.cert, PemSource::File("server.crt".into()));
    assert_eq!(tls.key, SecretSource::File("server.key".into()));
    assert_eq!(tls.client_auth, ClientAuth::RequireAndVerifyClientCert);
    assert_eq!(tls.client_allowed_sans.unwrap(), ["ops.example.com", "ops@example.com"]);
    assert_eq!((tls.min_version, tls.max_version), (Some(TlsVersion::V12), Some(TlsVersion::V13)));
    assert_eq!(tls.cipher_suites.len(), 1, "the suites of TLS 1.3 cannot be chosen");
    assert_eq!((tls.curves.len(), tls.prefer_server_order), (2, false));
    let sent = [("Strict-Transport-Security", "max-age=1"), ("X-Frame-Options", "sameorigin")];
    assert_eq!(config.headers, sent.map(|(name, value)| (name, value.to_string())));
    let users: Vec<_> = config.users.iter().map(|u| (u.name.as_str(), u.role)).collect();
    assert_eq!(users, [("alice", Role::Write), ("bob", Role::Write)], "they may do everything");
    assert_eq!(config.rates.all, Some(Rate { interval: Duration::from_micros(1500), burst: 7 }));
}

#[test]
fn an_empty_file_changes_nothing_of_the_default() {
    for text in ["", "# nothing\n", "tls_server_config: {}\n", "basic_auth_users: {}\n"] {
        let config = good(text);
        assert!(!config.authenticates() && config.tls.is_none(), "{text}");
        assert!(config.rates.all.is_some() && config.rates.client.is_some(), "{text}");
    }
    let config = good("rate_limit: {interval: 0s, burst: 5}\n");
    assert!(config.rates.all.is_none() && config.rates.client.is_some());
}

#[test]
fn roles_go_to_users_tokens_and_certificates() {
    let config = good(&format!(
        "tls_server_config: {{cert_file: c, key_file: k, client_ca_file: a, \
          client_auth_type: VerifyClientCertIfGiven}}\n\
         basic_auth_users: {{ann: {HUNTER2}, grafana: {HUNTER2}}}\n\
         user_roles: {{grafana: read}}\n\
         bearer_auth:\n\
         - {{name: ci, token_sha256: {sha}, role: write}}\n\
         - {{name: tv, token_file: tv.token, role: read}}\n\
         client_certificate_roles: {{ops@example.com: write}}\n\
         anonymous_role: read\n\
         allowed_hosts: [watchbell.example.com.]\n",
        sha = "0123456789abcdef".repeat(4)
    ));
    let users: Vec<_> = config.users.iter().map(|u| (u.name.as_str(), u.role)).collect();
    assert_eq!(users, [("ann", Role::Write), ("grafana", Role::Read)]);
    let bearers: Vec<_> = config.bearers.iter().map(|b| (b.name.as_str(), b.role)).collect();
    assert_eq!(bearers, [("ci", Role::Write), ("tv", Role::Read)]);
    assert_eq!(config.certificate_roles, [("ops@example.com".to_string(), Role::Write)]);
    assert_eq!(config.anonymous_role, Some(Role::Read));
    assert_eq!(config.allowed_hosts, ["watchbell.example.com"]);
    assert!(!format!("{config:?}").contains("0123"));
}

const TLS: &str = "cert_file: c, key_file: k";

/// Each file has one mistake (or a warning): its words, and the text under the caret.
#[test]
fn every_mistake_is_told_at_its_place() {
    let user = format!("basic_auth_users: {{ann: {HUNTER2}}}\n");
    for (text, message, place) in [
        ("tls_server_conifg: {}", "unknown key `tls_server_conifg`", "tls_server_conifg"),
        ("tls_server_config: {cert_file: c}", "needs `key` or `key_file`", "{cert_file: c}"),
        ("tls_server_config: {key_file: k}", "needs `cert` or `cert_file`", "{key_file: k}"),
        ("tls_server_config: {cert: c, cert_file: c, key: k}", "exclude each other", "cert_file"),
        (
            &format!("tls_server_config: {{{TLS}, client_auth_type: Maybe}}"),
            "must be NoClientCert",
            "Maybe",
        ),
        (
            &format!("tls_server_config: {{{TLS}, client_ca_file: a}}"),
            "no use where `client_auth_type` is NoClientCert",
            "client_ca_file",
        ),
        (
            &format!("tls_server_config: {{{TLS}, client_auth_type: VerifyClientCertIfGiven}}"),
            "needs `client_ca_file`",
            "client_auth_type",
        ),
        (
            &format!("tls_server_config: {{{TLS}, client_allowed_sans: [a]}}"),
            "needs a `client_auth_type` of",
            "client_allowed_sans",
        ),
        (
            &format!("tls_server_config: {{{TLS}, min_version: TLS13, max_version: TLS12}}"),
            "higher than",
            "min_version",
        ),
        (&format!("tls_server_config: {{{TLS}, max_version: TLS11}}"), "not supported", "TLS11"),
        (&format!("tls_server_config: {{{TLS}, cipher_suites: [ROT13]}}"), "no ROT13", "ROT13"),
        (
            &format!("tls_server_config: {{{TLS}, curve_preferences: [CurveP521]}}"),
            "nothing of `curve_preferences`",
            "[CurveP521]",
        ),
        ("http_server_config: {headers: {Server: x}}", "`Server` cannot be set", "Server"),
        (
            "http_server_config: {headers: {X-Frame-Options: allow}}",
            "must be deny or sameorigin",
            "allow",
        ),
        (
            "http_server_config: {headers: {X-Content-Type-Options: sniff}}",
            "must be nosniff",
            "sniff",
        ),
        ("rate_limit: {interval: 1 s, burst: 1}", "must be a duration", "1 s"),
        ("rate_limit: {interval: 1s}", "needs a `burst` of at least 1", "1s"),
        ("rate_limit_per_client: {interval: 1s, burst: 0}", "needs a `burst`", "1s"),
        ("basic_auth_users: {ann: hunter2}", "is no bcrypt hash", "hunter2"),
        ("anonymous_role: admin", "must be read or write", "admin"),
        (&format!("{user}user_roles: {{anne: read}}"), "no user `anne`", "anne"),
        (&format!("{user}user_roles: {{ann: admin}}"), "must be read or write", "admin"),
        ("bearer_auth: [{name: a, role: read}]", "needs `token_sha256`", "{name: a, role: read}"),
        ("bearer_auth: [{name: a, role: read, token_sha256: abc}]", "64 hexadecimal", "abc"),
        ("bearer_auth: [{name: a, role: x, token_file: f}]", "must be read or write", "x"),
        ("bearer_auth: [{name: a, token_file: f}]", "needs `role`", "{name: a, token_file: f}"),
        (
            "client_certificate_roles: {a: read}",
            "needs certificates that are verified",
            "client_certificate_roles",
        ),
        ("- a", "must be a mapping", "- a"),
    ] {
        let findings = parse(text).expect_err(text);
        let errors: Vec<_> = findings.iter().filter(|f| f.severity == Severity::Error).collect();
        let [error] = errors.as_slice() else { panic!("{text}: {errors:?}") };
        assert!(error.message.contains(message), "{text}: {}", error.message);
        assert_eq!(&text[error.span.range()], place, "{text}");
    }
}

#[test]
fn what_is_kept_in_another_way_is_warned_of() {
    for (text, message) in [
        (format!("basic_auth_users: {{ann: {HUNTER2}}}"), "without `tls_server_config`"),
        ("http_server_config: {http2: true}".to_string(), "HTTP/1.1 is spoken instead"),
        (format!("tls_server_config: {{{TLS}, min_version: TLS10}}"), "lowest version is TLS 1.2"),
        (
            format!("tls_server_config: {{{TLS}, curve_preferences: [X25519, CurveP521]}}"),
            "CurveP521 is not supported here",
        ),
        (
            format!(
                "tls_server_config: {{{TLS}, cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, \
                 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]}}"
            ),
            "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA is not supported here",
        ),
        (
            format!("tls_server_config: {{{TLS}, client_auth_type: RequireAnyClientCert}}"),
            "prove nothing",
        ),
        (
            format!(
                "tls_server_config: {{{TLS}}}\nbasic_auth_users: {{ann: {}}}",
                HUNTER2.replace("$04$", "$16$")
            ),
            "has a cost of 16",
        ),
    ] {
        let (_, warnings) = parse(&text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
        let [warning] = warnings.as_slice() else { panic!("{text}: {warnings:?}") };
        assert!(warning.message.contains(message), "{}", warning.message);
    }
}

#[test]
fn no_hash_is_drawn() {
    let broken = &HUNTER2[..50];
    let text = format!("basic_auth_users:\n  ann: {broken}\n  bob: {HUNTER2}\n  eve: hunter2\n");
    let findings = parse(&text).unwrap_err();
    let drawn = crate::diag::render_text(&findings, crate::diag::Style::Plain);
    assert_eq!(findings.iter().filter(|f| f.severity == Severity::Error).count(), 2, "{drawn}");
    assert!(drawn.contains("ann: ***"), "{drawn}");
    assert!(!drawn.contains("C0sx") && !drawn.contains("hunter2"), "{drawn}");
}
