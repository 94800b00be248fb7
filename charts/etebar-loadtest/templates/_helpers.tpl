{{/*
Labels: those of a part of the release that is loaded, for its NetworkPolicies know them. `loadtest` may reach core's API and Redis,
`loadtest-books` the database, Redis and settlement.
*/}}
{{- define "loadtest.selectorLabels" -}}
app.kubernetes.io/name: etebar
app.kubernetes.io/instance: {{ .root.Values.target.release }}
app.kubernetes.io/component: {{ .component }}
etebar.dev/loadtest: {{ .root.Release.Name }}-{{ .part }}
{{- end }}

{{- define "loadtest.labels" -}}
{{ include "loadtest.selectorLabels" . }}
app.kubernetes.io/part-of: etebar
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* image and pull policy of a container: (dict "root" $ "name" "loadtest") */}}
{{- define "loadtest.image" -}}
{{- $image := .root.Values.image -}}
image: {{ with $image.registry }}{{ . | trimSuffix "/" }}/{{ end }}etebar-{{ .name }}:{{ $image.tag | default .root.Chart.AppVersion }}
imagePullPolicy: {{ $image.pullPolicy }}
{{- end }}

{{- define "loadtest.podSpec" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "loadtest.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{/* a process of locust, master or worker: (dict "root" $ "name" "worker" "arguments" (list ...)) */}}
{{- define "loadtest.locust" -}}
name: {{ .name }}
{{ include "loadtest.image" (dict "root" .root "name" "loadtest") }}
{{ include "loadtest.containerSecurity" . }}
args: {{ .arguments | toJson }}
env:
  - {name: TARGET_HOST, value: {{ .root.Values.target.host | quote }}}
  - {name: TRAFFIC, value: {{ .root.Values.traffic }}}
  - {name: WITHDRAW_AMOUNT, value: {{ .root.Values.withdrawAmount | quote }}}
  - {name: N_TOKENS, value: {{ .root.Values.tokens.count | int64 | quote }}}
  - {name: TOKENS_KEY, value: {{ .root.Values.tokens.key | quote }}}
  - {name: READY_KEY, value: {{ include "loadtest.key" (dict "root" .root "word" "ready") }}}
  - {name: REPORT_KEY, value: {{ include "loadtest.key" (dict "root" .root "word" "report") }}}
  - name: REDIS_URL
    valueFrom: {configMapKeyRef: {name: core, key: REDIS_URL}}
  - {name: REDIS_PASSWORD_FILE, value: /run/secrets/redis/password}
  {{- with .env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
volumeMounts:
  - {name: redis, mountPath: /run/secrets/redis, readOnly: true}
  - {name: tmp, mountPath: /tmp}
resources:
  {{- toYaml .root.Values.resources | nindent 2 }}
{{- end }}

{{- define "loadtest.locustVolumes" -}}
- name: redis
  secret:
    secretName: {{ .Values.secrets.redis }}
    defaultMode: 0440
    items: [{key: password, path: password}]
- name: tmp
  emptyDir:
    medium: Memory
    sizeLimit: 32Mi
{{- end }}

{{/* a key in Redis, through which the Jobs and locust wait for each other; each run has its own: (dict "root" $ "word" "report") */}}
{{- define "loadtest.key" -}}
locust:{{ .word }}:{{ .root.Release.Name }}:{{ .root.Values.run }}
{{- end }}

{{/* a program of core's image that needs its database: (dict "root" $ "name" "seed" "script" "...") */}}
{{- define "loadtest.core" -}}
name: {{ .name }}
{{ include "loadtest.image" (dict "root" .root "name" "core") }}
{{ include "loadtest.containerSecurity" . }}
command: [sh, -euc, {{ .script | quote }}]
envFrom:
  - configMapRef: {name: core}
env:
  # directly: no PgBouncer is beside it
  - {name: DB_HOST, value: {{ .root.Values.database.host | quote }}}
  - {name: DB_PORT, value: {{ .root.Values.database.port | quote }}}
  - {name: DB_SSLMODE, value: {{ .root.Values.database.sslMode }}}
  - {name: N_TOKENS, value: {{ .root.Values.tokens.count | int64 | quote }}}
  - {name: TOKENS_KEY, value: {{ .root.Values.tokens.key | quote }}}
  - {name: READY_KEY, value: {{ include "loadtest.key" (dict "root" .root "word" "ready") }}}
  - {name: REPORT_KEY, value: {{ include "loadtest.key" (dict "root" .root "word" "report") }}}
  - {name: SECRET_KEY_FILE, value: /run/secrets/core/secret-key}
  - {name: JWT_SIGNING_KEY_FILE, value: /run/secrets/core/jwt-signing-key}
  - {name: ACCOUNT_ENCRYPTION_KEY_FILE, value: /run/secrets/core/account-encryption-key}
  - {name: ACCOUNT_FINGERPRINT_KEY_FILE, value: /run/secrets/core/account-fingerprint-key}
  - {name: INTERNAL_TOKEN_FILE, value: /run/secrets/core/internal-token}
  - {name: REDIS_PASSWORD_FILE, value: /run/secrets/core/redis-password}
  - {name: DB_PASSWORD_FILE, value: /run/secrets/core/db-password}
volumeMounts:
  - {name: core-secrets, mountPath: /run/secrets/core, readOnly: true}
  - {name: tmp, mountPath: /tmp}
resources:
  {{- toYaml .root.Values.jobResources | nindent 2 }}
{{- end }}

{{- define "loadtest.coreVolumes" -}}
{{- $secrets := .Values.secrets -}}
- name: core-secrets
  projected:
    defaultMode: 0440
    sources:
      - secret:
          name: {{ $secrets.core }}
          items: [{key: secret-key, path: secret-key}, {key: jwt-signing-key, path: jwt-signing-key}]
      - secret:
          name: {{ $secrets.accountKey }}
          items: [{key: account-encryption-key, path: account-encryption-key}]
      - secret:
          name: {{ $secrets.fingerprint }}
          items: [{key: account-fingerprint-key, path: account-fingerprint-key}]
      - secret:
          name: {{ $secrets.internalToken }}
          items: [{key: token, path: internal-token}]
      - secret:
          name: {{ $secrets.redis }}
          items: [{key: password, path: redis-password}]
      - secret:
          name: {{ $secrets.walletApplication }}
          items: [{key: password, path: db-password}]
- name: tmp
  emptyDir:
    medium: Memory
    sizeLimit: 32Mi
{{- end }}
