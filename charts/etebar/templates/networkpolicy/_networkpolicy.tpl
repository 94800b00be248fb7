{{/* Peers and rules of NetworkPolicies, as text. */}}

{{/* pods of this release: (dict "root" $ "components" (list "core-web")) */}}
{{- define "etebar.peer" -}}
podSelector:
  matchLabels:
    app.kubernetes.io/name: etebar
    app.kubernetes.io/instance: {{ .root.Release.Name }}
  matchExpressions:
    - {key: app.kubernetes.io/component, operator: In, values: [{{ .components | join ", " }}]}
{{- end }}

{{/* one rule of traffic between pods of this release: (dict "root" $ "direction" "to" "components" (list ...) "port" 9000) */}}
{{- define "etebar.rule" -}}
- {{ .direction }}:
    - {{- include "etebar.peer" . | nindent 6 }}
  ports:
    - {protocol: TCP, port: {{ .port }}}
{{- end }}

{{- define "etebar.dnsRule" -}}
- to:
    {{- toYaml .Values.networkPolicy.dns | nindent 4 }}
  ports:
    - {protocol: UDP, port: {{ .Values.networkPolicy.dnsPort }}}
    - {protocol: TCP, port: {{ .Values.networkPolicy.dnsPort }}}
{{- end }}

{{/* to a database: (dict "root" $ "database" "core") */}}
{{- define "etebar.databaseRule" -}}
{{- if .root.Values.postgresql.enabled }}
{{- include "etebar.rule" (dict "root" .root "direction" "to" "components" (list "postgresql") "port" 5432) }}
{{- else if index .root.Values.networkPolicy.externalDatabase .database -}}
- to:
    {{- toYaml (index .root.Values.networkPolicy.externalDatabase .database) | nindent 4 }}
  ports:
    - {protocol: TCP, port: {{ (include "etebar.database" . | fromJson).port }}}
{{- end }}
{{- end }}

{{- define "etebar.redisRule" -}}
{{- if .Values.redis.enabled }}
{{- include "etebar.rule" (dict "root" . "direction" "to" "components" (list "redis") "port" 6379) }}
{{- else if .Values.networkPolicy.externalRedis -}}
- to:
    {{- toYaml .Values.networkPolicy.externalRedis | nindent 4 }}
  ports:
    - {protocol: TCP, port: {{ .Values.externalRedis.port }}}
{{- end }}
{{- end }}

{{/* a policy for one component: (dict "root" $ "component" "settlement" "ingress" <rules> "egress" <rules>) */}}
{{- define "etebar.networkPolicy" -}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ .component }}
  labels:
    {{- include "etebar.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "etebar.selectorLabels" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  {{- if trim (.ingress | default "") }}
  ingress:
    {{- .ingress | trim | nindent 4 }}
  {{- end }}
  {{- if trim (.egress | default "") }}
  egress:
    {{- .egress | trim | nindent 4 }}
  {{- end }}
{{- end }}

{{/* to the API server: the peers of values, or else the addresses behind the Service `kubernetes` */}}
{{- define "etebar.kubernetesApiRule" -}}
{{- $peers := .Values.networkPolicy.kubernetesApi -}}
{{- $ports := .Values.networkPolicy.kubernetesApiPorts -}}
{{- if not $peers }}
{{- range (lookup "discovery.k8s.io/v1" "EndpointSlice" "default" "").items | default list }}
{{- if eq (index (.metadata.labels | default dict) "kubernetes.io/service-name" | default "") "kubernetes" }}
{{- $bits := ternary 128 32 (eq .addressType "IPv6") -}}
{{- range .endpoints }}{{ range .addresses }}
{{- $peers = append $peers (dict "ipBlock" (dict "cidr" (printf "%s/%d" . $bits))) }}
{{- end }}{{ end }}
{{- range .ports }}{{ $ports = append $ports (int .port) }}{{ end }}
{{- end }}
{{- end }}
{{- end }}
{{- if $peers -}}
- to:
    {{- toYaml $peers | nindent 4 }}
  ports:
    {{- range $ports | uniq }}
    - {protocol: TCP, port: {{ . | int }}}
    {{- end }}
{{- end }}
{{- end }}
