//! One side's buckets on their way through a sum.

use crate::model::histogram::{BucketCount, bounds};
use crate::model::kahan::KahanSum;

/// A bucket whose count is a compensated sum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub index: i32,
    pub count: KahanSum,
}

impl Cell {
    /// Adds the count of the same bucket elsewhere.
    fn add(&mut self, count: KahanSum) {
        self.count.add(count.sum);
        if count.compensation != 0.0 {
            self.count.add(count.compensation);
        }
    }

    /// Whether it holds nothing, not even a rounding error.
    pub fn is_empty(&self) -> bool {
        self.count.sum == 0.0 && self.count.compensation == 0.0
    }
}

impl From<&BucketCount> for Cell {
    fn from(bucket: &BucketCount) -> Self {
        Self { index: bucket.index, count: KahanSum::of(bucket.count) }
    }
}

impl From<&Cell> for Cell {
    fn from(cell: &Cell) -> Self {
        *cell
    }
}

/// The cells of a side.
pub(super) fn cells(buckets: &[BucketCount]) -> Vec<Cell> {
    buckets.iter().map(Cell::from).collect()
}

/// The cells of a side that end beyond a zero threshold, which cuts none that holds something.
///
/// Prometheus looks at this when it has merged them for a lower resolution already, and so counts
/// twice what is below a threshold within a merged bucket.
pub(super) fn beyond(buckets: &[BucketCount], schema: i32, threshold: f64) -> Vec<Cell> {
    let below = |bucket: &&BucketCount| bounds::exponential(bucket.index, schema) <= threshold;
    buckets.iter().skip_while(below).map(Cell::from).collect()
}

/// The number that a bucket has in a schema with a lower resolution.
pub(super) fn index_in(index: i32, from: i32, to: i32) -> i32 {
    let levels = from.saturating_sub(to).clamp(0, 31);
    let index = ((i64::from(index) - 1) >> levels) + 1;
    i32::try_from(index).unwrap_or(i32::MIN)
}

/// Gives buckets new numbers, in the same order, and adds up those that get
/// the same one.
pub(super) fn renumbered(
    cells: impl IntoIterator<Item = Cell>,
    new_index: impl Fn(i32) -> i32,
) -> Vec<Cell> {
    let mut merged: Vec<Cell> = Vec::new();
    for cell in cells {
        let index = new_index(cell.index);
        match merged.last_mut() {
            Some(last) if last.index == index => last.add(cell.count),
            _ => merged.push(Cell { index, ..cell }),
        }
    }
    merged
}

/// Merges buckets so that they fit a schema with a lower resolution.
pub(super) fn reduced(cells: Vec<Cell>, from: i32, to: i32) -> Vec<Cell> {
    renumbered(cells, |index| index_in(index, from, to))
}

/// The sum of two sides of one schema.
pub(super) fn merged(a: Vec<Cell>, b: impl IntoIterator<Item = Cell>) -> Vec<Cell> {
    let mut sum = Vec::with_capacity(a.len());
    let mut a = a.into_iter().peekable();
    for other in b {
        while let Some(cell) = a.next_if(|cell| cell.index < other.index) {
            sum.push(cell);
        }
        match a.next_if(|cell| cell.index == other.index) {
            Some(mut cell) => {
                cell.add(other.count);
                sum.push(cell);
            }
            None => sum.push(other),
        }
    }
    sum.extend(a);
    sum
}

/// Adds to a zero bucket's count what lies within a larger threshold. A bucket with something in
/// it that the threshold would cut is added as a whole; then the answer is the threshold that
/// includes it.
fn swallow<'a, B>(
    side: &'a [B],
    schema: i32,
    threshold: f64,
    zero_count: &mut KahanSum,
) -> Option<f64>
where
    Cell: From<&'a B>,
{
    for cell in side.iter().map(Cell::from) {
        if bounds::exponential(cell.index.saturating_sub(1), schema) >= threshold {
            break;
        }
        zero_count.add(cell.count.sum);
        zero_count.add(cell.count.compensation);
        let end = bounds::exponential(cell.index, schema);
        if end > threshold {
            return (cell.count.sum != 0.0).then_some(end);
        }
    }
    None
}

/// What a histogram's zero bucket holds when its threshold is raised, and the threshold, which is
/// higher still where it would cut a bucket that holds something.
pub(super) fn widened<'a, B>(
    zero_count: KahanSum,
    (positive, negative): (&'a [B], &'a [B]),
    schema: i32,
    mut threshold: f64,
) -> (KahanSum, f64)
where
    Cell: From<&'a B>,
{
    loop {
        let mut count = zero_count;
        if let Some(higher) = swallow(positive, schema, threshold, &mut count) {
            threshold = higher;
        }
        match swallow(negative, schema, threshold, &mut count) {
            // The positive side has to be looked at again.
            Some(higher) => threshold = higher,
            None => return (count, threshold),
        }
    }
}
