//! `email_configs` as written in files.

use super::{CONFIG, read};

#[test]
fn defaults_come_from_global() {
    let global = "smtp_from: bell@example.test\nsmtp_smarthost: '[::1]:465'\n\
                  smtp_auth_username: u\nsmtp_auth_password_file: pw\nsmtp_hello: me\n\
                  smtp_require_tls: false\nsmtp_tls_config: {ca_file: ca.pem}\n";
    let shown = format!("{:?}", read("to: a@example.test, B <b@example.test>", global).unwrap());
    for part in [
        "from: \"bell@example.test\"",
        "host: \"::1\", port: 465, hello: \"me\", security: Implicit",
        "username: \"u\", password: File(\"/etc/watchbell/pw\")",
        "File(\"/etc/watchbell/ca.pem\")",
        "send_resolved: false",
        "threading: Group",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn tls_and_threads() {
    for (item, part) in [
        ("", "security: StartTls"),
        ("require_tls: false", "security: Opportunistic"),
        ("require_tls: false\nforce_implicit_tls: true", "security: Implicit"),
        ("threading: {enabled: true}", "threading: Daily"),
        ("threading: {enabled: true, thread_by_date: none}", "threading: Group"),
        ("threading: {enabled: false}", "threading: Off"),
        ("auth_username: u\nauth_password: hunter2", "password: Inline(<secret>)"),
        ("send_resolved: true", "send_resolved: true"),
    ] {
        let shown = format!("{:?}", read(&format!("{CONFIG}{item}\n"), "").unwrap());
        assert!(shown.contains(part) && !shown.contains("hunter2"), "{item}: {shown}");
    }
    let item = CONFIG.replace(":587", ":465") + "force_implicit_tls: false\n";
    assert!(format!("{:?}", read(&item, "").unwrap()).contains("security: StartTls"));
}

#[test]
fn mistakes_are_named() {
    for (item, parts) in [
        ("{}", &["an email needs `to`", "an email needs `from`", "an email needs `smarthost`"][..]),
        ("to: nobody\nfrom: a@b.c\nsmarthost: h:25", &["`to` must be mail addresses"]),
        ("to: a@b.c\nfrom: a@b.c, d@e.f\nsmarthost: h:25", &["`from` must be one mail address"]),
        ("to: a@b.c\nfrom: a@b.c\nsmarthost: host", &["`smarthost` must be a host and a port"]),
        ("to: a@b.c\nfrom: a@b.c\nsmarthost: h:0", &["`smarthost` must be a host and a port"]),
        ("to: a@b.c\nfrom: a@b.c\nsmarthost: h:25\nhello: 'a b'", &["`hello` must be"]),
        ("+auth_secret: x", &["auth_secret"]),
        ("+auth_username: x", &["`auth_username` needs `auth_password`"]),
        ("+auth_password: x", &["`auth_password` needs `auth_username`"]),
        ("+headers: {Message-ID: x}", &["`Message-ID` is written by the program"]),
        ("+headers: {'a b': x}", &["\"a b\" is no name of a header"]),
        ("+headers: {Subject: x, subject: y}", &["`subject` is there twice"]),
        ("+threading: {enabled: true, thread_by_date: weekly}", &["must be daily or none"]),
        ("+requiretls: true", &["unknown key `requiretls`"]),
    ] {
        let item = item.strip_prefix('+').map_or(item.to_string(), |i| format!("{CONFIG}{i}\n"));
        let found = read(&item, "").map(|config| format!("{config:?}")).unwrap_err();
        assert_eq!(found.len(), parts.len(), "{item}: {found:?}");
        for part in parts {
            assert!(found.iter().any(|message| message.contains(part)), "{item}: {found:?}");
        }
    }
}
