//! The settings of an HTTP client, checked.

use std::path::{Path, PathBuf};

use crate::model::{Secret, SecretSource};

/// How to speak HTTP with one server: Prometheus' `http_config` with checked fields. What the
/// configuration can say wrongly (two kinds of authentication at once, say) has no form here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// Who we are.
    pub auth: Auth,
    /// Whom we trust, and with which versions.
    pub tls: TlsConfig,
    /// Through which proxy.
    pub proxy: ProxyConfig,
    /// Whether redirects are followed, ten at most.
    pub follow_redirects: bool,
    /// Whether HTTP/2 is offered in the TLS handshake.
    pub enable_http2: bool,
    /// Headers for every request.
    pub headers: Vec<ExtraHeader>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            auth: Auth::None,
            tls: TlsConfig::default(),
            proxy: ProxyConfig::Direct,
            follow_redirects: true,
            enable_http2: true,
            headers: Vec::new(),
        }
    }
}

/// What goes into the `Authorization` header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// No such header.
    #[default]
    None,
    /// RFC 7617: user and password.
    Basic {
        /// The user; not shown either, since it may come from a secret file.
        username: Option<SecretSource>,
        /// The password; none is sent as an empty one.
        password: Option<SecretSource>,
    },
    /// A scheme and its credentials.
    Scheme {
        /// The scheme, `Bearer` where the configuration names none.
        scheme: String,
        /// The credentials; with none the header holds the scheme alone.
        credentials: Option<SecretSource>,
    },
    /// Tokens by OAuth2's client credentials grant.
    OAuth2(Box<OAuth2Config>),
}

/// Prometheus' `oauth2`: how to get tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuth2Config {
    /// Who we are there.
    pub client_id: String,
    /// The secret for it; none is sent as an empty one.
    pub client_secret: Option<SecretSource>,
    /// What the token is for.
    pub scopes: Vec<String>,
    /// Where tokens are given out; it may hold a password.
    pub token_url: Secret,
    /// More fields of the form; some servers take the secret there.
    pub endpoint_params: Vec<(String, Secret)>,
    /// Whom we trust there.
    pub tls: TlsConfig,
    /// Through which proxy.
    pub proxy: ProxyConfig,
}

/// A header that is added to every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraHeader {
    /// The header's name.
    pub name: String,
    /// Its values; each becomes a header line of its own. Plain values are kept as secrets too.
    pub values: Vec<SecretSource>,
}

/// Text in PEM form that is no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PemSource {
    /// Written in the configuration.
    Inline(String),
    /// In a file, read again when it changes.
    File(PathBuf),
}

/// A version of TLS that rustls speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2.
    V12,
    /// TLS 1.3.
    V13,
}

/// Prometheus' `tls_config`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// The only authorities to trust, in place of the machine's.
    pub ca: Option<PemSource>,
    /// The client's certificate and the chain above it.
    pub cert: Option<PemSource>,
    /// The client certificate's key.
    pub key: Option<SecretSource>,
    /// The name that the server's certificate must hold, in place of the URL's host. The name
    /// sent in the handshake (SNI) stays the URL's host.
    pub server_name: Option<String>,
    /// Whether any certificate is accepted.
    pub insecure_skip_verify: bool,
    /// The lowest version; TLS 1.2 where absent.
    pub min_version: Option<TlsVersion>,
    /// The highest version; TLS 1.3 where absent.
    pub max_version: Option<TlsVersion>,
}

/// Which way requests go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProxyConfig {
    /// Straight to the server, whatever the environment says.
    #[default]
    Direct,
    /// As `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` say.
    Environment,
    /// Through one proxy.
    Url {
        /// The proxy; it may hold a password.
        url: Secret,
        /// Hosts, domains and networks that are reached directly, separated by commas.
        no_proxy: Option<String>,
        /// Headers of the CONNECT request.
        connect_headers: Vec<ExtraHeader>,
    },
}

impl HttpConfig {
    /// Makes relative paths relative to a folder, which is the configuration file's.
    pub fn set_directory(&mut self, folder: &Path) {
        match &mut self.auth {
            Auth::None => {}
            Auth::Basic { username, password } => {
                join_secrets(username.iter_mut().chain(password), folder);
            }
            Auth::Scheme { credentials, .. } => join_secrets(credentials.iter_mut(), folder),
            Auth::OAuth2(config) => {
                join_secrets(config.client_secret.iter_mut(), folder);
                config.tls.set_directory(folder);
                config.proxy.set_directory(folder);
            }
        }
        self.tls.set_directory(folder);
        self.proxy.set_directory(folder);
        for header in &mut self.headers {
            join_secrets(header.values.iter_mut(), folder);
        }
    }

    /// The files from which the connection itself is made; a change of one means a new client.
    pub(super) fn connection_files(&self) -> Vec<PathBuf> {
        let pem =
            [&self.tls.ca, &self.tls.cert].into_iter().flatten().filter_map(|pem| match pem {
                PemSource::File(path) => Some(path.clone()),
                PemSource::Inline(_) => None,
            });
        let proxy_headers = match &self.proxy {
            ProxyConfig::Url { connect_headers, .. } => connect_headers.as_slice(),
            ProxyConfig::Direct | ProxyConfig::Environment => &[],
        };
        let secrets = self.tls.key.iter().chain(proxy_headers.iter().flat_map(|h| &h.values));
        let secrets = secrets.filter_map(|secret| match secret {
            SecretSource::File(path) => Some(path.clone()),
            SecretSource::Inline(_) => None,
        });
        pem.chain(secrets).collect()
    }
}

impl ProxyConfig {
    fn set_directory(&mut self, folder: &Path) {
        if let Self::Url { connect_headers, .. } = self {
            for header in connect_headers {
                join_secrets(header.values.iter_mut(), folder);
            }
        }
    }
}

impl TlsConfig {
    /// Makes relative paths relative to a folder, which is the configuration file's.
    pub fn set_directory(&mut self, folder: &Path) {
        join_secrets(self.key.iter_mut(), folder);
        for pem in self.ca.iter_mut().chain(&mut self.cert) {
            if let PemSource::File(path) = pem {
                *path = folder.join(&*path);
            }
        }
    }
}

fn join_secrets<'a>(secrets: impl Iterator<Item = &'a mut SecretSource>, folder: &Path) {
    for secret in secrets {
        if let SecretSource::File(path) = secret {
            *path = folder.join(&*path);
        }
    }
}
