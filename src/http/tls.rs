//! rustls from our settings.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme, SupportedProtocolVersion,
};

use crate::http::{HttpConfig, HttpError, PemSource, TlsConfig, TlsVersion};
use crate::model::SecretSource;

/// A bundle of every public authority has about 250 KiB.
const MAX_PEM_BYTES: u64 = 4 * 1024 * 1024;

/// Makes ring the process' provider of cryptography, once. The mail client and every other user
/// of rustls' default rely on it. Calling it again does nothing.
pub fn ensure_provider() -> Arc<CryptoProvider> {
    static RING: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    let ring = RING.get_or_init(|| {
        let provider = rustls::crypto::ring::default_provider();
        // An error means that one is installed already, which is as good.
        let _ = provider.clone().install_default();
        Arc::new(provider)
    });
    Arc::clone(ring)
}

/// The TLS side of a HTTP client, with the versions of HTTP that it offers.
pub(super) fn client_config(config: &HttpConfig) -> Result<ClientConfig, HttpError> {
    let mut client = tls_client_config(&config.tls)?;
    client.alpn_protocols = match config.enable_http2 {
        true => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        false => vec![b"http/1.1".to_vec()],
    };
    Ok(client)
}

/// The TLS side of a client of any protocol. Reads the certificate files now.
///
/// Without `ca` the machine's authorities are trusted; with it, only that.
///
/// # Errors
/// A file that cannot be read, or holds no certificate or key.
pub fn tls_client_config(tls: &TlsConfig) -> Result<ClientConfig, HttpError> {
    let provider = ensure_provider();
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&tls_versions(tls.min_version, tls.max_version)?)
        .map_err(|e| error("tls_config", e))?;
    let builder = if tls.insecure_skip_verify {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AcceptAll { provider }))
    } else {
        let roots = roots(tls)?;
        match &tls.server_name {
            None => builder.with_root_certificates(roots),
            Some(name) => {
                let verifier = NamedVerifier::new(name, roots, provider)?;
                builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
            }
        }
    };
    match identity(tls)? {
        None => Ok(builder.with_no_client_auth()),
        Some((chain, key)) => {
            builder.with_client_auth_cert(chain, key).map_err(|e| error("cert and key", e))
        }
    }
}

fn error(field: &'static str, reason: impl ToString) -> HttpError {
    HttpError::Config { field, reason: reason.to_string() }
}

/// The versions between two, TLS 1.2 and 1.3 where absent.
///
/// # Errors
/// Where the lowest is higher than the highest.
pub fn tls_versions(
    lowest: Option<TlsVersion>,
    highest: Option<TlsVersion>,
) -> Result<Vec<&'static SupportedProtocolVersion>, HttpError> {
    let lowest = lowest.unwrap_or(TlsVersion::V12);
    let highest = highest.unwrap_or(TlsVersion::V13);
    let all = [(TlsVersion::V12, &TLS12), (TlsVersion::V13, &TLS13)];
    let allowed: Vec<_> = all
        .into_iter()
        .filter(|(version, _)| (lowest..=highest).contains(version))
        .map(|(_, version)| version)
        .collect();
    if allowed.is_empty() {
        return Err(error("min_version", "it is higher than max_version"));
    }
    Ok(allowed)
}

fn roots(tls: &TlsConfig) -> Result<Arc<RootCertStore>, HttpError> {
    let Some(ca) = &tls.ca else { return Ok(machine_roots()) };
    let mut roots = RootCertStore::empty();
    for certificate in load_certificates("ca", ca)? {
        roots.add(certificate).map_err(|e| error("ca", e))?;
    }
    Ok(Arc::new(roots))
}

/// The machine's authorities, read once: parsing them takes milliseconds, and each receiver has a
/// client. A machine without any can still use plain HTTP, so that is no error here.
fn machine_roots() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let roots = ROOTS.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            tracing::warn!("no certificate authorities found, https needs tls_config.ca_file");
        }
        Arc::new(roots)
    });
    Arc::clone(roots)
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity(tls: &TlsConfig) -> Result<Option<Identity>, HttpError> {
    match (&tls.cert, &tls.key) {
        (None, None) => Ok(None),
        (Some(cert), Some(key)) => {
            let chain = load_certificates("cert", cert)?;
            Ok(Some((chain, load_key(key)?)))
        }
        (Some(_), None) => Err(error("key", "a certificate needs its key")),
        (None, Some(_)) => Err(error("cert", "a key needs its certificate")),
    }
}

/// A private key in PEM form, read now.
///
/// # Errors
/// Where it cannot be read or is none. The content is not quoted.
pub fn load_key(source: &SecretSource) -> Result<PrivateKeyDer<'static>, HttpError> {
    PrivateKeyDer::from_pem_slice(source.read()?.expose().as_bytes())
        .map_err(|_| error("key", "it holds no private key in PEM form"))
}

/// The certificates of a text in PEM form, a file read now; at least one. `field` is what errors
/// name.
///
/// # Errors
/// Where the file cannot be read or holds no certificate.
pub fn load_certificates(
    field: &'static str,
    source: &PemSource,
) -> Result<Vec<CertificateDer<'static>>, HttpError> {
    let (text, place) = match source {
        PemSource::Inline(text) => (text.clone(), String::new()),
        PemSource::File(path) => {
            let text = read_pem(path)
                .map_err(|reason| error(field, format!("{}: {reason}", path.display())))?;
            (text, format!("{}: ", path.display()))
        }
    };
    let list: Vec<_> = CertificateDer::pem_slice_iter(text.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|e| error(field, format!("{place}{e}")))?;
    if list.is_empty() {
        return Err(error(field, format!("{place}it holds no certificate in PEM form")));
    }
    Ok(list)
}

fn read_pem(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
    if size > MAX_PEM_BYTES {
        return Err(format!("it has {size} bytes, at most {MAX_PEM_BYTES} are read"));
    }
    std::fs::read_to_string(path).map_err(|e| e.to_string())
}

/// Checks certificates against a name from the configuration.
#[derive(Debug)]
struct NamedVerifier {
    name: ServerName<'static>,
    inner: Arc<WebPkiServerVerifier>,
}

impl NamedVerifier {
    fn new(
        name: &str,
        roots: Arc<RootCertStore>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, HttpError> {
        let name = ServerName::try_from(name.to_string()).map_err(|e| error("server_name", e))?;
        let inner = WebPkiServerVerifier::builder_with_provider(roots, provider)
            .build()
            .map_err(|e| error("server_name", e))?;
        Ok(Self { name, inner })
    }
}

impl ServerCertVerifier for NamedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let inner = &self.inner;
        inner.verify_server_cert(end_entity, intermediates, &self.name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// `insecure_skip_verify`: any certificate will do, but the handshake must be signed with its key.
#[derive(Debug)]
struct AcceptAll {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AcceptAll {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
