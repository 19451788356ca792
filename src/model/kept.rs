//! What is made of texts that come again and again, kept for the next time.

use std::cell::RefCell;
use std::collections::HashMap;

/// What is made of a longer text is not kept, in bytes: what is kept is bounded.
pub const MAX_KEPT_BYTES: usize = 1000;

/// Values by the texts that they were made of. When there are too many, all are made anew: it only saves
/// work. Each thread has its own.
pub struct Kept<V> {
    most: usize,
    values: RefCell<HashMap<Box<str>, V>>,
}

impl<V: Clone> Kept<V> {
    /// Room for so many values.
    pub fn new(most: usize) -> Self {
        Self { most, values: RefCell::default() }
    }

    /// What `make` gives for a text, or has given before.
    ///
    /// # Errors
    /// As `make`; a mistake is not kept.
    pub fn or_make<E>(&self, text: &str, make: impl FnOnce(&str) -> Result<V, E>) -> Result<V, E> {
        if let Some(known) = self.values.borrow().get(text) {
            return Ok(known.clone());
        }
        let value = make(text)?;
        if text.len() <= MAX_KEPT_BYTES {
            let mut values = self.values.borrow_mut();
            if values.len() >= self.most {
                values.clear();
            }
            values.insert(text.into(), value.clone());
        }
        Ok(value)
    }

    /// How many values are kept now.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.values.borrow().len()
    }
}
