{{/* What all components share: prometheus, grafana, collector. */}}

{{- define "observability.selectorLabels" -}}
app.kubernetes.io/name: etebar-observability
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "observability.labels" -}}
{{ include "observability.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* <release>-prometheus and so on: other things may be in the namespace */}}
{{- define "observability.name" -}}
{{ printf "%s-%s" .root.Release.Name .component | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* the head of every pod's spec: (dict "root" $ "component" "grafana" "user" 472 "token" false) */}}
{{- define "observability.podSpec" -}}
serviceAccountName: {{ include "observability.name" . }}
automountServiceAccountToken: {{ .token | default false }}
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user }}
  runAsGroup: {{ .user }}
  fsGroup: {{ .user }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .root.Values.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "observability.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{- define "observability.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "observability.name" . }}
  labels:
    {{- include "observability.labels" . | nindent 4 }}
automountServiceAccountToken: false
{{- end }}

{{/* one pod, which keeps what it knows to itself: (dict "root" $ "component" "grafana" "checksum" <text>) */}}
{{- define "observability.deploymentHead" -}}
replicas: 1
revisionHistoryLimit: 3
# two at once would write to one volume
strategy:
  type: Recreate
selector:
  matchLabels:
    {{- include "observability.selectorLabels" . | nindent 4 }}
{{- end }}

{{/* a file of this chart, with the installation's own address of the runbooks: (dict "root" $ "path" "files/...") */}}
{{- define "observability.file" -}}
{{- .root.Files.Get .path | replace "https://github.com/etebar/etebar/blob/main/docs/runbooks/" .root.Values.rules.runbookBase }}
{{- end }}

{{/* name -> text of the rule files */}}
{{- define "observability.rules" -}}
{{- range $path, $_ := .Files.Glob "files/rules/*.yaml" }}
{{ base $path }}: |
  {{- include "observability.file" (dict "root" $ "path" $path) | nindent 2 }}
{{- end }}
{{- end }}

{{/* what a target is called, whoever scrapes it: (dict "source" "source_labels" "target" "target_label"), or as the operator spells them */}}
{{- define "observability.relabelings" -}}
{{- $source := .source -}}
{{- $target := .target -}}
- {action: keep, {{ $source }}: [__meta_kubernetes_pod_label_app_kubernetes_io_part_of], regex: etebar}
- {action: drop, {{ $source }}: [__meta_kubernetes_pod_phase], regex: (Failed|Succeeded)}
- {action: keep, {{ $source }}: [__meta_kubernetes_pod_container_port_name], regex: "metrics.*"}
- {action: replace, {{ $source }}: [__meta_kubernetes_namespace], {{ $target }}: namespace}
- {action: replace, {{ $source }}: [__meta_kubernetes_pod_name], {{ $target }}: pod}
- {action: replace, {{ $source }}: [__meta_kubernetes_pod_container_name], {{ $target }}: container}
- {action: replace, {{ $source }}: [__meta_kubernetes_pod_label_app_kubernetes_io_instance], {{ $target }}: release}
- {action: replace, {{ $source }}: [__meta_kubernetes_pod_label_app_kubernetes_io_component], {{ $target }}: component}
- {action: replace, {{ $source }}: [__meta_kubernetes_pod_label_app_kubernetes_io_component], {{ $target }}: job}
{{- end }}
