{{/* Rules of NetworkPolicies, as text. */}}

{{- define "observability.dnsRule" -}}
- to:
    {{- toYaml .Values.networkPolicy.dns | nindent 4 }}
  ports:
    - {protocol: UDP, port: {{ .Values.networkPolicy.dnsPort }}}
    - {protocol: TCP, port: {{ .Values.networkPolicy.dnsPort }}}
{{- end }}

{{/* to the API server: the peers of values, or else the addresses behind the Service `kubernetes` */}}
{{- define "observability.kubernetesApiRule" -}}
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
