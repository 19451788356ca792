//! Tier 4: the one HTTP client, for the datasource and every notifier. The mail client shares its TLS.
//!
//! [`HttpConfig`] is Prometheus' `http_config`. [`HttpClient`] sends one [`HttpRequest`] at a time
//! and returns a whole [`HttpResponse`] that is no larger than asked for. TLS is rustls with ring.
//! Files that hold secrets are read for each request, certificate files again when they change.
//! No error and no `Debug` form shows a secret; of a URL they show scheme, host and port, because
//! the path of a webhook is its password.

mod client;
mod config;
mod error;
mod oauth2;
mod read;
mod read_oauth2;
mod read_tls;
mod redact;
mod request;
mod response;
mod stamp;
mod tls;

pub use client::{HttpClient, Timeouts};
pub use config::{
    Auth, ExtraHeader, HttpConfig, OAuth2Config, PemSource, ProxyConfig, TlsConfig, TlsVersion,
};
pub use error::HttpError;
pub use read::{read_base_url, read_secret};
pub use read_tls::{read_pem, read_tls, read_tls_version};
pub use request::{HttpRequest, parse_url, without_user};
pub use response::HttpResponse;
pub use stamp::FileStamps;
pub use tls::{ensure_provider, load_certificates, load_key, tls_client_config, tls_versions};

#[cfg(test)]
pub(crate) mod tests;
