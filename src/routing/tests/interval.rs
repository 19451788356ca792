use super::*;

/// The interval `i` with these fields.
fn interval(spec: &str) -> TimeIntervals {
    good(&format!("route: {{receiver: a}}\ntime_intervals: [{{name: i, time_intervals: {spec}}}]"))
        .2
}

fn utc(text: &str) -> Timestamp {
    let at: jiff::Timestamp = format!("{text}Z").parse().unwrap();
    Timestamp::from_millis(at.as_millisecond())
}

/// One row: the parts of an interval, times in it, times outside.
type Row<'a> = (&'a str, &'a [&'a str], &'a [&'a str]);

#[test]
fn each_field_holds_what_the_documentation_says() {
    let rows: &[Row] = &[
        // From 17:00 up to midnight, the end excluded.
        (
            "[{times: [{start_time: '17:00', end_time: '24:00'}]}]",
            &["2026-01-05T17:00:00", "2026-01-05T23:59:59.999"],
            &["2026-01-05T16:59:59.999", "2026-01-06T00:00:00"],
        ),
        (
            "[{times: [{start_time: 09:00, end_time: 12:00}, {start_time: 13:00, end_time: 17:30}]}]",
            &["2026-01-05T11:59:59", "2026-01-05T17:29:00"],
            &["2026-01-05T12:00:00", "2026-01-05T17:30:00"],
        ),
        // 2026-01-05 is a Monday.
        (
            "[{weekdays: ['monday:wednesday', Saturday, 'SUNDAY']}]",
            &[
                "2026-01-05T00:00:00",
                "2026-01-07T23:59:59",
                "2026-01-10T01:00:00",
                "2026-01-11T01:00:00",
            ],
            &["2026-01-08T00:00:00", "2026-01-09T23:59:59"],
        ),
        (
            "[{days_of_month: ['1:5', '-3:-1']}]",
            &[
                "2026-01-01T00:00:00",
                "2026-01-05T23:59:59",
                "2026-01-29T00:00:00",
                "2026-02-26T00:00:00",
            ],
            &["2026-01-06T00:00:00", "2026-01-28T23:59:59", "2026-02-25T23:59:59"],
        ),
        // Behind the end of a short month: cut off, or nothing at all.
        (
            "[{days_of_month: ['20:31']}]",
            &["2026-02-28T00:00:00", "2024-02-29T00:00:00", "2026-01-31T00:00:00"],
            &["2026-03-01T00:00:00"],
        ),
        ("[{days_of_month: ['30:31']}]", &["2026-04-30T00:00:00"], &["2026-02-28T00:00:00"]),
        (
            "[{days_of_month: ['-31:-28', 15]}]",
            &["2026-02-01T00:00:00", "2026-01-04T00:00:00", "2026-01-15T00:00:00"],
            &["2026-02-02T00:00:00", "2026-01-05T00:00:00"],
        ),
        (
            "[{days_of_month: ['10:-10']}]",
            &["2026-01-10T00:00:00", "2026-01-22T00:00:00"],
            &["2026-01-09T00:00:00", "2026-01-23T00:00:00"],
        ),
        (
            "[{months: ['1:3', 'may:August', december]}]",
            &[
                "2026-01-01T00:00:00",
                "2026-03-31T23:59:59",
                "2026-08-31T00:00:00",
                "2026-12-01T00:00:00",
            ],
            &["2026-04-01T00:00:00", "2026-09-01T00:00:00", "2026-11-30T00:00:00"],
        ),
        (
            "[{years: ['2020:2022', 2030]}]",
            &["2020-01-01T00:00:00", "2022-12-31T23:59:59", "2030-06-01T00:00:00"],
            &["2019-12-31T23:59:59", "2023-01-01T00:00:00"],
        ),
        // Sydney is eleven hours ahead in January and ten in July.
        (
            "[{times: [{start_time: '09:00', end_time: '10:00'}], location: Australia/Sydney}]",
            &["2026-01-04T22:00:00", "2026-07-05T23:00:00"],
            &["2026-01-04T23:00:00", "2026-07-05T22:00:00"],
        ),
        (
            "[{weekdays: [monday], location: Australia/Sydney}]",
            &["2026-01-04T13:00:00"],
            &["2026-01-05T13:00:00"],
        ),
        // In Berlin the clocks go from 2 to 3 in March, and from 3 to 2 in October.
        (
            "[{times: [{start_time: '02:00', end_time: '03:00'}], location: Europe/Berlin}]",
            &["2026-03-28T01:30:00", "2026-10-25T00:30:00", "2026-10-25T01:30:00"],
            &["2026-03-29T00:59:59", "2026-03-29T01:00:00", "2026-10-25T02:00:00"],
        ),
        (
            "[{days_of_month: ['-1'], location: America/New_York}]",
            &["2026-02-01T04:59:59", "2026-01-31T05:00:00"],
            &["2026-02-01T05:00:00", "2026-01-31T04:59:59"],
        ),
        // All fields must hold, any of the parts may.
        (
            "[{weekdays: [friday], days_of_month: [13]}, {years: [1999]}]",
            &["2026-02-13T10:00:00", "1999-03-03T00:00:00"],
            &["2026-02-20T10:00:00", "2026-01-13T10:00:00"],
        ),
        ("[{}]", &["2026-01-01T00:00:00"], &[]),
        ("[]", &[], &["2026-01-01T00:00:00"]),
    ];
    for (spec, inside, outside) in rows {
        let intervals = interval(spec);
        for time in *inside {
            assert!(intervals.contains("i", utc(time)), "{spec} holds {time}");
        }
        for time in *outside {
            assert!(!intervals.contains("i", utc(time)), "{spec} does not hold {time}");
        }
    }
    let always = interval("[{}]");
    assert!(!always.contains("i", Timestamp::from_millis(i64::MAX)), "no calendar reaches so far");
    assert!(!always.contains("j", utc("2026-01-01T00:00:00")), "unknown names hold nothing");
}

