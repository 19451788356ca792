//! The text as the parser reads it, with a cap on how much it may hold back.

use std::cell::Cell;

use saphyr_parser::Input;
use saphyr_parser::input::{is_blank_or_breakz, is_flow};

/// How many characters the parser may look ahead; it has no influence on the result. For each word the
/// parser sees to it that its text has room for so many.
const LOOKAHEAD: usize = 16;

/// What kind of byte begins a character, as flags.
const KINDS: [u8; 256] = kinds();
/// It costs something.
const STRUCTURING: u8 = 1;
const BLANK: u8 = 2;
const BREAK: u8 = 4;
/// What the parser takes for the end of the text.
const END: u8 = 8;

const fn kinds() -> [u8; 256] {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        kinds[byte] = match byte as u8 {
            b',' | b'[' | b']' | b'{' | b'}' | b':' | b'?' | b'-' | b'*' | b'&' | b'!' => {
                STRUCTURING
            }
            b' ' | b'\t' => BLANK,
            b'\n' | b'\r' => BREAK,
            0 => END,
            _ => 0,
        };
        byte += 1;
    }
    kinds
}

/// A text that seems to end when the parser has read too many structuring characters since the
/// budget was last refilled. The parser gives the first event of `[a, b, …]` only when it has seen
/// the closing bracket, because the whole could be a key. Without a cap a text of a few megabytes
/// would take a hundred times its size in memory.
pub(super) struct CappedInput<'a> {
    text: &'a str,
    /// How much has been read, in bytes; the begin of a character.
    at: usize,
    budget: &'a Cell<usize>,
}

impl<'a> CappedInput<'a> {
    /// A text and what is left of its budget, which the caller refills after every event.
    pub(super) fn new(text: &'a str, budget: &'a Cell<usize>) -> Self {
        Self { text, at: 0, budget }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    #[inline]
    fn take(&mut self) -> Option<char> {
        let byte = self.byte()?;
        if byte.is_ascii() {
            self.at += 1;
            if KINDS[usize::from(byte)] == STRUCTURING {
                self.pay();
            }
            return Some(char::from(byte));
        }
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Pays for a structuring character.
    fn pay(&mut self) {
        let left = self.budget.get().saturating_sub(1);
        self.budget.set(left);
        if left == 0 {
            self.at = self.text.len();
        }
    }

    /// The first byte: the whole of the next character if that is ASCII, as most are.
    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Whether what comes next is of one of these kinds.
    #[inline]
    fn next_is(&self, kinds: u8) -> bool {
        let kind = self.byte().map_or(END, |byte| KINDS[usize::from(byte)]);
        kind & kinds != 0
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
        // A byte order mark inside of a text is a character to Go, not to the parser's own input.
        if self.next_is(BREAK | END) { None } else { self.take() }
    }

    #[inline]
    fn skip(&mut self) {
        self.take();
    }

    fn skip_while_non_breakz(&mut self) -> usize {
        let mut count = 0;
        while !self.next_is(BREAK | END) {
            self.take();
            count += 1;
        }
        count
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
        match self.text.as_bytes().get(self.at..=self.at + n) {
            Some(next @ [.., last]) if next.is_ascii() => char::from(*last),
            _ => self.rest().chars().nth(n).unwrap_or('\0'),
        }
    }

    // The parser asks these of every character of a text.

    #[inline]
    fn next_is_blank_or_breakz(&self) -> bool {
        self.next_is(BLANK | BREAK | END)
    }

    #[inline]
    fn next_is_blank_or_break(&self) -> bool {
        self.next_is(BLANK | BREAK)
    }

    #[inline]
    fn next_is_blank(&self) -> bool {
        self.next_is(BLANK)
    }

    #[inline]
    fn next_is_break(&self) -> bool {
        self.next_is(BREAK)
    }

    #[inline]
    fn next_is_breakz(&self) -> bool {
        self.next_is(BREAK | END)
    }

    #[inline]
    fn next_can_be_plain_scalar(&self, in_flow: bool) -> bool {
        let ends = |c: char| is_blank_or_breakz(c) || (in_flow && is_flow(c));
        match self.byte() {
            Some(b':') => !ends(self.peek_nth(1)),
            Some(b',' | b'[' | b']' | b'{' | b'}') => !in_flow,
            // Also a byte order mark, as Go has it.
            _ => true,
        }
    }

    #[inline]
    fn peek_opt(&self) -> Option<char> {
        match self.byte()? {
            byte if byte.is_ascii() => Some(char::from(byte)),
            _ => self.rest().chars().next(),
        }
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
                    let plain = plain || first == "\u{feff}";
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
