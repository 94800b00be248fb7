{{/* What web, worker, beat and webhooks share; migrations take part of it. */}}

{{/* the secrets that core reads, as files: those of every process, then those of the application's role */}}
{{- define "etebar.coreKeyFiles" -}}
- [core, secret-key, secret-key]
- [core, jwt-signing-key, jwt-signing-key]
- [core, jwt-signing-keys-previous, jwt-signing-keys-previous]
- [accountKey, account-encryption-key, account-encryption-key]
- [accountKey, account-encryption-keys-previous, account-encryption-keys-previous]
- [fingerprint, account-fingerprint-key, account-fingerprint-key]
- [internalToken, token, internal-token]
- [redis, password, redis-password]
{{- end }}

{{- define "etebar.coreFiles" -}}
{{ include "etebar.coreKeyFiles" . }}
- [walletApplication, password, db-password]
{{- end }}

{{- define "etebar.coreFileEnv" -}}
- {name: SECRET_KEY_FILE, value: /run/secrets/core/secret-key}
- {name: JWT_SIGNING_KEY_FILE, value: /run/secrets/core/jwt-signing-key}
- {name: JWT_SIGNING_KEYS_PREVIOUS_FILE, value: /run/secrets/core/jwt-signing-keys-previous}
- {name: ACCOUNT_ENCRYPTION_KEY_FILE, value: /run/secrets/core/account-encryption-key}
- {name: ACCOUNT_ENCRYPTION_KEYS_PREVIOUS_FILE, value: /run/secrets/core/account-encryption-keys-previous}
- {name: ACCOUNT_FINGERPRINT_KEY_FILE, value: /run/secrets/core/account-fingerprint-key}
- {name: INTERNAL_TOKEN_FILE, value: /run/secrets/core/internal-token}
- {name: REDIS_PASSWORD_FILE, value: /run/secrets/core/redis-password}
- {name: DB_PASSWORD_FILE, value: /run/secrets/core/db-password}
{{- end }}

{{/* what every container of core's image has */}}
{{- define "etebar.coreContainer" -}}
{{ include "etebar.image" (dict "root" . "name" "core") }}
{{ include "etebar.containerSecurity" . }}
envFrom:
  - configMapRef: {name: core}
{{- end }}

{{- define "etebar.coreMounts" -}}
- {name: core-secrets, mountPath: /run/secrets/core, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if (include "etebar.redis" . | fromJson).caSecret }}
- {name: redis-ca, mountPath: /run/secrets/redis-ca, readOnly: true}
{{- end }}
{{- with .Values.core.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "etebar.coreVolumes" -}}
{{ include "etebar.secretVolume" (dict "root" . "name" "core-secrets" "files" (include "etebar.coreFiles" . | fromYamlArray)) }}
{{ include "etebar.temporaryVolume" . }}
{{- with (include "etebar.redis" . | fromJson).caSecret }}
- name: redis-ca
  secret:
    secretName: {{ . }}
    items: [{key: ca.crt, path: ca.crt}]
{{- end }}
{{- if eq .Values.pgbouncer.mode "sidecar" }}
{{ include "etebar.pgbouncerVolumes" . }}
{{- end }}
{{- with .Values.core.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* PgBouncer where it is a sidecar, then the wait until the database is migrated, through it */}}
{{- define "etebar.coreInitContainers" -}}
{{- if eq .Values.pgbouncer.mode "sidecar" }}
- {{- include "etebar.pgbouncerContainer" . | nindent 2 }}
  # a native sidecar: it starts before the containers and ends after them
  restartPolicy: Always
{{- end }}
- name: wait-for-migrations
  {{- include "etebar.coreContainer" . | nindent 2 }}
  command: [python, manage.py, wait_for_database, --migrated]
  env:
    {{- include "etebar.coreFileEnv" . | nindent 4 }}
    {{- with .Values.core.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumeMounts:
    {{- include "etebar.coreMounts" . | nindent 4 }}
  resources:
    requests: {cpu: 50m, memory: 128Mi}
    limits: {memory: 384Mi}
{{- end }}

{{/* (dict "root" $ "pod" .Values.core.web), and "secrets" that it reads beside those of all */}}
{{- define "etebar.coreAnnotations" -}}
{{- $secrets := concat (list "core" "accountKey" "fingerprint" "internalToken" "redis" "walletApplication") (.secrets | default list) -}}
{{- $checksums := dict "config" (include (print $.root.Template.BasePath "/core/configmap.yaml") .root) -}}
{{- if eq .root.Values.pgbouncer.mode "sidecar" }}
{{- $secrets = append $secrets "pgbouncer" -}}
{{- $_ := set $checksums "pgbouncer" (include "etebar.pgbouncerConfig" .root) }}
{{- end }}
{{- $_ := set $checksums "secrets" (include "etebar.secretsChecksum" (dict "root" .root "secrets" $secrets "others" (list (include "etebar.redis" .root | fromJson).caSecret (include "etebar.database" (dict "root" .root "database" "core") | fromJson).caSecret))) }}
{{- include "etebar.podAnnotations" (dict "root" .root "own" .pod.podAnnotations "checksums" $checksums) }}
{{- end }}

{{/* where Redis is, as JSON with host, port, database, username, tls, caSecret */}}
{{- define "etebar.redis" -}}
{{- if .Values.redis.enabled -}}
{{- dict "host" "redis" "port" 6379 "database" 0 "username" "default" "tls" false "caSecret" "" | toJson }}
{{- else -}}
{{- $redis := .Values.externalRedis -}}
{{- dict "host" $redis.host "port" (int $redis.port) "database" (int $redis.database) "username" $redis.username "tls" $redis.tls.enabled "caSecret" (ternary $redis.tls.caSecret "" $redis.tls.enabled) | toJson }}
{{- end }}
{{- end }}

{{/* its URL without the password, which core puts in from its file */}}
{{- define "etebar.redisUrl" -}}
{{- $redis := include "etebar.redis" . | fromJson -}}
{{- $query := "" -}}
{{- if $redis.tls }}
{{- $query = "?ssl_cert_reqs=required" -}}
{{- if $redis.caSecret }}{{ $query = print $query "&ssl_ca_certs=/run/secrets/redis-ca/ca.crt" }}{{ end -}}
{{- end -}}
{{ ternary "rediss" "redis" $redis.tls }}://{{ $redis.username }}@{{ $redis.host }}:{{ $redis.port }}/{{ $redis.database }}{{ $query }}
{{- end }}

{{/*
Probes of processes that nobody calls: they touch a file while they turn. A lost Redis stops them, too, and is no reason to
end them, so that the probe of life only fails while Redis can be reached.
*/}}
{{- define "etebar.signOfLifeProbes" -}}
startupProbe:
  exec: {command: [test, -e, /tmp/alive]}
  periodSeconds: 2
  failureThreshold: 60
readinessProbe:
  exec: {command: [test, -e, /tmp/alive]}
  periodSeconds: 10
livenessProbe:
  exec: {command: [python, -m, core.sign_of_life]}
  periodSeconds: 30
  timeoutSeconds: 10
  failureThreshold: 3
{{- end }}
