//! `email_configs` from YAML.

use lettre::message::Mailboxes;
use lettre::message::header::HeaderName;
use rustls::pki_types::ServerName;

use crate::http::TlsConfig;
use crate::model::{IntegrationId, SecretSource};
use crate::notify::globals::text;
use crate::notify::{Globals, IntegrationConfig};
use crate::yaml::{Fields, Node, Reader};

/// The port of submission with TLS from the first byte (RFC 8314).
const SUBMISSIONS: u16 = 465;
/// Headers that this program writes itself.
const OWN_HEADERS: [&str; 5] =
    ["content-type", "content-transfer-encoding", "mime-version", "date", "message-id"];

/// `email_configs`: one item, with the defaults of `global` filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EmailConfig {
    pub(super) id: IntegrationId,
    pub(super) send_resolved: bool,
    /// Addresses, or a template that gives some.
    pub(super) to: String,
    /// The sender, or a template that gives one.
    pub(super) from: String,
    pub(super) server: Server,
    pub(super) login: Option<Login>,
    /// More headers: names, and templates of their values.
    pub(super) headers: Vec<(String, String)>,
    /// The template of the HTML part; the shipped one where absent, no such part where empty.
    pub(super) html: Option<String>,
    /// The template of the text part; the shipped one where absent.
    pub(super) text: Option<String>,
    pub(super) threading: Threading,
}

/// The server that takes the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    /// The name that we give ourselves.
    pub(super) hello: String,
    pub(super) security: Security,
    pub(super) tls: TlsConfig,
}

/// When TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// With the first byte.
    Implicit,
    /// By STARTTLS, and no mail without it.
    StartTls,
    /// By STARTTLS where the server offers it.
    Opportunistic,
}

/// Who we are for the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) username: String,
    pub(super) password: SecretSource,
    /// On whose behalf, for PLAIN.
    pub(super) identity: String,
}

/// Which mails of a group form one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Threading {
    /// None: each mail stands alone.
    Off,
    /// All.
    Group,
    /// Those of one day.
    Daily,
}

/// Reads one item of `email_configs`.
pub(super) fn read(
    reader: &mut Reader,
    node: &Node,
    id: &IntegrationId,
    globals: &Globals,
) -> Option<Box<dyn IntegrationConfig>> {
    let mut fields = reader.mapping(node, "the email")?;
    let (to, from) = read_addresses(reader, &mut fields, globals);
    let server = read_server(reader, &mut fields, globals);
    let login = read_login(reader, &mut fields, globals);
    let config = EmailConfig {
        id: id.clone(),
        send_resolved: fields.bool(reader, "send_resolved").unwrap_or(false),
        to: to.unwrap_or_default(),
        from: from.unwrap_or_default(),
        headers: read_headers(reader, &mut fields),
        html: fields.string(reader, "html").map(str::to_string),
        text: text(reader, &mut fields, "text"),
        threading: read_threading(reader, &mut fields),
        server: server.unwrap_or_else(|| Server::new(String::new(), 0)),
        login: login.unwrap_or_default(),
    };
    fields.finish(reader);
    // A file with any mistake is refused as a whole, so what stands in for a missing part is
    // never used.
    let complete = !config.to.is_empty() && !config.from.is_empty() && config.server.port > 0;
    complete.then(|| Box::new(config) as Box<dyn IntegrationConfig>)
}

/// Whether a text holds a template action; then its value is known only with a notification.
pub(super) fn is_template(text: &str) -> bool {
    text.contains("{{")
}

fn read_addresses(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    globals: &Globals,
) -> (Option<String>, Option<String>) {
    let to = text(reader, fields, "to");
    match &to {
        None => reader.error("receiver/email", fields.span(), "an email needs `to`"),
        Some(list) => check_addresses(reader, fields, "to", list, false),
    }
    let from = text(reader, fields, "from").or_else(|| globals.smtp.from.clone());
    match &from {
        None => {
            let message = "an email needs `from`, here or as `smtp_from` of `global`";
            reader.error("receiver/email", fields.span(), message);
        }
        Some(address) => check_addresses(reader, fields, "from", address, true),
    }
    (to, from)
}

fn check_addresses(
    reader: &mut Reader,
    fields: &Fields<'_>,
    key: &'static str,
    list: &str,
    single: bool,
) {
    let count = list.parse::<Mailboxes>().map_or(0, |list| list.iter().count());
    if is_template(list) || (count > 0 && (!single || count == 1)) {
        return;
    }
    let span = fields.entries().iter().find(|e| e.key.text() == key).map(|e| e.value.span);
    let wanted = if single { "one mail address" } else { "mail addresses, separated by commas" };
    let place = if span.is_some() { String::new() } else { "the global ".to_string() };
    let message = format!("{place}`{key}` must be {wanted}");
    reader.error("yaml/value", span.unwrap_or_else(|| fields.span()), message);
}

impl Server {
    fn new(host: String, port: u16) -> Self {
        Self {
            host,
            port,
            hello: String::new(),
            security: Security::StartTls,
            tls: TlsConfig::default(),
        }
    }

