# SPDX-License-Identifier: Apache-2.0
"""javac compiles a program, java runs it: threads, collections, garbage collection."""

from .workload import HERE, Workload


class Java(Workload):
    name = "java"
    work = "javac, then 4 threads, maps and sorts, deflate, garbage collection"
    programs = ("/usr/bin/java", "/usr/bin/javac")
    fast = False

    def run(self, session, inputs):
        session.run(["/usr/bin/javac", "-d", session.directory, HERE / "Work.java"])
        return session.run(["/usr/bin/java", "-Xmx64m", "-cp", session.directory, "Work"])
