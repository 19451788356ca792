//! How much an evaluation may hold and look at.

use crate::diag::Span;
use crate::promql::eval::{EvalError, Options};

/// What an evaluation holds and has looked at so far.
#[derive(Debug)]
pub(in crate::promql) struct Limits {
    /// Samples in memory.
    held: usize,
    max_held: usize,
    /// Samples that functions over ranges have looked at.
    read: u64,
    max_read: u64,
}

impl Limits {
    pub fn new(options: &Options) -> Self {
        Self { held: 0, max_held: options.max_samples, read: 0, max_read: options.max_reads }
    }

    /// Whether so many samples fit beside those that are held.
    ///
    /// # Errors
    /// When they do not.
    pub fn fit(&self, samples: usize, span: Span) -> Result<(), EvalError> {
        if self.held.saturating_add(samples) > self.max_held {
            let message =
                "query processing would load too many samples into memory in query execution";
            return Err(EvalError::new(span, message));
        }
        Ok(())
    }

    /// Holds samples.
    ///
    /// # Errors
    /// When they do not fit.
    pub fn hold(&mut self, samples: usize, span: Span) -> Result<(), EvalError> {
        self.fit(samples, span)?;
        self.held = self.held.saturating_add(samples);
        Ok(())
    }

    /// Lets samples go.
    pub fn release(&mut self, samples: usize) {
        self.held = self.held.saturating_sub(samples);
    }

    /// Counts samples that are looked at.
    ///
    /// # Errors
    /// When there are too many.
    pub fn read(&mut self, samples: usize, span: Span) -> Result<(), EvalError> {
        self.read = self.read.saturating_add(samples as u64);
        if self.read > self.max_read {
            let message = format!("the expression looks at more than {} samples", self.max_read);
            return Err(EvalError::new(span, message));
        }
        Ok(())
    }
}
