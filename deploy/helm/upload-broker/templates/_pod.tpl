{{/*
The Deployment of one role. Takes `root`, `component` (its name), `role` (its values), `args`, `port`,
`scaled` (whether an autoscaler sets the number of replicas), `env`, `mounts` and `volumes`, which are lists.
*/}}
{{- define "upload-broker.deployment" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- $tls := and (eq .component "http") $values.tls.existingSecret -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "upload-broker.fullname" $root }}-{{ .component }}
  labels:
    {{- include "upload-broker.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  {{- if not .scaled }}
  replicas: {{ .role.replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  selector:
    matchLabels:
      {{- include "upload-broker.selector" $root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
  strategy:
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  template:
    metadata:
      annotations:
        checksum/settings: {{ include "upload-broker.settings" $root | sha256sum }}
        checksum/rules: {{ $values.processingRules.toml | sha256sum }}
        {{- with .role.pod.annotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      labels:
        {{- with .role.pod.labels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- include "upload-broker.selector" $root | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
    spec:
      serviceAccountName: {{ include "upload-broker.serviceAccount" $root }}
      # The pods do not use the Kubernetes API. The token of IRSA is a volume of its own.
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ add .role.shutdownSeconds 10 }}
      {{- with $values.image.pullSecrets }}
      imagePullSecrets:
        {{- range . }}
        - name: {{ . }}
        {{- end }}
      {{- end }}
      securityContext:
        {{- include "upload-broker.podSecurity" $root | nindent 8 }}
      containers:
        - name: {{ .component }}
          image: {{ include "upload-broker.image" $root | quote }}
          imagePullPolicy: {{ $values.image.pullPolicy }}
          # No command: the entry point of the image starts tini, which collects the processes of ended jobs.
          args: {{ toJson .args }}
          securityContext:
            {{- include "upload-broker.containerSecurity" $root | nindent 12 }}
          ports:
            - name: http
              containerPort: {{ .port }}
            - name: metrics
              containerPort: 9090
          envFrom:
            - configMapRef:
                name: {{ include "upload-broker.fullname" $root }}
          env:
            {{- include "upload-broker.databaseEnv" $root | nindent 12 }}
            - name: BROKER_MIGRATE
              value: "false"
            - name: BROKER_METRICS_BIND
              value: 0.0.0.0:9090
            - name: BROKER_SHUTDOWN_SECONDS
              value: {{ .role.shutdownSeconds | quote }}
            {{- with .env }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
            {{- if $tls }}
            - name: BROKER_TLS_CERT
              value: /etc/upload-broker/tls/tls.crt
            - name: BROKER_TLS_KEY
              value: /etc/upload-broker/tls/tls.key
            {{- end }}
            {{- with include "upload-broker.commonEnv" $root | trim }}
            {{- nindent 12 . }}
            {{- end }}
          startupProbe:
            httpGet: {path: /livez, port: http, scheme: {{ ternary "HTTPS" "HTTP" (not (empty $tls)) }}}
            periodSeconds: 2
            failureThreshold: 60
          livenessProbe:
            httpGet: {path: /livez, port: http, scheme: {{ ternary "HTTPS" "HTTP" (not (empty $tls)) }}}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 3
          # A pod that cannot reach Postgres or S3 gets no requests, but is not restarted.
          readinessProbe:
            httpGet: {path: /readyz, port: http, scheme: {{ ternary "HTTPS" "HTTP" (not (empty $tls)) }}}
            periodSeconds: 5
            timeoutSeconds: 10
            failureThreshold: 2
          {{- with .role.resources }}
          resources:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          volumeMounts:
            {{- include "upload-broker.commonMounts" $root | trim | nindent 12 }}
            {{- if $tls }}
            - {name: tls, mountPath: /etc/upload-broker/tls, readOnly: true}
            {{- end }}
            {{- with .mounts }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
      volumes:
        {{- include "upload-broker.commonVolumes" $root | trim | nindent 8 }}
        {{- if $tls }}
        - name: tls
          secret:
            secretName: {{ $values.tls.existingSecret }}
            # Only the broker, which is in the group of the volume, may read the key.
            defaultMode: 0440
        {{- end }}
        {{- with .volumes }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with .role.pod.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .role.pod.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .role.pod.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .role.pod.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      topologySpreadConstraints:
        {{- if .role.pod.topologySpreadConstraints }}
        {{- toYaml .role.pod.topologySpreadConstraints | nindent 8 }}
        {{- else }}
        {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
        - topologyKey: {{ . }}
          maxSkew: 1
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "upload-broker.selector" $root | nindent 14 }}
              app.kubernetes.io/component: {{ $.component }}
        {{- end }}
        {{- end }}
{{- end -}}
