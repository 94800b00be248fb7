{{/* What tells Prometheus, in every pod: ports named `metrics...`, which only monitoring reaches. */}}

{{/* of a process of ours: (dict "root" $ "image" "core"), for its environment */}}
{{- define "etebar.metricsEnv" -}}
- {name: ETEBAR_VERSION, value: {{ index .root.Values.image.tags .image | default (include "etebar.tag" .root) | quote }}}
{{- if .root.Values.metrics.enabled }}
- {name: METRICS_PORT, value: {{ .root.Values.metrics.port | quote }}}
{{- end }}
{{- end }}

{{- define "etebar.metricsPort" -}}
{{- if .Values.metrics.enabled }}
- {name: metrics, containerPort: {{ .Values.metrics.port }}}
{{- end }}
{{- end }}

{{/* name -> port, and the port's name, of the exporters */}}
{{- define "etebar.exporterTable" -}}
pgbouncer: {port: 9127, portName: metrics-pgb}
postgresql: {port: 9187, portName: metrics-pg}
redis: {port: 9121, portName: metrics-redis}
{{- end }}

{{/* a container beside what it tells of: (dict "root" $ "name" "redis" "env" <list> "mounts" <list>); nothing unless it is wanted */}}
{{- define "etebar.exporter" -}}
{{- $metrics := .root.Values.metrics -}}
{{- if and $metrics.enabled (index $metrics.exporters .name) }}
{{- $exporter := index (include "etebar.exporterTable" .root | fromYaml) .name }}
- name: metrics-{{ .name }}
  {{- include "etebar.image" (dict "root" .root "name" "exporters") | nindent 2 }}
  {{- include "etebar.containerSecurity" .root | nindent 2 }}
  args: [{{ .name }}]
  {{- with .env }}
  env:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  ports:
    - {name: {{ $exporter.portName }}, containerPort: {{ $exporter.port }}}
  volumeMounts:
    {{- toYaml .mounts | nindent 4 }}
  # no probes: a pod whose exporter is down goes on serving, and Prometheus sees that the target is down
  resources:
    {{- toYaml $metrics.exporters.resources | nindent 4 }}
{{- end }}
{{- end }}

{{- define "etebar.pgbouncerExporter" -}}
{{- include "etebar.exporter" (dict "root" . "name" "pgbouncer" "mounts" (list (dict "name" "pgbouncer-socket" "mountPath" "/run/pgbouncer-socket"))) }}
{{- end }}

{{/* in core's own pods, where PgBouncer is there */}}
{{- define "etebar.pgbouncerExporterSidecar" -}}
{{- if eq .Values.pgbouncer.mode "sidecar" }}
{{- include "etebar.pgbouncerExporter" . }}
{{- end }}
{{- end }}

{{/* the rule that lets monitoring in: (dict "root" $ "own" true "exporters" (list "pgbouncer")) */}}
{{- define "etebar.monitoringRule" -}}
{{- $metrics := .root.Values.metrics -}}
{{- $peers := .root.Values.networkPolicy.monitoring -}}
{{- if and $metrics.enabled $peers }}
{{- $ports := list }}
{{- if .own }}{{ $ports = append $ports (dict "protocol" "TCP" "port" $metrics.port) }}{{ end }}
{{- $table := include "etebar.exporterTable" .root | fromYaml }}
{{- range .exporters }}
{{- if index $metrics.exporters . }}{{ $ports = append $ports (dict "protocol" "TCP" "port" (index $table .).port) }}{{ end }}
{{- end }}
{{- if $ports }}
{{- list (dict "from" $peers "ports" $ports) | toYaml }}
{{- end }}
{{- end }}
{{- end }}

{{/* of a process that traces */}}
{{- define "etebar.tracingConfig" -}}
{{- with .Values.tracing.endpoint }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ . | quote }}
OTEL_TRACES_SAMPLE_RATIO: {{ $.Values.tracing.sampleRatio | quote }}
{{- end }}
{{- end }}

{{- define "etebar.tracingRule" -}}
{{- if and .Values.tracing.endpoint .Values.networkPolicy.tracing -}}
- to:
    {{- toYaml .Values.networkPolicy.tracing | nindent 4 }}
  ports:
    {{- range .Values.networkPolicy.tracingPorts }}
    - {protocol: TCP, port: {{ . | int }}}
    {{- end }}
{{- end }}
{{- end }}
