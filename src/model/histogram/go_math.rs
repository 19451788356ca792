//! Logarithms and powers of two that agree with Go's to the last bit, since promtool compares
//! results of `histogram_quantile` exactly.
//!
//! The method and the constants are those of FreeBSD's `e_log.c` and `e_exp.c`, which Go's `math`
//! uses on x86-64.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2};

const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

const LOG: [f64; 7] = [
    6.666_666_666_666_735e-1,
    3.999_999_999_940_942e-1,
    2.857_142_874_366_239e-1,
    2.222_219_843_214_978_4e-1,
    1.818_357_216_161_805e-1,
    1.531_383_769_920_937_3e-1,
    1.479_819_860_511_658_6e-1,
];

const EXP: [f64; 5] = [
    1.666_666_666_666_660_2e-1,
    -2.777_777_777_701_559_3e-3,
    6.613_756_321_437_934e-5,
    -1.653_390_220_546_525_2e-6,
    4.138_136_797_057_238_5e-8,
];

/// A positive finite number as a fraction in [0.5, 1) and a power of two.
fn frexp(value: f64) -> (f64, i64) {
    const FRACTION: u64 = (1 << 52) - 1;
    let (value, shift) =
        if value < f64::MIN_POSITIVE { (value * (1u64 << 52) as f64, 52) } else { (value, 0) };
    let bits = value.to_bits();
    let exponent = i64::try_from(bits >> 52).unwrap_or_default();
    (f64::from_bits((bits & FRACTION) | (1022 << 52)), exponent - 1022 - shift)
}

/// The natural logarithm of a number in [0.5, 1).
fn log_of_fraction(fraction: f64) -> f64 {
    let (fraction, k) =
        if fraction < FRAC_1_SQRT_2 { (fraction * 2.0, -1.0) } else { (fraction, 0.0) };
    let f = fraction - 1.0;
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    let [l1, l2, l3, l4, l5, l6, l7] = LOG;
    let t1 = s2 * (l1 + s4 * (l3 + s4 * (l5 + s4 * l7)));
    let t2 = s4 * (l2 + s4 * (l4 + s4 * l6));
    let rest = t1 + t2;
    let half = 0.5 * f * f;
    k * LN_2_HIGH - ((half - (s * (half + rest) + k * LN_2_LOW)) - f)
}

/// The logarithm to the base 2 of a number that is not negative.
pub(super) fn log2(value: f64) -> f64 {
    if value == 0.0 {
        return f64::NEG_INFINITY;
    }
    if !value.is_finite() {
        return value;
    }
    let (fraction, exponent) = frexp(value);
    // Exact for powers of two.
    if fraction == 0.5 {
        return (exponent - 1) as f64;
    }
    log_of_fraction(fraction) * (1.0 / LN_2) + exponent as f64
}

/// 2 to a power.
pub(super) fn exp2(power: f64) -> f64 {
    if power.is_nan() || power == f64::INFINITY {
        return power;
    }
    if power >= 1024.0 {
        return f64::INFINITY;
    }
    if power < -1074.0 {
        return 0.0;
    }
    // A cast cuts off what is behind the point.
    let k = if power > 0.0 {
        (power + 0.5) as i64
    } else if power < 0.0 {
        (power - 0.5) as i64
    } else {
        0
    };
    let t = power - k as f64;
    let high = t * LN_2_HIGH;
    let low = -t * LN_2_LOW;
    let r = high - low;
    let t = r * r;
    let [p1, p2, p3, p4, p5] = EXP;
    let c = r - t * (p1 + t * (p2 + t * (p3 + t * (p4 + t * p5))));
    let y = 1.0 - ((low - (r * c) / (2.0 - c)) - high);
    scaled(y, k)
}

/// A number near 1 times a power of two, rounded once.
fn scaled(value: f64, exponent: i64) -> f64 {
    let power =
        |exponent: i64| f64::from_bits(u64::try_from(exponent + 1023).unwrap_or_default() << 52);
    match exponent {
        1024.. => value * power(1023) * 2.0,
        -1022.. => value * power(exponent),
        // A product with a normal number before it gets subnormal.
        _ => value * power(exponent.max(-1100) + 200) * power(-200),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two_are_exact() {
        for exponent in -1074i32..1024 {
            let power = exp2(f64::from(exponent));
            assert_eq!(log2(power), f64::from(exponent), "2^{exponent}");
        }
        assert_eq!(exp2(0.0), 1.0);
        assert_eq!(exp2(1024.0), f64::INFINITY);
        assert_eq!(exp2(-1075.0), 0.0);
        assert_eq!(log2(0.0), f64::NEG_INFINITY);
        assert_eq!(log2(f64::INFINITY), f64::INFINITY);
    }

    #[test]
    fn others_are_near() {
        for i in 1..10_000 {
            let value = f64::from(i) * 0.137;
            assert!((log2(value) - value.log2()).abs() <= 4e-15, "{value}");
            let power = f64::from(i - 5000) * 0.01;
            let error = exp2(power) / power.exp2() - 1.0;
            assert!(error.abs() <= f64::EPSILON, "2^{power}: {error}");
        }
    }
}
