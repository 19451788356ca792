//! Bearer tokens, known by their SHA-256 only.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The SHA-256 of a token. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// Of a token.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// From 64 hexadecimal digits, as `sha256sum` writes them. `None` where it is something else.
    pub fn parse(hex: &str) -> Option<Self> {
        if hex.len() != 64 || !hex.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        // `from_str_radix` takes a sign.
        hex.bytes().all(|b| b.is_ascii_hexdigit()).then_some(Self(bytes))
    }

    /// Whether both are of the same token, in the same time whatever the answer.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_from_hex() {
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let read = TokenDigest::parse(abc).unwrap();
        assert!(read.matches(&TokenDigest::of("abc")));
        assert!(!read.matches(&TokenDigest::of("abd")));
        assert!(TokenDigest::parse(&abc.to_uppercase()).unwrap().matches(&read));
        assert!(!format!("{read:?}").contains("ba"));
        for bad in ["", &abc[1..], &abc.replace('b', "g"), &abc.replacen("ba", "+a", 1)] {
            assert!(TokenDigest::parse(bad).is_none(), "{bad}");
        }
    }
}
