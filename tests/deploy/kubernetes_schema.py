# SPDX-License-Identifier: Apache-2.0
"""Strict schemas of the kinds that deploy/kubernetes uses, after the Kubernetes API reference
(v1.30) and that of the Prometheus operator. Only fields in use are here: a new one is added
with its type, so that a mistyped one is refused, where the API server would only warn."""

TEXT = {"type": "string", "minLength": 1}
NAME = {"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"}
FLAG = {"type": "boolean"}
COUNT = {"type": "integer", "minimum": 0}
PORT = {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 65535},
                  {"type": "string", "pattern": "^[a-z0-9-]{1,15}$"}]}
PATH = {"type": "string", "pattern": "^/"}
DURATION = {"type": "string", "pattern": r"^\d+(ms|s|m|h)$"}
CPU = {"type": "string", "pattern": r"^\d+m?$"}
BYTES = {"type": "string", "pattern": r"^\d+(Ki|Mi|Gi)$"}
LABELS = {"type": "object", "additionalProperties": {"type": "string", "maxLength": 63}}


def record(fields, required=()):
    return {"type": "object", "properties": fields, "required": list(required),
            "additionalProperties": False}


def rows(item, least=1):
    return {"type": "array", "items": item, "minItems": least}


def words(*allowed):
    return {"enum": list(allowed)}


def kind(api_version, name, namespaced=True, **fields):
    metadata = {"name": NAME, "labels": LABELS}
    required = ["name"]
    if namespaced:
        metadata["namespace"] = NAME
        required.append("namespace")
    return record({"apiVersion": {"const": api_version}, "kind": {"const": name},
                   "metadata": record(metadata, required), **fields},
                  ["apiVersion", "kind", "metadata", *fields])


SELECTOR = record({"matchLabels": LABELS}, ["matchLabels"])
PROFILE = record({"type": words("RuntimeDefault", "Unconfined", "Localhost")}, ["type"])
PROBE = record({"httpGet": record({"path": PATH, "port": PORT}, ["path", "port"]),
                "periodSeconds": COUNT, "initialDelaySeconds": COUNT, "timeoutSeconds": COUNT,
                "failureThreshold": COUNT}, ["httpGet"])
RESOURCES = record({"cpu": CPU, "memory": BYTES})
# Names without CAP_: with it, runtimes give nothing and say nothing.
CAPABILITY = {"type": "string", "pattern": "^(?!CAP_)[A-Z_]+$"}
CONTAINER_SECURITY = record({
    "runAsUser": COUNT, "runAsGroup": COUNT, "privileged": FLAG,
    "allowPrivilegeEscalation": FLAG, "readOnlyRootFilesystem": FLAG,
    "appArmorProfile": PROFILE, "seccompProfile": PROFILE,
    "capabilities": record({"drop": rows(CAPABILITY), "add": rows(CAPABILITY)})})
CONTAINER = record({
    "name": NAME, "image": TEXT, "imagePullPolicy": words("Always", "IfNotPresent", "Never"),
    "command": rows(TEXT), "args": rows(TEXT),
    "ports": rows(record({"name": PORT, "containerPort": PORT,
                          "protocol": words("TCP", "UDP", "SCTP")}, ["containerPort"])),
    "readinessProbe": PROBE, "livenessProbe": PROBE,
    "resources": record({"requests": RESOURCES, "limits": RESOURCES}),
    "securityContext": CONTAINER_SECURITY,
    "volumeMounts": rows(record({"name": NAME, "mountPath": PATH, "readOnly": FLAG},
                                ["name", "mountPath"]))}, ["name", "image"])
VOLUME = {"oneOf": [
    record({"name": NAME, "configMap": record({"name": NAME, "defaultMode": COUNT}, ["name"])},
           ["name", "configMap"]),
    record({"name": NAME, "hostPath": record(
        {"path": PATH, "type": words("", "Directory", "DirectoryOrCreate", "File",
                                     "FileOrCreate", "Socket")}, ["path"])},
           ["name", "hostPath"])]}
POD = record({
    "serviceAccountName": NAME, "automountServiceAccountToken": FLAG, "hostPID": FLAG,
    "hostNetwork": FLAG, "enableServiceLinks": FLAG, "priorityClassName": NAME,
    "terminationGracePeriodSeconds": COUNT, "nodeSelector": LABELS,
    "tolerations": rows(record({"key": TEXT, "operator": words("Exists", "Equal"), "value": TEXT,
                                "effect": words("NoSchedule", "PreferNoSchedule", "NoExecute")})),
    "securityContext": record({"seccompProfile": PROFILE}),
    "containers": rows(CONTAINER), "volumes": rows(VOLUME)}, ["containers"])
RELABELING = record({
    "sourceLabels": rows({"type": "string", "pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$"}),
    "targetLabel": TEXT, "replacement": TEXT, "regex": TEXT,
    "action": words("replace", "keep", "drop", "labeldrop", "labelkeep", "labelmap")})

KINDS = {
    "Namespace": kind("v1", "Namespace", namespaced=False),
    "ServiceAccount": kind("v1", "ServiceAccount", automountServiceAccountToken=FLAG),
    "ConfigMap": kind("v1", "ConfigMap", data={
        "type": "object", "minProperties": 1, "additionalProperties": False,
        "patternProperties": {r"^[-._a-zA-Z0-9]{1,253}$": {"type": "string"}}}),
    "DaemonSet": kind("apps/v1", "DaemonSet", spec=record({
        "selector": SELECTOR,
        "updateStrategy": record({"type": words("RollingUpdate", "OnDelete"),
                                  "rollingUpdate": record({"maxUnavailable": {
                                      "anyOf": [COUNT, {"type": "string",
                                                        "pattern": r"^\d+%$"}]}})}),
        "template": record({"metadata": record({"labels": LABELS}, ["labels"]), "spec": POD},
                           ["metadata", "spec"])}, ["selector", "template"])),
    "NetworkPolicy": kind("networking.k8s.io/v1", "NetworkPolicy", spec=record({
        "podSelector": SELECTOR, "policyTypes": rows(words("Ingress", "Egress")),
        "ingress": rows(record({
            "from": rows(record({"namespaceSelector": SELECTOR})),
            "ports": rows(record({"protocol": words("TCP", "UDP", "SCTP"), "port": PORT}))})),
        "egress": {"type": "array", "maxItems": 0}}, ["podSelector"])),
    "PodMonitor": kind("monitoring.coreos.com/v1", "PodMonitor", spec=record({
        "selector": SELECTOR, "sampleLimit": COUNT,
        "podMetricsEndpoints": rows(record({
            "port": PORT, "path": PATH, "interval": DURATION, "honorLabels": FLAG,
            "relabelings": rows(RELABELING)}))}, ["selector", "podMetricsEndpoints"])),
}
