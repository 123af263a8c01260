# SPDX-License-Identifier: Apache-2.0
"""ab, of Debian's apache2-utils: many TLS requests, a connection for each."""

import re

import harness

AB = "/usr/bin/ab"
CIPHERS = {"RSA": "ECDHE-RSA-AES128-GCM-SHA256", "EC": "ECDHE-ECDSA-AES128-GCM-SHA256"}


def commands(url, requests, *options):
    """Half of the requests for a server with an RSA key, half for the same with an EC key."""
    half = requests // 2
    return [command(url, count, CIPHERS[kind], *options)
            for kind, count in (("RSA", half), ("EC", requests - half))]


def command(url, requests, cipher, *options):
    return [AB, "-q", "-n", str(requests), "-c", "4", "-f", "TLS1.2", "-Z", cipher, *options, url]


def check(command_, report):
    """Insists that ab's report tells of success and nothing else."""
    requests = int(command_[command_.index("-n") + 1])
    complete = int(re.search(r"Complete requests:\s+(\d+)", report).group(1))
    failed = int(re.search(r"Failed requests:\s+(\d+)", report).group(1))
    if complete != requests or failed != 0 or "Non-2xx responses" in report:
        raise harness.HarnessError(f"ab : {complete} of {requests} done, {failed} failed")


def load(url, requests, *options):
    """Makes the requests, four at a time, and insists that all succeed."""
    _run(commands(url, requests, *options))


def load_one(url, requests, kind, *options):
    """The same for a server with one kind of key."""
    _run([command(url, requests, CIPHERS[kind], *options)])


def _run(commands_):
    for command_ in commands_:
        check(command_, harness.run_checked(command_))
