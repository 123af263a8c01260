# SPDX-License-Identifier: Apache-2.0
"""gpg-agent: an RSA key behind a passphrase, with which gpg decrypts."""

import re

import harness
from credentials import Secret, new_password

from .program import Program

_USER = "pagewarden@localhost"
_MESSAGES = 100
_TEXT = "fenced or not, it decrypts\n"
_AGENT = "/usr/bin/gpg-agent"
_PKCS1 = """\
asn1=SEQUENCE:key
[key]
version=INTEGER:0
n=INTEGER:{n:#x}
e=INTEGER:{e:#x}
d=INTEGER:{d:#x}
p=INTEGER:{q:#x}
q=INTEGER:{p:#x}
dmp1=INTEGER:{dmp1:#x}
dmq1=INTEGER:{dmq1:#x}
iqmp=INTEGER:{u:#x}
"""


class GpgAgent(Program):
    name = "gpg-agent"
    needs = (_AGENT, "/usr/bin/gpg", "/usr/bin/gpgconf", "/usr/bin/openssl")

    def make_secrets(self):
        self._home = self.directory / "home"
        self._home.mkdir(mode=0o700)
        # The least work for a passphrase: thousands of rounds would be most of the test.
        (self._home / "gpg-agent.conf").write_text("s2k-count 65536\n", encoding="ascii")
        self._passphrase = new_password()
        key = self._generate_key()
        self._message = self.directory / "message.asc"
        self._gpg("--trust-model", "always", "-r", _USER, "-o", self._message, "-e", input=_TEXT)
        return [Secret("RSA key", keys=(key,))]

    def _generate_key(self):
        """By an agent that is gone before the one under test starts. Its file holds the key in
        the clear until the passphrase is set."""
        self._gpg("--passphrase", "", "--quick-gen-key", _USER, "rsa2048", "encrypt", "never")
        file, = (self._home / "private-keys-v1.d").glob("*.key")
        key = self.directory / "rsa.key"
        _write_pkcs1(file.read_text(encoding="ascii"), key)
        self._gpg("--passphrase-fd", "0", "--change-passphrase", _USER,
                  input=f"{self._passphrase}\n")
        harness.run_checked(["gpgconf", "--homedir", self._home, "--kill", "gpg-agent"])
        return key

    def start(self):
        """The agent is a child of its own, and lives as long as the command it was given."""
        self.daemon([_AGENT, "--homedir", self._home, "--daemon", "--allow-loopback-pinentry",
                     "sleep", "infinity"], self._answers)

    def work(self):
        for _ in range(_MESSAGES):
            self._check_decryption()

    def reload(self):
        """The agent forgets the passphrases that it has kept."""
        harness.run_checked(["gpg-connect-agent", "--homedir", self._home, "reloadagent", "/bye"])

    def _check_decryption(self):
        text = self._gpg("--passphrase-fd", "0", "-d", self._message,
                         input=f"{self._passphrase}\n")
        if text != _TEXT:
            raise harness.HarnessError("gpg : decrypted something else")

    def _gpg(self, *words, **options):
        return harness.run_checked(["gpg", "--homedir", self._home, "--batch", "--no-tty",
                                    "--quiet", "--pinentry-mode", "loopback", *words], **options)

    def _answers(self):
        return (self._home / "S.gpg-agent").exists()


def _write_pkcs1(expression, file):
    """The S-expression of an RSA key as PKCS#1. Libgcrypt's u is the inverse of p, not of q."""
    parts = {name: int(re.sub(r"\s", "", value), 16)
             for name, value in re.findall(r"\((\w+)\s+#([0-9A-F\s]+)#\)", expression)}
    parts["dmp1"] = parts["d"] % (parts["q"] - 1)
    parts["dmq1"] = parts["d"] % (parts["p"] - 1)
    description = file.with_suffix(".asn1")
    description.write_text(_PKCS1.format(**parts), encoding="ascii")
    harness.run_checked(["openssl", "asn1parse", "-genconf", description, "-noout", "-out", file])
    file.chmod(0o600)
