//! Certificates for the tests.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::http::ensure_provider;

/// An authority that exists for one test.
pub struct Ca(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, and a server that shows it.
pub struct Issued {
    pub cert: String,
    pub key: String,
    pub config: ServerConfig,
}

impl Ca {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a name, and a server that shows it.
    pub fn issue(&self, name: &str) -> Issued {
        self.issue_for(name, None, rustls::ALL_VERSIONS)
    }

    pub fn issue_for(
        &self,
        name: &str,
        clients_of: Option<&Self>,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Issued {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_string()]).unwrap();
        let cert = params.signed_by(&key, &self.0).unwrap();
        let provider = ensure_provider();
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .unwrap();
        let builder = match clients_of {
            None => builder.with_no_client_auth(),
            Some(ca) => {
                let mut roots = RootCertStore::empty();
                roots.add(ca.0.der().clone()).unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                        .build()
                        .unwrap();
                builder.with_client_cert_verifier(verifier)
            }
        };
        let der = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = builder.with_single_cert(vec![cert.der().clone()], der).unwrap();
        Issued { cert: cert.pem(), key: key.serialize_pem(), config }
    }

    /// A certificate and its key in PEM form, for alternative names of any kind.
    pub fn sign(&self, names: Vec<SanType>) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = names;
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}
