{{/* `helm test` runs pods of core's image. */}}

{{/* whether the functional story is among them: it registers a merchant and tops up the pool */}}
{{- define "etebar.hasStory" -}}
{{- /* its staff sign in by a password alone */}}
{{- if and .Values.tests.enabled (ne .Values.profile "production") (ne .Values.core.staffTotp "required") }}true{{ end }}
{{- end }}

{{/* whether merchants' withdrawals are tried, too: it reads both databases, as the auditor of the PostgreSQL in the release */}}
{{- define "etebar.hasTrial" -}}
{{- if and (include "etebar.hasStory" .) .Values.postgresql.enabled }}true{{ end }}
{{- end }}

{{- define "etebar.testAnnotations" -}}
helm.sh/hook: test
helm.sh/hook-delete-policy: before-hook-creation
{{- end }}

{{/* a test's container: (dict "root" $ "name" "reach" "command" (list ...) "secrets" (list "admin")) */}}
{{- define "etebar.testContainer" -}}
name: {{ .name }}
{{ include "etebar.image" (dict "root" .root "name" "core") }}
{{ include "etebar.containerSecurity" . }}
command: {{ .command | toJson }}
resources:
  requests: {cpu: 10m, memory: 32Mi}
  limits: {memory: 128Mi}
volumeMounts:
  - {name: scripts, mountPath: /tests, readOnly: true}
  {{- range .secrets }}
  - {name: {{ . }}, mountPath: /run/secrets/{{ . }}, readOnly: true}
  {{- end }}
  {{- if has "audit" (.secrets | default list) }}
  - {name: tmp, mountPath: /tmp}
  {{- end }}
{{- end }}
