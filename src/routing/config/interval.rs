//! `time_intervals`, and `mute_time_intervals` as it was called before.

use crate::routing::{DayOfMonthRange, Location, Range, TimeInterval, TimeIntervals, TimeSpec};
use crate::yaml::{Fields, Node, Reader};

const WEEKDAYS: [&str; 7] =
    ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Reads the time intervals of a configuration: the values of its keys `time_intervals` and
/// `mute_time_intervals`, which share their names.
pub fn read_time_intervals(
    reader: &mut Reader,
    time_intervals: Option<&Node>,
    mute_time_intervals: Option<&Node>,
) -> TimeIntervals {
    let mut intervals: Vec<TimeInterval> = Vec::new();
    let keys = [("time_intervals", time_intervals), ("mute_time_intervals", mute_time_intervals)];
    for (key, node) in keys {
        let nodes = node.and_then(|node| reader.list(node, &format!("`{key}`")));
        for node in nodes.unwrap_or_default() {
            let Some(interval) = read_interval(reader, node) else { continue };
            if intervals.iter().any(|other| other.name == interval.name) {
                let span = node.get("name").map_or(node.span, |name| name.span);
                let message = format!("a second time interval has the name {:?}", interval.name);
                reader.error("route/duplicate-interval", span, message);
            }
            intervals.push(interval);
        }
    }
    intervals.into_iter().collect()
}

fn read_interval(reader: &mut Reader, node: &Node) -> Option<TimeInterval> {
    let mut fields = reader.mapping(node, "a time interval")?;
    let name = fields.require_string(reader, "name").map(str::to_string);
    let nodes = fields.list(reader, "time_intervals").unwrap_or_default();
    let specs = nodes.iter().filter_map(|node| read_spec(reader, node)).collect();
    fields.finish(reader);
    Some(TimeInterval { name: name?, specs })
}

fn read_spec(reader: &mut Reader, node: &Node) -> Option<TimeSpec> {
    let mut fields = reader.mapping(node, "a part of a time interval")?;
    let spec = TimeSpec {
        times: times(reader, &mut fields),
        weekdays: ranges(reader, &mut fields, "weekdays", |text| ordered(text, weekday)),
        days_of_month: ranges(reader, &mut fields, "days_of_month", days_of_month),
        months: ranges(reader, &mut fields, "months", |text| ordered(text, month)),
        years: ranges(reader, &mut fields, "years", |text| ordered(text, number)),
        location: location(reader, &mut fields),
    };
    fields.finish(reader);
    Some(spec)
}

/// The ranges under a key, each written as `first:last` or as one value.
fn ranges<T>(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    key: &'static str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Vec<T> {
    let what = format!("`{key}`");
    let mut ranges = Vec::new();
    for node in fields.list(reader, key).unwrap_or_default() {
        let Some(text) = reader.string(node, &what) else { continue };
        match parse(&text.to_lowercase()) {
            Ok(range) => ranges.push(range),
            Err(reason) => reader.wrong_value(node, &what, reason),
        }
    }
    ranges
}

/// Splits `first:last` and reads both ends.
fn ends(text: &str, end: impl Fn(&str) -> Result<i32, String>) -> Result<Range, String> {
    let (first, last) = text.split_once(':').unwrap_or((text, text));
    Ok(Range { first: end(first)?, last: end(last)? })
}

fn ordered(text: &str, end: impl Fn(&str) -> Result<i32, String>) -> Result<Range, String> {
    let range = ends(text, end)?;
    if range.first > range.last {
        return Err(format!("{text:?} ends before it begins"));
    }
    Ok(range)
}

fn number(text: &str) -> Result<i32, String> {
    text.parse().map_err(|_| format!("{text:?} is not a number"))
}

fn weekday(text: &str) -> Result<i32, String> {
    let found = (0..).zip(WEEKDAYS).find(|(_, name)| *name == text);
    found.map(|(index, _)| index).ok_or_else(|| format!("{text:?} is not a day of the week"))
}

fn month(text: &str) -> Result<i32, String> {
    if let Some((index, _)) = (1..).zip(MONTHS).find(|(_, name)| *name == text) {
        return Ok(index);
    }
    let number = text.parse().ok().filter(|number| (1..=12).contains(number));
    number.ok_or_else(|| format!("{text:?} is not a month"))
}

/// Days from the start of the month, or below 0 from its end. A range that is empty in every month
/// is a mistake; one that is empty in the short ones is not.
fn days_of_month(text: &str) -> Result<DayOfMonthRange, String> {
    let range = ends(text, |text| {
        let day = text.parse().ok().filter(|day| *day != 0 && (-31..=31).contains(day));
        day.ok_or_else(|| format!("{text:?} is not a day of the month"))
    })?;
    if range.first < 0 && range.last > 0 {
        return Err(format!("{text:?} begins at the end of the month, so it must end there too"));
    }
    // Counted in the shortest month, as Alertmanager does.
    let in_february = |day: i32| if day < 0 { 28 + day } else { day };
    if in_february(range.first) > in_february(range.last) {
        return Err(format!("{text:?} ends before it begins"));
    }
    Ok(DayOfMonthRange(range))
}

fn times(reader: &mut Reader, fields: &mut Fields<'_>) -> Vec<Range> {
    let nodes = fields.list(reader, "times").unwrap_or_default();
    nodes.iter().filter_map(|node| time_range(reader, node)).collect()
}

fn time_range(reader: &mut Reader, node: &Node) -> Option<Range> {
    let mut fields = reader.mapping(node, "a range of times")?;
    let mut time = |key: &'static str| {
        let node = fields.require(reader, key)?;
        let text = reader.string(node, &format!("`{key}`"))?;
        let minute = minute_of_day(text);
        if minute.is_none() {
            reader.wrong_value(node, &format!("`{key}`"), "must be a time from 00:00 to 24:00");
        }
        minute
    };
    let (start, end) = (time("start_time"), time("end_time"));
    fields.finish(reader);
    let (start, end) = (start?, end?);
    if start >= end {
        let help = "write a range over midnight as two: one up to 24:00, one from 00:00";
        reader.wrong_value(node, "a range of times", format!("it ends before it begins; {help}"));
        return None;
    }
    Some(Range { first: start, last: end - 1 })
}

/// `HH:MM`, two digits each, up to 24:00.
fn minute_of_day(text: &str) -> Option<i32> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| {
        let digits = text.len() == 2 && text.chars().all(|c| c.is_ascii_digit());
        digits.then(|| text.parse::<i32>().ok())?
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let total = hour * 60 + minute;
    (minute < 60 && total <= 24 * 60).then_some(total)
}

fn location(reader: &mut Reader, fields: &mut Fields<'_>) -> Option<Location> {
    let node = fields.get("location")?;
    let name = reader.string(node, "`location`").filter(|name| !name.is_empty())?;
    let location = Location::new(name);
    if location.is_none() {
        reader.wrong_value(node, "`location`", format!("{name:?} is not a known time zone"));
    }
    location
}
