//! Regular expressions as Prometheus and Alertmanager read them.
//!
//! Both use Go's `regexp`, whose syntax is RE2's. The `regex` crate is built on the same theory but
//! reads some texts differently: `\d` knows all of Unicode there, `[a&&b]` is an intersection, `\<` the
//! start of a word, `(?x)` ignores white space, and `\Q…\E` is unknown. So an expression is read
//! here by Go's rules (`regexp/syntax` with the flags `Perl`) and written again in the crate's
//! words; what Go refuses is refused.

mod class;
mod literal;
pub mod memo;
mod scan;
#[cfg(test)]
mod tests;

use regex::{Regex, RegexBuilder};

use crate::model::MatcherError;
pub use literal::{Leading, leading_literals};
use scan::Scanner;

/// The longest expression, in bytes. Generated lists of hosts stay far below.
const MAX_PATTERN_BYTES: usize = 256 * 1024;
/// The most memory that a compiled expression may take, in bytes.
const MAX_COMPILED_BYTES: usize = 10 * 1024 * 1024;
/// How often `{n,m}` may repeat something, nested repetitions multiplied: Go's limit.
const MAX_REPEAT: u32 = 1000;

/// Compiles an expression that must match a whole text, `.` matching line ends too, as label
/// matchers do (`^(?s:…)$`).
///
/// # Errors
/// [`MatcherError::Regex`] with the place in the expression where there is one.
pub fn compile_anchored(pattern: &str) -> Result<Regex, MatcherError> {
    let translated = translated(pattern)?;
    build(pattern, &format!("^(?s:{translated})$"))
}

/// Compiles an expression that may match anywhere in a text, as the template functions `match` and
/// `reReplaceAll` do.
///
/// # Errors
/// [`MatcherError::Regex`] with the place in the expression where there is one.
pub fn compile_unanchored(pattern: &str) -> Result<Regex, MatcherError> {
    build(pattern, &translated(pattern)?)
}

fn build(pattern: &str, translated: &str) -> Result<Regex, MatcherError> {
    RegexBuilder::new(translated).size_limit(MAX_COMPILED_BYTES).build().map_err(|error| {
        let reason = match error {
            regex::Error::CompiledTooBig(_) => "it needs too much memory".to_string(),
            // The last line of the crate's text is the reason; those before draw our translation.
            other => other.to_string().lines().last().unwrap_or_default().trim().to_string(),
        };
        refused(pattern, reason)
    })
}

fn translated(pattern: &str) -> Result<String, MatcherError> {
    if pattern.len() > MAX_PATTERN_BYTES {
        let start: String = pattern.chars().take(40).collect();
        return Err(refused(
            &format!("{start}…"),
            format!("longer than {MAX_PATTERN_BYTES} bytes"),
        ));
    }
    Translator::new(pattern).run().map_err(|reason| refused(pattern, reason))
}

fn refused(pattern: &str, reason: String) -> MatcherError {
    MatcherError::Regex { pattern: pattern.to_string(), reason }
}

/// What stands directly before the present place, and so what a repetition would repeat. The number
/// is how often its innermost parts are repeated by `{n,m}` already.
#[derive(Clone, Copy)]
enum Last {
    Nothing,
    Atom(u32),
    Repeated,
}

struct Translator<'a> {
    text: Scanner<'a>,
    out: String,
    last: Last,
    /// For each open group, the outermost being the whole, the highest count of repetitions in it.
    groups: Vec<u32>,
}

impl<'a> Translator<'a> {
    fn new(pattern: &'a str) -> Self {
        let out = String::with_capacity(pattern.len());
        Self { text: Scanner::new(pattern), out, last: Last::Nothing, groups: vec![1] }
    }

    fn run(mut self) -> Result<String, String> {
        while let Some(c) = self.text.next() {
            match c {
                '(' => self.open_group()?,
                ')' => self.close_group()?,
                '|' => {
                    self.out.push('|');
                    self.last = Last::Nothing;
                }
                '.' | '^' | '$' => {
                    self.out.push(c);
                    self.atom(1);
                }
                '[' => {
                    class::bracketed(&mut self.text, &mut self.out)?;
                    self.atom(1);
                }
                '*' | '+' | '?' => self.repeat(&c.to_string(), None)?,
                '{' => self.braces()?,
                '\\' => self.escape()?,
                c => self.literal(c),
            }
        }
        if self.groups.len() > 1 {
            return Err("a closing parenthesis is missing".to_string());
        }
        Ok(self.out)
    }

