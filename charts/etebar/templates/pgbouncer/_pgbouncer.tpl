{{/* PgBouncer as a container, wherever it runs. */}}

{{- define "etebar.pgbouncerConfig" -}}
{{- $database := include "etebar.database" (dict "root" . "database" "core") | fromJson -}}
[databases]
{{ $database.name }} = host={{ $database.host }} port={{ $database.port }} dbname={{ $database.name }}

[pgbouncer]
listen_addr = {{ ternary "127.0.0.1" "0.0.0.0" (eq .Values.pgbouncer.mode "sidecar") }}
listen_port = 6432
; for `psql` in the container and the exporter beside it, to the console; away from the list of passwords
unix_socket_dir = /run/pgbouncer-socket
pool_mode = transaction
auth_type = scram-sha-256
auth_file = /run/pgbouncer/userlist.txt
admin_users = pgbouncer
; the exporter's client sends it
ignore_startup_parameters = extra_float_digits
default_pool_size = {{ .Values.pgbouncer.poolSize | int64 }}
max_client_conn = {{ .Values.pgbouncer.maxClientConnections | int64 }}
server_tls_sslmode = {{ $database.sslMode }}
{{- if $database.caSecret }}
server_tls_ca_file = /run/secrets/database-ca/ca.crt
{{- end }}
; a database that is away is told to clients soon, and found again soon
query_wait_timeout = {{ .Values.pgbouncer.queryWaitTimeoutSeconds | int64 }}
server_connect_timeout = 3
server_login_retry = 1
tcp_keepidle = 5
tcp_keepintvl = 2
tcp_keepcnt = 3
tcp_user_timeout = 10000
log_connections = 0
log_disconnections = 0
{{- end }}

{{- define "etebar.pgbouncerContainer" -}}
name: pgbouncer
{{ include "etebar.image" (dict "root" . "name" "pgbouncer") }}
{{ include "etebar.containerSecurity" . }}
{{- if eq .Values.pgbouncer.mode "deployment" }}
ports:
  - {name: pgbouncer, containerPort: 6432}
{{- end }}
volumeMounts:
  - {name: pgbouncer-config, mountPath: /etc/pgbouncer, readOnly: true}
  - {name: pgbouncer-run, mountPath: /run/pgbouncer}
  - {name: pgbouncer-socket, mountPath: /run/pgbouncer-socket}
  - {name: pgbouncer-passwords, mountPath: /run/secrets/passwords, readOnly: true}
  {{- include "etebar.databaseCaMount" (dict "root" . "database" "core") | nindent 2 }}
startupProbe:
  {{- include "etebar.pgbouncerProbe" . | nindent 2 }}
  periodSeconds: 1
  failureThreshold: 60
readinessProbe:
  {{- include "etebar.pgbouncerProbe" . | nindent 2 }}
  timeoutSeconds: 5
livenessProbe:
  {{- include "etebar.pgbouncerProbe" . | nindent 2 }}
  periodSeconds: 20
  timeoutSeconds: 5
resources:
  {{- toYaml .Values.pgbouncer.resources | nindent 2 }}
{{- end }}

{{/* a sidecar listens on loopback only, where the kubelet cannot knock */}}
{{- define "etebar.pgbouncerProbe" -}}
{{- if eq .Values.pgbouncer.mode "sidecar" -}}
exec: {command: [pg_isready, --quiet, --host, 127.0.0.1, --port, "6432", --username, pgbouncer, --dbname, pgbouncer]}
{{- else -}}
tcpSocket: {port: pgbouncer}
{{- end }}
{{- end }}

{{- define "etebar.pgbouncerVolumes" -}}
- name: pgbouncer-config
  configMap: {name: pgbouncer}
- name: pgbouncer-run
  emptyDir:
    medium: Memory
    sizeLimit: 1Mi
- name: pgbouncer-socket
  emptyDir:
    medium: Memory
    sizeLimit: 1Mi
{{ include "etebar.secretVolume" (dict "root" . "name" "pgbouncer-passwords" "files" (list (list "walletApplication" "password" "wallet_app") (list "pgbouncer" "password" "pgbouncer"))) }}
{{ include "etebar.databaseCaVolume" (dict "root" . "database" "core") }}
{{- end }}
