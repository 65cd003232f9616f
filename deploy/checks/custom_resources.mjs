// Validates custom resources: JSON lines of objects on standard input; a line for each fault on standard output.
//
// The models of the operators know required members, types and patterns. Unknown members are found by the
// TypeScript compiler instead: see lib/custom_resources.py.
import { ScaledObject, TriggerAuthentication } from "@kubernetes-models/keda/keda.sh/v1alpha1";
import { PrometheusRule, ServiceMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";

const MODELS = { PrometheusRule, ScaledObject, ServiceMonitor, TriggerAuthentication };

let text = "";
for await (const chunk of process.stdin) text += chunk;
for (const line of text.split("\n").filter(Boolean)) {
  const object = JSON.parse(line);
  const where = `${object.kind} ${object.metadata?.name}`;
  const Model = MODELS[object.kind];
  try {
    if (Model === undefined) throw new Error("no model of this kind; add it to deploy/checks/custom_resources.mjs");
    if (object.apiVersion !== Model.apiVersion) throw new Error(`apiVersion must be ${Model.apiVersion}`);
    new Model(object).validate();
  } catch (fault) {
    console.log(`${where}: ${fault.message.replaceAll("\n", "; ")}`);
  }
}
