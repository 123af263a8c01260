# SPDX-License-Identifier: Apache-2.0
"""Fresh secrets for the programs that the tests run."""

import dataclasses
import pathlib
import secrets

import harness

_ALGORITHMS = {
    "RSA": ["-newkey", "rsa:2048"],
    "EC": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
}


@dataclasses.dataclass(frozen=True)
class Secret:
    """What `verify` is asked for, in files: one row of the table."""

    kind: str  # "RSA key", "EC key", "password" …
    keys: tuple = ()  # private keys
    texts: tuple = ()  # passwords and the like

    @property
    def is_key(self):
        return bool(self.keys)

    def arguments(self):
        """The options of `pagewarden verify` and of `pw-count`."""
        return [*(word for file in self.keys for word in ("--secret", str(file))),
                *(word for file in self.texts for word in ("--secret-text-file", str(file)))]


@dataclasses.dataclass(frozen=True)
class Key:
    """A TLS key with its self-signed certificate."""

    kind: str
    key: pathlib.Path
    certificate: pathlib.Path

    @property
    def secret(self):
        return Secret(f"{self.kind} key", keys=(self.key,))

    def arguments(self):
        return self.secret.arguments()


def make_key(directory, kind):
    """A fresh key, "RSA" or "EC", for localhost."""
    key = Key(kind, directory / f"{kind.lower()}.key", directory / f"{kind.lower()}.crt")
    harness.run_checked(["openssl", "req", "-x509", *_ALGORITHMS[kind], "-nodes", "-days", "1",
                         "-subj", "/CN=localhost", "-addext",
                         "subjectAltName=DNS:localhost,IP:127.0.0.1",
                         "-keyout", key.key, "-out", key.certificate])
    key.key.chmod(0o600)
    return key


def make_keys(directory):
    """Both kinds: fresh RSA-2048 and P-256 keys with self-signed certificates."""
    return [make_key(directory, kind) for kind in _ALGORITHMS]


def new_password():
    """24 characters that are nowhere by chance."""
    return secrets.token_hex(12)
