//! Parts of dates, in UTC.

use smallvec::smallvec;

use crate::model::LabelSet;
use crate::promql::eval::EvalError;
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::functions::{Args, Site, math};
use crate::promql::eval::value::{Evaluated, Series};
use crate::promql::series::FloatPoint;

const DAY: i64 = 86_400;

/// A date and a time of day in the Gregorian calendar, extended to all years.
#[derive(Clone, Copy, Debug)]
pub(super) struct Date {
    year: i64,
    /// From 1.
    month: i64,
    /// From 1.
    day: i64,
    /// From 0, which is Sunday.
    weekday: i64,
    /// Seconds since midnight.
    second: i64,
}

impl Date {
    /// The date so many seconds after the beginning of 1970.
    ///
    /// Days are counted from 1 March of year 0: then the leap day is the last of its year, and
    /// months, years and 400 years are each as long as the last time.
    fn of(seconds: i64) -> Self {
        let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        let since_march = days + 719_468;
        let era = since_march.div_euclid(146_097);
        let in_era = since_march.rem_euclid(146_097);
        let year_in_era = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
        let in_year = in_era - (365 * year_in_era + year_in_era / 4 - year_in_era / 100);
        let months_since_march = (5 * in_year + 2) / 153;
        let day = in_year - (153 * months_since_march + 2) / 5 + 1;
        let month = (months_since_march + 2) % 12 + 1;
        let year = era * 400 + year_in_era + i64::from(month <= 2);
        Self { year, month, day, weekday: (days + 4).rem_euclid(7), second }
    }

    fn is_leap_year(self) -> bool {
        self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0)
    }

    fn month_length(self, month: i64) -> i64 {
        match month {
            4 | 6 | 9 | 11 => 30,
            2 => 28 + i64::from(self.is_leap_year()),
            _ => 31,
        }
    }
}

pub(super) fn year(date: Date) -> f64 {
    date.year as f64
}

pub(super) fn month(date: Date) -> f64 {
    date.month as f64
}

pub(super) fn day_of_month(date: Date) -> f64 {
    date.day as f64
}

pub(super) fn day_of_week(date: Date) -> f64 {
    date.weekday as f64
}

pub(super) fn day_of_year(date: Date) -> f64 {
    let before: i64 = (1..date.month).map(|month| date.month_length(month)).sum();
    (before + date.day) as f64
}

pub(super) fn days_in_month(date: Date) -> f64 {
    date.month_length(date.month) as f64
}

pub(super) fn hour(date: Date) -> f64 {
    (date.second / 3600) as f64
}

pub(super) fn minute(date: Date) -> f64 {
    (date.second / 60 % 60) as f64
}

/// Applies a function to the date that each number is in seconds, or to the time of the evaluation.
pub(super) fn each(
    ev: &Evaluator<'_>,
    site: &Site<'_>,
    mut args: Args,
    work: fn(Date) -> f64,
) -> Result<Evaluated, EvalError> {
    if args.len() > 0 {
        let series = args.vector(0)?;
        // A conversion of floats cuts off and stays in range.
        return math::map(ev, site, series, |_, value| Some(work(Date::of(value as i64))));
    }
    let mut series = Series::new(LabelSet::new(), false);
    let point = |at: i64| FloatPoint { at, value: work(Date::of(at.div_euclid(1000))) };
    series.floats = site.times.iter().map(point).collect();
    Ok(Evaluated::Vector(vec![series]))
}

/// The time of the evaluation in seconds.
pub(super) fn time(
    _: &mut Evaluator<'_>,
    site: &Site<'_>,
    _: Args,
) -> Result<Evaluated, EvalError> {
    Ok(Evaluated::Scalar(site.times.iter().map(|at| at as f64 / 1000.0).collect()))
}

/// π
pub(super) fn pi(_: &mut Evaluator<'_>, site: &Site<'_>, _: Args) -> Result<Evaluated, EvalError> {
    Ok(Evaluated::Scalar(smallvec![std::f64::consts::PI; site.times.count()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let parts = |seconds: i64| {
            let date = Date::of(seconds);
            [year, month, day_of_month, day_of_week, day_of_year, days_in_month, hour, minute]
                .map(|part| part(date) as i64)
        };
        // A Thursday.
        assert_eq!(parts(0), [1970, 1, 1, 4, 1, 31, 0, 0]);
        assert_eq!(parts(-1), [1969, 12, 31, 3, 365, 31, 23, 59]);
        // 2000-02-29T12:34:56Z, a Tuesday.
        assert_eq!(parts(951_827_696), [2000, 2, 29, 2, 60, 29, 12, 34]);
        // 2100-02-28, a Sunday in a year without leap day, and the next day.
        assert_eq!(parts(4_107_456_000), [2100, 2, 28, 0, 59, 28, 0, 0]);
        assert_eq!(parts(4_107_456_000 + DAY)[..3], [2100, 3, 1]);
        // 2024-12-31T23:59:59Z
        assert_eq!(parts(1_735_689_599), [2024, 12, 31, 2, 366, 31, 23, 59]);
        assert_eq!(parts(i64::MAX)[0], 292_277_026_596);
        assert_eq!(parts(i64::MIN)[0], -292_277_022_657);
    }
}
