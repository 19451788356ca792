//! Silences: what somebody on call does not want to hear of for a while.

mod id;

pub use id::{SilenceId, SilenceIdError};

use serde::{Deserialize, Serialize};

use crate::model::{LabelSet, Matcher, Matchers, Timestamp};

/// The most matchers of one silence.
pub const MAX_MATCHERS: usize = 100;
/// The longest name or value of a silence's matcher, in bytes.
pub const MAX_MATCHER_BYTES: usize = 8 * 1024;
/// The longest comment, in bytes.
pub const MAX_COMMENT_BYTES: usize = 8 * 1024;
/// The longest author, in bytes.
pub const MAX_AUTHOR_BYTES: usize = 1024;

/// Where a silence stands in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SilenceState {
    /// It begins later.
    Pending,
    /// It holds alerts back.
    Active,
    /// It is over.
    Expired,
}

impl SilenceState {
    /// All states, in the order of a silence's life.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Active, Self::Expired];

    /// The name, as Alertmanager has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Expired => "expired",
        }
    }
}

/// Alerts that match are held back for a while.
#[derive(Clone, Debug, PartialEq)]
pub struct Silence {
    /// Its identity.
    pub id: SilenceId,
    /// What an alert must match, all of it.
    pub matchers: Matchers,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it is over.
    pub ends_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Who wants it.
    pub created_by: String,
    /// Why.
    pub comment: String,
}

impl Silence {
    /// Where it stands at a time. At its very end it is over.
    pub fn state(&self, now: Timestamp) -> SilenceState {
        if now >= self.ends_at {
            SilenceState::Expired
        } else if now < self.starts_at {
            SilenceState::Pending
        } else {
            SilenceState::Active
        }
    }

    /// Whether it holds an alert with these labels back at a time.
    pub fn silences(&self, labels: &LabelSet, now: Timestamp) -> bool {
        self.state(now) == SilenceState::Active && self.matchers.matches(labels)
    }
}

/// A silence as somebody asks for it.
#[derive(Clone, Debug, PartialEq)]
pub struct SilenceDraft {
    /// Which one is to be changed; `None` for a new one.
    pub id: Option<SilenceId>,
    /// What an alert must match, all of it.
    pub matchers: Matchers,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it is over.
    pub ends_at: Timestamp,
    /// Who wants it.
    pub created_by: String,
    /// Why.
    pub comment: String,
}

