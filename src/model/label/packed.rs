//! Labels in one text: the shortest form that can be read without decoding.
//!
//! Each name and each value is preceded by its length in bytes. A length is written in digits to
//! the base of 64, the lowest first, one byte each; a digit that others follow has 64 added. So
//! every byte of it is ASCII, and the whole is one `str`.

const BASE: usize = 0x40;

/// Appends a label.
pub(super) fn push(packed: &mut String, name: &str, value: &str) {
    for text in [name, value] {
        push_length(packed, text.len());
        packed.push_str(text);
    }
}

fn push_length(packed: &mut String, mut length: usize) {
    while length >= BASE {
        push_digit(packed, BASE + length % BASE);
        length /= BASE;
    }
    push_digit(packed, length);
}

fn push_digit(packed: &mut String, digit: usize) {
    packed.push(u8::try_from(digit).map_or('\0', char::from));
}

/// The labels of a packed text in their order.
#[derive(Clone)]
pub(super) struct Labels<'a>(pub(super) &'a str);

impl<'a> Labels<'a> {
    /// The next name or value; `None` at the end.
    fn text(&mut self) -> Option<&'a str> {
        let (mut length, mut place) = (0, 1);
        for (index, digit) in self.0.bytes().map(usize::from).enumerate() {
            length += digit % BASE * place;
            if digit < BASE {
                let (text, rest) = self.0.get(index + 1..)?.split_at_checked(length)?;
                self.0 = rest;
                return Some(text);
            }
            place *= BASE;
        }
        None
    }
}

impl<'a> Iterator for Labels<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.text()?, self.text()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_length_come_back() {
        let mut packed = String::new();
        let lengths = [0, 1, 63, 64, 65, 4095, 4096, 300_000];
        let text = |length: &usize| "é".repeat(length / 2) + &"x".repeat(length % 2);
        let texts: Vec<String> = lengths.iter().map(text).collect();
        for (name, value) in texts.iter().zip(texts.iter().rev()) {
            push(&mut packed, name, value);
        }
        let expected = texts.iter().map(String::as_str).zip(texts.iter().rev().map(String::as_str));
        assert!(Labels(&packed).eq(expected));
        assert_eq!(Labels("").next(), None);
    }
}
