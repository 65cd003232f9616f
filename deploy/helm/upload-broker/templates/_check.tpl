{{/* Refuses values that contradict each other, with what would be right. */}}
{{- define "upload-broker.check" -}}
{{- $settings := .Values.settings -}}
{{- if not .Values.database.existingSecret -}}
{{- fail "database.existingSecret is missing: create a Secret with the key DATABASE_URL, or with the password and set database.host, and name it here" -}}
{{- end -}}
{{- if not $settings.BROKER_S3_BUCKET -}}
{{- fail "settings.BROKER_S3_BUCKET is missing: name the bucket of the uploads" -}}
{{- end -}}
{{- if ge (int .Values.http.stopDelaySeconds) (int .Values.http.shutdownSeconds) -}}
{{- fail "http.stopDelaySeconds must be less than http.shutdownSeconds: it is a part of that time" -}}
{{- end -}}
{{- if and .Values.processingRules.toml .Values.processingRules.existingConfigMap -}}
{{- fail "processingRules: set toml or existingConfigMap, not both" -}}
{{- end -}}
{{- if .Values.ingress.enabled -}}
{{- if not .Values.ingress.hosts -}}
{{- fail "ingress.hosts is empty: name the hosts of the API" -}}
{{- end -}}
{{- if not $settings.BROKER_TRUSTED_PROXIES -}}
{{- fail "settings.BROKER_TRUSTED_PROXIES is missing: list the addresses of the Ingress controller, or all clients share its address, and the broker does not know that they use TLS" -}}
{{- end -}}
{{- end -}}
{{- with .Values.http -}}
{{- if .autoscaling.enabled -}}
{{- if gt (int .autoscaling.minReplicas) (int .autoscaling.maxReplicas) -}}
{{- fail "http.autoscaling.minReplicas must be at most maxReplicas" -}}
{{- end -}}
{{- if not (dig "requests" "cpu" "" .resources) -}}
{{- fail "http.resources.requests.cpu is missing: the autoscaler compares the use of CPU with it" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with .Values.worker -}}
{{- if and .enabled (ne .autoscaling.kind "none") -}}
{{- if gt (int .autoscaling.minReplicas) (int .autoscaling.maxReplicas) -}}
{{- fail "worker.autoscaling.minReplicas must be at most maxReplicas" -}}
{{- end -}}
{{- if and (eq .autoscaling.kind "hpa") (not (dig "requests" "cpu" "" .resources)) -}}
{{- fail "worker.resources.requests.cpu is missing: the autoscaler compares the use of CPU with it" -}}
{{- end -}}
{{- if and (eq .autoscaling.kind "keda") (eq .autoscaling.keda.trigger "sqs") -}}
{{- if not (and $settings.BROKER_WORKER_QUEUE_URL $settings.AWS_REGION) -}}
{{- fail "worker.autoscaling.keda.trigger is sqs: set settings.BROKER_WORKER_QUEUE_URL and settings.AWS_REGION, or use the trigger prometheus" -}}
{{- end -}}
{{- end -}}
{{- if and (eq .autoscaling.kind "keda") (eq .autoscaling.keda.trigger "prometheus") (not .autoscaling.keda.prometheusUrl) -}}
{{- fail "worker.autoscaling.keda.prometheusUrl is missing: the trigger prometheus asks this server" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
