//! Passwords as bcrypt hashes, as `htpasswd -B` writes them.

use std::fmt;

use base64::Engine;
use subtle::ConstantTimeEq;

/// The lowest and highest cost of the format.
const COSTS: std::ops::RangeInclusive<u32> = 4..=31;
/// A check of a higher cost takes minutes; each step doubles it.
const MAX_COST: u32 = 20;
/// From this cost on a check takes seconds.
const SLOW_COST: u32 = 15;
/// What bcrypt looks at; the rest of a longer password does not count, as everywhere.
const MAX_BYTES: usize = 72;

/// A bcrypt hash: `$2y$10$…`. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    cost: u32,
    salt: [u8; 16],
    hash: [u8; 23],
}

impl PasswordHash {
    /// Reads a hash in one of its four forms (`$2a$`, `$2b$`, `$2x$`, `$2y$`), which differ in the
    /// bugs of those who wrote them only.
    ///
    /// # Errors
    /// What is wrong with it, without quoting it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const FORM: &str = "is no bcrypt hash, which `htpasswd -nBC 10 NAME` writes";
        let mut parts = text.split('$');
        let (Some(""), Some("2a" | "2b" | "2x" | "2y"), Some(cost), Some(rest), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(FORM);
        };
        let cost = cost.parse().ok().filter(|c| COSTS.contains(c)).ok_or(FORM)?;
        if cost > MAX_COST {
            return Err("has a cost above 20, so that each check would take minutes");
        }
        let (salt, hash) = rest.split_at_checked(22).ok_or(FORM)?;
        let decode = |text: &str| bcrypt::BASE_64.decode(text).ok();
        Ok(Self {
            cost,
            salt: decode(salt).and_then(|b| b.try_into().ok()).ok_or(FORM)?,
            hash: decode(hash).and_then(|b| b.try_into().ok()).ok_or(FORM)?,
        })
    }

    /// How many times the work of a check is doubled.
    pub(super) fn cost(&self) -> u32 {
        self.cost
    }

    /// Whether a check takes seconds.
    pub(super) fn is_slow(&self) -> bool {
        self.cost >= SLOW_COST
    }

    /// The hash as bytes, for the key of a cache.
    pub(super) fn as_bytes(&self) -> impl Iterator<Item = u8> + '_ {
        let cost = u8::try_from(self.cost).unwrap_or(u8::MAX);
        std::iter::once(cost).chain(self.salt).chain(self.hash)
    }

    /// Whether a password has this hash. Takes 2^cost steps, whatever the answer.
    pub fn matches(&self, password: &str) -> bool {
        let mut bytes = password.as_bytes().to_vec();
        bytes.push(0);
        bytes.truncate(MAX_BYTES);
        // The last of the 24 bytes is not kept in a hash.
        let made = bcrypt::bcrypt(self.cost, self.salt, &bytes);
        made.iter().zip(&self.hash).fold(1, |same, (a, b)| same & a.ct_eq(b).unwrap_u8()) == 1
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_hashes_match_their_passwords_only() {
        // The vectors of jBCrypt, and the exporter toolkit's hash of "fakepassword".
        for (hash, password) in [
            ("$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.", ""),
            ("$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe", "a"),
            (
                "$2a$08$aTsUwsyowQuzRrDqFflhgekJ8d9/7Z3GV3UcgvzQW3J5zMyrTvlz.",
                "abcdefghijklmnopqrstuvwxyz",
            ),
            ("$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi", "fakepassword"),
        ] {
            let parsed = PasswordHash::parse(hash).unwrap();
            assert!(parsed.matches(password), "{hash}");
            assert!(!parsed.matches(&format!("{password}x")), "{hash}");
            assert!(!format!("{parsed:?}").contains("2"), "{parsed:?}");
        }
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        let good = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";
        assert!(PasswordHash::parse(good).is_ok());
        for bad in [
            "",
            "hunter2",
            "$1$abc",
            &good.replace("2y", "2z"),
            &good.replace("$10$", "$03$"),
            &good.replace("$10$", "$32$"),
            &good.replace("$10$", "$xx$"),
            &good[..59],
            &format!("{good}x"),
            &good.replace('Q', "é"),
        ] {
            let reason = PasswordHash::parse(bad).unwrap_err();
            assert!(reason.contains("is no bcrypt hash"), "{bad}");
        }
        let reason = PasswordHash::parse(&good.replace("$10$", "$21$")).unwrap_err();
        assert!(reason.contains("minutes"), "{reason}");
    }
}
