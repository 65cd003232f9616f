{{- define "upload-broker.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 40 characters, so that the names of all objects fit in 63 with their suffixes. */}}
{{- define "upload-broker.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "upload-broker.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "upload-broker.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The labels by which objects select pods: they never change. */}}
{{- define "upload-broker.selector" -}}
app.kubernetes.io/name: {{ include "upload-broker.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "upload-broker.labels" -}}
{{ include "upload-broker.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "upload-broker.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "upload-broker.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "upload-broker.fullname" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end -}}

{{/* The text of a setting. Large numbers of a values file reach the chart as floating point. */}}
{{- define "upload-broker.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- printf "%.0f" . -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end -}}

{{- define "upload-broker.settings" -}}
{{- range $name, $value := .Values.settings }}
{{ $name }}: {{ include "upload-broker.text" $value | quote }}
{{- end }}
{{- end -}}

{{- define "upload-broker.rulesConfigMap" -}}
{{- with .Values.processingRules -}}
{{- if .existingConfigMap -}}
{{ .existingConfigMap }}
{{- else if .toml -}}
{{ include "upload-broker.fullname" $ }}-rules
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "upload-broker.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "upload-broker.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "upload-broker.servicePort" -}}
{{- .Values.service.port | default (ternary 443 80 (not (empty .Values.tls.existingSecret))) -}}
{{- end -}}