#[test]
fn mute_and_active_intervals_give_their_reason() {
    let (tree, _, intervals) = good(
        "
route:
  receiver: a
  routes:
  - matchers: [x=1]
    mute_time_intervals: [nights, weekends]
  - matchers: [x=2]
    active_time_intervals: [nights, weekends]
    mute_time_intervals: [january]
mute_time_intervals:
- {name: nights, time_intervals: [{times: [{start_time: '00:00', end_time: '06:00'}]}]}
time_intervals:
- {name: weekends, time_intervals: [{weekdays: ['saturday', 'sunday']}]}
- {name: january, time_intervals: [{months: ['1']}]}
",
    );
    let routes: Vec<&Route> = tree.routes().collect();
    let reason = |route: usize, time| {
        let reason = mute_reason(routes[route], &intervals, utc(time));
        reason.map(|reason| match &reason {
            MuteReason::InMuteInterval { name } => format!("{} {name}", reason.as_str()),
            _ => reason.as_str().to_string(),
        })
    };
    assert_eq!(reason(0, "2026-03-07T01:00:00"), None);
    assert_eq!(reason(1, "2026-03-07T01:00:00").unwrap(), "in_mute_interval nights");
    assert_eq!(reason(1, "2026-03-07T07:00:00").unwrap(), "in_mute_interval weekends");
    assert_eq!(reason(1, "2026-03-06T07:00:00"), None);
    assert_eq!(reason(2, "2026-03-06T07:00:00").unwrap(), "outside_active_interval");
    assert_eq!(reason(2, "2026-03-06T05:00:00"), None);
    assert_eq!(reason(2, "2026-01-02T05:00:00").unwrap(), "in_mute_interval january");
    assert_eq!(reason(2, "2026-01-02T07:00:00").unwrap(), "outside_active_interval", "asked first");
}
