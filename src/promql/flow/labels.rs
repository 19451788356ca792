//! What is known of the labels of a vector.

use std::sync::Arc;

use crate::diag::Span;
use crate::model::label::METRIC_NAME;

/// Where a label was lost, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removal {
    /// The place in the expression.
    pub span: Span,
    /// What happened there, in a few words for people.
    pub why: &'static str,
}

impl Removal {
    /// A loss at a place.
    pub(super) fn new(span: Span, why: &'static str) -> Self {
        Self { span, why }
    }
}

/// Whether the series of a vector have a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Has {
    /// Every series has it.
    Always,
    /// Whoever wrote the expression counts on it (by a matcher or a grouping), or every
    /// scraped series has it; a series without it is possible.
    Expected,
    /// Nothing is known.
    Maybe,
    /// No series has it.
    Never(Removal),
}

impl Has {
    /// [`Has::Always`] or [`Has::Expected`].
    pub fn is_likely(self) -> bool {
        matches!(self, Self::Always | Self::Expected)
    }

    /// Where it was lost, if it was.
    pub fn removal(self) -> Option<Removal> {
        match self {
            Self::Never(removal) => Some(removal),
            _ => None,
        }
    }

    /// What holds of a series that is of one of two vectors.
    fn either(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never(removal), Self::Never(_)) => Self::Never(removal),
            (Self::Always, Self::Always) => Self::Always,
            (a, b) if a.is_likely() && b.is_likely() => Self::Expected,
            _ => Self::Maybe,
        }
    }

    /// What holds of a series of which both are true.
    pub(super) fn both(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never(removal), _) | (_, Self::Never(removal)) => Self::Never(removal),
            (Self::Always, _) | (_, Self::Always) => Self::Always,
            (Self::Expected, _) | (_, Self::Expected) => Self::Expected,
            _ => Self::Maybe,
        }
    }
}

thread_local! {
    // Nearly every flow begins with these, so each thread makes them once.
    static SCRAPED: Labels = {
        let mut labels = Labels::any();
        labels.set(METRIC_NAME, Has::Always);
        labels.set("instance", Has::Expected);
        labels.set("job", Has::Expected);
        labels
    };
}

/// What is known of the labels of a vector: of some by name, and of all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// In order of name.
    named: Vec<(Arc<str>, Has)>,
    others: Has,
}

impl Labels {
    /// A vector of which nothing is known.
    pub fn any() -> Self {
        Self { named: Vec::new(), others: Has::Maybe }
    }

    /// The series of a metric that is scraped: each has `instance` and `job`, as Prometheus sets them.
    pub(super) fn scraped() -> Self {
        SCRAPED.with(Self::clone)
    }

    /// A vector without labels, as that of a number at a place.
    pub fn none_at(span: Span) -> Self {
        Self::none(Removal::new(span, "the result has no labels"))
    }

    /// A vector without labels, and why.
    pub fn none_because(span: Span, why: &'static str) -> Self {
        Self::none(Removal::new(span, why))
    }

    /// A vector without labels.
    pub(super) fn none(removal: Removal) -> Self {
        Self { named: Vec::new(), others: Has::Never(removal) }
    }

    /// Whether the series have a label.
    pub fn has(&self, name: &str) -> Has {
        let known = self.search(name).ok().and_then(|at| self.named.get(at));
        known.map_or(self.others, |(_, has)| *has)
    }

    /// Where a name stands, or where it would.
    fn search(&self, name: &str) -> Result<usize, usize> {
        self.named.binary_search_by(|(known, _)| (**known).cmp(name))
    }

    /// Says of one label whether the series have it.
    pub fn set(&mut self, name: &str, has: Has) {
        match self.search(name) {
            Ok(at) => {
                if let Some((_, known)) = self.named.get_mut(at) {
                    *known = has;
                }
            }
            Err(at) => self.named.insert(at, (Arc::from(name), has)),
        }
    }

    /// The labels that the series have or are counted on to have, without the metric's name.
    pub fn likely(&self) -> impl Iterator<Item = &str> {
        let named = self.named.iter();
        let likely = named.filter(|(name, has)| has.is_likely() && &**name != METRIC_NAME);
        likely.map(|(name, _)| &**name)
    }

    /// Whether labels that are not named can be there.
    pub fn is_open(&self) -> bool {
        !matches!(self.others, Has::Never(_))
    }

    /// All names of which something is known.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(|(name, _)| &**name)
    }

    /// The same without the metric's name.
    pub(super) fn without_name(mut self, span: Span) -> Self {
        let removal = Removal::new(span, "the metric's name is dropped");
        self.set(METRIC_NAME, Has::Never(removal));
        self
    }

    /// The same with no labels but these, which whoever names them counts on.
    pub(super) fn only(&self, names: &[String], removal: Removal) -> Self {
        let mut labels = Self::none(removal);
        for name in names {
            let has = match self.has(name) {
                Has::Maybe => Has::Expected,
                has => has,
            };
            labels.set(name, has);
        }
        labels
    }

    /// A series of this vector or of the other.
    pub(crate) fn either(&self, other: &Self) -> Self {
        self.joined(other, Has::either)
    }

    /// A series that has what both say.
    pub(super) fn both(&self, other: &Self) -> Self {
        self.joined(other, Has::both)
    }

    fn joined(&self, other: &Self, join: fn(Has, Has) -> Has) -> Self {
        let only_there = other.named.iter().filter(|(name, _)| self.search(name).is_err());
        let both = self.named.iter().chain(only_there);
        let mut named: Vec<_> =
            both.map(|(n, _)| (Arc::clone(n), join(self.has(n), other.has(n)))).collect();
        named.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self { named, others: join(self.others, other.others) }
    }
}
