# SPDX-License-Identifier: Apache-2.0
"""Perl reads its own library as text: hashes, regexes, sorting, sprintf, threads.

As another user than root it holds more than may be locked (RLIMIT_MEMLOCK):
the rest of its allocations must fall back, and the result stay the same.
"""

import shutil

from .workload import HERE, Workload


class Perl(Workload):
    name = "perl"
    programs = ("/usr/bin/perl", "/usr/bin/setpriv")
    fast = True

    def __init__(self, user=None):
        self.work = "words of its library: hash, regex, sort, sprintf; 4 threads"
        self._drop = []
        if user:
            self.work += f"; as {user}"
            self._drop = ["/usr/bin/setpriv", f"--reuid={user}", "--clear-groups"]

    def prepare(self, inputs):
        shutil.copy(HERE / "words.pl", inputs)  # the source tree may be closed to `user`

    def run(self, session, inputs):
        return session.run([*self._drop, "/usr/bin/perl", inputs / "words.pl",
                            "/usr/share/perl/5.36.0"])
