#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""deploy/kubernetes: manifests that are valid, fit each other and give no more than is needed."""

import copy
import os
import pathlib
import subprocess
import tempfile
import unittest

import jsonschema
import yaml

from kubernetes_schema import KINDS

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PAGEWARDEN_BUILD", ROOT / "build"))
DIRECTORY = ROOT / "deploy" / "kubernetes"
YAMLLINT = ("{extends: default, rules: {document-start: disable, line-length: {max: 100}, "
            "comments: {min-spaces-from-content: 1}}}")


def manifests():
    """All documents, by kind; there is one of each."""
    found = {}
    for path in sorted(DIRECTORY.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            assert document["kind"] not in found
            found[document["kind"]] = document
    return found


def errors(document):
    validator = jsonschema.Draft7Validator(KINDS[document["kind"]])
    return [f"{list(error.absolute_path)}: {error.message}"
            for error in validator.iter_errors(document)]


def keys(node, path=()):
    """The path of every key of a map with fields of its own, not of labels or data."""
    if isinstance(node, dict) and path[-1:] not in (
            ("labels",), ("matchLabels",), ("nodeSelector",), ("data",)):
        for key, value in node.items():
            yield path + (key,)
            yield from keys(value, path + (key,))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from keys(value, path + (index,))


def mistyped(document, path):
    """A copy in which the last letter of the key at `path` is missing."""
    changed = copy.deepcopy(document)
    node = changed
    for step in path[:-1]:
        node = node[step]
    node[path[-1][:-1]] = node.pop(path[-1])
    return changed


class Manifests(unittest.TestCase):
    def setUp(self):
        self.all = manifests()

    def test_yamllint(self):
        done = subprocess.run(["yamllint", "--strict", "-d", YAMLLINT, str(DIRECTORY)],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_schemas_are_schemas(self):
        for schema in KINDS.values():
            jsonschema.Draft7Validator.check_schema(schema)

    def test_each_fits_its_schema(self):
        self.assertEqual(set(self.all), set(KINDS))
        for name, document in self.all.items():
            self.assertEqual(errors(document), [], name)

    def test_every_mistyped_key_is_refused(self):
        tried = 0
        for name, document in self.all.items():
            for path in keys(document):
                if path == ("kind",):
                    continue
                tried += 1
                self.assertTrue(errors(mistyped(document, path)), f"{name} {path}")
        self.assertGreater(tried, 150)

    def test_wrong_types_are_refused(self):
        daemon_set = self.all["DaemonSet"]
        for change in [lambda c: c.update(ports="9876"),
                       lambda c: c["securityContext"].update(runAsUser="0"),
                       lambda c: c["securityContext"].update(privileged="no"),
                       lambda c: c["securityContext"]["capabilities"].update(add=["CAP_BPF"]),
                       lambda c: c["resources"]["limits"].update(memory="128MB"),
                       lambda c: c["volumeMounts"][0].update(mountPath="etc")]:
            changed = copy.deepcopy(daemon_set)
            change(changed["spec"]["template"]["spec"]["containers"][0])
            self.assertTrue(errors(changed))


class Pod(unittest.TestCase):
    def setUp(self):
        self.all = manifests()
        self.pod = self.all["DaemonSet"]["spec"]["template"]["spec"]
        (self.container,) = self.pod["containers"]

    def test_has_no_more_rights_than_it_needs(self):
        security = self.container["securityContext"]
        self.assertEqual(security["capabilities"]["drop"], ["ALL"])
        self.assertEqual(set(security["capabilities"]["add"]),
                         {"BPF", "PERFMON", "SYS_PTRACE", "DAC_READ_SEARCH"})
        self.assertTrue(security["readOnlyRootFilesystem"])
        self.assertFalse(security["privileged"] or security["allowPrivilegeEscalation"])
        self.assertFalse(self.pod["automountServiceAccountToken"] or self.pod["hostNetwork"])

    def test_mounts_what_it_declares_and_writes_to_two_directories(self):
        mounts = {mount["name"]: mount for mount in self.container["volumeMounts"]}
        self.assertEqual(set(mounts), {volume["name"] for volume in self.pod["volumes"]})
        self.assertEqual({mount["mountPath"] for mount in mounts.values()
                          if not mount.get("readOnly")},
                         {"/run/pagewarden", "/var/lib/pagewarden"})

    def test_all_speak_of_the_same_pods_port_and_names(self):
        labels = self.all["DaemonSet"]["spec"]["template"]["metadata"]["labels"]
        for selector in [self.all["DaemonSet"]["spec"]["selector"],
                         self.all["NetworkPolicy"]["spec"]["podSelector"],
                         self.all["PodMonitor"]["spec"]["selector"]]:
            self.assertEqual(selector["matchLabels"], labels)
        (port,) = self.container["ports"]
        self.assertEqual(self.container["args"], [f"--listen=0.0.0.0:{port['containerPort']}"])
        self.assertEqual(self.all["PodMonitor"]["spec"]["podMetricsEndpoints"][0]["port"],
                         port["name"])
        self.assertEqual(self.pod["serviceAccountName"],
                         self.all["ServiceAccount"]["metadata"]["name"])
        self.assertEqual(self.pod["volumes"][0]["configMap"]["name"],
                         self.all["ConfigMap"]["metadata"]["name"])


class Policies(unittest.TestCase):
    def lint(self, data):
        with tempfile.TemporaryDirectory() as directory:
            for name, text in data.items():
                pathlib.Path(directory, name).write_text(text, encoding="utf-8")
            return subprocess.run(
                [BUILD / "agent" / "pagewarden", "policy", "lint", "--strict", directory],
                capture_output=True, text=True, check=False)

    def test_drop_ins_of_the_config_map_lint_clean(self):
        done = self.lint(manifests()["ConfigMap"]["data"])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_mistyped_policy_does_not(self):
        data = {name: text.replace("matchBinaries", "matchBinary")
                for name, text in manifests()["ConfigMap"]["data"].items()}
        self.assertEqual(self.lint(data).returncode, 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
