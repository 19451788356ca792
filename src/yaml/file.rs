//! Reading a file into memory, no further than its cap.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use crate::diag::SourceFile;
use crate::yaml::MAX_TEXT;

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system refuses.
    #[error("cannot read {path}: {error}")]
    Io {
        /// The file.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file is larger than [`MAX_TEXT`].
    #[error("{path} is too large: a file may have {MAX_TEXT} bytes")]
    TooLarge {
        /// The file.
        path: String,
    },
    /// The file is not UTF-8.
    #[error("{path} is not UTF-8: line {line} has a byte that no character begins with")]
    NotUtf8 {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
    },
}

/// Reads a file of at most [`MAX_TEXT`] bytes.
///
/// # Errors
/// A [`FileError`] that names the file.
pub fn read_file(path: &Path) -> Result<Arc<SourceFile>, FileError> {
    let shown = path.display().to_string();
    let io = |error| FileError::Io { path: path.display().to_string(), error };
    let limit = MAX_TEXT as u64 + 1;
    let file = File::open(path).map_err(io)?;
    let expected = file.metadata().map_or(0, |metadata| metadata.len()).min(limit);
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or_default());
    file.take(limit).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() > MAX_TEXT {
        return Err(FileError::TooLarge { path: shown });
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Arc::new(SourceFile::new(shown, text))),
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let before = error.as_bytes().get(..good).unwrap_or_default();
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            Err(FileError::NotUtf8 { path: shown, line })
        }
    }
}
