//! Underscores in numbers.

/// Whether every `_` of a number stands between two digits; the prefix of a base (`0x`, `0o`, `0b`) counts
/// as one. The number has no sign. As `underscoreOK` of Go's `strconv`.
pub fn underscores_separate(unsigned: &str) -> bool {
    if !unsigned.contains('_') {
        return true;
    }
    let prefix = unsigned.get(..2).unwrap_or("").to_ascii_lowercase();
    let has_prefix = matches!(&*prefix, "0x" | "0o" | "0b");
    let rest = if has_prefix { unsigned.get(2..).unwrap_or("") } else { unsigned };
    let is_digit = |c: char| c.is_ascii_digit() || prefix == "0x" && c.is_ascii_hexdigit();
    let mut before = if has_prefix { '0' } else { '.' };
    for c in rest.chars() {
        if c == '_' && !is_digit(before) || before == '_' && !is_digit(c) {
            return false;
        }
        before = c;
    }
    before != '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_stand_between_digits() {
        for text in ["1", "1_0", "0x_1F", "0xa_b", "0_17", "1e1_0", "1_0.5", "0b_1"] {
            assert!(underscores_separate(text), "{text}");
        }
        for text in ["_1", "1_", "1__0", "1_.5", "1._5", "1e_5", "1_e5", "a_b", "0x1_"] {
            assert!(!underscores_separate(text), "{text}");
        }
    }
}
