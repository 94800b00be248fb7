{{/* What the schema cannot say: values that only make sense together. Fails with the keys' names. */}}
{{- define "etebar.validate" -}}
{{- $wrong := list -}}
{{- if eq (include "etebar.tag" .) "latest" }}
{{- $wrong = append $wrong "image.tag: `latest` names no version" }}
{{- end }}
{{- if not .Values.postgresql.enabled }}
{{- range $database := list "core" "settlement" }}
{{- if not (index $.Values.externalDatabase $database).host }}
{{- $wrong = append $wrong (printf "externalDatabase.%s.host: is empty; name PostgreSQL's host, or set postgresql.enabled=true (for trials)" $database) }}
{{- end }}
{{- end }}
{{- if and (hasPrefix "verify" .Values.externalDatabase.sslMode) (not .Values.externalDatabase.caSecret) }}
{{- $wrong = append $wrong (printf "externalDatabase.caSecret: is empty; sslMode %s needs the Secret whose ca.crt signed the database's certificate" .Values.externalDatabase.sslMode) }}
{{- end }}
{{- end }}
{{- if and (not .Values.redis.enabled) (not .Values.externalRedis.host) }}
{{- $wrong = append $wrong "externalRedis.host: is empty; name Redis' host, or set redis.enabled=true" }}
{{- end }}
{{- if and (eq .Values.profile "production") (not .Values.settlement.bank.url) }}
{{- $wrong = append $wrong "settlement.bank.url: is empty; profile production pays through a bank, the sandbox bank pays nobody" }}
{{- end }}
{{- if and (eq .Values.profile "production") .Values.networkPolicy.loadTest }}
{{- $wrong = append $wrong "networkPolicy.loadTest: marks the release as one that may be loaded and cleared; profile production never is" }}
{{- end }}
{{- if and (eq .Values.profile "production") .Values.postgresql.enabled }}
{{- $wrong = append $wrong "postgresql.enabled: the PostgreSQL of the release has no replica and no backup; profile production needs externalDatabase" }}
{{- end }}
{{- if and (eq .Values.profile "production") (hasPrefix "http://" .Values.settlement.bank.url) }}
{{- $wrong = append $wrong "settlement.bank.url: begins with http://; profile production sends the bank's token by https:// only" }}
{{- end }}
{{- if has (int .Values.metrics.port) (list 6432 8000 8001 8080 9000 9121 9127 9187) }}
{{- $wrong = append $wrong (printf "metrics.port: %d is the port of something else in the same pod; choose another, as 9464" (int .Values.metrics.port)) }}
{{- end }}
{{- if lt (int .Values.core.web.shutdownSeconds) (add (ceil .Values.core.settleDeadlineSeconds) 2 | int) }}
{{- $wrong = append $wrong "core.web.shutdownSeconds: is too short; a withdrawal under way may take core.settleDeadlineSeconds and 2 more" }}
{{- end }}
{{- if lt (int .Values.settlement.shutdownSeconds) (ceil .Values.settlement.bank.timeoutSeconds | int) }}
{{- $wrong = append $wrong "settlement.shutdownSeconds: is too short; a payout under way may take settlement.bank.timeoutSeconds" }}
{{- end }}
{{- if and (eq .Values.profile "production") (has .Values.externalDatabase.sslMode (list "disable" "prefer")) }}
{{- $wrong = append $wrong (printf "externalDatabase.sslMode: %s may send passwords and the books in the clear; profile production needs require, verify-ca or verify-full" .Values.externalDatabase.sslMode) }}
{{- end }}
{{- if and .Values.settlement.bank.url (not .Values.settlement.bank.existingSecret) }}
{{- $wrong = append $wrong "settlement.bank.existingSecret: is empty; settlement.bank.url needs the Secret with the bank's token" }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
{{- $wrong = append $wrong "httpRoute.parentRefs: is empty; name the Gateway that the route belongs to" }}
{{- end }}
{{- if and .Values.ingress.tlsSecret (not .Values.public.hosts) }}
{{- $wrong = append $wrong "public.hosts: is empty; ingress.tlsSecret needs the hosts that its certificate is for" }}
{{- end }}
{{- range $key, $networks := dict "core.trustedProxies" .Values.core.trustedProxies "core.webhooks.allowedNetworks" .Values.core.webhooks.allowedNetworks }}
{{- range $networks }}
{{- if include "etebar.hasHostBits" . }}
{{- $wrong = append $wrong (printf "%s: %s is an address and no network; write its first address, or /32 for it alone" $key .) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $component, $pod := dict "core.web" .Values.core.web "settlement" .Values.settlement }}
{{- if gt (int $pod.autoscaling.minReplicas) (int $pod.autoscaling.maxReplicas) }}
{{- $wrong = append $wrong (printf "%s.autoscaling.minReplicas: is more than maxReplicas" $component) }}
{{- end }}
{{- end }}
{{- with $wrong }}
{{- fail (printf "\n\nThese values do not go together:\n  %s\n" (join "\n  " .)) }}
{{- end }}
{{- end }}

{{/* whether an IPv4 network, as 10.0.0.5/8, does not begin where it says; of IPv6, core says so itself */}}
{{- define "etebar.hasHostBits" -}}
{{- $parts := splitList "/" . -}}
{{- if and (contains "." .) (eq (len $parts) 2) }}
{{- $number := 0 }}{{ range splitList "." (first $parts) }}{{ $number = add (mul $number 256) (int .) }}{{ end }}
{{- $size := 1 }}{{ range until (int (sub 32 (int (last $parts)))) }}{{ $size = mul $size 2 }}{{ end }}
{{- if mod $number $size }}true{{ end }}
{{- end }}
{{- end }}

{{/* What may be meant, but rarely is: a list of sentences for NOTES.txt. */}}
{{- define "etebar.warnings" -}}
{{- $said := list -}}
{{- $policy := .Values.networkPolicy -}}
{{- if not $policy.enabled }}
{{- $said = append $said "networkPolicy.enabled is off: whoever reaches this cluster's pods reaches settlement and the databases." }}
{{- else }}
{{- range list "core" "settlement" }}
{{- if and (not $.Values.postgresql.enabled) (not (index $policy.externalDatabase .)) }}
{{- $said = append $said (printf "networkPolicy.externalDatabase.%s is empty: no pod reaches that database." .) }}
{{- end }}
{{- end }}
{{- if and .Values.tracing.endpoint (not $policy.tracing) }}
{{- $said = append $said "networkPolicy.tracing is empty: no pod reaches the collector of tracing.endpoint." }}
{{- end }}
{{- if and (not .Values.redis.enabled) (not $policy.externalRedis) }}
{{- $said = append $said "networkPolicy.externalRedis is empty: no pod reaches Redis." }}
{{- end }}
{{- if and .Values.settlement.bank.url (not $policy.bank) }}
{{- $said = append $said "networkPolicy.bank is empty: settlement does not reach the bank, and every payout stays pending." }}
{{- end }}
{{- with urlParse .Values.settlement.bank.url }}
{{- $port := regexFind "[0-9]+$" (regexFind ":[0-9]+$" .host) | default (ternary "443" "80" (eq .scheme "https")) }}
{{- if and .host (not (has $port (toStrings $policy.bankPorts))) }}
{{- $said = append $said (printf "networkPolicy.bankPorts: has no %s, which settlement.bank.url has; unless a Service translates it, settlement does not reach the bank." $port) }}
{{- end }}
{{- end }}
{{- if and .Values.operator.enabled (not (include "etebar.kubernetesApiRule" .)) }}
{{- $said = append $said "networkPolicy.kubernetesApi is empty, and the cluster told no address: the operator does not reach the API server." }}
{{- end }}
{{- end }}
{{- if and .Values.operator.enabled (eq .Values.profile "production") (or (has "*" .Values.operator.watchNamespaces) (has .Release.Namespace (include "etebar.operatorNamespaces" . | fromYamlArray))) }}
{{- $said = append $said "operator.watchNamespaces: the operator may read the Secrets of this namespace, the databases' passwords too; name namespaces of the merchants' own." }}
{{- end }}
{{- if and (or .Values.ingress.enabled .Values.httpRoute.enabled) (not .Values.core.trustedProxies) }}
{{- $said = append $said "core.trustedProxies is empty: everybody comes from the proxy's address, and shares its rate limits." }}
{{- end }}
{{- if not .Values.postgresql.enabled }}
{{- range list "walletOwner" "walletApplication" "settlementOwner" "settlementApplication" }}
{{- if not (index $.Values.secrets .).existingSecret }}
{{- $said = append $said (printf "secrets.%s.existingSecret is empty: your database must be told the password that was made here." .) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and (not .Values.redis.enabled) (not .Values.secrets.redis.existingSecret) }}
{{- $said = append $said "secrets.redis.existingSecret is empty: your Redis must be told the password that was made here." }}
{{- end }}
{{- $said | toYaml }}
{{- end }}
