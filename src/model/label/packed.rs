//! Labels in one piece of memory: the shortest form that can be read without decoding.
//!
//! Each name and each value is preceded by a number: twice its length in bytes, or twice and one the
//! place of a text that the set has in common with others (`common.rs`) and that is not repeated
//! here. A number is written in digits to the base of 64, the lowest first, one byte each; a digit
//! that others follow has 64 added. So every byte of it is ASCII. Before the labels stands the hash
//! that is the set's fingerprint: it is asked for at every turn of an alert, and made once.

use std::sync::Arc;

use triomphe::ThinArc;

use crate::model::label::common::Common;
use crate::model::label::fingerprint;

const BASE: usize = 0x40;

/// What stands before the labels.
struct Head {
    hash: u64,
    common: Option<Arc<Common>>,
}

/// A set with at least one label. Its handle is one word: every alert has several.
#[derive(Clone)]
pub(super) struct Packed(ThinArc<Head, u8>);

impl Packed {
    /// The hash of the labels.
    pub(super) fn hash(&self) -> u64 {
        self.0.header.header.hash
    }

    pub(super) fn labels(&self) -> Labels<'_> {
        Labels {
            text: std::str::from_utf8(&self.0.slice).unwrap_or_default(),
            common: self.common().map(Arc::as_ref),
        }
    }

    /// The texts that are not repeated in it.
    pub(super) fn common(&self) -> Option<&Arc<Common>> {
        self.0.header.header.common.as_ref()
    }

    /// How many bytes the labels take.
    pub(super) fn bytes(&self) -> usize {
        self.0.slice.len()
    }
}

impl PartialEq for Packed {
    fn eq(&self, other: &Self) -> bool {
        self.hash() == other.hash()
            && (std::ptr::eq(self.0.slice.as_ptr(), other.0.slice.as_ptr())
                || self.labels().eq(other.labels()))
    }
}

impl Eq for Packed {}

/// Puts labels together, in order of name.
pub(super) struct Packer {
    text: String,
    common: Option<Arc<Common>>,
}

impl Packer {
    /// A packer with room for so many bytes of names and values.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), common: None }
    }

    /// A packer that can keep labels of a set, or that knows texts by their places.
    pub(super) fn sharing(common: Option<&Arc<Common>>, bytes: usize) -> Self {
        Self { common: common.cloned(), ..Self::with_capacity(bytes) }
    }

    pub(super) fn push(&mut self, name: &str, value: &str) {
        self.push_text(name);
        self.push_text(value);
    }

    /// Appends a name or a value.
    pub(super) fn push_text(&mut self, text: &str) {
        push_number(&mut self.text, 2 * text.len());
        self.text.push_str(text);
    }

    /// Appends the text that has this place among the common ones.
    pub(super) fn push_common(&mut self, place: usize) {
        push_number(&mut self.text, 2 * place + 1);
    }

    /// Appends a label as it stands in a set that has the same texts in common.
    pub(super) fn keep(&mut self, label: &Kept<'_>) {
        self.text.push_str(label.raw);
    }

    /// How many bytes the labels take by now.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The whole set; none where there is no label.
    pub(super) fn finish(self) -> Option<Packed> {
        let labels = Labels { text: &self.text, common: self.common.as_deref() };
        let hash = fingerprint::hash(labels);
        self.finish_as(hash)
    }

    /// The same where the hash is known.
    pub(super) fn finish_as(self, hash: u64) -> Option<Packed> {
        let head = Head { hash, common: self.common };
        let text = self.text.as_bytes();
        (!text.is_empty()).then(|| Packed(ThinArc::from_header_and_slice(head, text)))
    }
}

fn push_number(packed: &mut String, mut number: usize) {
    while number >= BASE {
        push_digit(packed, BASE + number % BASE);
        number /= BASE;
    }
    push_digit(packed, number);
}

fn push_digit(packed: &mut String, digit: usize) {
    packed.push(u8::try_from(digit).map_or('\0', char::from));
}

/// A label with the piece of a set that holds it.
pub(super) struct Kept<'a> {
    pub(super) name: &'a str,
    raw: &'a str,
}

/// The labels of a packed text in their order.
#[derive(Clone, Default)]
pub(super) struct Labels<'a> {
    text: &'a str,
    common: Option<&'a Common>,
}

impl<'a> Labels<'a> {
    /// The labels with the pieces that hold them.
    pub(super) fn kept(mut self) -> impl Iterator<Item = Kept<'a>> {
        std::iter::from_fn(move || {
            let before = self.text;
            let (name, _) = self.next()?;
            Some(Kept { name, raw: before.get(..before.len() - self.text.len())? })
        })
    }

    /// The next name or value; `None` at the end.
    fn text(&mut self) -> Option<&'a str> {
        let (mut number, mut place) = (0, 1);
        for (index, digit) in self.text.bytes().map(usize::from).enumerate() {
            number += digit % BASE * place;
            if digit < BASE {
                let rest = self.text.get(index + 1..)?;
                return if number % 2 == 1 {
                    self.text = rest;
                    self.common?.get(number / 2)
                } else {
                    let (text, rest) = rest.split_at_checked(number / 2)?;
                    self.text = rest;
                    Some(text)
                };
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
    fn the_hash_is_that_of_the_labels() {
        let mut packer = Packer::with_capacity(0);
        packer.push("a", "1");
        let set = packer.finish().unwrap();
        assert_eq!(set.hash(), fingerprint::hash([("a", "1")].into_iter()));
        assert!(set.labels().eq([("a", "1")]));
        assert!(Packer::with_capacity(9).finish().is_none(), "no labels, no set");
    }

    #[test]
    fn texts_of_every_length_come_back() {
        let lengths = [0, 1, 31, 32, 33, 2047, 2048, 300_000];
        let text = |length: &usize| "é".repeat(length / 2) + &"x".repeat(length % 2);
        let texts: Vec<String> = lengths.iter().map(text).collect();
        let mut packer = Packer::with_capacity(0);
        for (name, value) in texts.iter().zip(texts.iter().rev()) {
            packer.push(name, value);
        }
        let set = packer.finish().unwrap();
        let expected = texts.iter().map(String::as_str).zip(texts.iter().rev().map(String::as_str));
        assert!(set.labels().eq(expected));
        assert_eq!(Labels::default().next(), None);
    }

    #[test]
    fn common_texts_are_found_by_their_places() {
        let texts: Vec<String> = (0..3000).map(|number| format!("text {number}")).collect();
        let common = Arc::new(Common::new(texts.iter().map(String::as_str)));
        let mut packer = Packer::sharing(Some(&common), 0);
        for place in [0, 31, 32, 2999] {
            packer.push_text("own");
            packer.push_common(place);
        }
        let set = packer.finish().unwrap();
        let values: Vec<&str> = set.labels().map(|(_, value)| value).collect();
        assert_eq!(values, ["text 0", "text 31", "text 32", "text 2999"]);
        assert_eq!(set.bytes(), 4 * 4 + 1 + 1 + 2 + 3);
    }
}
