{{/* What the processes of all roles have: the rules, certificate authorities, secrets and other variables. */}}
{{- define "upload-broker.commonEnv" -}}
{{- if include "upload-broker.rulesConfigMap" . }}
- name: BROKER_PROCESSORS_FILE
  value: /etc/upload-broker/rules/rules.toml
{{- end }}
{{- if .Values.aws.caConfigMap }}
- name: AWS_CA_BUNDLE
  value: /etc/upload-broker/aws-ca/ca.pem
{{- end }}
{{- range $name, $source := .Values.secretSettings }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $source.secret }}
      key: {{ $source.key }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "upload-broker.commonMounts" -}}
- {name: tmp, mountPath: /tmp}
{{ include "upload-broker.databaseMounts" . | trim }}
{{- if .Values.aws.caConfigMap }}
- {name: aws-ca, mountPath: /etc/upload-broker/aws-ca, readOnly: true}
{{- end }}
{{- if include "upload-broker.rulesConfigMap" . }}
- {name: rules, mountPath: /etc/upload-broker/rules, readOnly: true}
{{- end }}
{{- end -}}

{{- define "upload-broker.commonVolumes" -}}
- name: tmp
  emptyDir: {sizeLimit: 100Mi}
{{ include "upload-broker.databaseVolumes" . | trim }}
{{- if .Values.aws.caConfigMap }}
- name: aws-ca
  configMap:
    name: {{ .Values.aws.caConfigMap }}
{{- end }}
{{- with include "upload-broker.rulesConfigMap" . }}
- name: rules
  configMap:
    name: {{ . }}
{{- end }}
{{- end -}}

{{/* The pods of a role that a drain of nodes may stop at the same time. Takes what a Deployment takes. */}}
{{- define "upload-broker.podDisruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "upload-broker.fullname" .root }}-{{ .component }}
  labels:
    {{- include "upload-broker.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  maxUnavailable: {{ .role.podDisruptionBudget.maxUnavailable }}
  # A pod that is not ready does not stop the drain of its node.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "upload-broker.selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
{{- end -}}
