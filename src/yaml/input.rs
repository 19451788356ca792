//! The text as the parser reads it, with a cap on how much it may hold back.

use std::cell::Cell;

use saphyr_parser::Input;

/// How many characters the parser may look ahead; it has no influence on the result. For each word the
/// parser sees to it that its text has room for so many.
const LOOKAHEAD: usize = 16;

/// A text that seems to end when the parser has read too many structuring characters since the
/// budget was last refilled. The parser gives the first event of `[a, b, …]` only when it has seen
/// the closing bracket, because the whole could be a key. Without a cap a text of a few megabytes
/// would take a hundred times its size in memory.
pub(super) struct CappedInput<'a> {
    rest: &'a str,
    budget: &'a Cell<usize>,
}

impl<'a> CappedInput<'a> {
    /// A text and what is left of its budget, which the caller refills after every event.
    pub(super) fn new(text: &'a str, budget: &'a Cell<usize>) -> Self {
        Self { rest: text, budget }
    }

    #[inline]
    fn take(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        if matches!(c, ',' | '[' | ']' | '{' | '}' | ':' | '?' | '-' | '*' | '&' | '!') {
            let left = self.budget.get().saturating_sub(1);
            self.budget.set(left);
            if left == 0 {
                self.rest = "";
            }
        }
        Some(c)
    }
}

impl Input for CappedInput<'_> {
    #[inline]
    fn lookahead(&mut self, _count: usize) {}

    #[inline]
    fn buflen(&self) -> usize {
        LOOKAHEAD
    }

    #[inline]
    fn bufmaxlen(&self) -> usize {
        LOOKAHEAD
    }

    fn raw_read_ch(&mut self) -> char {
        self.take().unwrap_or('\0')
    }

    #[inline]
    fn raw_read_non_breakz_ch(&mut self) -> Option<char> {
        let c = self.peek_opt()?;
        if matches!(c, '\0' | '\n' | '\r' | '\u{feff}') {
            return None;
        }
        self.take()
    }

    #[inline]
    fn skip(&mut self) {
        self.take();
    }

    fn skip_n(&mut self, count: usize) {
        for _ in 0..count {
            self.take();
        }
    }

    #[inline]
    fn peek(&self) -> char {
        self.peek_opt().unwrap_or('\0')
    }

    #[inline]
    fn peek_nth(&self, n: usize) -> char {
        match self.rest.as_bytes().get(..=n) {
            Some(next @ [.., last]) if next.is_ascii() => char::from(*last),
            _ => self.rest.chars().nth(n).unwrap_or('\0'),
        }
    }

    #[inline]
    fn peek_opt(&self) -> Option<char> {
        self.rest.chars().next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_ends_with_the_budget() {
        let budget = Cell::new(3);
        let mut input = CappedInput::new("a [b, c: d", &budget);
        let mut read = String::new();
        while input.peek_opt().is_some() {
            read.push(input.peek());
            input.skip();
        }
        assert_eq!(read, "a [b, c:", "letters cost nothing");
        assert_eq!(budget.get(), 0);
    }
}
