//! What is refused, where and with which words.

use super::drawn;
use crate::promql::parse;

#[test]
fn every_mistake_has_its_place() {
    let texts = [
        // Structure.
        "",
        "# only a comment",
        "sum(rate(http_requests_total[5m])",
        "up{job=\"api\" > 1",
        "sum(up))",
        "rate(up[5m) > 0",
        "up > ",
        "up foo",
        "up 5",
        "sum up",
        "rate up[5m]",
        "a and and b",
        "1 +* 2",
        "by (job) (up)",
        "up == = 1",
        "up = 1",
        "up && down",
        "up || down",
        "up =~ \"a\"",
        "up{job=“api”}",
        "up{job=\"api}",
        "'api",
        "up > $threshold",
        "up; down",
        // Selectors.
        "up{job=api}",
        "up{job==\"api\"}",
        "up{job}",
        "up{job=\"a\" env=\"b\"}",
        "up{job=\"a\" or env=\"b\"}",
        "up{job=~\"a(b\"}",
        "up{job=~\"\\d+\"}",
        "up{1=\"a\"}",
        "up{job:x=\"a\"}",
        "{}",
        "{job=~\".*\", env=\"\"}",
        "up{__name__=\"down\"}",
        "up{\"b\"}",
        "up > 1e400",
        "up @ 1e19",
        "rate(up[ # why\n5m])",
        // Ranges, offsets and times.
        "up[5]m",
        "rate(up[5min])",
        "rate(up[1m1h])",
        "rate(up[1.5h])",
        "rate(up[0s])",
        "rate(up[-5m])",
        "rate(up[])",
        "rate(up[5m])[1h]",
        "up offset 5m[5m]",
        "up[5m][5m]",
        "up[5m][1h:1m]",
        "1[5m:]",
        "sum(up) offset 5m",
        "up offset 5m offset 5m",
        "up offset foo",
        "up @ foo",
        "up @ Inf",
        "up[1e30]",
        // Functions and aggregations.
        "rte(up[5m])",
        "summ(up)",
        "holt_winters(up[5m], 1, 1)",
        "rate(up)",
        "rate(sum(up))",
        "rate(up[5m], 1)",
        "rate()",
        "round()",
        "round(up, 1, 2)",
        "label_join(up, \"a\")",
        "abs(up[5m])",
        "abs(1)",
        "clamp(up, up, 1)",
        "clamp_max(up, 1,)",
        "sum(1)",
        "sum(up[5m])",
        "sum()",
        "topk(up)",
        "topk(\"a\", up)",
        "count_values(1, up)",
        "sum by job (up)",
        "sum by (job) (up) by (env)",
        // Operators.
        "1 > 2",
        "up + bool 1",
        "up[5m] > 1",
        "up + \"a\"",
        "up or 1",
        "-up[5m]",
        "1 + on (a) up",
        "a * group_left b",
        "a and on (x) group_left b",
        "a * on (x) group_left (x) b",
        "a or fill (0) b",
        "a + fill (b) c",
        // What Prometheus knows and we do not, yet.
        "a </ b",
        "rate(up[5m] anchored)",
        "rate(up[5m * 2])",
        "up offset (5m)",
    ];
    let drawn: Vec<String> = texts.into_iter().map(drawn).collect();
    insta::assert_snapshot!("mistakes", drawn.join("\n"));
}

#[test]
fn the_second_argument_of_info_may_match_everything() {
    assert!(parse("info(up, {})").is_ok() && parse("info({}, up)").is_err());
}
