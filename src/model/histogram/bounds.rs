//! The bounds of buckets.

use crate::model::histogram::CUSTOM_BUCKETS_SCHEMA;

/// The bounds of schema 8 from 0.5 up to 1. Those of a schema n below are every 2^(8-n)-th.
const BOUNDS: [f64; 256] = bounds();

/// The bounds that follow 0.5 in the schemas 0 to 8: 0.5 · 2^(2^-n), as Go's `math.Exp2` has it.
const SECOND: [f64; 9] = [
    1.0,
    0.707_106_781_186_547_5,
    0.594_603_557_501_360_5,
    0.545_253_866_332_628_8,
    0.522_136_891_213_706_9,
    0.510_948_574_327_058_3,
    0.505_444_643_025_850_2,
    0.502_714_950_556_401_4,
    0.501_355_637_525_101_3,
];

/// Every second bound of a schema is one of the schema before, the others are their predecessor's
/// times the factor. Prometheus' and its client libraries' bounds come about like this; they are
/// off from the nearest floats, and so are these, bit for bit.
const fn bounds() -> [f64; 256] {
    let mut bounds = [0.5; 256];
    let mut schema = 1;
    while schema < SECOND.len() {
        let step = 256 >> schema;
        let factor = SECOND[schema] * 2.0;
        let mut i = step;
        while i < bounds.len() {
            bounds[i] = bounds[i - step] * factor;
            i += 2 * step;
        }
        schema += 1;
    }
    bounds
}

/// 2 to the power of `exp`, 0 and infinity where a float cannot hold it.
fn exp2(exp: i64) -> f64 {
    match exp {
        1024.. => f64::INFINITY,
        -1022..1024 => f64::from_bits(((exp + 1023) as u64) << 52),
        -1074..-1022 => f64::from_bits(1 << (exp + 1074)),
        _ => 0.0,
    }
}

/// The upper bound of a positive bucket of an exponential schema.
///
/// The last bucket of finite observations ends at `f64::MAX`, since the next one is for infinite
/// observations and ends at infinity.
pub(super) fn exponential(index: i32, schema: i32) -> f64 {
    let index = i64::from(index);
    if schema < 0 {
        let exp = index << schema.unsigned_abs().min(8);
        return if exp == 1024 { f64::MAX } else { exp2(exp) };
    }
    let schema = schema.min(8);
    let step = 8 - schema;
    let within = (index & ((1 << schema) - 1)) << step;
    let fraction = usize::try_from(within).ok().and_then(|i| BOUNDS.get(i)).copied();
    let fraction = fraction.unwrap_or(0.5);
    let exp = (index >> schema) + 1;
    if fraction == 0.5 {
        return if exp == 1025 { f64::MAX } else { exp2(exp - 1) };
    }
    // Two factors, since the fraction of a subnormal bound is rounded only once and 2^1024 is no
    // float.
    if exp > 1023 { fraction * 2.0 * exp2(exp - 1) } else { fraction * exp2(exp) }
}

/// The upper bound of a positive bucket. That of a custom bucket behind the last bound is
/// infinity, that of one before the first (no such bucket exists) is minus infinity.
pub(super) fn upper(index: i32, schema: i32, custom_values: &[f64]) -> f64 {
    if schema != CUSTOM_BUCKETS_SCHEMA {
        return exponential(index, schema);
    }
    match usize::try_from(index) {
        Ok(index) => custom_values.get(index).copied().unwrap_or(f64::INFINITY),
        Err(_) => f64::NEG_INFINITY,
    }
}
