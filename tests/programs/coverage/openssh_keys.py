# SPDX-License-Identifier: Apache-2.0
"""Fresh keys in OpenSSH's own format, of the kinds that it has."""

import harness
from credentials import Secret

KINDS = {"RSA": ("rsa", "-b", "2048"), "EC": ("ecdsa",), "Ed25519": ("ed25519",)}


def make_keys(directory):
    """{kind: file}; the public key is beside it, in FILE.pub."""
    files = {}
    for kind, algorithm in KINDS.items():
        files[kind] = directory / f"{kind.lower()}.openssh"
        harness.run_checked(["ssh-keygen", "-q", "-t", *algorithm, "-N", "", "-f", files[kind]])
    return files


def secret(files):
    """All of them as one: OpenSSH's servers keep a key encrypted but for the moment of a signature,
    so that each alone is often nowhere to be found."""
    return Secret(f"{', '.join(files)} keys", keys=tuple(files.values()))
