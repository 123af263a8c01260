#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Options of an arena change in a running process, or are counted as waiting.

    tests/programs/live_arena_test.py PAGEWARDEN PROGRAM"""

import signal

import live

RULES = [("keys", "during: [live_first]")]
IN_SECOND = [("second-keys", "during: [live_first]", "second")]


def unprivileged(limit):
    return ["prlimit", f"--memlock={limit}:{limit}", "setpriv", "--bounding-set=-ipc_lock"]


def arena(*options):
    return live.policy(RULES, extra="  arenas: [{" + ", ".join(["name: keys", *options]) + "}]\n")


def with_second(options="capacity: 128Ki", others=()):
    arenas = ["{name: keys, capacity: 64Ki}", f"{{name: second, {options}}}", *(f"{{name: {n}}}" for n in others)]
    return live.policy(IN_SECOND, extra=f"  arenas: [{', '.join(arenas)}]\n")


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
        self.begin(under=unprivileged(0))
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

    def second(self):
        return next((a for a in self.shim()["arenas"] if a["name"] == "second"), None)

    def test_a_new_arena(self):
        self.begin()
        self.publish(with_second())
        self.assertEqual(self.ask("fill 100"), [100, 0])
        second = self.second()
        self.assertGreaterEqual(second["usedBytes"], 100 << 10)
        self.assertEqual(second["lockedBytes"], second["capacityBytes"])
        self.assertEqual(second["capacityBytes"], 128 << 10)
        self.assertEqual(second["fallbacks"], 0)
        self.assertEqual(self.shim()["rulesWaiting"], 0)
        self.assertEqual(self.ask("in second"), [1, 0])
        self.assertEqual(self.ask("in keys"), [1, 0])
        self.assertEqual(self.ask("fork"), [1, 0])
        self.ask("fill 100")  # more than there is room for
        second = self.second()
        self.assertGreater(second["fallbacks"], 0)
        self.assertEqual(second["capacityBytes"], 128 << 10)
        self.finish()

    def test_a_new_arena_that_grows_goes_and_comes_back(self):
        self.begin()
        self.publish(with_second("capacity: 64Ki, onCapacityExhausted: Grow"))
        self.assertEqual(self.ask("fill 500"), [500, 0])
        self.assertEqual(self.second()["fallbacks"], 0)
        self.change()
        self.ask("fill 10")
        self.assertGreater(self.shim()["arenas"][0]["usedBytes"], 10 << 10)
        self.publish(with_second("capacity: 1Mi"))
        self.ask("fill 1000")
        self.assertEqual(self.second()["capacityBytes"], 1 << 20)
        self.assertEqual(self.shim()["rulesWaiting"], 0)
        self.finish()

    def test_the_canaries_of_a_new_arena(self):
        self.begin()
        self.publish(with_second())
        self.assertEqual(self.ask("overflow"), [])
        self.assertEqual(self.process.wait(live.SECONDS), -signal.SIGABRT)

    def test_there_are_four_spare_ones(self):
        self.begin()
        self.publish(with_second(others=["third", "fourth", "fifth", "sixth"]))
        self.ask("fill 1")
        shim = self.shim()
        self.assertEqual([a["name"] for a in shim["arenas"]],
                         ["keys", "second", "third", "fourth", "fifth"])
        self.assertEqual(shim["rulesWaiting"], 1)
        self.finish()

    def check_waits(self, *options):
        """The rule does, and its arena; all else goes on."""
        self.assertEqual(self.ask("fill 1"), [1, 0])
        self.assertEqual(self.shim()["rulesWaiting"], 2)
        self.assertIsNone(self.second())
        self.change(*options)
        self.finish()

    def test_a_new_arena_waits_in_a_sandbox(self):
        self.begin()
        self.ask("sandbox")
        self.publish(with_second())
        self.check_waits()

    def test_names_of_threads_in_a_sandbox(self):
        """What is known from before holds; what would have to be asked for waits."""
        known = ("known", "during: [live_first], threads: ['live_*']")
        later = ("later", "during: [live_first], threads: ['*arena']")
        self.environment = self.publish(live.policy([known]))
        self.start()
        self.ask("sandbox")
        self.assertEqual(self.ask("fill 5"), [5, 0])
        self.assertEqual(self.rule(self.shim(), "known")["totalAllocations"], 5)
        self.publish(live.policy([later, known]))
        self.assertEqual(self.ask("name"), [1, 0])
        self.assertEqual(self.ask("fill 5"), [5, 0])
        shim = self.shim()
        self.assertEqual(shim["rulesWaiting"], 1)
        self.assertEqual(self.rule(shim, "known")["totalAllocations"], 10)
        self.finish()

    def test_a_new_arena_waits_where_nothing_more_can_be_locked(self):
        self.begin("capacity: 64Ki", under=unprivileged(64 << 10))
        self.publish(with_second())
        self.check_waits("capacity: 64Ki")

    def test_a_new_arena_waits_that_is_too_large(self):
        self.begin()
        self.publish(with_second("capacity: 16Mi"))
        self.check_waits()

    def test_a_new_arena_waits_that_wants_secret_memory(self):
        self.begin()
        self.publish(with_second("backing: [SecretMemory, LockedAnonymous]"))
        self.check_waits()


if __name__ == "__main__":
    live.main()
