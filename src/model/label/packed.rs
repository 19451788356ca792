//! Labels in one text: the shortest form that can be read without decoding.
//!
//! Each name and each value is preceded by its length in bytes. A length is written in digits to
//! the base of 64, the lowest first, one byte each; a digit that others follow has 64 added. So
//! every byte of it is ASCII, and the whole is one `str`. Before the labels stands a stamp, the
//! hash that is the set's fingerprint: it is asked for at every turn of an alert, and made once.

use std::sync::Arc;

use crate::model::label::fingerprint;

const BASE: usize = 0x40;

/// How many characters the stamp takes: 64 bits, 7 of them in each.
const STAMP: usize = 10;

/// Puts labels together, in order of name.
pub(super) struct Packer(String);

impl Packer {
    /// A packer with room for so many bytes of names and values.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        let mut text = String::with_capacity(STAMP + bytes);
        text.push_str(&stamp(0));
        Self(text)
    }

    pub(super) fn push(&mut self, name: &str, value: &str) {
        push(&mut self.0, name, value);
    }

    /// How many bytes the labels take by now.
    pub(super) fn bytes(&self) -> usize {
        self.0.len() - STAMP
    }

    /// The whole text; none where there is no label.
    pub(super) fn finish(mut self) -> Arc<str> {
        if self.bytes() == 0 {
            return Arc::default();
        }
        let hash = fingerprint::hash(labels(&self.0));
        self.0.replace_range(..STAMP, &stamp(hash));
        Arc::from(self.0)
    }
}

/// The labels of a finished text.
pub(super) fn labels(text: &str) -> Labels<'_> {
    Labels(text.get(STAMP..).unwrap_or_default())
}

/// The hash that a finished text begins with; `None` for one without labels.
pub(super) fn hash(text: &str) -> Option<u64> {
    let stamp = text.as_bytes().get(..STAMP)?;
    Some(stamp.iter().rev().fold(0, |hash, digit| hash << 7 | u64::from(*digit)))
}

fn stamp(hash: u64) -> String {
    let digit = |place: usize| u8::try_from(hash >> (7 * place) & 0x7f).map_or('\0', char::from);
    (0..STAMP).map(digit).collect()
}

/// Appends a label.
fn push(packed: &mut String, name: &str, value: &str) {
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
pub(super) struct Labels<'a>(&'a str);

impl<'a> Labels<'a> {
    /// How many bytes the labels take.
    pub(super) fn bytes(&self) -> usize {
        self.0.len()
    }

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
    fn a_stamp_holds_every_hash() {
        for number in [0, 1, 0x7f, 0x80, 0xcbf2_9ce4_8422_2325, u64::MAX] {
            assert_eq!(hash(&stamp(number)), Some(number));
        }
        let mut packer = Packer::with_capacity(0);
        packer.push("a", "1");
        let expected = fingerprint::hash([("a", "1")].into_iter());
        let text = packer.finish();
        assert_eq!(hash(&text), Some(expected));
        assert!(labels(&text).eq([("a", "1")]));
        assert_eq!(hash(&Packer::with_capacity(9).finish()), None, "no labels, no stamp");
    }

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
