//! The templates that Alertmanager defines by name, in our own words: a text that calls one by its
//! name gives the same subject, link or list.

/// The name under which the defaults are known.
pub(super) const FILE: &str = "default.tmpl";

/// The defaults of the integrations that we have.
pub(super) const TEXT: &str = r##"
{{- define "__alertmanager" }}Alertmanager{{ end }}
{{- define "__alertmanagerURL" }}{{ printf "%s/#/alerts?receiver=%s" .ExternalURL (urlquery .Receiver) }}{{ end }}
{{- define "__description" }}{{ end }}

{{- define "__subject" }}
{{- if eq .Status "firing" }}{{ printf "[FIRING:%d]" (len .Alerts.Firing) }}
{{- else }}{{ printf "[%s]" (toUpper .Status) }}{{ end }}
{{- range .GroupLabels.Values }} {{ . }}{{ end }}
{{- with .CommonLabels.Remove .GroupLabels.Names }} ({{ .Values.Join " " }}){{ end }}
{{- end }}

{{- define "__pairs" }}
{{- range .SortedPairs }}{{ printf " - %s = %s\n" .Name .Value }}{{ end }}
{{- end }}

{{- define "__text_alert_list" }}
{{- range . }}{{ print "Labels:\n" }}{{ template "__pairs" .Labels }}
{{- print "Annotations:\n" }}{{ template "__pairs" .Annotations }}
{{- printf "Source: %s\n" .GeneratorURL }}{{ end }}
{{- end }}

{{- define "__text_alert_list_markdown" }}
{{- range . }}{{ print "\nLabels:\n" }}{{ range .Labels.SortedPairs }}{{ printf "  - %s = %s\n" .Name .Value }}{{ end }}
{{- print "\nAnnotations:\n" }}{{ range .Annotations.SortedPairs }}{{ printf "  - %s = %s\n" .Name .Value }}{{ end }}
{{- printf "\nSource: %s\n" .GeneratorURL }}{{ end }}
{{- print "\n" }}
{{- end }}

{{- define "slack.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "slack.default.username" }}{{ template "__alertmanager" . }}{{ end }}
{{- define "slack.default.fallback" }}{{ template "__subject" . }} | {{ template "__alertmanagerURL" . }}{{ end }}
{{- define "slack.default.titlelink" }}{{ template "__alertmanagerURL" . }}{{ end }}
{{- define "slack.default.color" }}{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}{{ end }}
{{- define "slack.default.callbackid" }}{{ end }}
{{- define "slack.default.pretext" }}{{ end }}
{{- define "slack.default.iconemoji" }}{{ end }}
{{- define "slack.default.iconurl" }}{{ end }}
{{- define "slack.default.text" }}{{ end }}
{{- define "slack.default.footer" }}{{ end }}

{{- define "pagerduty.default.description" }}{{ template "__subject" . }}{{ end }}
{{- define "pagerduty.default.client" }}{{ template "__alertmanager" . }}{{ end }}
{{- define "pagerduty.default.clientURL" }}{{ template "__alertmanagerURL" . }}{{ end }}
{{- define "pagerduty.default.instances" }}{{ template "__text_alert_list" . }}{{ end }}

{{- define "email.default.subject" }}{{ template "__subject" . }}{{ end }}

{{- define "__email_alerts" }}
{{- range . }}
<table style="border-left:4px solid #888;margin:8px 0;padding-left:8px">
{{- range .Labels.SortedPairs }}
<tr><td>{{ .Name }}</td><td><b>{{ .Value }}</b></td></tr>
{{- end }}
{{- range .Annotations.SortedPairs }}
<tr><td>{{ .Name }}</td><td>{{ .Value }}</td></tr>
{{- end }}
<tr><td colspan="2"><a href="{{ .GeneratorURL }}">Source</a></td></tr>
</table>
{{- end }}
{{- end }}

{{- define "email.default.html" }}<!DOCTYPE html>
<html>
<head><meta charset="utf-8"><title>{{ template "__subject" . }}</title></head>
<body style="font-family:sans-serif">
<h2>{{ template "__subject" . }}</h2>
<p><a href="{{ template "__alertmanagerURL" . }}">View in {{ template "__alertmanager" . }}</a></p>
{{- with .Alerts.Firing }}
<h3>Firing ({{ len . }})</h3>
{{- template "__email_alerts" . }}
{{- end }}
{{- with .Alerts.Resolved }}
<h3>Resolved ({{ len . }})</h3>
{{- template "__email_alerts" . }}
{{- end }}
</body>
</html>
{{ end }}"##;
