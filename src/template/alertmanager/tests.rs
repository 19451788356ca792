//! Texts as configurations contain them. Expected texts are from Alertmanager's documentation of
//! its templates or follow from Go's `text/template`.

use super::*;
use crate::template::data::tests::data;

const NOW: i64 = 1_700_011_520;

fn templates() -> GoTemplates {
    GoTemplates::new(&[]).unwrap()
}

fn render_with(templates: &GoTemplates, text: &str) -> Result<String, String> {
    let text = GoText::parse(text, templates).map_err(|e| e.to_string())?;
    text.render(&data(None), Timestamp::from_secs(NOW)).map_err(|e| e.to_string())
}

#[track_caller]
fn check(table: &[(&str, &str)]) {
    let templates = templates();
    for (text, expected) in table {
        assert_eq!(render_with(&templates, text).as_deref(), Ok(*expected), "{text}");
    }
}

#[test]
fn data_and_methods() {
    check(&[
        ("plain", "plain"),
        ("{{ .GroupLabels.alertname }}{{ .GroupLabels.nope }}", "DiskFull"),
        ("{{ .Status | toUpper }}:{{ .Alerts.Firing | len }}/{{ .Alerts | len }}", "FIRING:1/2"),
        (
            "{{ .Receiver }} {{ .ExternalURL }} {{ .NotificationReason }}",
            "on call https://bell.example.com first_notification",
        ),
        ("{{ .CommonLabels }}", "alertname=DiskFull, aa=x, zone=z1"),
        ("{{ .CommonLabels.SortedPairs }}", "alertname=DiskFull, aa=x, zone=z1"),
        (
            "{{ range .CommonLabels.SortedPairs }}{{ .Name }}={{ .Value }};{{ end }}",
            "alertname=DiskFull;aa=x;zone=z1;",
        ),
        (
            "{{ .GroupLabels.SortedPairs.Values | join \" \" }} {{ .GroupLabels.Names.Join \"-\" }}",
            "DiskFull x alertname-aa",
        ),
        (
            "{{ with .CommonLabels.Remove .GroupLabels.Names }}{{ .Values | join \",\" }}{{ end }}",
            "z1",
        ),
        ("{{ .CommonLabels.Remove (stringSlice \"aa\" \"zone\") }}", "alertname=DiskFull"),
        ("{{ range .Alerts.Resolved }}{{ .Labels.instance }} {{ .Status }}{{ end }}", "b resolved"),
        ("{{ (index .Alerts 0).Annotations.summary }}", "Disk <full>"),
        (
            "{{ range .Alerts }}{{ .Fingerprint | len }} {{ .GeneratorURL }} {{ end }}",
            "16 http://prom/graph?g0.expr=up 16 http://prom/graph?g0.expr=up ",
        ),
        (
            "{{ range $i, $a := .Alerts }}{{ if $i }}, {{ end }}{{ $a.Labels.instance }}{{ end }}",
            "a, b",
        ),
    ]);
}

#[test]
fn times() {
    check(&[
        (
            "{{ with index .Alerts 0 }}{{ .StartsAt.Format \"2006-01-02 15:04:05 MST\" }}{{ end }}",
            "2023-11-14 22:13:20 UTC",
        ),
        ("{{ (index .Alerts 0).StartsAt }}", "2023-11-14 22:13:20 +0000 UTC"),
        (
            "{{ (index .Alerts 0).StartsAt.Unix }} {{ (index .Alerts 0).EndsAt.IsZero }}",
            "1700000000 true",
        ),
        (
            "{{ (index .Alerts 0).StartsAt | tz \"Europe/Berlin\" | date \"Mon Jan _2 3:04PM -0700\" }}",
            "Tue Nov 14 11:13PM +0100",
        ),
        (
            "{{ since (index .Alerts 0).StartsAt }} {{ since (index .Alerts 0).StartsAt | humanizeDuration }}",
            "3h12m0s 3h 12m 0s",
        ),
        ("{{ (index .Alerts 1).EndsAt.Sub (index .Alerts 1).StartsAt }}", "1m30s"),
    ]);
}

#[test]
fn functions() {
    check(&[
        (
            "{{ title \"foo BAR\" }}{{ trimSpace \"  x \" }}{{ urlUnescape \"a%20b+c\" }}",
            "Foo Barxa b c",
        ),
        (
            "{{ toJson .GroupLabels }} {{ toJson (list 1 \"<\") }}",
            "{\"aa\":\"x\",\"alertname\":\"DiskFull\"} [1,\"\\u003c\"]",
        ),
        ("{{ $d := dict \"a\" 1 }}{{ $d.a }}{{ $l := append (list) 2 3 }}{{ index $l 1 }}", "13"),
        ("{{ base64encode \"a?>\" }} {{ base64decode \"YT8-\" }}", "YT8- a?>"),
        (
            "{{ reReplaceAll \"D(.*)\" \"d$1\" .GroupLabels.alertname }}{{ if match \"^Disk\" .GroupLabels.alertname }}!{{ end }}",
            "diskFull!",
        ),
        ("{{ safeHtml \"<b>\" }}{{ safeUrl \"http://x\" }}", "<b>http://x"),
    ]);
    let json =
        render_with(&templates(), "{{ range .Alerts.Resolved }}{{ toJson . }}{{ end }}").unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["generatorURL"], "http://prom/graph?g0.expr=up");
    assert_eq!(json["endsAt"], "2023-11-14T22:14:50Z");
}

