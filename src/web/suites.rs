//! Go's names of suites and curves, and which of them there are here.

use rustls::{CipherSuite, NamedGroup};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named<T> {
    /// Something that can be used.
    Known(T),
    /// Something that Go has and rustls has not.
    Unsupported,
    /// Part of TLS 1.3, whose suites cannot be chosen: Go ignores it too.
    Always,
    /// Nothing.
    Unknown,
}

/// A suite by the name that Go's `crypto/tls` has for it.
pub(super) fn cipher_suite(name: &str) -> Named<CipherSuite> {
    use CipherSuite as S;
    Named::Known(match name {
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" => S::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" => S::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" => S::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" => S::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305"
        | "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" => {
            S::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
        }
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305" | "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" => {
            S::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
        }
        "TLS_AES_128_GCM_SHA256" | "TLS_AES_256_GCM_SHA384" | "TLS_CHACHA20_POLY1305_SHA256" => {
            return Named::Always;
        }
        "TLS_RSA_WITH_AES_128_CBC_SHA"
        | "TLS_RSA_WITH_AES_256_CBC_SHA"
        | "TLS_RSA_WITH_AES_128_GCM_SHA256"
        | "TLS_RSA_WITH_AES_256_GCM_SHA384"
        | "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"
        | "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"
        | "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"
        | "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA" => return Named::Unsupported,
        _ => return Named::Unknown,
    })
}

/// A group by the exporter toolkit's name for it.
pub(super) fn curve(name: &str) -> Named<NamedGroup> {
    match name {
        "CurveP256" => Named::Known(NamedGroup::secp256r1),
        "CurveP384" => Named::Known(NamedGroup::secp384r1),
        "X25519" => Named::Known(NamedGroup::X25519),
        "CurveP521" => Named::Unsupported,
        _ => Named::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_and_curve_that_rustls_has_can_be_named() {
        let provider = crate::http::ensure_provider();
        for suite in &provider.cipher_suites {
            let name = format!("{:?}", suite.suite()).replace("TLS13_", "TLS_");
            let expected = match suite.tls13() {
                Some(_) => Named::Always,
                None => Named::Known(suite.suite()),
            };
            assert_eq!(cipher_suite(&name), expected, "{name}");
        }
        let named = ["CurveP256", "CurveP384", "X25519"].map(curve);
        for group in &provider.kx_groups {
            assert!(named.contains(&Named::Known(group.name())), "{:?}", group.name());
        }
        assert_eq!(cipher_suite("TLS_NULL"), Named::Unknown);
    }
}
