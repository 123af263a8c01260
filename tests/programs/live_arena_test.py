#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Options of an arena change in a running process, or are counted as waiting.

    tests/programs/live_arena_test.py PAGEWARDEN PROGRAM"""

import signal

import live

RULES = [("keys", "during: [live_first]")]
UNPRIVILEGED = ["prlimit", "--memlock=0:0", "setpriv", "--bounding-set=-ipc_lock"]


def arena(*options):
    return live.policy(RULES, extra="  arenas: [{" + ", ".join(["name: keys", *options]) + "}]\n")


class LiveArenaTest(live.LiveCase):
    def begin(self, *options, under=()):
        self.environment = self.publish(arena(*options))
        self.start(under=under)

    def change(self, *options, waiting=0):
        """The next line of input makes the process look."""
        self.publish(arena(*options))
        self.ask("fill 0")
        self.ask("name")
        self.assertEqual(self.shim()["rulesWaiting"], waiting)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        return [int(word) for word in answer]

    def finish(self):
        self.process.stdin.write("end\n")
        super().finish()

    def capacity(self):
        return self.shim()["arenas"][0]["capacityBytes"]

    def test_full_and_then_what(self):
        self.begin("capacity: 64Ki")
        self.assertEqual(self.ask("fill 100"), [100, 0])
        self.change("capacity: 64Ki", "onCapacityExhausted: Fail")
        self.assertEqual(self.ask("fill 10"), [0, 10])
        self.change("capacity: 64Ki")
        self.assertEqual(self.ask("fill 10"), [10, 0])
        self.change("capacity: 64Ki", "onCapacityExhausted: Grow", waiting=1)
        self.finish()

    def test_grows_no_more_and_again(self):
        self.begin("capacity: 64Ki", "onCapacityExhausted: Grow")
        self.ask("fill 200")
        grown = self.capacity()
        self.assertGreaterEqual(grown, 200 << 10)
        self.change("capacity: 64Ki", "onCapacityExhausted: Fail")
        self.assertLess(self.ask("fill 400")[0], 400)
        self.assertEqual(self.capacity(), grown)
        self.change("capacity: 1Mi", "onCapacityExhausted: Fail")
        self.ask("fill 3000")
        self.assertEqual(self.capacity(), 1 << 20)
        self.change("capacity: 64Ki", "onCapacityExhausted: Grow")
        self.assertEqual(self.ask("fill 1000"), [1000, 0])
        self.assertGreater(self.capacity(), 1 << 20)
        self.finish()

    def test_canary(self):
        self.begin("canary: false")
        self.assertEqual(self.ask("overflow"), [0, 0])
        self.change("canary: true")
        self.assertEqual(self.ask("overflow"), [])
        self.assertEqual(self.process.wait(live.SECONDS), -signal.SIGABRT)

    def test_no_canary_any_more(self):
        self.begin("canary: true")
        self.change("canary: false")
        self.assertEqual(self.ask("overflow"), [0, 0])
        self.finish()

    def test_what_cannot_be_locked(self):
        self.begin(under=UNPRIVILEGED)
        self.assertEqual(self.shim()["arenas"][0]["lockedBytes"], 0)
        self.assertEqual(self.ask("fill 10"), [10, 0])
        self.change("onLockFailure: Fail")
        self.assertEqual(self.ask("fill 10"), [0, 10])
        self.change("onLockFailure: AllocateUnlocked")
        self.assertEqual(self.ask("fill 10"), [10, 0])
        self.finish()

    def test_what_waits_is_counted(self):
        self.begin()
        for option in ("onFork: Wipe", "coreDump: Include", "backing: [SecretMemory]",
                       "capacity: 2Mi"):
            self.change(option, waiting=1)
            self.assertEqual(self.ask("fill 1"), [1, 0])
            self.change()
        self.finish()

    def test_looks_whatever_it_does(self):
        self.begin()
        modes = ["Audit", "Enforce"]
        for i, line in enumerate(("name", "file", "close", "fill 1")):
            self.publish(live.policy(RULES, mode=modes[i % 2]))
            self.assertNotEqual(self.shim()["mode"], modes[i % 2])
            self.ask(line)
            self.assertEqual(self.shim()["mode"], modes[i % 2], line)
        self.finish()


if __name__ == "__main__":
    live.main()
