{{/*
One Job: (dict "root" $ "component" "migrate-core" "containers" <its spec's containers and volumes, as text>). Its name has the
hash of its pod's template: the same image and settings make the same Job, which is done already.
*/}}
{{- define "etebar.migrationJob" -}}
{{- $template := include "etebar.migrationTemplate" . -}}
{{ include "etebar.serviceAccount" . }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .component }}-{{ $template | sha256sum | trunc 10 }}
  labels:
    {{- include "etebar.labels" . | nindent 4 }}
spec:
  backoffLimit: {{ .root.Values.migrations.backoffLimit }}
  {{- if gt (int .root.Values.migrations.activeDeadlineSeconds) 0 }}
  activeDeadlineSeconds: {{ .root.Values.migrations.activeDeadlineSeconds }}
  {{- end }}
  template:
    {{- $template | nindent 4 }}
{{- end }}

{{- define "etebar.migrationTemplate" -}}
metadata:
  labels:
    {{- include "etebar.podLabels" . | nindent 4 }}
  {{- include "etebar.podAnnotations" (dict "root" .root "own" .root.Values.migrations.podAnnotations) | nindent 2 }}
spec:
  {{- include "etebar.podSpec" (merge (dict "pod" .root.Values.migrations) .) | nindent 2 }}
  restartPolicy: Never
  {{- .containers | nindent 2 }}
{{- end }}

{{- define "etebar.migrateCoreContainer" -}}
{{ include "etebar.image" (dict "root" . "name" "core") }}
{{ include "etebar.containerSecurity" . }}
env:
  {{- include "etebar.coreFileEnv" . | nindent 2 }}
  - {name: ETEBAR_PROFILE, value: {{ .Values.profile }}}
  # directly, not through PgBouncer, and as the owner of the tables
  {{- range $name, $value := include "etebar.databaseEnv" (dict "root" . "database" "core") | fromYaml }}
  - {name: {{ $name }}, value: {{ $value | quote }}}
  {{- end }}
  - {name: DB_USER, value: wallet}
  {{- if .Values.secrets.admin.create }}
  - {name: ADMIN_USERNAME_FILE, value: /run/secrets/admin/username}
  - {name: ADMIN_PASSWORD_FILE, value: /run/secrets/admin/password}
  {{- end }}
  {{- with .Values.core.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
volumeMounts:
  - {name: core-secrets, mountPath: /run/secrets/core, readOnly: true}
  {{- if .Values.secrets.admin.create }}
  - {name: admin, mountPath: /run/secrets/admin, readOnly: true}
  {{- end }}
  - {name: tmp, mountPath: /tmp}
  {{- include "etebar.databaseCaMount" (dict "root" . "database" "core") | nindent 2 }}
  {{- with .Values.core.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
resources:
  {{- toYaml .Values.migrations.resources | nindent 2 }}
{{- end }}

{{- define "etebar.migrateCoreContainers" -}}
initContainers:
  - name: wait-for-database
    command: [python, manage.py, wait_for_database]
    {{- include "etebar.migrateCoreContainer" . | nindent 4 }}
  {{- if .Values.secrets.admin.create }}
  - name: migrate
    command: [python, manage.py, migrate, --no-input]
    {{- include "etebar.migrateCoreContainer" . | nindent 4 }}
containers:
  - name: admin
    command: [python, manage.py, ensure_admin]
  {{- else }}
containers:
  - name: migrate
    command: [python, manage.py, migrate, --no-input]
  {{- end }}
    {{- include "etebar.migrateCoreContainer" . | nindent 4 }}
volumes:
  {{- $keys := include "etebar.coreKeyFiles" . | fromYamlArray }}
  {{- include "etebar.secretVolume" (dict "root" . "name" "core-secrets" "files" (append $keys (list "walletOwner" "password" "db-password"))) | nindent 2 }}
  {{- if .Values.secrets.admin.create }}
  {{- include "etebar.secretVolume" (dict "root" . "name" "admin" "files" (list (list "admin" "username" "username") (list "admin" "password" "password"))) | nindent 2 }}
  {{- end }}
  {{- include "etebar.temporaryVolume" . | nindent 2 }}
  {{- include "etebar.databaseCaVolume" (dict "root" . "database" "core") | nindent 2 }}
  {{- with .Values.core.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "etebar.migrateSettlementContainer" -}}
{{ include "etebar.image" (dict "root" . "name" "settlement") }}
{{ include "etebar.containerSecurity" . }}
env:
  {{- range $name, $value := include "etebar.databaseEnv" (dict "root" . "database" "settlement") | fromYaml }}
  - {name: {{ $name }}, value: {{ $value | quote }}}
  {{- end }}
  - {name: ETEBAR_PROFILE, value: {{ .Values.profile }}}
  - {name: DB_USER, value: settlement}
  - {name: DB_PASSWORD_FILE, value: /run/secrets/settlement/db-password}
volumeMounts:
  - {name: settlement-secrets, mountPath: /run/secrets/settlement, readOnly: true}
  - {name: tmp, mountPath: /tmp}
  {{- include "etebar.databaseCaMount" (dict "root" . "database" "settlement") | nindent 2 }}
resources:
  {{- toYaml .Values.migrations.resources | nindent 2 }}
{{- end }}

{{- define "etebar.migrateSettlementContainers" -}}
initContainers:
  - name: wait-for-database
    command: [python, -m, settlement.wait_for_database]
    {{- include "etebar.migrateSettlementContainer" . | nindent 4 }}
containers:
  - name: migrate
    command: [alembic, upgrade, head]
    {{- include "etebar.migrateSettlementContainer" . | nindent 4 }}
volumes:
  {{- include "etebar.secretVolume" (dict "root" . "name" "settlement-secrets" "files" (list (list "settlementOwner" "password" "db-password"))) | nindent 2 }}
  {{- include "etebar.temporaryVolume" . | nindent 2 }}
  {{- include "etebar.databaseCaVolume" (dict "root" . "database" "settlement") | nindent 2 }}
{{- end }}
