//! Where Go's scanner of YAML, which Prometheus and Alertmanager use, and the parser differ.
//!
//! The parser is strict about YAML 1.2. Go's scanner follows YAML 1.1 and is laxer where blanks mean
//! nothing: lines inside of brackets and quotes may begin anywhere, a tab may stand behind a colon, a
//! comment right behind a quote. It is stricter about tabs elsewhere. This walk goes over a text as
//! Go's scanner does (`scannerc.go` of yaml.v3), as far as it takes to know what stands in brackets, quotes,
//! comments and blocks. It says what Go refuses, and which blanks the parser needs.

mod scalars;

#[cfg(test)]
mod tests;

use memchr::memchr;
use memchr::memmem::find;

use crate::yaml::repair::Edit;

/// How far Go looks for a further comment.
const PEEKED: usize = 512;

/// The most changes of a text. What would need more is left as it is.
const MAX_EDITS: usize = 250_000;

/// What Go refuses: where, and what is wrong there.
pub(super) type Refused = (usize, &'static str);

/// Whether the parser may take of a text what Go refuses. Most texts have no tabs.
pub(super) fn may_be_refused(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr(b'\t', bytes).is_some() || find(bytes, b"\\/").is_some() || text.starts_with('%')
}

/// The changes of a text after which the parser reads what Go reads.
pub(super) fn edits(text: &str) -> Result<Vec<Edit>, Refused> {
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut walk = Walk {
        bytes: text.as_bytes(),
        at: start,
        line: start,
        flow: 0,
        flow_column: 0,
        indent: -1,
        indents: Vec::new(),
        key_allowed: true,
        key: None,
        has_begun: false,
        edits: Vec::new(),
    };
    while walk.token()? {}
    Ok(walk.edits)
}

/// The walk. Columns are counted in bytes: where they matter, ASCII stands before them.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the line begins.
    line: usize,
    /// How many brackets are open.
    flow: usize,
    /// The column of the outermost of them.
    flow_column: usize,
    /// The column of the innermost block, and of those around it.
    indent: isize,
    indents: Vec<isize>,
    /// Whether a key may begin here. A tab may not, then.
    key_allowed: bool,
    /// The column and line of what is a key if a colon follows.
    key: Option<(usize, usize)>,
    has_begun: bool,
    edits: Vec<Edit>,
}

