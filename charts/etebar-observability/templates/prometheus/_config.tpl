{{- define "observability.prometheusConfig" -}}
global:
  scrape_interval: {{ .Values.scrapeInterval }}
  evaluation_interval: {{ .Values.prometheus.evaluationInterval }}
rule_files: [/etc/prometheus/rules/*.yaml]
{{- with .Values.prometheus.alertmanagers }}
alerting:
  alertmanagers:
    - static_configs: [{targets: {{ . | toJson }}}]
{{- end }}
scrape_configs:
  - job_name: etebar
    kubernetes_sd_configs:
      - role: pod
        namespaces: {names: {{ .Values.target.namespaces | toJson }}}
    relabel_configs:
      {{- include "observability.relabelings" (dict "source" "source_labels" "target" "target_label") | nindent 6 }}
  - job_name: prometheus
    static_configs: [{targets: [localhost:9090]}]
{{- end }}