    /// `host:port`; an IPv6 address stands in brackets.
    fn parse(smarthost: &str) -> Option<Self> {
        let (host, port) = smarthost.rsplit_once(':')?;
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        let port = port.parse().ok().filter(|port| *port > 0)?;
        ServerName::try_from(host).ok()?;
        Some(Self::new(host.to_string(), port))
    }
}

fn read_server(reader: &mut Reader, fields: &mut Fields<'_>, globals: &Globals) -> Option<Server> {
    let smtp = &globals.smtp;
    let smarthost = text(reader, fields, "smarthost").or_else(|| smtp.smarthost.clone());
    let hello = text(reader, fields, "hello").or_else(|| smtp.hello.clone());
    let hello = hello.unwrap_or_else(|| "localhost".to_string());
    if !hello.bytes().all(|b| b.is_ascii_graphic()) {
        let span = fields.key_span("hello").unwrap_or_else(|| fields.span());
        reader.error("yaml/value", span, "`hello` must be a host name");
    }
    let required = fields.bool(reader, "require_tls").or(smtp.require_tls).unwrap_or(true);
    let implicit = fields.bool(reader, "force_implicit_tls").or(smtp.force_implicit_tls);
    let own_tls = fields.get("tls_config").and_then(|node| globals.tls_config(reader, node));
    let Some(smarthost) = smarthost else {
        let message = "an email needs `smarthost`, here or as `smtp_smarthost` of `global`";
        reader.error("receiver/email", fields.span(), message);
        return None;
    };
    let Some(server) = Server::parse(&smarthost) else {
        let span = fields.key_span("smarthost").unwrap_or_else(|| fields.span());
        reader.error("yaml/value", span, "`smarthost` must be a host and a port: `host:587`");
        return None;
    };
    let security = match (implicit.unwrap_or(server.port == SUBMISSIONS), required) {
        (true, _) => Security::Implicit,
        (false, true) => Security::StartTls,
        (false, false) => Security::Opportunistic,
    };
    let tls = own_tls.or_else(|| smtp.tls.clone()).unwrap_or_default();
    Some(Server { hello, security, tls, ..server })
}

/// `None` where something is wrong with it.
fn read_login(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    globals: &Globals,
) -> Option<Option<Login>> {
    let reason = "CRAM-MD5 is not offered; use `auth_password`, which is sent over TLS only";
    fields.unsupported(reader, "auth_secret", reason);
    fields.unsupported(reader, "auth_secret_file", reason);
    let smtp = &globals.smtp;
    let username = text(reader, fields, "auth_username").or_else(|| smtp.auth_username.clone());
    let own = globals.secret(reader, fields, "auth_password", "auth_password_file");
    let own_given = own.is_some();
    let password = own.or_else(|| smtp.auth_password.clone());
    let identity = text(reader, fields, "auth_identity").or_else(|| smtp.auth_identity.clone());
    match (username, password) {
        (Some(username), Some(password)) => {
            Some(Some(Login { username, password, identity: identity.unwrap_or_default() }))
        }
        (Some(_), None) => {
            let span = fields.key_span("auth_username").unwrap_or_else(|| fields.span());
            reader.error("receiver/email", span, "`auth_username` needs `auth_password`");
            None
        }
        (None, Some(_)) if own_given => {
            let span = fields.key_span("auth_password").or(fields.key_span("auth_password_file"));
            let span = span.unwrap_or_else(|| fields.span());
            reader.error("receiver/email", span, "`auth_password` needs `auth_username`");
            None
        }
        (None, _) => Some(None),
    }
}

fn read_headers(reader: &mut Reader, fields: &mut Fields<'_>) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for (key, node) in fields.string_map(reader, "headers").unwrap_or_default() {
        let name = key.text();
        let lower = name.to_ascii_lowercase();
        let printable = name.bytes().all(|b| b.is_ascii_graphic());
        if !printable || HeaderName::new_from_ascii(name.to_string()).is_err() {
            reader.error("yaml/value", key.span(), format!("{name:?} is no name of a header"));
        } else if OWN_HEADERS.contains(&lower.as_str()) {
            let message = format!("the header `{name}` is written by the program itself");
            reader.error("receiver/email", key.span(), message);
        } else if headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
            reader.error("yaml/duplicate-key", key.span(), format!("`{name}` is there twice"));
        } else if let Some(value) = reader.string(node, "a header") {
            headers.push((name.to_string(), value.to_string()));
        }
    }
    headers
}

/// Without this section a group's mails form one thread. With it, it is as Alertmanager has it.
fn read_threading(reader: &mut Reader, fields: &mut Fields<'_>) -> Threading {
    let Some(mut threading) = fields.mapping(reader, "threading") else { return Threading::Group };
    let enabled = threading.bool(reader, "enabled").unwrap_or(false);
    let by_date = text(reader, &mut threading, "thread_by_date");
    let kind = match by_date.as_deref() {
        None | Some("daily") => Threading::Daily,
        Some("none") => Threading::Group,
        Some(_) => {
            if let Some(node) = threading.get("thread_by_date") {
                reader.wrong_value(node, "`thread_by_date`", "must be daily or none");
            }
            Threading::Off
        }
    };
    threading.finish(reader);
    if enabled { kind } else { Threading::Off }
}
