//! The identity of a silence.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The identity of a silence: a UUID.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SilenceId(u128);

impl SilenceId {
    /// No silence comes after this one.
    pub const MAX: Self = Self(u128::MAX);

    /// A UUID of version 4 (RFC 9562) from random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        let random = u128::from_be_bytes(bytes);
        let version = 0x4 << 76;
        let variant = 0b10 << 62;
        Self(random & !(0xf << 76) & !(0b11 << 62) | version | variant)
    }
}

/// The text is no UUID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a silence, which is a uuid")]
pub struct SilenceIdError;

/// Reads the form with hyphens, such as `11a82337-ce7a-49c4-9cab-744b40195631`.
impl FromStr for SilenceId {
    type Err = SilenceIdError;

    fn from_str(text: &str) -> Result<Self, SilenceIdError> {
        let parts: Vec<&str> = text.split('-').collect();
        let lengths = parts.iter().map(|part| part.len());
        let digits = parts.concat();
        let is_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
        if !lengths.eq([8, 4, 4, 4, 12]) || !is_hex {
            return Err(SilenceIdError);
        }
        u128::from_str_radix(&digits, 16).map(Self).map_err(|_| SilenceIdError)
    }
}

impl fmt::Display for SilenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |shift: u32, digits: u32| self.0 >> shift & ((1 << (digits * 4)) - 1);
        let (a, b, c, d) = (part(96, 8), part(80, 4), part(64, 4), part(48, 4));
        write!(f, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{:012x}", part(0, 12))
    }
}

impl fmt::Debug for SilenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for SilenceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SilenceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_uuid_of_version_4() {
        let id = SilenceId::from_random([0xff; 16]);
        assert_eq!(id.to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(
            SilenceId::from_random([0; 16]).to_string(),
            "00000000-0000-4000-8000-000000000000"
        );
        let text = "11a82337-ce7a-49c4-9cab-744b40195631";
        assert_eq!(text.parse::<SilenceId>().unwrap().to_string(), text);
        for bad in [
            "",
            "x",
            "11a82337ce7a49c49cab744b40195631",
            &text[1..],
            "11a82337-ce7a-49c4-9cab-744b4019563g",
            "11a8233-7ce7a-49c4-9cab-744b40195631",
        ] {
            assert_eq!(bad.parse::<SilenceId>(), Err(SilenceIdError), "{bad}");
        }
    }
}
