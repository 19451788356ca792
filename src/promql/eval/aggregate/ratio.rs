//! Which series `limit_ratio` picks: those whose hash lies below the ratio of all hashes.
//!
//! The hash is Prometheus', so that the same series are picked: XXH64 with seed 0 over the labels in
//! order, each name and value preceded by its length. A length below 255 is one byte, a longer one
//! 255 and three bytes, the lowest first (`model/labels`, `labels_stringlabels.go`).

use crate::model::LabelSet;

/// Whether a series is among the given ratio of all; below zero among those that the rest
/// (`1 + ratio`) does not pick.
pub(super) fn picks(ratio: f64, labels: &LabelSet) -> bool {
    let offset = hash(labels) as f64 / u64::MAX as f64;
    if ratio >= 0.0 { offset < ratio } else { offset >= 1.0 + ratio }
}

fn hash(labels: &LabelSet) -> u64 {
    let mut bytes = Vec::new();
    for text in labels.iter().flat_map(|(name, value)| [name, value]) {
        match u8::try_from(text.len()) {
            Ok(length) if length < 255 => bytes.push(length),
            _ => {
                bytes.push(255);
                bytes.extend(text.len().to_le_bytes().into_iter().take(3));
            }
        }
        bytes.extend(text.bytes());
    }
    xxh64(&bytes)
}

const PRIMES: [u64; 5] = [
    0x9e37_79b1_85eb_ca87,
    0xc2b2_ae3d_27d4_eb4f,
    0x1656_67b1_9e37_79f9,
    0x85eb_ca77_c2b2_ae63,
    0x27d4_eb2f_1656_67c5,
];

/// XXH64 with seed 0. Source: the algorithm's specification,
/// <https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>.
fn xxh64(bytes: &[u8]) -> u64 {
    let [p1, p2, p3, p4, p5] = PRIMES;
    let stripes = bytes.chunks_exact(32);
    let tail = stripes.remainder();
    let mut hash = if bytes.len() < 32 {
        p5
    } else {
        let mut lanes = [p1.wrapping_add(p2), p2, 0, p1.wrapping_neg()];
        for stripe in stripes {
            for (lane, word) in lanes.iter_mut().zip(stripe.chunks_exact(8)) {
                *lane = round(*lane, number(word));
            }
        }
        let rotations = [1, 7, 12, 18];
        let turned = lanes.iter().zip(rotations).map(|(lane, by)| lane.rotate_left(by));
        let mixed = turned.fold(0u64, u64::wrapping_add);
        lanes
            .iter()
            .fold(mixed, |hash, lane| (hash ^ round(0, *lane)).wrapping_mul(p1).wrapping_add(p4))
    };
    hash = hash.wrapping_add(bytes.len() as u64);
    let words = tail.chunks_exact(8);
    let mut rest = words.remainder();
    for word in words {
        hash ^= round(0, number(word));
        hash = hash.rotate_left(27).wrapping_mul(p1).wrapping_add(p4);
    }
    if let Some((half, behind)) = rest.split_at_checked(4) {
        hash ^= number(half).wrapping_mul(p1);
        hash = hash.rotate_left(23).wrapping_mul(p2).wrapping_add(p3);
        rest = behind;
    }
    for byte in rest {
        hash ^= u64::from(*byte).wrapping_mul(p5);
        hash = hash.rotate_left(11).wrapping_mul(p1);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(p2);
    hash = (hash ^ (hash >> 29)).wrapping_mul(p3);
    hash ^ (hash >> 32)
}

fn round(lane: u64, word: u64) -> u64 {
    let [p1, p2, ..] = PRIMES;
    lane.wrapping_add(word.wrapping_mul(p2)).rotate_left(31).wrapping_mul(p1)
}

/// Bytes as a number, the lowest first.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test vectors of the xxHash project and of its ports.
    #[test]
    fn the_hash_is_xxh64() {
        for (text, hash) in [
            ("", 0xef46_db37_51d8_e999),
            ("a", 0xd24e_c4f1_a98c_6e5b),
            ("abc", 0x44bc_2cf5_ad77_0999),
            ("Nobody inspects the spammish repetition", 0xfbce_a83c_8a37_8bf1),
            ("The quick brown fox jumps over the lazy dog", 0x0b24_2d36_1fda_71bc),
        ] {
            assert_eq!(xxh64(text.as_bytes()), hash, "{text}");
        }
    }

    #[test]
    fn a_ratio_and_its_complement_pick_everything_once() {
        for i in 0..1000 {
            let labels = LabelSet::from([("i", &*i.to_string())]);
            assert_ne!(picks(0.3, &labels), picks(-0.7, &labels));
            assert!(picks(1.0, &labels) && picks(-1.0, &labels) && !picks(0.0, &labels));
        }
        let picked = (0..1000).filter(|i| picks(0.3, &LabelSet::from([("i", &*i.to_string())])));
        assert!((250..350).contains(&picked.count()));
    }
}