#[test]
fn defaults_by_name() {
    check(&[
        ("{{ template \"slack.default.title\" . }}", "[FIRING:1] DiskFull x (z1)"),
        ("{{ template \"email.default.subject\" . }}", "[FIRING:1] DiskFull x (z1)"),
        (
            "{{ template \"slack.default.titlelink\" . }}",
            "https://bell.example.com/#/alerts?receiver=on+call",
        ),
        ("{{ template \"slack.default.text\" . }}", ""),
        ("{{ template \"slack.default.color\" . }}", "danger"),
        (
            "{{ template \"pagerduty.default.instances\" .Alerts.Resolved }}",
            "Labels:\n - alertname = DiskFull\n - aa = x\n - instance = b\n - severity = critical\n - zone = z1\n\
             Annotations:\n - runbook_url = https://r/1\n - summary = Disk <full>\nSource: http://prom/graph?g0.expr=up\n",
        ),
    ]);
}

#[test]
fn files_define_and_replace() {
    let file = |name: &str, text: &str| (name.to_string(), text.to_string());
    let good = GoTemplates::new(&[
        file("a/my.tmpl", "{{ define \"my.title\" }}{{ template \"my.more\" . }}!{{ end }}"),
        file("b.tmpl", "{{ define \"my.more\" }}{{ .Status }}{{ end }}{{ define \"__alertmanager\" }}Bell{{ end }}body"),
    ])
    .unwrap();
    assert_eq!(render_with(&good, "{{ template \"my.title\" . }}").unwrap(), "firing!");
    assert_eq!(render_with(&good, "{{ template \"slack.default.username\" . }}").unwrap(), "Bell");
    assert_eq!(render_with(&good, "{{ template \"b.tmpl\" . }}").unwrap(), "body");
    let errors =
        GoTemplates::new(&[file("x.tmpl", "{{ define \"a\" }}{{ template \"zz\" . }}{{ end }}")])
            .unwrap_err();
    assert_eq!(errors[0].to_string(), "template file x.tmpl: template \"zz\" is not defined");
    let errors =
        GoTemplates::new(&[file("x.tmpl", "{{ if }}"), file("y.tmpl", "{{ foo }}")]).unwrap_err();
    assert_eq!(errors.len(), 2);
}

#[test]
fn html_is_escaped_by_its_place() {
    let html = |text: &str| {
        let text = GoText::parse_html(text, &templates()).unwrap();
        text.render(&data(None), Timestamp::from_secs(NOW)).unwrap()
    };
    assert_eq!(
        html(
            "<p>{{ .CommonAnnotations.summary }}</p><a href=\"/?q={{ .CommonAnnotations.summary }}\">"
        ),
        "<p>Disk &lt;full&gt;</p><a href=\"/?q=Disk%20%3cfull%3e\">"
    );
    assert_eq!(html("{{ safeHtml \"<b>\" }}{{ .GroupLabels.nope }}{{ \"<\" | html }}"), "<b>&lt;");
    assert_eq!(
        html(
            "{{ range .GroupLabels.Values }}<a href=\"?q={{ . | urlquery }}\">{{ . | html }}</a>{{ end }}"
        ),
        "<a href=\"?q=DiskFull\">DiskFull</a><a href=\"?q=x\">x</a>"
    );
    let mail = html("{{ template \"email.default.html\" . }}");
    assert!(mail.contains("<h2>[FIRING:1] DiskFull x (z1)</h2>"), "{mail}");
    assert!(
        mail.contains("Disk &lt;full&gt;")
            && mail.contains("href=\"http://prom/graph?g0.expr=up\"")
    );
    assert!(
        mail.contains("href=\"https://bell.example.com/#/alerts?receiver=on&#43;call\"")
            || mail.contains("href=\"https://bell.example.com/#/alerts?receiver=on+call\""),
        "{mail}"
    );
}

#[test]
fn mistakes_are_refused() {
    for (text, part) in [
        ("{{ template \"slack.default.titel\" . }}", "did you mean `slack.default.title`?"),
        ("{{ toUper .Status }}", "did you mean `toUpper`?"),
        ("{{ .Statsu }}", "Data has no field `Statsu`, did you mean `Status`?"),
        ("{{ humanize 1 }}", "unknown function `humanize`"),
        ("{{ .Alerts.Active }}", "a list has no field `Active`"),
        ("{{ tz \"Mars/Olympus\" now }}", "unknown time zone"),
        ("{{ range .Alerts }}", "never closed"),
        (
            "{{ $x := list }}{{ range 100 }}{{ . }}{{ end }}{{ range (stringSlice \"a\" \"b\") }}{{ $x = list $x }}{{ end }}{{ dict 1 }}",
            "pairs",
        ),
        (
            "{{ $x := list }}{{ range .Alerts }}{{ range .Labels }}{{ $x = list $x }}{{ end }}{{ end }}",
            "deep",
        ),
    ] {
        let error = render_with(&templates(), text).unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
    }
}
