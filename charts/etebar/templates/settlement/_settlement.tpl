{{/* what both containers of settlement's pod have */}}
{{- define "etebar.settlementContainer" -}}
{{- $settlement := .Values.settlement -}}
{{ include "etebar.image" (dict "root" . "name" "settlement") }}
{{ include "etebar.containerSecurity" . }}
envFrom:
  - configMapRef: {name: settlement}
env:
  {{- include "etebar.metricsEnv" (dict "root" . "image" "settlement") | nindent 2 }}
  - {name: INTERNAL_TOKEN_FILE, value: /run/secrets/settlement/internal-token}
  - {name: INTERNAL_TOKEN_NEXT_FILE, value: /run/secrets/settlement/internal-token-next}
  - {name: ACCOUNT_FINGERPRINT_KEY_FILE, value: /run/secrets/settlement/account-fingerprint-key}
  - {name: DB_PASSWORD_FILE, value: /run/secrets/settlement/db-password}
  {{- if $settlement.bank.url }}
  - {name: BANK_TOKEN_FILE, value: /run/secrets/bank/token}
  {{- end }}
  {{- with $settlement.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
volumeMounts:
  - {name: settlement-secrets, mountPath: /run/secrets/settlement, readOnly: true}
  - {name: tmp, mountPath: /tmp}
  {{- if $settlement.bank.url }}
  - {name: bank, mountPath: /run/secrets/bank, readOnly: true}
  {{- end }}
  {{- include "etebar.databaseCaMount" (dict "root" . "database" "settlement") | nindent 2 }}
  {{- with $settlement.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
