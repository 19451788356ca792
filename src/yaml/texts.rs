//! Texts that a file says again and again, each held once.

use std::sync::Arc;

/// Longer texts are seldom said twice, in bytes.
const SHORT: usize = 16;
/// How many texts are remembered; the keys of rules and routes are about fifty.
const SLOTS: usize = 128;

/// Remembers short texts. Two that fall to the same slot take turns.
pub(super) struct Texts([Option<Arc<str>>; SLOTS]);

impl Texts {
    pub(super) const fn new() -> Self {
        Self([const { None }; SLOTS])
    }

    /// The text, shared with those that were said before where that is remembered.
    pub(super) fn shared(&mut self, text: &str) -> Arc<str> {
        let (Some(first), Some(last)) = (text.bytes().next(), text.bytes().next_back()) else {
            return Arc::from(text);
        };
        if text.len() > SHORT {
            return Arc::from(text);
        }
        let place = usize::from(first) * 5 + usize::from(last) * 3 + text.len();
        let Some(slot) = self.0.get_mut(place % SLOTS) else { return Arc::from(text) };
        match slot {
            Some(known) if **known == *text => Arc::clone(known),
            _ => Arc::clone(slot.insert(Arc::from(text))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_held_once_and_no_other_is_taken_for_it() {
        let mut texts = Texts::new();
        let (a, b) = (texts.shared("alert"), texts.shared("alert"));
        assert!(Arc::ptr_eq(&a, &b));
        let long = "a text of seventeen and more bytes";
        assert!(!Arc::ptr_eq(&texts.shared(long), &texts.shared(long)));
        // The first and the last byte and the length fall to the same slot.
        let words = ["", "abc", "adc", "abc", "", "é", "alert", "axxxt"];
        let shared: Vec<Arc<str>> = words.iter().map(|word| texts.shared(word)).collect();
        assert_eq!(shared.iter().map(|text| &**text).collect::<Vec<_>>(), words);
    }
}
