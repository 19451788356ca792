//! Texts: plain ones, in quotes, and in blocks.

use crate::yaml::go::{Refused, Walk, is_white};
use crate::yaml::repair::Edit;

impl Walk<'_> {
    /// A text without quotes.
    pub(super) fn plain(&mut self) -> Result<(), Refused> {
        let indent = usize::try_from(self.indent + 1).unwrap_or(0);
        let in_flow = self.flow > 0;
        let start = self.at;
        let mut is_new_line = false;
        while !self.is_document_mark() && self.peek(0) != Some(b'#') {
            let before = self.at;
            while !self.is_blank_or_end(0) {
                let byte = self.peek(0);
                let ends = byte == Some(b':') && self.is_blank_or_end(1);
                if ends
                    || (in_flow && matches!(byte, Some(b',' | b'?' | b'[' | b']' | b'{' | b'}')))
                {
                    break;
                }
                self.at += 1;
            }
            let end = self.at;
            is_new_line &= end == before;
            while let Some(byte) = self.peek(0).filter(|byte| is_white(*byte)) {
                if byte == b'\t' && is_new_line && self.column() < indent {
                    return Err((self.at, "a tab cannot indent"));
                } else if matches!(byte, b'\n' | b'\r') {
                    self.line_end();
                    is_new_line = true;
                    self.indent_flow();
                } else {
                    self.at += 1;
                }
            }
            if self.at == end || (!in_flow && self.column() < indent) {
                break;
            }
        }
        if is_new_line {
            self.key_allowed = true;
        }
        // What no text can begin with is the parser's to refuse.
        self.at = self.at.max(start + 1);
        Ok(())
    }

    pub(super) fn quoted(&mut self, quote: u8) -> Result<(), Refused> {
        let column = if self.flow > 0 { self.flow_column } else { self.column() };
        self.at += 1;
        while let Some(byte) = self.peek(0).filter(|_| !self.is_document_mark()) {
            match (byte, self.peek(1)) {
                (b'\'', Some(b'\'')) if quote == byte => self.at += 2,
                (b'\\', Some(next)) if quote == b'"' => self.escape(next, column)?,
                (b'\n' | b'\r', _) => {
                    self.line_end();
                    self.indent_line(column);
                }
                _ => {
                    self.at += 1;
                    if byte == quote {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn escape(&mut self, next: u8, column: usize) -> Result<(), Refused> {
        match next {
            b'\n' | b'\r' => {
                self.at += 1;
                self.line_end();
                self.indent_line(column);
                return Ok(());
            }
            b'\'' => self.edit(Edit { at: self.at, removed: 1, blanks: 0 }),
            b'0' | b'a' | b'b' | b't' | b'\t' | b'n' | b'v' | b'f' | b'r' | b'e' | b' ' | b'"'
            | b'\\' | b'N' | b'_' | b'L' | b'P' | b'x' | b'u' | b'U' => {}
            _ => return Err((self.at, "there is no such escape")),
        }
        self.at += 2;
        Ok(())
    }

    pub(super) fn block_scalar(&mut self) -> Result<(), Refused> {
        self.at += 1;
        let mut given = 0;
        while let Some(byte @ (b'+' | b'-' | b'0'..=b'9')) = self.peek(0) {
            if byte.is_ascii_digit() {
                given = usize::from(byte - b'0');
            }
            self.at += 1;
        }
        self.comment_may_follow();
        self.skip_line();
        self.line_end();
        let outer = usize::try_from(self.indent).unwrap_or(0);
        let mut indent = (given > 0).then_some(outer + given);
        loop {
            self.block_breaks(&mut indent)?;
            if indent != Some(self.column()) || self.peek(0).is_none() {
                return Ok(());
            }
            self.skip_line();
            self.line_end();
        }
    }

    /// The empty lines and the indentation before a line of a block, which tell how far the block is
    /// indented if that is not known yet.
    fn block_breaks(&mut self, indent: &mut Option<usize>) -> Result<(), Refused> {
        let mut most = 0;
        loop {
            let is_before = |walk: &Self| indent.is_none_or(|indent| walk.column() < indent);
            while is_before(self) && self.peek(0) == Some(b' ') {
                self.at += 1;
            }
            most = most.max(self.column());
            match self.peek(0) {
                Some(b'\t') if is_before(self) => return Err((self.at, "a tab cannot indent")),
                Some(b'\n' | b'\r') => self.line_end(),
                _ => break,
            }
        }
        let least = usize::try_from(self.indent + 1).unwrap_or(0).max(1);
        indent.get_or_insert(most.max(least));
        Ok(())
    }
}