    fn literal(&mut self, c: char) {
        scan::push_literal(&mut self.out, c);
        self.atom(1);
    }

    fn atom(&mut self, repeats: u32) {
        self.last = Last::Atom(repeats);
        if let Some(highest) = self.groups.last_mut() {
            *highest = repeats.max(*highest);
        }
    }

    fn escape(&mut self) -> Result<(), String> {
        // A quotation: all up to \E, or to the end, stands for itself.
        if self.text.eat("Q") {
            for c in self.text.take_until("\\E").chars() {
                self.literal(c);
            }
            return Ok(());
        }
        match self.text.peek() {
            Some('A') => self.out.push_str("\\A"),
            Some('z') => self.out.push_str("\\z"),
            Some('b') => self.out.push_str("(?-u:\\b)"),
            Some('B') => self.out.push_str("(?-u:\\B)"),
            _ => {
                if !class::escaped_class(&mut self.text, &mut self.out, class::Place::Outside)? {
                    let c = self.text.escaped_char()?;
                    self.literal(c);
                }
                self.atom(1);
                return Ok(());
            }
        }
        self.text.next();
        self.atom(1);
        Ok(())
    }

    fn open_group(&mut self) -> Result<(), String> {
        let place = self.text.place();
        if !self.text.eat("?") {
            self.out.push('(');
        } else if self.text.eat("P<") || self.text.eat("<") {
            let valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let name = self.text.take_closed(">").filter(|n| !n.is_empty() && n.chars().all(valid));
            let Some(name) = name else {
                return Err(format!("bad name of a group at character {place}"));
            };
            // Go lets a name begin with a digit.
            let digit = if name.starts_with(|c: char| c.is_ascii_digit()) { "_" } else { "" };
            self.out.push_str(&format!("(?P<{digit}{name}>"));
        } else {
            let (flags, opens) = scan::flags(&mut self.text)
                .ok_or_else(|| format!("unknown kind of group at character {place}"))?;
            if !opens {
                if !flags.is_empty() {
                    self.out.push_str(&format!("(?{flags})"));
                }
                self.last = Last::Nothing;
                return Ok(());
            }
            self.out.push_str(&format!("(?{flags}:"));
        }
        self.groups.push(1);
        self.last = Last::Nothing;
        Ok(())
    }

    fn close_group(&mut self) -> Result<(), String> {
        if self.groups.len() < 2 {
            let place = self.text.place() - 1;
            return Err(format!("unexpected closing parenthesis at character {place}"));
        }
        let repeats = self.groups.pop().unwrap_or(1);
        self.out.push(')');
        self.atom(repeats);
        Ok(())
    }

    /// `{n}`, `{n,}` or `{n,m}`; any other text in braces stands for itself.
    fn braces(&mut self) -> Result<(), String> {
        let place = self.text.place() - 1;
        let Some((low, high)) = scan::bounds(&mut self.text) else {
            self.literal('{');
            return Ok(());
        };
        let most = match high {
            scan::High::Same => low,
            scan::High::Open => low,
            scan::High::At(high) => high,
        };
        if low > MAX_REPEAT || most > MAX_REPEAT || most < low {
            return Err(format!("bad count of repetitions at character {place}"));
        }
        let operator = match high {
            scan::High::Same => format!("{{{low}}}"),
            scan::High::Open => format!("{{{low},}}"),
            scan::High::At(high) => format!("{{{low},{high}}}"),
        };
        self.repeat(&operator, Some(most))
    }

    /// Repeats what stands before; `most` counts for `{n,m}` only.
    fn repeat(&mut self, operator: &str, most: Option<u32>) -> Result<(), String> {
        let place = self.text.place() - 1;
        let inner = match self.last {
            Last::Atom(inner) => inner,
            Last::Nothing => return Err(format!("nothing to repeat before character {place}")),
            Last::Repeated => return Err(format!("a second repetition at character {place}")),
        };
        if let Some(most) = most {
            let repeats = if most == 0 { 1 } else { inner.saturating_mul(most) };
            if repeats > MAX_REPEAT {
                return Err(format!("nested repetitions of more than {MAX_REPEAT} times"));
            }
            self.atom(repeats);
        }
        self.out.push_str(operator);
        if self.text.eat("?") {
            self.out.push('?');
        }
        self.last = Last::Repeated;
        Ok(())
    }
}
