{{/* `helm test` runs pods of core's image. */}}

{{/* whether the functional story is among them: it registers a merchant and tops up the pool */}}
{{- define "etebar.hasStory" -}}
{{- /* its staff sign in by a password alone, as an account that the release makes, or that was there with its Secret */}}
{{- $admin := .Values.secrets.admin }}
{{- $isThere := or $admin.existingSecret (and $admin.create .Values.migrations.enabled) }}
{{- $isAlone := and (ne .Values.core.staffTotp "required") (include "etebar.takesOnePerson" (dict "root" . "limit" 10.0)) }}
{{- if and .Values.tests.enabled (ne .Values.profile "production") $isThere $isAlone }}true{{ end }}
{{- end }}

{{/* whether one person may set this limit: (dict "root" $ "limit" 10.0) */}}
{{- define "etebar.takesOnePerson" -}}
{{- $threshold := .root.Values.core.creditLimitApprovalThreshold }}
{{- if or (not $threshold) (ge (float64 $threshold) .limit) }}true{{ end }}
{{- end }}

{{/* whether merchants' withdrawals are tried, too: it reads both databases, as the auditor of the PostgreSQL in the release */}}
{{- define "etebar.hasTrial" -}}
{{- if and (include "etebar.hasStory" .) .Values.postgresql.enabled (include "etebar.takesOnePerson" (dict "root" . "limit" 1000.0)) }}true{{ end }}
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
