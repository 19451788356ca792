//! Message templates over a notification's data.

use super::*;
use crate::template::data::tests::data;

fn render(name: &str, text: &str) -> Result<String, String> {
    let set = NotificationTemplates::load([(name, text)]).map_err(|e| e[0].to_string())?;
    set.render(name, data(None).as_json()).map_err(|e| e.to_string())
}

#[test]
fn the_ending_decides_how_values_are_escaped() {
    let data = serde_json::json!({ "x": "<a> \"b\" \\ \n" });
    for (name, expected) in [
        ("a.html.hbs", "&lt;a&gt; &quot;b&quot; \\ \n|<a> \"b\" \\ \n"),
        ("a.json.hbs", "<a> \\\"b\\\" \\\\ \\n|<a> \"b\" \\ \n"),
        ("a.txt.hbs", "<a> \"b\" \\ \n|<a> \"b\" \\ \n"),
    ] {
        let set = NotificationTemplates::load([(name, "{{x}}|{{{x}}}")]).unwrap();
        assert_eq!(set.render(name, &data).as_deref(), Ok(expected), "{name}");
    }
    assert!(render("a.hbs", "x").unwrap_err().contains("must end in"));
}

#[test]
fn helpers() {
    for (text, expected) in [
        ("{{title}}|{{nope.deeper}}|{{alerts.7.x}}", "[FIRING:1] DiskFull x (z1)||"),
        ("{{time alerts.0.startsAt}}", "2023-11-14 23:13:20 CET"),
        ("{{time alerts.0.startsAt zone=\"UTC\" format=\"%H:%M %a\"}}", "22:13 Tue"),
        ("{{time nope}}", ""),
        ("{{duration alerts.0.durationSeconds}} {{duration 0.2}} {{duration nope}}", "3h 12m 0s "),
        ("{{truncate \"äöüß\" 3}} {{truncate \"äöü\" 3}} {{truncate nope 3}}", "äö… äöü "),
        ("{{slack \"<!channel> & co\"}}", "&lt;!channel&gt; &amp; co"),
        ("{{upper status}} {{lower \"AÄ\"}} {{titlecase \"a bc\"}}", "FIRING aä A Bc"),
        ("{{join groupLabels \", \"}} {{join nope \",\"}}", "x, DiskFull "),
        ("{{default alerts.0.name \"?\"}}{{default nope \"?\"}}", "DiskFull?"),
        (
            "{{humanize alerts.0.value}} {{number alerts.0.value}} {{percent 0.1234}} {{humanize \"NaN\"}}",
            "1.234k 1234.5 12.34% NaN",
        ),
        ("{{minus firingCount 1}} {{minus 300 10}} {{minus nope 1}}|", "0 290 |"),
        (
            "{{urlencode \"a b&c\"}} {{{json groupLabels}}}",
            "a+b%26c {\"aa\":\"x\",\"alertname\":\"DiskFull\"}",
        ),
        (
            "{{#if (gt firingCount 0)}}fire{{/if}}{{#if (eq status \"resolved\")}}no{{else}}!{{/if}}",
            "fire!",
        ),
        ("{{#each alerts}}{{labels.instance}}{{#unless @last}},{{/unless}}{{/each}}", "a,b"),
        (
            "{{#if (contains title \"Disk\")}}y{{/if}}{{#if (and (ne 1 2) (not false))}}z{{/if}}",
            "yz",
        ),
    ] {
        assert_eq!(render("t.txt.hbs", text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn mistakes_are_refused_at_load() {
    for (text, part) in [
        ("a\n {{uper status}}", "t.txt.hbs:2:2: unknown helper `uper`, did you mean `upper`?"),
        ("{{#iff status}}{{/iff}}", "unknown block helper `iff`"),
        ("{{#if (equal 1 2)}}{{/if}}", "unknown helper `equal`"),
        ("{{default (upperr a) 1}}", "unknown helper `upperr`"),
        ("{{> other.txt.hbs}}", "unknown partial `other.txt.hbs`"),
        ("{{> t.txt.hbs}}", "calls itself"),
        ("{{#if a}}", "t.txt.hbs:"),
        ("{{", "invalid handlebars syntax"),
        ("{{#each a}}{{#each b}}{{nope 1}}{{/each}}{{/each}}", "unknown helper `nope`"),
        ("{{log \"x\"}}", "unknown helper `log`"),
    ] {
        let error = render("t.txt.hbs", text).unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
    }
    let deep = format!("{{{{eq {}1{} 1}}}}", "(eq ".repeat(2000), " 1)".repeat(2000));
    assert!(render("t.txt.hbs", &deep).unwrap_err().contains("deep"));
    let blocks = "{{#if a}}".repeat(3000) + &"{{/if}}".repeat(3000);
    assert!(render("t.txt.hbs", &blocks).unwrap_err().contains("deep"));
}

#[test]
fn partials_and_circles() {
    let set = NotificationTemplates::load([
        ("a.txt.hbs", "<{{> part.txt.hbs who=receiver}}>"),
        ("part.txt.hbs", "default"),
        ("part.txt.hbs", "{{who}}"),
        ("i.txt.hbs", "{{#*inline \"x\"}}in{{/inline}}{{> x}}"),
    ])
    .unwrap();
    assert_eq!(set.render("a.txt.hbs", data(None).as_json()).unwrap(), "<on call>");
    assert_eq!(set.render("i.txt.hbs", data(None).as_json()).unwrap(), "in");
    assert!(set.contains("a.txt.hbs") && !set.contains("b.txt.hbs"));
    assert!(set.render("b.txt.hbs", &Value::Null).is_err());
    let errors = NotificationTemplates::load([
        ("a.txt.hbs", "{{> b.txt.hbs}}"),
        ("b.txt.hbs", "{{> a.txt.hbs}}"),
    ])
    .unwrap_err();
    assert_eq!(errors.len(), 2, "{errors:?}");
}

#[test]
fn the_message_is_bounded() {
    let items: Vec<u32> = (0..3000).collect();
    let nested = "{{#each a}}{{#each ../a}}0123456789{{/each}}{{/each}}";
    let set = NotificationTemplates::load([("t.txt.hbs", nested)]).unwrap();
    let error = set.render("t.txt.hbs", &serde_json::json!({ "a": items })).unwrap_err();
    assert!(error.message.contains("exceeds"), "{error}");
}

#[test]
fn cutting_keeps_characters_whole() {
    for (text, max, expected) in [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("é", 0, ""), ("", 5, "")]
    {
        assert_eq!(truncate(text, max), expected);
    }
}
