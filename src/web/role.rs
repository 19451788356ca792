//! What somebody may do.

/// What somebody may do. The greater may also do what the smaller may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look: GET and HEAD.
    Read,
    /// Also change: silences, reloads.
    Write,
}

impl Role {
    /// The role by its name in a file.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "read" => Some(Self::Read),
            "write" => Some(Self::Write),
            _ => None,
        }
    }
}

/// Somebody who has said who they are, or whom nobody asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The name of the user, the token or the certificate, for the log. No secret.
    pub name: String,
    /// What they may do; none for somebody who is known and may do nothing.
    pub role: Option<Role>,
}
