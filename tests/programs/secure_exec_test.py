#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's ssh-agent is setgid, and the loader then takes a preload only by bare name, from its own
directories, and with the setuid bit (ld.so(8)). Installed so it fences ssh-agent, if a policy at
the trusted place allows it.

In a mount namespace, so that nothing of the machine changes: the loader's directory is overlaid.
"""

import contextlib
import os
import pathlib
import shutil
import subprocess
import unittest

import harness
import pagewarden
from coverage import openssh_keys

AGENT = pathlib.Path("/usr/bin/ssh-agent")
POLICY = harness.BUILD / "policies" / "ssh-agent.yaml"
AS_ITS_GROUP = ["setpriv", "--regid=_ssh", "--clear-groups"]
NAMESPACE = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", """
libraries=$1 trusted=$2; shift 2
mount -t overlay overlay -o lowerdir="$libraries":/usr/lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu
mount --bind "$trusted" /run/pagewarden
exec "$@"
""", "sh"]


def environment_under(policy):
    """What `run` sets for ssh-agent, which hands it on to the command it is given."""
    output = harness.run_checked([*AS_ITS_GROUP, *pagewarden.run_command(
        policy, [str(AGENT), "env"])])
    return dict(line.split("=", 1) for line in output.splitlines() if "=" in line)


@harness.needs_root
@unittest.skipUnless(AGENT.exists() and AGENT.stat().st_mode & 0o2000, "no setgid ssh-agent")
class SecureExecTest(unittest.TestCase):

    def setUp(self):
        self.setup_ = self.enterContext(harness.SetUp("secure-exec"))
        self.directory = self.setup_.directory

    def install(self, variables):
        """Directories with the libraries and the image, as an administrator would install them;
        and LD_PRELOAD as the loader then takes it."""
        libraries, trusted = self.directory / "libraries", self.directory / "trusted"
        libraries.mkdir()
        trusted.mkdir()
        names = []
        for library in map(pathlib.Path, variables["LD_PRELOAD"].split(":")):
            (libraries / library.name).write_bytes(library.read_bytes())
            (libraries / library.name).chmod(0o4755)
            names.append(library.name)
        shutil.copy(variables["PAGEWARDEN_IMAGE"], trusted / "policy.image")
        return libraries, trusted, ":".join(names)

    @contextlib.contextmanager
    def agent(self, policy):
        libraries, trusted, preload = self.install(environment_under(policy))
        socket = self.directory / "socket"
        command = [*NAMESPACE, libraries, trusted, "env", f"LD_PRELOAD={preload}",
                   AGENT, "-D", "-a", socket]
        with subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL,
                              preexec_fn=self.setup_.cgroup.enter) as process:
            try:
                harness.wait_until(socket.exists, "ssh-agent listens")
                yield socket
            finally:
                process.terminate()

    def shim(self):
        process, = pagewarden.audit(self.setup_.cgroup)["processes"]
        return process["shim"]

    def test_allowed(self):
        keys = openssh_keys.make_keys(self.directory)
        with self.agent(POLICY) as socket:
            environment = {**os.environ, "SSH_AUTH_SOCK": str(socket)}
            for file in keys.values():
                harness.run_checked(["ssh-add", "-q", file], env=environment)
                harness.run_checked(["ssh-add", "-T", f"{file}.pub"], env=environment)
            shim = self.shim()
        self.assertEqual((shim["policy"], shim["mode"]), ("ssh-agent-keys", "Enforce"))
        self.assertNotIn("uncovered", shim)
        self.assertGreater(shim["arenas"][0]["liveAllocations"], 0)

    def test_denied(self):
        policy = self.directory / "policy.yaml"
        text = POLICY.read_text(encoding="utf-8")
        policy.write_text(text.replace(", secureExec: Allow", ""), encoding="utf-8")
        with self.agent(policy):
            shim = self.shim()
        self.assertEqual((shim["policy"], shim["mode"], shim["arenas"]), ("", "Disabled", []))


if __name__ == "__main__":
    harness.main()
