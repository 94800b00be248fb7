{{/* The onboarding operator's rights, in one place: what a Role in a watched namespace has, and what its own has besides. */}}

{{- define "etebar.operatorRules" -}}
- apiGroups: [etebar.dev]
  resources: [merchants, pooltopups]
  # no single one is read: what is watched is known
  verbs: [list, watch, patch]
- apiGroups: [etebar.dev]
  resources: [merchants/status, pooltopups/status]
  verbs: [patch]
# single ones, by name: never a list of all
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, create, patch]
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end }}

{{- define "etebar.operatorPoolRules" -}}
- apiGroups: [etebar.dev]
  resources: [creditpools]
  verbs: [get, create, patch]
- apiGroups: [etebar.dev]
  resources: [creditpools/status]
  verbs: [patch]
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end }}

{{- define "etebar.operatorNamespaces" -}}
{{- .Values.operator.watchNamespaces | default (list .Release.Namespace) | toYaml }}
{{- end }}
