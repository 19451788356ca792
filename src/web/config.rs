//! The settings of the API's server, checked.

use std::path::PathBuf;

use crate::diag::Span;
use crate::http::{PemSource, TlsVersion};
use crate::model::SecretSource;
use crate::web::{PasswordHash, Rate, Role, TokenDigest};

/// Who may come in, and how. The default is no file: without TLS, and open to this machine only.
#[derive(Clone, Debug, Default)]
pub struct WebConfig {
    /// `tls_server_config`; plain HTTP without it.
    pub tls: Option<ServerTls>,
    /// `http_server_config.headers`: of every answer.
    pub headers: Vec<(&'static str, String)>,
    /// `basic_auth_users`.
    pub users: Vec<User>,
    /// `bearer_auth`.
    pub bearers: Vec<Bearer>,
    /// `client_certificate_roles`: roles by the alternative names of certificates.
    pub certificate_roles: Vec<(String, Role)>,
    /// `anonymous_role`: what those may do from elsewhere who do not say who they are.
    pub anonymous_role: Option<Role>,
    /// `allowed_hosts`: names under which those are answered.
    pub allowed_hosts: Vec<String>,
    /// `rate_limit` and `rate_limit_per_client`.
    pub rates: Rates,
}

/// How many requests are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Of all clients; without a limit where absent.
    pub all: Option<Rate>,
    /// Of one client that is not this machine; without a limit where absent.
    pub client: Option<Rate>,
}

impl Default for Rates {
    /// More than dashboards and the import of many silences need, and less than it takes to keep a
    /// core busy.
    fn default() -> Self {
        let every = |us, burst| Rate { interval: std::time::Duration::from_micros(us), burst };
        Self { all: Some(every(500, 5000)), client: Some(every(5000, 2000)) }
    }
}

/// Somebody with a password.
#[derive(Clone, Debug)]
pub struct User {
    /// The name.
    pub name: String,
    /// The password's hash.
    pub hash: PasswordHash,
    /// What the user may do.
    pub role: Role,
}

/// Somebody with a bearer token.
#[derive(Clone, Debug)]
pub struct Bearer {
    /// The name, for the log.
    pub name: String,
    /// The token.
    pub token: TokenSource,
    /// What may be done with it.
    pub role: Role,
}

/// Where a token comes from.
#[derive(Clone, Debug)]
pub enum TokenSource {
    /// Its hash stands in the configuration.
    Digest(TokenDigest),
    /// It stands in a file of its own; `Span` is the place of the file's name.
    File(PathBuf, Span),
}

/// `tls_server_config`.
#[derive(Clone, Debug)]
pub struct ServerTls {
    /// The certificate and the chain above it.
    pub cert: PemSource,
    /// Its key.
    pub key: SecretSource,
    /// Whether clients show certificates.
    pub client_auth: ClientAuth,
    /// Who signs the certificates of clients.
    pub client_ca: Option<PemSource>,
    /// One of these alternative names must be in a client's certificate; any where absent.
    pub client_allowed_sans: Option<Vec<String>>,
    /// The lowest version; TLS 1.2 where absent.
    pub min_version: Option<TlsVersion>,
    /// The highest version; TLS 1.3 where absent.
    pub max_version: Option<TlsVersion>,
    /// The suites of TLS 1.2, in order of preference; rustls' where empty.
    pub cipher_suites: Vec<rustls::CipherSuite>,
    /// The groups for the exchange of keys, in order of preference; rustls' where empty.
    pub curves: Vec<rustls::NamedGroup>,
    /// Whether our order of suites counts, not the client's.
    pub prefer_server_order: bool,
    /// Where it stands in the file.
    pub span: Span,
}

/// `client_auth_type`, by Go's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// No certificate is asked for.
    #[default]
    NoClientCert,
    /// One is asked for, and whatever comes is taken.
    RequestClientCert,
    /// One must come, and any will do.
    RequireAnyClientCert,
    /// One that comes must be signed by the client CA.
    VerifyClientCertIfGiven,
    /// One must come, signed by the client CA.
    RequireAndVerifyClientCert,
}

impl ClientAuth {
    /// By its name in a file.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "NoClientCert" => Self::NoClientCert,
            "RequestClientCert" => Self::RequestClientCert,
            // The second is an older name for it.
            "RequireAnyClientCert" | "RequireClientCert" => Self::RequireAnyClientCert,
            "VerifyClientCertIfGiven" => Self::VerifyClientCertIfGiven,
            "RequireAndVerifyClientCert" => Self::RequireAndVerifyClientCert,
            _ => return None,
        })
    }

    /// Whether a certificate that comes is checked against the client CA, so that it proves who
    /// somebody is.
    pub fn verifies(self) -> bool {
        matches!(self, Self::VerifyClientCertIfGiven | Self::RequireAndVerifyClientCert)
    }

    /// Whether there is no connection without a certificate.
    pub fn requires(self) -> bool {
        matches!(self, Self::RequireAnyClientCert | Self::RequireAndVerifyClientCert)
    }
}

impl WebConfig {
    /// The files beside the configuration itself. When one changes, it is read again.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let tls = self.tls.iter();
        let pems = tls.clone().flat_map(|tls| [Some(&tls.cert), tls.client_ca.as_ref()]).flatten();
        let pems = pems.filter_map(|pem| match pem {
            PemSource::File(path) => Some(path.clone()),
            PemSource::Inline(_) => None,
        });
        let keys = tls.filter_map(|tls| match &tls.key {
            SecretSource::File(path) => Some(path.clone()),
            SecretSource::Inline(_) => None,
        });
        let tokens = self.bearers.iter().filter_map(|bearer| match &bearer.token {
            TokenSource::File(path, _) => Some(path.clone()),
            TokenSource::Digest(_) => None,
        });
        pems.chain(keys).chain(tokens).collect()
    }
}
