{{/* What the three CustomResourceDefinitions share. */}}

{{- define "etebar.crdMetadata" -}}
name: {{ .plural }}.etebar.dev
labels:
  {{- include "etebar.labels" (dict "root" .root "component" "crds") | nindent 2 }}
annotations:
  # objects outlive the release: without their definition they would be gone
  helm.sh/resource-policy: keep
{{- end }}

{{- define "etebar.crdAmount" -}}
type: string
maxLength: 21
pattern: ^(0|[1-9][0-9]{0,17})(\.[0-9]{1,2})?$
{{- end }}

{{- define "etebar.crdConditions" -}}
type: array
description: What is so now, by type.
x-kubernetes-list-type: map
x-kubernetes-list-map-keys: [type]
items:
  type: object
  required: [type, status, reason, lastTransitionTime]
  properties:
    type: {type: string, maxLength: 64, description: What is so or not.}
    status: {type: string, enum: ["True", "False", Unknown], description: Whether it is so.}
    reason: {type: string, maxLength: 128, description: Why, in one word for programs.}
    message: {type: string, maxLength: 2048, description: "Why, in a sentence for people."}
    observedGeneration: {type: integer, format: int64, description: The generation of the object that it was found for.}
    lastTransitionTime: {type: string, format: date-time, description: When the status last changed.}
{{- end }}
