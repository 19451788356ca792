//! Passwords and tokens, checked at bounded cost.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::http::ensure_provider;
use crate::web::{Role, TokenDigest, User, Who};

/// How many logins are remembered, good and bad ones each.
const MAX_REMEMBERED: usize = 256;

/// What an `Authorization` header holds.
pub(super) enum Credentials {
    /// User and password.
    Basic(String, String),
    /// A token.
    Bearer(String),
    /// Something else.
    Unknown,
}

impl Credentials {
    /// Reads the value of the header.
    pub(super) fn read(header: &str) -> Self {
        let Some((scheme, value)) = header.trim().split_once(' ') else { return Self::Unknown };
        let value = value.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return Self::Bearer(value.to_string());
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return Self::Unknown;
        }
        let decoded = base64::engine::general_purpose::STANDARD.decode(value).ok();
        let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        match text.as_deref().and_then(|text| text.split_once(':')) {
            Some((user, password)) => Self::Basic(user.to_string(), password.to_string()),
            None => Self::Unknown,
        }
    }
}

/// Remembers logins, because a check costs a tenth of a second of a core, and lets one be checked
/// at a time. What is remembered is a hash of user, hash and password with a key of this process.
pub(super) struct Logins {
    key: [u8; 32],
    good: Mutex<HashSet<[u8; 32]>>,
    bad: Mutex<HashSet<[u8; 32]>>,
    turn: Semaphore,
}

impl Logins {
    pub(super) fn new() -> Self {
        let mut key = [0; 32];
        // Without randomness there is no TLS either; the key then keeps less from who reads memory.
        let _ = ensure_provider().secure_random.fill(&mut key);
        let (good, bad) = (Mutex::default(), Mutex::default());
        Self { key, good, bad, turn: Semaphore::new(1) }
    }

    /// Whether a login is known to be right or wrong.
    pub(super) fn remembered(&self, users: &[User], name: &str, password: &str) -> Option<bool> {
        let entry = self.entry(find(users, name)?, password);
        let holds = |set: &Mutex<HashSet<_>>| {
            set.lock().unwrap_or_else(PoisonError::into_inner).contains(&entry)
        };
        if holds(&self.good) { Some(true) } else { holds(&self.bad).then_some(false) }
    }

    /// Checks a password. It takes as long for a user who does not exist: the costliest hash of
    /// another one is computed then.
    pub(super) async fn check(&self, users: &[User], name: &str, password: &str) -> bool {
        let user = find(users, name);
        let costliest = || users.iter().max_by_key(|user| user.hash.cost());
        let Some(measure) = user.or_else(costliest) else { return false };
        let Ok(_turn) = self.turn.acquire().await else { return false };
        let (hash, text) = (measure.hash.clone(), password.to_string());
        let matches = tokio::task::spawn_blocking(move || hash.matches(&text)).await;
        let good = matches.unwrap_or(false) && user.is_some();
        if user.is_some() {
            let set = if good { &self.good } else { &self.bad };
            let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
            if set.len() >= MAX_REMEMBERED {
                set.clear();
            }
            set.insert(self.entry(measure, password));
        }
        good
    }

    fn entry(&self, user: &User, password: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(user.hash.as_bytes().collect::<Vec<u8>>());
        hash.update(user.name.as_bytes());
        hash.update([0]);
        hash.update(password.as_bytes());
        hash.finalize().into()
    }
}

fn find<'u>(users: &'u [User], name: &str) -> Option<&'u User> {
    users.iter().find(|user| user.name == name)
}

/// A bearer token with what is known of it.
#[derive(Clone, Debug)]
pub(super) struct KnownToken {
    pub(super) name: Arc<str>,
    pub(super) digest: TokenDigest,
    pub(super) role: Role,
}

/// Whose token it is. All are compared, so that the time says nothing.
pub(super) fn whose(tokens: &[KnownToken], token: &str) -> Option<Who> {
    let digest = TokenDigest::of(token);
    let mut found = None;
    for known in tokens {
        if known.digest.matches(&digest) {
            found = Some(Who { name: known.name.to_string(), role: Some(known.role) });
        }
    }
    found
}
