# SPDX-License-Identifier: Apache-2.0
"""The allocators that stand side by side."""

import dataclasses

import programs


@dataclasses.dataclass(frozen=True)
class Peer:
    title: str
    name: str
    policy: str = None  # of those under the shim
    sized_for: int = None  # secrets, for pools of fixed size; None: as many as are asked for

    @property
    def program(self):
        return programs.program("peer_" + self.name)


GLIBC = Peer("glibc + explicit_bzero", "glibc")
MIMALLOC = Peer("mimalloc + explicit_bzero", "mimalloc")
LIBSODIUM = Peer("libsodium", "libsodium")
OPENSSL = Peer("OpenSSL secure heap", "openssl")
LIBGCRYPT = Peer("libgcrypt secure memory", "libgcrypt")
BOTAN = Peer("Botan locking allocator", "botan")
PAGEWARDEN = Peer("**Pagewarden**", "pagewarden", policy="pairs")
FOLLOWING = Peer("**Pagewarden**, an image followed", "pagewarden", policy="live:pairs")

OTHERS = [GLIBC, MIMALLOC, LIBSODIUM, OPENSSL, LIBGCRYPT, BOTAN]
EVERY = OTHERS + [PAGEWARDEN, FOLLOWING]
