//! The part of Alertmanager's `global:` section that integrations inherit.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::http::{HttpConfig, TlsConfig, read_secret, read_tls};
use crate::model::SecretSource;
use crate::yaml::{Fields, Node, Reader};

/// Where PagerDuty takes events, unless configured otherwise.
pub const PAGERDUTY_URL: &str = "https://events.pagerduty.com/v2/enqueue";
/// Where Slack takes messages of an application, unless configured otherwise.
pub const SLACK_APP_URL: &str = "https://slack.com/api/chat.postMessage";

/// Keys of `global` that belong to integrations which do not exist here yet.
const NOT_YET: [&str; 19] = [
    "jira_api_url",
    "mattermost_webhook_url",
    "mattermost_webhook_url_file",
    "opsgenie_api_key",
    "opsgenie_api_key_file",
    "opsgenie_api_url",
    "rocketchat_api_url",
    "rocketchat_token",
    "rocketchat_token_file",
    "rocketchat_token_id",
    "rocketchat_token_id_file",
    "telegram_api_url",
    "telegram_bot_token",
    "telegram_bot_token_file",
    "victorops_api_key",
    "victorops_api_url",
    "webex_api_url",
    "wechat_api_secret",
    "wechat_api_url",
];

/// Defaults for all integrations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Globals {
    /// The configuration's folder: relative paths start here.
    pub directory: PathBuf,
    /// `http_config`, where an integration has none of its own.
    pub http: HttpConfig,
    /// The mail server.
    pub smtp: SmtpGlobals,
    /// `slack_api_url` or `slack_api_url_file`: an incoming webhook.
    pub slack_api_url: Option<SecretSource>,
    /// `slack_app_token` or `slack_app_token_file`: a bot token.
    pub slack_app_token: Option<SecretSource>,
    /// `slack_app_url`; [`SLACK_APP_URL`] where absent.
    pub slack_app_url: Option<String>,
    /// `pagerduty_url`; [`PAGERDUTY_URL`] where absent.
    pub pagerduty_url: Option<String>,
}

/// Defaults for mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SmtpGlobals {
    /// `smtp_from`.
    pub from: Option<String>,
    /// `smtp_smarthost`, as `host:port`.
    pub smarthost: Option<String>,
    /// `smtp_hello`; `localhost` where absent.
    pub hello: Option<String>,
    /// `smtp_auth_username`.
    pub auth_username: Option<String>,
    /// `smtp_auth_password` or `smtp_auth_password_file`.
    pub auth_password: Option<SecretSource>,
    /// `smtp_auth_identity`.
    pub auth_identity: Option<String>,
    /// `smtp_require_tls`; true where absent.
    pub require_tls: Option<bool>,
    /// `smtp_tls_config`.
    pub tls: Option<TlsConfig>,
    /// `smtp_force_implicit_tls`; by the port where absent.
    pub force_implicit_tls: Option<bool>,
}

impl Globals {
    /// Takes the integrations' keys from the `global` section. The caller finishes `fields`.
    pub fn read(reader: &mut Reader, fields: &mut Fields<'_>, directory: &Path) -> Self {
        for key in NOT_YET {
            fields.unsupported(reader, key, "");
        }
        let globals = Self { directory: directory.to_path_buf(), ..Self::default() };
        let secret = |reader: &mut Reader, fields: &mut Fields<'_>, key, file| {
            read_secret(reader, fields, key, file).map(|secret| globals.locate(secret))
        };
        Self {
            slack_api_url: secret(reader, fields, "slack_api_url", "slack_api_url_file"),
            slack_app_token: secret(reader, fields, "slack_app_token", "slack_app_token_file"),
            slack_app_url: text(reader, fields, "slack_app_url"),
            pagerduty_url: text(reader, fields, "pagerduty_url"),
            http: fields
                .get("http_config")
                .map(|node| globals.http_config(reader, node))
                .unwrap_or_default(),
            smtp: read_smtp(reader, fields, &globals),
            ..globals.clone()
        }
    }

    /// An integration's own `http_config`, or the global one.
    pub fn http_config_or_default(
        &self,
        reader: &mut Reader,
        fields: &mut Fields<'_>,
    ) -> HttpConfig {
        match fields.get("http_config") {
            Some(node) => self.http_config(reader, node),
            None => self.http.clone(),
        }
    }

    /// A secret of an integration, in the configuration or in a file of its own.
    pub fn secret(
        &self,
        reader: &mut Reader,
        fields: &mut Fields<'_>,
        key: &'static str,
        file_key: &'static str,
    ) -> Option<SecretSource> {
        read_secret(reader, fields, key, file_key).map(|secret| self.locate(secret))
    }

    fn http_config(&self, reader: &mut Reader, node: &Node) -> HttpConfig {
        let mut config = HttpConfig::read(reader, node).unwrap_or_default();
        config.set_directory(&self.directory);
        config
    }

    /// A `tls_config` outside of `http_config`, its files found from the configuration's folder.
    pub(super) fn tls_config(&self, reader: &mut Reader, node: &Node) -> Option<TlsConfig> {
        let mut config = read_tls(reader, node)?;
        config.set_directory(&self.directory);
        Some(config)
    }

    fn locate(&self, secret: SecretSource) -> SecretSource {
        match secret {
            SecretSource::File(path) => SecretSource::File(self.directory.join(path)),
            inline => inline,
        }
    }
}

fn read_smtp(reader: &mut Reader, fields: &mut Fields<'_>, globals: &Globals) -> SmtpGlobals {
    fields.unsupported(
        reader,
        "smtp_auth_secret",
        "CRAM-MD5 is not offered; use smtp_auth_password with a server that has TLS",
    );
    fields.unsupported(reader, "smtp_auth_secret_file", "CRAM-MD5 is not offered");
    SmtpGlobals {
        from: text(reader, fields, "smtp_from"),
        smarthost: text(reader, fields, "smtp_smarthost"),
        hello: text(reader, fields, "smtp_hello"),
        auth_username: text(reader, fields, "smtp_auth_username"),
        auth_password: globals.secret(
            reader,
            fields,
            "smtp_auth_password",
            "smtp_auth_password_file",
        ),
        auth_identity: text(reader, fields, "smtp_auth_identity"),
        require_tls: fields.bool(reader, "smtp_require_tls"),
        tls: fields.get("smtp_tls_config").and_then(|node| globals.tls_config(reader, node)),
        force_implicit_tls: fields.bool(reader, "smtp_force_implicit_tls"),
    }
}

/// How long one request to an integration may take, unless configured otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// `timeout` of an integration; zero is the same as none.
pub(super) fn read_timeout(reader: &mut Reader, fields: &mut Fields<'_>) -> Duration {
    let timeout = fields.duration(reader, "timeout").filter(|timeout| !timeout.is_zero());
    timeout.unwrap_or(DEFAULT_TIMEOUT)
}

/// A text; an empty one is the same as none, as it is for Go's decoder.
pub(super) fn text(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    key: &'static str,
) -> Option<String> {
    fields.string(reader, key).filter(|text| !text.is_empty()).map(str::to_string)
}
