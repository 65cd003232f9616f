{{/* How a process reaches Postgres: all of it exists before the installation. */}}
{{- define "upload-broker.databaseEnv" -}}
{{- with .Values.database -}}
{{- if .host -}}
- name: BROKER_DB_HOST
  value: {{ .host | quote }}
- name: BROKER_DB_PORT
  value: {{ .port | quote }}
- name: BROKER_DB_NAME
  value: {{ .name | quote }}
- name: BROKER_DB_USER
  value: {{ .user | quote }}
- name: BROKER_DB_SSLMODE
  value: {{ .sslMode }}
{{- if .caConfigMap }}
- name: BROKER_DB_SSLROOTCERT
  value: /etc/upload-broker/postgres-ca/ca.pem
{{- end }}
- name: BROKER_DB_PASSWORD_FILE
  value: /etc/upload-broker/database/password
{{- else -}}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ .existingSecret }}
      key: {{ .urlKey }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "upload-broker.databaseMounts" -}}
{{- if .Values.database.caConfigMap }}
- {name: postgres-ca, mountPath: /etc/upload-broker/postgres-ca, readOnly: true}
{{- end }}
{{- if .Values.database.host }}
- {name: database, mountPath: /etc/upload-broker/database, readOnly: true}
{{- end }}
{{- end -}}

{{- define "upload-broker.databaseVolumes" -}}
{{- with .Values.database -}}
{{- if .caConfigMap }}
- name: postgres-ca
  configMap:
    name: {{ .caConfigMap }}
{{- end }}
{{- if .host }}
- name: database
  secret:
    secretName: {{ .existingSecret }}
    items:
      - {key: {{ .passwordKey }}, path: password}
    # Only the broker, which is in the group of the volume, may read the password.
    defaultMode: 0440
{{- end }}
{{- end -}}
{{- end -}}
