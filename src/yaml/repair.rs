//! A text with blanks put in, whose places are still those of the file.

/// The most blanks that are put into a text.
const MAX_BLANKS: usize = 16 << 20;

/// A change: so many bytes are taken away at a place, and so many blanks put there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) at: usize,
    pub(super) removed: usize,
    pub(super) blanks: usize,
}

/// A changed text.
pub(super) struct Repaired {
    pub(super) text: String,
    /// Where each piece that was left begins, in the text and in the file.
    pieces: Vec<(usize, usize)>,
}

impl Repaired {
    /// Makes changes that stand in order of place. `None` where there are none, or too many.
    pub(super) fn new(text: &str, edits: &[Edit]) -> Option<Self> {
        let blanks = edits.iter().fold(0, |sum: usize, edit| sum.saturating_add(edit.blanks));
        if edits.is_empty() || blanks > MAX_BLANKS {
            return None;
        }
        let mut repaired =
            Self { text: String::with_capacity(text.len() + blanks), pieces: Vec::new() };
        let mut from = 0;
        for edit in edits {
            repaired.pieces.push((repaired.text.len(), from));
            repaired.text.push_str(text.get(from..edit.at)?);
            repaired.text.extend(std::iter::repeat_n(' ', edit.blanks));
            from = edit.at + edit.removed;
        }
        repaired.pieces.push((repaired.text.len(), from));
        repaired.text.push_str(text.get(from..)?);
        Some(repaired)
    }

    /// The byte of the file for a byte of the text; a blank that was put in has the place of what
    /// follows it.
    pub(super) fn original(&self, at: usize) -> usize {
        let next = self.pieces.partition_point(|(start, _)| *start <= at);
        let (start, from) =
            next.checked_sub(1).and_then(|i| self.pieces.get(i)).copied().unwrap_or_default();
        let end = self.pieces.get(next).map_or(usize::MAX, |(_, from)| *from);
        (from + (at - start)).min(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_left_leads_back() {
        let text = "é\tb\nc\\'";
        let edits = [(2, 1, 1), (5, 0, 3), (6, 1, 0), (8, 0, 1)];
        let edits = edits.map(|(at, removed, blanks)| Edit { at, removed, blanks });
        let repaired = Repaired::new(text, &edits).unwrap();
        assert_eq!(repaired.text, "é b\n   c' ");
        let places: Vec<usize> = (0..=11).map(|at| repaired.original(at)).collect();
        assert_eq!(places, [0, 1, 2, 3, 4, 5, 5, 5, 5, 7, 8, 8]);
    }

    #[test]
    fn what_grows_too_much_is_left() {
        let edit = |blanks| Edit { at: 1, removed: 0, blanks };
        assert!(Repaired::new("ab", &[edit(MAX_BLANKS)]).is_some());
        assert!(Repaired::new("ab", &[edit(MAX_BLANKS), edit(1)]).is_none());
        assert!(Repaired::new("ab", &[]).is_none());
    }
}