/// Why a silence is refused. The first ones are Alertmanager's, in its words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SilenceError {
    /// There is none of this identity.
    #[error("silence not found")]
    NotFound,
    /// It would end before it begins.
    #[error("Failed to create silence: start time must be before end time")]
    EndBeforeStart,
    /// It would be over before it exists.
    #[error("Failed to create silence: end time can't be in the past")]
    EndInPast,
    /// It would hold back everything.
    #[error("silence invalid: at least one matcher must not match the empty string")]
    MatchesAll,
    /// A matcher cannot be used.
    #[error("silence invalid: invalid label matcher {index}: {reason}")]
    Matcher {
        /// Which one, from 0.
        index: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A text is too long.
    #[error("silence invalid: {field} has {bytes} bytes, at most {limit} are taken")]
    TooLong {
        /// Which text.
        field: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
    /// It has too many matchers.
    #[error("silence invalid: {0} matchers, at most {MAX_MATCHERS} are taken")]
    TooManyMatchers(usize),
    /// There are too many silences.
    #[error("there are {0} silences that are not over, no more are taken: expire some first")]
    TooMany(usize),
}

impl SilenceDraft {
    /// Checks what Alertmanager checks, and the caps.
    ///
    /// # Errors
    /// The first mistake.
    pub fn check(&self, now: Timestamp) -> Result<(), SilenceError> {
        if self.starts_at >= self.ends_at {
            return Err(SilenceError::EndBeforeStart);
        }
        if self.ends_at < now {
            return Err(SilenceError::EndInPast);
        }
        let matchers = &self.matchers.0;
        if matchers.len() > MAX_MATCHERS {
            return Err(SilenceError::TooManyMatchers(matchers.len()));
        }
        for (index, matcher) in matchers.iter().enumerate() {
            check_matcher(matcher).map_err(|reason| SilenceError::Matcher { index, reason })?;
        }
        // No matchers at all match everything too.
        if matchers.iter().all(|matcher| matcher.matches_value("")) {
            return Err(SilenceError::MatchesAll);
        }
        short("createdBy", &self.created_by, MAX_AUTHOR_BYTES)?;
        short("comment", &self.comment, MAX_COMMENT_BYTES)
    }

    /// The silence, under an identity.
    pub fn into_silence(self, id: SilenceId, now: Timestamp) -> Silence {
        Silence {
            id,
            matchers: self.matchers,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            updated_at: now,
            created_by: self.created_by,
            comment: self.comment,
        }
    }
}

fn check_matcher(matcher: &Matcher) -> Result<(), String> {
    if matcher.name().is_empty() {
        return Err("invalid label name \"\"".to_string());
    }
    let longest = matcher.name().len().max(matcher.value().len());
    if longest > MAX_MATCHER_BYTES {
        return Err(format!("{longest} bytes, at most {MAX_MATCHER_BYTES} are taken"));
    }
    Ok(())
}

fn short(field: &'static str, text: &str, limit: usize) -> Result<(), SilenceError> {
    match text.len() {
        bytes if bytes > limit => Err(SilenceError::TooLong { field, bytes, limit }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MatchOp, parse_matchers};

    fn draft(matchers: &str) -> SilenceDraft {
        SilenceDraft {
            id: None,
            matchers: parse_matchers(matchers).unwrap(),
            starts_at: Timestamp::from_secs(100),
            ends_at: Timestamp::from_secs(200),
            created_by: "ann".to_string(),
            comment: "disk swap".to_string(),
        }
    }

    fn checked(change: impl FnOnce(&mut SilenceDraft)) -> Result<(), String> {
        let mut draft = draft("a=b");
        change(&mut draft);
        draft.check(Timestamp::from_secs(150)).map_err(|error| error.to_string())
    }

    #[test]
    fn its_state_follows_the_time() {
        let silence =
            draft("a=b").into_silence(SilenceId::from_random([1; 16]), Timestamp::from_secs(1));
        let states = [99, 100, 199, 200].map(|at| silence.state(Timestamp::from_secs(at)).as_str());
        assert_eq!(states, ["pending", "active", "active", "expired"]);
        let labels = LabelSet::from([("a", "b")]);
        let holds =
            [99, 100, 199, 200].map(|at| silence.silences(&labels, Timestamp::from_secs(at)));
        assert_eq!(holds, [false, true, true, false]);
        assert!(!silence.silences(&LabelSet::new(), Timestamp::from_secs(150)));
    }

    #[test]
    fn mistakes_are_refused_in_alertmanagers_words() {
        let secs = Timestamp::from_secs;
        assert_eq!(checked(|_| {}), Ok(()));
        assert_eq!(checked(|d| d.ends_at = secs(150)), Ok(()), "over now, not before now");
        let refused = |change: fn(&mut SilenceDraft)| checked(change).unwrap_err();
        let order = "Failed to create silence: start time must be before end time";
        assert_eq!(refused(|d| d.ends_at = d.starts_at), order);
        let past = "Failed to create silence: end time can't be in the past";
        assert_eq!(refused(|d| d.ends_at = Timestamp::from_secs(149)), past);
        let all = "silence invalid: at least one matcher must not match the empty string";
        for matchers in ["", "a=", "a=~.*", "a!=b", "a!~.+,b=~c?"] {
            assert_eq!(
                draft(matchers).check(secs(150)).unwrap_err().to_string(),
                all,
                "{matchers}"
            );
        }
        for matchers in ["a!=", "a=~.+", "a=,b=c", "a!~c?"] {
            assert_eq!(draft(matchers).check(secs(150)), Ok(()), "{matchers}");
        }
        let empty = Matcher::new("", MatchOp::Equal, "x").unwrap();
        let mut nameless = draft("a=b");
        nameless.matchers.0.push(empty);
        assert_eq!(
            nameless.check(secs(150)).unwrap_err().to_string(),
            "silence invalid: invalid label matcher 1: invalid label name \"\""
        );
    }

    #[test]
    fn everything_has_a_cap() {
        let refused = |change: fn(&mut SilenceDraft)| checked(change).unwrap_err();
        assert_eq!(checked(|d| d.comment = "x".repeat(MAX_COMMENT_BYTES)), Ok(()));
        assert_eq!(
            refused(|d| d.comment = "x".repeat(MAX_COMMENT_BYTES + 1)),
            "silence invalid: comment has 8193 bytes, at most 8192 are taken"
        );
        assert!(refused(|d| d.created_by = "x".repeat(1025)).contains("createdBy has 1025 bytes"));
        assert!(
            refused(|d| d.matchers = Matchers(vec![d.matchers.0[0].clone(); 101]))
                .contains("101 matchers, at most 100")
        );
        let long = "a=".to_string() + &"x".repeat(MAX_MATCHER_BYTES + 1);
        let error = draft(&long).check(Timestamp::from_secs(150)).unwrap_err().to_string();
        assert_eq!(
            error,
            "silence invalid: invalid label matcher 0: 8193 bytes, at most 8192 are taken"
        );
    }
}
