//! Time intervals: times of day, weekdays, days, months and years in a time zone.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::model::Timestamp;

/// An inclusive range of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first.
    pub first: i32,
    /// The last.
    pub last: i32,
}

impl Range {
    fn contains(self, number: i32) -> bool {
        (self.first..=self.last).contains(&number)
    }
}

/// Days of a month, both ends included: 1 is the first day, -1 the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayOfMonthRange(pub Range);

impl DayOfMonthRange {
    /// Whether a day of a month with `length` days lies in the range. No day lies past the end of
    /// its month, so a range that reaches there is cut off by itself.
    fn contains(self, day: i32, length: i32) -> bool {
        let from_end = |n: i32| if n < 0 { length + n + 1 } else { n };
        (from_end(self.0.first)..=from_end(self.0.last)).contains(&day)
    }
}

/// A time zone by its name in the IANA database.
#[derive(Clone, PartialEq, Eq)]
pub struct Location {
    name: String,
    zone: TimeZone,
}

impl Location {
    /// Looks a zone up in the system's database, or in the one that the binary carries. `Local` is
    /// the machine's own zone.
    pub fn new(name: &str) -> Option<Self> {
        let zone = match name {
            "Local" => TimeZone::system(),
            name => TimeZone::get(name).ok()?,
        };
        Some(Self { name: name.to_string(), zone })
    }

    /// The zone's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// What a time must satisfy: one range of every list that is not empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimeSpec {
    /// Minutes since midnight; the last minute is included, so `17:00` to `24:00` is 1020 to 1439.
    pub times: Vec<Range>,
    /// Sunday is 0.
    pub weekdays: Vec<Range>,
    /// Days of the month.
    pub days_of_month: Vec<DayOfMonthRange>,
    /// January is 1.
    pub months: Vec<Range>,
    /// Years.
    pub years: Vec<Range>,
    /// The zone in which the times are read; UTC without one.
    pub location: Option<Location>,
}

impl TimeSpec {
    fn contains(&self, at: jiff::Timestamp) -> bool {
        let zone = self.location.as_ref().map_or(TimeZone::UTC, |l| l.zone.clone());
        let at: Zoned = at.to_zoned(zone);
        let minute = i32::from(at.hour()) * 60 + i32::from(at.minute());
        let weekday = i32::from(at.weekday().to_sunday_zero_offset());
        let (day, length) = (i32::from(at.day()), i32::from(at.days_in_month()));
        let any = |ranges: &[Range], number| {
            ranges.is_empty() || ranges.iter().any(|range| range.contains(number))
        };
        any(&self.times, minute)
            && any(&self.weekdays, weekday)
            && any(&self.months, i32::from(at.month()))
            && any(&self.years, i32::from(at.year()))
            && (self.days_of_month.is_empty()
                || self.days_of_month.iter().any(|range| range.contains(day, length)))
    }
}

/// A named time interval: a time lies in it that satisfies any of its parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimeInterval {
    /// The name by which routes refer to it.
    pub name: String,
    /// The parts.
    pub specs: Vec<TimeSpec>,
}

impl TimeInterval {
    /// Whether a time lies in the interval. An interval without parts holds none.
    pub fn contains(&self, at: Timestamp) -> bool {
        // Outside of the years that a calendar can name there is no weekday to ask for.
        let Ok(at) = jiff::Timestamp::from_millisecond(at.millis()) else { return false };
        self.specs.iter().any(|spec| spec.contains(at))
    }
}

/// All time intervals of a configuration by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimeIntervals(BTreeMap<String, TimeInterval>);

impl TimeIntervals {
    /// Whether a time lies in the interval of this name. No interval has a name that is not known;
    /// the tree is checked for such when it is built.
    pub fn contains(&self, name: &str, at: Timestamp) -> bool {
        self.0.get(name).is_some_and(|interval| interval.contains(at))
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The interval of this name.
    pub fn get(&self, name: &str) -> Option<&TimeInterval> {
        self.0.get(name)
    }
}

impl FromIterator<TimeInterval> for TimeIntervals {
    fn from_iter<I: IntoIterator<Item = TimeInterval>>(intervals: I) -> Self {
        Self(intervals.into_iter().map(|i| (i.name.clone(), i)).collect())
    }
}
