//! A small lexer for Rust sources: enough to read names and paths, blind to comments and strings.

#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// An identifier or a keyword; a raw identifier comes without its `r#`.
    Word(String),
    /// `::`
    Path,
    /// Any other mark, and the start of a number.
    Mark(char),
}

/// The tokens of a Rust source with their lines, without comments, strings and lifetimes.
pub fn tokens(source: &str) -> Vec<(Token, usize)> {
    let text: Vec<char> = source.chars().collect();
    let at = |i: usize| text.get(i).copied().unwrap_or('\0');
    let (mut found, mut i, mut line) = (Vec::new(), 0, 1);
    while i < text.len() {
        let start = i;
        match (at(i), at(i + 1)) {
            ('/', '/') => i += text[i..].iter().take_while(|c| **c != '\n').count(),
            ('/', '*') => i = end_of_comment(&text, i),
            ('"', _) => i = end_of_string(&text, i),
            ('\'', _) => i = end_of_quote(&text, i),
            (':', ':') => {
                found.push((Token::Path, line));
                i += 2;
            }
            (c, _) if c.is_alphabetic() || c == '_' => {
                i += text[i..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').count();
                let word: String = text[start..i].iter().collect();
                let raw = matches!(word.as_str(), "r" | "br" | "cr");
                let hashes = text[i..].iter().take_while(|c| **c == '#').count();
                if raw && at(i + hashes) == '"' {
                    i = end_of_raw_string(&text, i + hashes + 1, hashes);
                } else if raw && hashes == 1 {
                    i += 1;
                } else if !(matches!(word.as_str(), "b" | "c") && matches!(at(i), '"' | '\'')) {
                    found.push((Token::Word(word), line));
                }
            }
            (c, _) if c.is_ascii_digit() => {
                i += text[i..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').count();
                found.push((Token::Mark(c), line));
            }
            (c, _) => {
                if !c.is_whitespace() {
                    found.push((Token::Mark(c), line));
                }
                i += 1;
            }
        }
        line += text[start..i.min(text.len())].iter().filter(|c| **c == '\n').count();
    }
    found
}

/// The place behind a block comment that starts at `i`; block comments nest.
fn end_of_comment(text: &[char], mut i: usize) -> usize {
    let mut depth = 0;
    while i < text.len() {
        match text.get(i..i + 2) {
            Some(['/', '*']) => (depth, i) = (depth + 1, i + 2),
            Some(['*', '/']) => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            break;
        }
    }
    i
}

/// The place behind a string whose opening quote is at `i`.
fn end_of_string(text: &[char], mut i: usize) -> usize {
    i += 1;
    while i < text.len() && text[i] != '"' {
        i += if text[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

/// The place behind a raw string whose content starts at `i`.
fn end_of_raw_string(text: &[char], mut i: usize, hashes: usize) -> usize {
    let closes = |i: usize| {
        text[i] == '"' && text[i + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes
    };
    while i < text.len() && !closes(i) {
        i += 1;
    }
    i + 1 + hashes
}

/// The place behind a character literal at `i`, or behind the quote of a lifetime.
fn end_of_quote(text: &[char], i: usize) -> usize {
    if text.get(i + 1) == Some(&'\\') {
        return i + 3 + text[i + 3..].iter().take_while(|c| **c != '\'').count() + 1;
    }
    if text.get(i + 2) == Some(&'\'') {
        return i + 3;
    }
    i + 1 + text[i + 1..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').count()
}
