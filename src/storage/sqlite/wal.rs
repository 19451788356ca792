//! Damage in the write-ahead log, which SQLite itself takes for the log's end.
//!
//! SQLite reads the log up to the first frame whose checksum is wrong, since that is what a crash
//! in the middle of a transaction leaves. Here every transaction is on the disk before the next one
//! begins, so a crash spoils the last one only. Where two or more commits follow the first wrong
//! frame, something else has spoilt what had been stored.
//!
//! Source of the format: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
const LARGEST_PAGE: u32 = 65_536;
const MAGIC: u32 = 0x377f_0682;

/// What is wrong with a log, if anything is. A log that is not there is whole.
pub fn damage(path: &Path) -> std::io::Result<Option<String>> {
    let mut log = match File::open(path) {
        Ok(file) => BufReader::new(file),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut header = [0; HEADER];
    if !fill(&mut log, &mut header)? {
        return Ok(None);
    }
    let page = word(&header, 8);
    let is_log = word(&header, 0) & !1 == MAGIC
        && (512..=LARGEST_PAGE).contains(&page)
        && page.is_power_of_two();
    if !is_log {
        return Ok(Some("the head of its write-ahead log is wrong".to_string()));
    }
    let big_endian = word(&header, 0) & 1 == 1;
    let mut sum = checksum((0, 0), &header[..24], big_endian);
    // A wrong head makes all of the log worthless.
    let mut good = sum == (word(&header, 24), word(&header, 28));
    let mut salt = good.then(|| header[16..24].to_vec());
    let mut frame = vec![0; FRAME_HEADER + usize::try_from(page).unwrap_or(0)];
    let mut commits_behind = 0;
    let (mut number, mut first_bad) = (0_u64, 0);
    while fill(&mut log, &mut frame)? {
        number += 1;
        // What an earlier use of the file has left has another salt.
        if salt.get_or_insert_with(|| frame[8..16].to_vec())[..] != frame[8..16] {
            if good {
                (good, first_bad) = (false, number);
            }
            continue;
        }
        if good {
            sum = checksum(sum, &frame[..8], big_endian);
            sum = checksum(sum, &frame[FRAME_HEADER..], big_endian);
            if sum != (word(&frame, 16), word(&frame, 20)) {
                (good, first_bad) = (false, number);
            }
        }
        if !good && word(&frame, 4) != 0 {
            commits_behind += 1;
        }
    }
    Ok((commits_behind >= 2).then(|| {
        format!("frame {first_bad} of its write-ahead log is wrong, and {commits_behind} commits follow it")
    }))
}

/// Whether there was enough to fill the buffer.
fn fill(log: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<bool> {
    match log.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes)
}

fn checksum(start: (u32, u32), bytes: &[u8], big_endian: bool) -> (u32, u32) {
    let read = |b: &[u8]| {
        let word = b.try_into().unwrap_or_default();
        if big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
    };
    bytes.chunks_exact(8).fold(start, |(a, b), pair| {
        let a = a.wrapping_add(read(&pair[..4])).wrapping_add(b);
        (a, b.wrapping_add(read(&pair[4..])).wrapping_add(a))
    })
}
