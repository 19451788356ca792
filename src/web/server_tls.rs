//! rustls' server from our settings.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::http::{HttpError, ensure_provider, load_certificates, load_key, tls_versions};
use crate::web::certificate::{ClientVerifier, not_after};
use crate::web::{ClientAuth, ServerTls};

/// A server's side of TLS, ready for handshakes.
#[derive(Clone, Debug)]
pub struct ReadyTls {
    /// For the handshake.
    pub server: Arc<ServerConfig>,
    /// Whether a certificate of a client has been checked against the client CA.
    pub verifies_clients: bool,
    /// When our certificate ends, in seconds since 1970.
    pub not_after: Option<u64>,
}

impl ServerTls {
    /// Reads the certificate files and makes the server's side of TLS of them.
    ///
    /// # Errors
    /// A file that cannot be read, holds no certificate or key, or a key that belongs to another
    /// certificate.
    pub fn build(&self) -> Result<ReadyTls, HttpError> {
        let provider = Arc::new(self.provider());
        let versions = tls_versions(self.min_version, self.max_version)?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)
            .map_err(|e| error("tls_server_config", e))?;
        let builder = match self.client_verifier(&provider)? {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let chain = load_certificates("cert", &self.cert)?;
        let not_after = chain.first().and_then(|cert| not_after(cert));
        let mut server = builder
            .with_single_cert(chain, load_key(&self.key)?)
            .map_err(|e| error("cert and key", e))?;
        server.ignore_client_order = self.prefer_server_order;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(ReadyTls {
            server: Arc::new(server),
            verifies_clients: self.client_auth.verifies(),
            not_after,
        })
    }

    /// ring with the suites and groups that may be used.
    fn provider(&self) -> CryptoProvider {
        let mut provider = CryptoProvider::clone(&ensure_provider());
        if !self.cipher_suites.is_empty() {
            // As for Go the list is for TLS 1.2; the suites of TLS 1.3 are all good.
            let rank = |suite: &rustls::SupportedCipherSuite| match suite.tls13() {
                Some(_) => Some(0),
                None => self.cipher_suites.iter().position(|s| *s == suite.suite()).map(|n| n + 1),
            };
            provider.cipher_suites.retain(|suite| rank(suite).is_some());
            provider.cipher_suites.sort_by_key(rank);
        }
        if !self.curves.is_empty() {
            let rank = |name| self.curves.iter().position(|curve| *curve == name);
            provider.kx_groups.retain(|group| rank(group.name()).is_some());
            provider.kx_groups.sort_by_key(|group| rank(group.name()));
        }
        provider
    }

    fn client_verifier(
        &self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Option<Arc<dyn ClientCertVerifier>>, HttpError> {
        if self.client_auth == ClientAuth::NoClientCert {
            return Ok(None);
        }
        let chain = match (&self.client_ca, self.client_auth.verifies()) {
            (Some(ca), true) => {
                let mut roots = RootCertStore::empty();
                for certificate in load_certificates("client_ca", ca)? {
                    roots.add(certificate).map_err(|e| error("client_ca", e))?;
                }
                let chain = WebPkiClientVerifier::builder_with_provider(
                    Arc::new(roots),
                    Arc::clone(provider),
                );
                Some(chain.build().map_err(|e| error("client_ca", e))?)
            }
            (None, true) => return Err(error("client_ca", "it is missing")),
            (_, false) => None,
        };
        Ok(Some(Arc::new(ClientVerifier {
            chain,
            required: self.client_auth.requires(),
            allowed: self.client_allowed_sans.clone(),
            provider: Arc::clone(provider),
        })))
    }
}

fn error(field: &'static str, reason: impl ToString) -> HttpError {
    HttpError::Config { field, reason: reason.to_string() }
}