impl Walk<'_> {
    /// Goes over one token. `false` at the end of the first document.
    fn token(&mut self) -> Result<bool, Refused> {
        self.skip_white();
        self.unroll(self.column());
        let Some(byte) = self.peek(0) else { return Ok(false) };
        if self.is_document_mark() {
            if self.has_begun {
                return Ok(false);
            }
            self.has_begun = byte == b'-';
            (self.key_allowed, self.key) = (false, None);
            self.at += 3;
            return Ok(true);
        }
        if byte == b'%' && self.column() == 0 {
            let known: [&[u8]; 2] = [b"%YAML 1.1", b"%TAG "];
            if !known.iter().any(|known| self.rest().starts_with(known)) {
                return Err((self.at, "Go knows YAML 1.1 alone, and no such directive"));
            }
            self.skip_line();
            return Ok(true);
        }
        self.has_begun = true;
        let is_alone = self.is_blank_or_end(1);
        match byte {
            b'\t' => return Err((self.at, "a tab cannot stand here")),
            b'[' | b'{' | b']' | b'}' | b',' => self.bracket(byte),
            b'-' if is_alone => self.block_entry(),
            b'?' if is_alone || self.flow > 0 => self.complex_key(),
            b':' if is_alone || self.flow > 0 => self.value(),
            b'*' | b'&' => {
                self.may_be_key();
                self.at += 1;
                self.skip_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
            }
            b'!' => {
                let in_flow = self.flow > 0;
                self.may_be_key();
                let ends = |byte| in_flow && matches!(byte, b',' | b']' | b'}');
                self.skip_while(|byte| !(is_white(byte) || ends(byte)));
            }
            b'|' | b'>' if self.flow == 0 => {
                self.may_be_key();
                self.key_allowed = true;
                self.block_scalar()?;
            }
            b'\'' | b'"' => {
                self.may_be_key();
                self.quoted(byte)?;
                self.comment_may_follow();
            }
            _ => {
                self.may_be_key();
                self.plain()?;
            }
        }
        Ok(true)
    }

    /// Blanks, comments and line ends before a token.
    fn skip_white(&mut self) {
        loop {
            let may_be_tab = self.flow > 0 || !self.key_allowed;
            self.skip_while(|byte| byte == b' ' || (byte == b'\t' && may_be_tab));
            match self.peek(0) {
                Some(b'#') => self.comments(),
                Some(b'\n' | b'\r') => {
                    self.line_end();
                    self.indent_flow();
                    self.key_allowed |= self.flow == 0;
                }
                // A byte order mark may begin a line.
                Some(0xef) if self.column() == 0 && self.rest().starts_with(b"\xef\xbb\xbf") => {
                    self.at += 3;
                    self.line = self.at;
                }
                _ => return,
            }
        }
    }

    /// A comment, and those that follow one that stands on a line of its own.
    fn comments(&mut self) {
        let before = self.bytes.get(self.line..self.at).unwrap_or_default();
        let is_alone = before.iter().copied().all(is_white);
        loop {
            self.skip_line();
            let white = self.rest().iter().take_while(|byte| is_white(**byte)).count();
            if !is_alone || white >= PEEKED || self.peek(white) != Some(b'#') {
                return;
            }
            let next = self.at + white;
            while self.at < next {
                match self.peek(0) {
                    Some(b'\n' | b'\r') => {
                        self.line_end();
                        self.indent_flow();
                    }
                    _ => self.at += 1,
                }
            }
        }
    }

    fn bracket(&mut self, byte: u8) {
        if matches!(byte, b'[' | b'{') {
            if self.flow == 0 {
                self.may_be_key();
                self.flow_column = self.column();
            }
            self.flow += 1;
        } else if byte != b',' {
            self.flow = self.flow.saturating_sub(1);
        }
        self.key_allowed = !matches!(byte, b']' | b'}');
        self.at += 1;
        self.comment_may_follow();
    }

    fn block_entry(&mut self) {
        self.roll(self.column());
        (self.key_allowed, self.key) = (true, None);
        self.at += 1;
    }

    fn complex_key(&mut self) {
        self.roll(self.column());
        (self.key_allowed, self.key) = (self.flow == 0, None);
        self.at += 1;
    }

    fn value(&mut self) {
        let key = self.key.take().filter(|(_, line)| *line == self.line);
        let (column, _) = key.unwrap_or((self.column(), self.line));
        self.roll(column);
        self.key_allowed = key.is_none() && self.flow == 0;
        self.at += 1;
        if !self.key_allowed && self.peek(0) == Some(b'\t') {
            self.edit(Edit { at: self.at, removed: 1, blanks: 1 });
        }
    }

    /// What begins here is a key if a colon follows.
    fn may_be_key(&mut self) {
        if self.flow == 0 {
            if self.key_allowed {
                self.key = Some((self.column(), self.line));
            }
            self.key_allowed = false;
        }
    }

    /// Go needs no blank before a comment here.
    fn comment_may_follow(&mut self) {
        if self.peek(0) == Some(b'#') {
            self.edit(Edit { at: self.at, removed: 0, blanks: 1 });
        }
    }

    /// Indents the line further than the brackets that it stands in.
    fn indent_flow(&mut self) {
        if self.flow > 0 {
            self.indent_line(self.flow_column);
        }
    }

    /// Indents the line further than a column, which changes nothing inside of brackets and quotes.
    /// What ends a document at the margin must stay there.
    fn indent_line(&mut self, column: usize) {
        let blanks = self.rest().iter().take_while(|byte| **byte == b' ').count();
        let is_at_margin = self.is_document_mark() || (self.flow > 0 && self.peek(0) == Some(b'%'));
        let is_empty = matches!(self.peek(blanks), None | Some(b'\n' | b'\r'));
        if blanks <= column && !is_at_margin && !is_empty {
            let blanks = column + 1 - blanks;
            self.edit(Edit { at: self.at, removed: 0, blanks });
        }
    }

    fn edit(&mut self, edit: Edit) {
        if self.edits.len() < MAX_EDITS {
            self.edits.push(edit);
        }
    }

    fn roll(&mut self, column: usize) {
        let column = isize::try_from(column).unwrap_or(isize::MAX);
        if self.flow == 0 && self.indent < column {
            self.indents.push(self.indent);
            self.indent = column;
        }
    }

    fn unroll(&mut self, column: usize) {
        let column = isize::try_from(column).unwrap_or(isize::MAX);
        while self.flow == 0 && self.indent > column {
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    /// `---` or `...` at the margin.
    fn is_document_mark(&self) -> bool {
        let rest = self.rest();
        let is_mark = rest.starts_with(b"---") || rest.starts_with(b"...");
        self.column() == 0 && is_mark && self.is_blank_or_end(3)
    }

    fn skip_line(&mut self) {
        self.skip_while(|byte| !matches!(byte, b'\n' | b'\r'));
    }

    fn line_end(&mut self) {
        self.at += match (self.peek(0), self.peek(1)) {
            (Some(b'\r'), Some(b'\n')) => 2,
            (Some(_), _) => 1,
            (None, _) => 0,
        };
        self.line = self.at;
    }

    fn skip_while(&mut self, skip: impl Fn(u8) -> bool) {
        self.at += self.rest().iter().take_while(|byte| skip(**byte)).count();
    }

    fn is_blank_or_end(&self, ahead: usize) -> bool {
        self.peek(ahead).is_none_or(is_white)
    }

    fn column(&self) -> usize {
        self.at - self.line
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }
}

fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
