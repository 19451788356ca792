//! Features of Prometheus that are off unless it is told otherwise.

/// A feature flag that decides which expressions Prometheus takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Experimental functions, and the aggregations `limitk` and `limit_ratio`.
    Functions,
    /// `fill`, `fill_left` and `fill_right` behind a binary operator.
    Fill,
}

impl Feature {
    const ALL: [Self; 2] = [Self::Functions, Self::Fill];

    /// The name that `--enable-feature` takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Functions => "promql-experimental-functions",
            Self::Fill => "promql-binop-fill-modifiers",
        }
    }

    /// The feature of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feature| feature.name() == name)
    }

    /// All names, for people.
    pub fn known() -> String {
        format!("known are {}", Self::ALL.map(Self::name).join(" and "))
    }
}
