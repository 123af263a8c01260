# SPDX-License-Identifier: Apache-2.0
"""Perl reads its own library as text: hashes, regexes, sorting, sprintf, threads."""

from .workload import HERE, Workload


class Perl(Workload):
    name = "perl"
    work = "words of its own library: hash, regex, sort, sprintf, 4 threads"
    programs = ("/usr/bin/perl",)
    fast = True

    def run(self, session, inputs):
        return session.run(["/usr/bin/perl", HERE / "words.pl", "/usr/share/perl/5.36.0"])
