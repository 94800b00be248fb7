{{/*
Secrets: each is one that the user named, or one of ours, made once and then read back from the cluster.
*/}}

{{/* all of them: value key -> name of ours, and the keys in it with the length of what is made for them (0: empty) */}}
{{- define "etebar.secretTable" -}}
core: {name: etebar-core, keys: {secret-key: 50, jwt-signing-key: 50, jwt-signing-keys-previous: 0}}
accountKey: {name: etebar-account-key, keys: {account-encryption-key: 50, account-encryption-keys-previous: 0}}
fingerprint: {name: etebar-fingerprint, keys: {account-fingerprint-key: 50}}
internalToken: {name: etebar-internal-token, keys: {token: 50, token-next: 0, rotated-at: 0}}
operatorToken: {name: etebar-operator-token, keys: {token: 50, token-next: 0}}
admin: {name: etebar-admin, keys: {username: 0, password: 24}}
walletOwner: {name: etebar-wallet-owner, keys: {password: 32}}
walletApplication: {name: etebar-wallet-application, keys: {password: 32}}
settlementOwner: {name: etebar-settlement-owner, keys: {password: 32}}
settlementApplication: {name: etebar-settlement-application, keys: {password: 32}}
audit: {name: etebar-audit, keys: {password: 32}}
pgbouncer: {name: etebar-pgbouncer, keys: {password: 32}}
redis: {name: etebar-redis, keys: {password: 32}}
{{- end }}

{{/* the name of a Secret: (dict "root" $ "secret" "redis") */}}
{{- define "etebar.secretName" -}}
{{- $ours := (index (include "etebar.secretTable" .root | fromYaml) .secret).name -}}
{{- (index .root.Values.secrets .secret).existingSecret | default $ours }}
{{- end }}

{{/*
The data of a Secret of ours as JSON, base64: what the cluster has, and something random for what it lacks. Kept in .Values
while the chart is rendered, so that the Secret and the checksums of pods speak of the same.
*/}}
{{- define "etebar.secretData" -}}
{{- if not (hasKey .root.Values "_secrets") }}{{ $_ := set .root.Values "_secrets" dict }}{{ end -}}
{{- $made := index .root.Values "_secrets" -}}
{{- if not (hasKey $made .secret) }}
{{- $entry := index (include "etebar.secretTable" .root | fromYaml) .secret -}}
{{- $found := (lookup "v1" "Secret" .root.Release.Namespace $entry.name).data | default dict -}}
{{- $data := dict -}}
{{- range $key, $length := $entry.keys }}
{{- $random := ternary (randAlphaNum (int $length)) "" (gt (int $length) 0) -}}
{{- $known := dict "username" "admin" "rotated-at" (dateInZone "2006-01-02T15:04:05Z" (now) "UTC") -}}
{{- $new := get $known $key | default $random | b64enc -}}
{{- $_ := set $data $key (hasKey $found $key | ternary (index $found $key) $new) }}
{{- end }}
{{- $_ := set $made .secret $data }}
{{- end }}
{{- index $made .secret | toJson }}
{{- end }}

{{/*
What changes when the content of Secrets does: (dict "root" $ "secrets" (list "redis" ...) "others" (list <names>)); the others
are the user's own, and may be empty names.
*/}}
{{- define "etebar.secretsChecksum" -}}
{{- $root := .root -}}
{{- range compact (.others | default list) }}
{{ . }}: {{ (lookup "v1" "Secret" $root.Release.Namespace .).data | default dict | toJson }}
{{- end }}
{{- range .secrets }}
{{- $existing := (index $root.Values.secrets .).existingSecret -}}
{{- if $existing }}
{{ $existing }}: {{ (lookup "v1" "Secret" $root.Release.Namespace $existing).data | default dict | toJson }}
{{- else }}
{{ . }}: {{ include "etebar.secretData" (dict "root" $root "secret" .) }}
{{- end }}
{{- end }}
{{- end }}

{{/*
A volume of files from Secrets: (dict "root" $ "name" "keys" "files" (list (list "core" "secret-key" "secret-key") ...));
each file is: which Secret, its key, the file's name.
*/}}
{{- define "etebar.secretVolume" -}}
- name: {{ .name }}
  projected:
    # readable by the pod's group
    defaultMode: 0440
    sources:
      {{- $root := .root }}
      {{- range .files }}
      - secret:
          name: {{ include "etebar.secretName" (dict "root" $root "secret" (index . 0)) }}
          items: [{key: {{ index . 1 }}, path: {{ index . 2 }}}]
      {{- end }}
{{- end }}

{{/* whether this Secret is ours, and is not there with all its keys: (dict "root" $ "secret" "redis" "entry" <its row>) */}}
{{- define "etebar.secretIsMade" -}}
{{- if not (or (index .root.Values.secrets .secret).existingSecret (include "etebar.secretIsUnused" .)) }}
{{- $found := (lookup "v1" "Secret" .root.Release.Namespace .entry.name).data | default dict }}
{{- range $key, $_ := .entry.keys }}{{ if not (hasKey $found $key) }}true{{ end }}{{ end }}
{{- end }}
{{- end }}

{{- define "etebar.secretIsUnused" -}}
{{- $values := .root.Values -}}
{{- if eq .secret "audit" }}{{ if not $values.postgresql.enabled }}true{{ end }}{{ end -}}
{{- if eq .secret "operatorToken" }}{{ if not $values.operator.enabled }}true{{ end }}{{ end -}}
{{- if eq .secret "admin" }}{{ if not $values.secrets.admin.create }}true{{ end }}{{ end -}}
{{- end }}
