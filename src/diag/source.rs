//! A file's text with its lines, and places in it.

use std::ops::Range;

use memchr::{memchr_iter, memmem};

/// A place in a file: byte offsets, the end excluded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte behind the last.
    pub end: usize,
}

impl Span {
    /// A place from `start` up to, not including, `end`.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The place between two bytes.
    pub const fn at(offset: usize) -> Self {
        Self { start: offset, end: offset }
    }

    /// The smallest place that holds both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The bytes as a range.
    pub const fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// How many bytes it covers.
    pub const fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether it covers none.
    pub const fn is_empty(self) -> bool {
        self.end <= self.start
    }
}

/// A file that findings point into.
#[derive(Debug)]
pub struct SourceFile {
    path: String,
    text: String,
    /// Byte offset of every line's first byte.
    lines: Vec<usize>,
    /// What is drawn in place of the text, of the same length.
    drawn: Option<String>,
}

impl SourceFile {
    /// A file by the path to show and its text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let lines =
            std::iter::once(0).chain(memchr_iter(b'\n', text.as_bytes()).map(|i| i + 1)).collect();
        Self { path: path.into(), text, lines, drawn: None }
    }

    /// The same file with other words wherever it is drawn, such as stars over secrets. They have
    /// the text's length, otherwise nothing of the file is drawn.
    #[must_use]
    pub fn drawn_as(mut self, drawn: String) -> Self {
        self.drawn = Some(if drawn.len() == self.text.len() { drawn } else { String::new() });
        self
    }

    /// The text of a range as it may be drawn.
    pub fn drawn(&self, range: Range<usize>) -> Option<&str> {
        self.drawn.as_ref().unwrap_or(&self.text).get(range)
    }

    /// The path to show.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether a word stands anywhere in the text. `str::contains` takes longer for long texts.
    pub fn says(&self, word: &str) -> bool {
        memmem::find(self.text.as_bytes(), word.as_bytes()).is_some()
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte offset, both from 1; the column counts characters.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let offset = self.floor(offset);
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|i| self.lines.get(i)).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count());
        (line.max(1), column + 1)
    }

    /// The byte range of the lines `first..=last`, both from 1, without the last line's end.
    pub(crate) fn lines_range(&self, first: usize, last: usize) -> Range<usize> {
        let start = self.lines.get(first.saturating_sub(1)).copied().unwrap_or(self.text.len());
        let end = self.lines.get(last).map_or(self.text.len(), |next| next.saturating_sub(1));
        start..end.max(start)
    }

    /// The nearest character boundary at or before an offset.
    pub(crate) fn floor(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let source = SourceFile::new("f", "añb\n\nxyz");
        assert_eq!(source.line_column(0), (1, 1));
        assert_eq!(source.line_column(3), (1, 3), "ñ has two bytes");
        assert_eq!(source.line_column(2), (1, 2), "inside ñ: its start");
        assert_eq!(source.line_column(5), (2, 1));
        assert_eq!(source.line_column(7), (3, 2));
        assert_eq!(source.line_column(999), (3, 4));
        assert_eq!(source.lines_range(3, 3), 6..9);
    }
}
