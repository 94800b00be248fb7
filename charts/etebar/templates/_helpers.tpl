{{/* What all components share. A component is named by app.kubernetes.io/component; its objects have that name. */}}

{{- define "etebar.selectorLabels" -}}
app.kubernetes.io/name: etebar
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "etebar.labels" -}}
{{ include "etebar.selectorLabels" . }}
app.kubernetes.io/version: {{ include "etebar.tag" .root | trunc 63 | trimAll "-_." | quote }}
app.kubernetes.io/part-of: etebar
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* of pods: nothing that changes with the version, for that would restart databases */}}
{{- define "etebar.podLabels" -}}
{{ include "etebar.selectorLabels" . }}
app.kubernetes.io/part-of: etebar
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "etebar.tag" -}}
{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* image and pull policy of a container: (dict "root" $ "name" "core") */}}
{{- define "etebar.image" -}}
{{- $registry := .root.Values.image.registry -}}
image: {{ with $registry }}{{ . | trimSuffix "/" }}/{{ end }}etebar-{{ .name }}:{{ index .root.Values.image.tags .name | default (include "etebar.tag" .root) }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
{{- end }}

{{/* annotations of a pod: of all pods, of this component's, and the checksums that roll it */}}
{{- define "etebar.podAnnotations" -}}
{{- $annotations := merge (dict) (.own | default dict) .root.Values.podAnnotations -}}
{{- range $name, $text := .checksums }}
{{- $_ := set $annotations (printf "checksum/%s" $name) ($text | sha256sum | trunc 16) }}
{{- end }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* the head of every pod's spec: (dict "root" $ "component" "settlement" "pod" .Values.settlement) */}}
{{- define "etebar.podSpec" -}}
serviceAccountName: {{ .account | default .component }}
automountServiceAccountToken: {{ .token | default false }}
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .pod.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .pod.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .pod.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if and .spread .root.Values.topologySpread.enabled }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: {{ .root.Values.topologySpread.topologyKey }}
    whenUnsatisfiable: {{ .root.Values.topologySpread.whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- include "etebar.selectorLabels" . | nindent 8 }}
    # of one revision only: else a rollout is placed around the pods that it replaces
    matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end }}

{{- define "etebar.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{- define "etebar.temporaryVolume" -}}
- name: tmp
  emptyDir:
    medium: Memory
    sizeLimit: 64Mi
{{- end }}

{{/* a ServiceAccount without rights: it keeps components apart */}}
{{- define "etebar.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .component }}
  labels:
    {{- include "etebar.labels" . | nindent 4 }}
automountServiceAccountToken: false
{{- end }}

{{- define "etebar.podDisruptionBudget" -}}
{{- if .root.Values.podDisruptionBudget.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .component }}
  labels:
    {{- include "etebar.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ .root.Values.podDisruptionBudget.maxUnavailable }}
  # a pod that does not serve anyway never keeps a node from being drained
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "etebar.selectorLabels" . | nindent 6 }}
{{- end }}
{{- end }}

{{- define "etebar.autoscaler" -}}
{{- if .pod.autoscaling.enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ .component }}
  labels:
    {{- include "etebar.labels" . | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ .component }}
  minReplicas: {{ .pod.autoscaling.minReplicas }}
  maxReplicas: {{ .pod.autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ .pod.autoscaling.targetCPUUtilizationPercentage }}
{{- end }}
{{- end }}

{{/* a rollout never has fewer pods than asked for */}}
{{- define "etebar.rollingUpdate" -}}
strategy:
  type: RollingUpdate
  rollingUpdate:
    maxUnavailable: 0
    maxSurge: 1
{{- end }}

{{/* where the databases are: (dict "root" $ "database" "core") as JSON with host, port, name, sslMode, caSecret */}}
{{- define "etebar.database" -}}
{{- if .root.Values.postgresql.enabled -}}
{{- $name := ternary "walletdb" "settlementdb" (eq .database "core") -}}
{{- dict "host" "postgresql" "port" 5432 "name" $name "sslMode" "disable" "caSecret" "" | toJson }}
{{- else -}}
{{- $external := .root.Values.externalDatabase -}}
{{- $own := index $external .database -}}
{{- dict "host" $own.host "port" (int $own.port) "name" $own.name "sslMode" $external.sslMode "caSecret" $external.caSecret | toJson }}
{{- end }}
{{- end }}

{{/* environment of a direct connection to a database */}}
{{- define "etebar.databaseEnv" -}}
{{- $database := include "etebar.database" . | fromJson -}}
DB_HOST: {{ $database.host | quote }}
DB_PORT: {{ $database.port | toString | quote }}
DB_NAME: {{ $database.name | quote }}
DB_SSLMODE: {{ $database.sslMode }}
{{- if $database.caSecret }}
DB_SSLROOTCERT: /run/secrets/database-ca/ca.crt
{{- end }}
{{- end }}

{{- define "etebar.databaseCaMount" -}}
{{- with (include "etebar.database" . | fromJson).caSecret }}
- name: database-ca
  mountPath: /run/secrets/database-ca
  readOnly: true
{{- end }}
{{- end }}

{{- define "etebar.databaseCaVolume" -}}
{{- with (include "etebar.database" . | fromJson).caSecret }}
- name: database-ca
  secret:
    secretName: {{ . }}
    items: [{key: ca.crt, path: ca.crt}]
{{- end }}
{{- end }}
