//! Go's time layouts: the reference time Mon Jan 2 15:04:05 MST 2006 shows the form.

use jiff::Zoned;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Every element of a layout. One that another begins with comes behind it.
const ELEMENTS: [&str; 32] = [
    "January", "Jan", "Monday", "Mon", "MST", "2006", "-07:00", "-0700", "-07", "Z07:00", "Z0700",
    "002", "01", "02", "03", "04", "05", "06", "15", "PM", "pm", "_2", "1", "2", "3", "4", "5",
    ".0", ".9", ",0", ",9", "Z07",
];

/// The month's name.
pub(super) fn month(at: &Zoned) -> &'static str {
    let index = usize::try_from(at.month() - 1).unwrap_or(0);
    MONTHS.get(index).copied().unwrap_or("")
}

/// The weekday's name.
pub(super) fn weekday(at: &Zoned) -> &'static str {
    let index = usize::try_from(at.weekday().to_monday_zero_offset()).unwrap_or(0);
    DAYS.get(index).copied().unwrap_or("")
}

/// A time by a layout.
pub(super) fn format(layout: &str, at: &Zoned) -> String {
    let mut out = String::new();
    let mut rest = layout;
    while let Some(c) = rest.chars().next() {
        if let Some((digits, len)) = fraction(rest, at) {
            out.push_str(&digits);
            rest = rest.get(len..).unwrap_or("");
            continue;
        }
        match ELEMENTS.iter().find(|e| rest.starts_with(**e) && is_element(e, rest)) {
            Some(element) => {
                out.push_str(&part(element, at));
                rest = rest.get(element.len()..).unwrap_or("");
            }
            None => {
                out.push(c);
                rest = rest.get(c.len_utf8()..).unwrap_or("");
            }
        }
    }
    out
}

/// `Jan` and `Mon` inside of a longer word are text, and a point without digits is one.
fn is_element(element: &str, rest: &str) -> bool {
    let next = rest.get(element.len()..).and_then(|r| r.chars().next());
    match element {
        "Jan" | "Mon" => !next.is_some_and(|c| c.is_ascii_lowercase()),
        ".0" | ".9" | ",0" | ",9" => false,
        _ => true,
    }
}

/// `.000` or `.999`: fractions of a second, the latter without zeros at the end.
fn fraction(rest: &str, at: &Zoned) -> Option<(String, usize)> {
    let mut chars = rest.chars();
    let point = chars.next().filter(|c| matches!(c, '.' | ','))?;
    let digit = chars.next().filter(|c| matches!(c, '0' | '9'))?;
    let body = rest.get(1..)?;
    let count = body.len() - body.trim_start_matches(digit).len();
    let behind = body.get(count..)?.chars().next();
    if behind.is_some_and(|c| c.is_ascii_digit()) || count > 9 {
        return None;
    }
    let nanos = format!("{:09}", at.subsec_nanosecond());
    let digits = nanos.get(..count)?;
    let digits = if digit == '9' { digits.trim_end_matches('0') } else { digits };
    let text = if digits.is_empty() { String::new() } else { format!("{point}{digits}") };
    Some((text, count + 1))
}

fn part(element: &str, at: &Zoned) -> String {
    let hour12 = match at.hour() % 12 {
        0 => 12,
        h => h,
    };
    let short = |name: &str| name.get(..3).unwrap_or(name).to_string();
    match element {
        "2006" => format!("{:04}", at.year()),
        "06" => format!("{:02}", at.year().rem_euclid(100)),
        "01" => format!("{:02}", at.month()),
        "1" => at.month().to_string(),
        "January" => month(at).to_string(),
        "Jan" => short(month(at)),
        "Monday" => weekday(at).to_string(),
        "Mon" => short(weekday(at)),
        "002" => format!("{:03}", at.day_of_year()),
        "02" => format!("{:02}", at.day()),
        "_2" => format!("{:2}", at.day()),
        "2" => at.day().to_string(),
        "15" => format!("{:02}", at.hour()),
        "03" => format!("{hour12:02}"),
        "3" => hour12.to_string(),
        "04" => format!("{:02}", at.minute()),
        "4" => at.minute().to_string(),
        "05" => format!("{:02}", at.second()),
        "5" => at.second().to_string(),
        "PM" => if at.hour() < 12 { "AM" } else { "PM" }.to_string(),
        "pm" => if at.hour() < 12 { "am" } else { "pm" }.to_string(),
        "MST" => at.time_zone().to_offset_info(at.timestamp()).abbreviation().to_string(),
        zone => offset(zone, at.offset().seconds()),
    }
}

fn offset(element: &str, seconds: i32) -> String {
    if element.starts_with('Z') && seconds == 0 {
        return "Z".to_string();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes) = (seconds.abs() / 3600, seconds.abs() / 60 % 60);
    match element.len() {
        3 => format!("{sign}{hours:02}"),
        5 => format!("{sign}{hours:02}{minutes:02}"),
        _ => format!("{sign}{hours:02}:{minutes:02}"),
    }
}
