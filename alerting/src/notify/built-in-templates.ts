/**
 * The templates that exist without any file. Names and what they print are Alertmanager's, because users' templates
 * call them; how they are written, and the look of the e-mail, are our own.
 */
export const BUILT_IN_TEXT = `
{{- define "__subject" -}}
[{{ toUpper .Status }}{{ if eq .Status "firing" }}:{{ len .Alerts.Firing }}{{ end }}] {{ .GroupLabels.SortedPairs.Values.Join " " }} {{ $others := .CommonLabels.Remove .GroupLabels.Names }}
{{- if gt (len .CommonLabels) (len .GroupLabels) }}({{ $others.Values.Join " " }}){{ end }}
{{- end }}

{{- define "__alertmanager" }}Alertmanager{{ end }}
{{- define "__alertmanagerURL" }}{{ .ExternalURL }}/#/alerts?receiver={{ urlquery .Receiver }}{{ end }}
{{- define "__description" }}{{ end }}

{{- define "__text_alert_list" -}}
{{ range . }}Labels:
{{ range .Labels.SortedPairs }} - {{ .Name }} = {{ .Value }}
{{ end }}Annotations:
{{ range .Annotations.SortedPairs }} - {{ .Name }} = {{ .Value }}
{{ end }}Source: {{ .GeneratorURL }}
{{ end }}
{{- end }}

{{- define "__alert_lists" -}}
{{ with .Alerts.Firing }}Firing ({{ len . }}):
{{ template "__text_alert_list" . }}{{ end }}
{{- with .Alerts.Resolved }}Resolved ({{ len . }}):
{{ template "__text_alert_list" . }}{{ end }}
{{- end }}

{{- define "__alert_lists_markdown" -}}
{{ with .Alerts.Firing }}# Firing ({{ len . }})
{{ template "__text_alert_list_markdown" . }}{{ end }}
{{- with .Alerts.Resolved }}# Resolved ({{ len . }})
{{ template "__text_alert_list_markdown" . }}{{ end }}
{{- end }}

{{- define "__text_alert_list_markdown" -}}
{{ range . }}
Labels:
{{ range .Labels.SortedPairs }}  - {{ .Name }} = {{ .Value }}
{{ end }}
Annotations:
{{ range .Annotations.SortedPairs }}  - {{ .Name }} = {{ .Value }}
{{ end }}
Source: {{ .GeneratorURL }}
{{ end }}
{{- end }}

{{- define "__chat_markdown" -}}
{{ with .Alerts.Firing }}**Firing ({{ len . }})**

{{ range . }}{{ template "__chat_alert" . }}{{ end }}{{ end }}
{{- with .Alerts.Resolved }}**Resolved ({{ len . }})**

{{ range . }}{{ template "__chat_alert" . }}{{ end }}{{ end -}}
[All alerts of this receiver]({{ template "__alertmanagerURL" . }})
{{- end }}

{{- define "__chat_alert" -}}
**{{ with .Labels.alertname }}{{ . }}{{ else }}alert{{ end }}**{{ with .Annotations.summary }} {{ . }}{{ end }}

{{ with .Annotations.description }}{{ . }}

{{ end }}{{ with (.Labels.Remove (stringSlice "alertname")).SortedPairs }}{{ range $i, $pair := . }}{{ if $i }}, {{ end }}{{ $pair.Name }}={{ $pair.Value }}{{ end }}

{{ end }}since {{ date "2006-01-02 15:04:05 MST" .StartsAt }}{{ if eq .Status "resolved" }}, until {{ date "2006-01-02 15:04:05 MST" .EndsAt }}{{ end }}{{ with .GeneratorURL }} [source]({{ . }}){{ end }}

{{ end }}

{{- define "email.default.subject" }}{{ template "__subject" . }}{{ end }}

{{- define "email.default.text" -}}
{{ template "__subject" . }}

{{ with .CommonAnnotations.summary }}{{ . }}

{{ end }}
{{- with .Alerts.Firing }}Firing ({{ len . }})
{{ range . }}{{ template "__email_text_alert" . }}{{ end }}{{ end }}
{{- with .Alerts.Resolved }}Resolved ({{ len . }})
{{ range . }}{{ template "__email_text_alert" . }}{{ end }}{{ end -}}
All alerts of this receiver: {{ template "__alertmanagerURL" . }}
{{ end }}

{{- define "__email_text_alert" }}
* {{ with .Labels.alertname }}{{ . }}{{ else }}alert{{ end }}{{ with .Annotations.summary }}: {{ . }}{{ end }}
{{- with .Annotations.value }}
  value: {{ . }}{{ end }}
  since: {{ date "2006-01-02 15:04:05 MST" .StartsAt }}
{{- if eq .Status "resolved" }}
  until: {{ date "2006-01-02 15:04:05 MST" .EndsAt }}{{ end }}
{{- range (.Labels.Remove (stringSlice "alertname")).SortedPairs }}
  {{ .Name }} = {{ .Value }}{{ end }}
{{- range (.Annotations.Remove (stringSlice "summary" "value")).SortedPairs }}
  {{ .Name }}: {{ .Value }}{{ end }}
{{- with .GeneratorURL }}
  {{ . }}{{ end }}

{{ end }}
`;

