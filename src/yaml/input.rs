//! The text as the parser reads it, with a cap on how much it may hold back.

use std::cell::Cell;

use saphyr_parser::Input;
use saphyr_parser::input::{is_blank_or_breakz, is_flow};

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
            self.pay();
        }
        Some(c)
    }

    /// Pays for a structuring character.
    fn pay(&mut self) {
        let left = self.budget.get().saturating_sub(1);
        self.budget.set(left);
        if left == 0 {
            self.rest = "";
        }
    }

    /// The first byte: the whole of the next character if that is ASCII, as most are.
    #[inline]
    fn byte(&self) -> Option<u8> {
        self.rest.as_bytes().first().copied()
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

    // The parser asks these of every character of a text.

    #[inline]
    fn next_is_blank_or_breakz(&self) -> bool {
        matches!(self.byte(), None | Some(b' ' | b'\t' | b'\n' | b'\r' | 0))
    }

    #[inline]
    fn next_is_blank_or_break(&self) -> bool {
        matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r'))
    }

    #[inline]
    fn next_is_blank(&self) -> bool {
        matches!(self.byte(), Some(b' ' | b'\t'))
    }

    #[inline]
    fn next_is_break(&self) -> bool {
        matches!(self.byte(), Some(b'\n' | b'\r'))
    }

    #[inline]
    fn next_is_breakz(&self) -> bool {
        matches!(self.byte(), None | Some(b'\n' | b'\r' | 0))
    }

    #[inline]
    fn next_can_be_plain_scalar(&self, in_flow: bool) -> bool {
        let ends = |c: char| is_blank_or_breakz(c) || (in_flow && is_flow(c));
        match self.byte() {
            Some(b':') => !ends(self.peek_nth(1)),
            Some(b',' | b'[' | b']' | b'{' | b'}') => !in_flow,
            Some(0xef) => self.peek() != '\u{feff}',
            _ => true,
        }
    }

    #[inline]
    fn peek_opt(&self) -> Option<char> {
        self.rest.chars().next()
    }
}

#[cfg(test)]
mod tests {
    use saphyr_parser::StrInput;

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

    #[test]
    fn what_comes_next_is_as_the_parser_has_it() {
        let budget = Cell::new(100);
        for first in
            ["", " ", "\t", "\n", "\r", "\0", ":", ",", "[", "}", "a", "é", "\u{feff}", "\u{ff5a}"]
        {
            for second in ["", " ", "\n", ",", "]", "b", "é"] {
                let text = format!("{first}{second}");
                let (ours, theirs) = (CappedInput::new(&text, &budget), StrInput::new(&text));
                let next = |input: &dyn Fn(u8) -> bool| (0..5).map(input).collect::<Vec<_>>();
                assert_eq!(next(&|n| asked(&ours, n)), next(&|n| asked(&theirs, n)), "{text:?}");
                assert_eq!((ours.peek(), ours.peek_nth(1)), (theirs.peek(), theirs.peek_nth(1)));
                for in_flow in [false, true] {
                    let plain = theirs.next_can_be_plain_scalar(in_flow);
                    assert_eq!(ours.next_can_be_plain_scalar(in_flow), plain, "{text:?}");
                }
            }
        }
    }

    fn asked(input: &impl Input, question: u8) -> bool {
        match question {
            0 => input.next_is_blank_or_breakz(),
            1 => input.next_is_blank_or_break(),
            2 => input.next_is_blank(),
            3 => input.next_is_break(),
            _ => input.next_is_breakz(),
        }
    }
}
