//! Custom buckets with different bounds.

use crate::model::histogram::cells::{Cell, renumbered};

/// The bounds that both histograms have.
pub(super) fn common_bounds(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut common = Vec::new();
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        if x == y {
            common.push(**x);
            b.next();
            a.next();
        } else if x < y {
            a.next();
        } else {
            b.next();
        }
    }
    common
}

/// Buckets with some bounds as buckets with fewer bounds. Each goes into the one that ends at its
/// own bound or at the next one that is left.
pub(super) fn mapped(cells: impl IntoIterator<Item = Cell>, from: &[f64], to: &[f64]) -> Vec<Cell> {
    renumbered(cells, |index| {
        let bound = usize::try_from(index).ok().and_then(|index| from.get(index));
        let at = bound.map_or(to.len(), |bound| to.partition_point(|end| end < bound));
        i32::try_from(at).unwrap_or(i32::MAX)
    })
}