/** Tables and inline styles only, because that is what mail clients agree on. */
export const BUILT_IN_HTML = `
{{- define "email.default.html" -}}
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>{{ template "__subject" . }}</title>
</head>
<body style="margin:0;padding:0;background:#f1f3f5;font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:15px;line-height:1.45;color:#212529">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#f1f3f5"><tr><td align="center" style="padding:24px 12px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:640px;background:#ffffff;border:1px solid #dee2e6;border-radius:8px">
<tr><td style="padding:20px 24px;border-radius:8px 8px 0 0;border-top:6px solid {{ if eq .Status "firing" }}#c92a2a{{ else }}#2b8a3e{{ end }}">
<div style="font-size:13px;font-weight:600;letter-spacing:0.04em;color:{{ if eq .Status "firing" }}#c92a2a{{ else }}#2b8a3e{{ end }}">{{ if eq .Status "firing" }}{{ len .Alerts.Firing }} FIRING{{ with .Alerts.Resolved }} &middot; {{ len . }} RESOLVED{{ end }}{{ else }}RESOLVED{{ end }}</div>
<div style="margin-top:4px;font-size:20px;font-weight:600">{{ with .CommonAnnotations.summary }}{{ . }}{{ else }}{{ with .GroupLabels }}{{ .Values.Join " " }}{{ else }}Alerts{{ end }}{{ end }}</div>
{{ with .GroupLabels.SortedPairs }}<div style="margin-top:4px;font-size:13px;color:#495057">{{ range $i, $pair := . }}{{ if $i }}, {{ end }}{{ $pair.Name }}={{ $pair.Value }}{{ end }}</div>
{{ end }}</td></tr>
{{ range .Alerts.Firing }}{{ template "__email_html_alert" . }}{{ end }}
{{ range .Alerts.Resolved }}{{ template "__email_html_alert" . }}{{ end }}
<tr><td style="padding:20px 24px;border-top:1px solid #dee2e6">
<a href="{{ template "__alertmanagerURL" . }}" style="display:inline-block;padding:10px 16px;border-radius:6px;background:#1864ab;color:#ffffff;font-weight:600;text-decoration:none">Show all alerts of this receiver</a>
<div style="margin-top:12px;font-size:12px;color:#868e96">{{ with .NotificationReason }}Sent because: {{ . }}. {{ end }}From <a href="{{ .ExternalURL }}" style="color:#868e96">{{ .ExternalURL }}</a></div>
</td></tr>
</table>
</td></tr></table>
</body>
</html>
{{- end }}

{{- define "__email_html_alert" -}}
<tr><td style="padding:16px 24px;border-top:1px solid #dee2e6">
<div><span style="display:inline-block;padding:1px 8px;border-radius:10px;font-size:12px;font-weight:600;color:#ffffff;background:{{ if eq .Status "firing" }}#c92a2a{{ else }}#2b8a3e{{ end }}">{{ .Status }}</span>
<strong>{{ with .Labels.alertname }}{{ . }}{{ else }}alert{{ end }}</strong>{{ with .Annotations.value }} <span style="color:#495057;white-space:nowrap">value {{ . }}</span>{{ end }}</div>
{{ with .Annotations.summary }}<div style="margin-top:6px">{{ . }}</div>
{{ end }}{{ with .Annotations.description }}<div style="margin-top:6px;color:#495057">{{ . }}</div>
{{ end }}<div style="margin-top:6px;font-size:13px;color:#495057">since {{ date "2006-01-02 15:04:05 MST" .StartsAt }}{{ if eq .Status "resolved" }}, until {{ date "2006-01-02 15:04:05 MST" .EndsAt }}{{ end }}</div>
<table role="presentation" cellpadding="0" cellspacing="0" style="margin-top:8px;font-size:13px">
{{ range (.Labels.Remove (stringSlice "alertname")).SortedPairs }}<tr><td style="padding:1px 12px 1px 0;color:#868e96;vertical-align:top">{{ .Name }}</td><td style="padding:1px 0;word-break:break-word">{{ .Value }}</td></tr>
{{ end }}{{ range (.Annotations.Remove (stringSlice "summary" "description" "value")).SortedPairs }}<tr><td style="padding:1px 12px 1px 0;color:#868e96;vertical-align:top">{{ .Name }}</td><td style="padding:1px 0;word-break:break-word">{{ if match "^https?://[^ ]+$" .Value }}<a href="{{ .Value }}" style="color:#1864ab">{{ .Value }}</a>{{ else }}{{ .Value }}{{ end }}</td></tr>
{{ end }}</table>
{{ with .GeneratorURL }}<div style="margin-top:8px;font-size:13px"><a href="{{ . }}" style="color:#1864ab">Source of this alert</a></div>
{{ end }}</td></tr>
{{ end }}
`;
