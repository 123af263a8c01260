#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A running process takes up modes, rules and options that are published later: under
load in threads, in a sandbox, after fork, in a chroot as another user.

    tests/programs/live_reload_test.py PAGEWARDEN PROGRAM"""

import live

FLIPS = 200


def policy(mode="Enforce", rules=("live-first",)):
    """Rules go by the names of their functions."""
    matches = [(rule, f"during: [{rule.replace('-', '_')}]") for rule in rules]
    return live.policy(matches, mode)


BOTH = ("live-first", "live-second")


def states():
    return [policy(), policy("Audit"), policy(rules=BOTH), policy(rules=BOTH[::-1]),
            policy("Disabled"), policy(rules=("live-second",))]


class LiveReloadTest(live.LiveCase):
    def setUp(self):
        super().setUp()
        # What starts under it has hooks for both functions.
        self.environment = self.publish(policy(rules=BOTH))

    def follow(self):
        """What each state looks like, one after the other."""
        self.wait_for(lambda s: s["mode"] == "Enforce" and self.in_force(s) == set(BOTH))
        self.publish(policy())
        self.wait_for(lambda s: s["mode"] == "Enforce" and self.in_force(s) == {"live-first"})
        self.publish(policy("Audit"))
        self.wait_for(lambda s: s["mode"] == "Audit")
        self.publish(policy(rules=BOTH))
        shim = self.wait_for(lambda s: self.in_force(s) == set(BOTH))
        self.assertEqual(shim["rulesWaiting"], 0)
        self.publish(policy("Disabled"))
        self.wait_for(lambda s: s["mode"] == "Disabled" and s["uncovered"] == "disabled")
        self.publish(policy(rules=("live-second",)))
        self.wait_for(lambda s: s["mode"] == "Enforce" and self.in_force(s) == {"live-second"}
                      and s.get("uncovered") is None)

    def test_follows_in_threads(self):
        self.start()
        self.follow()
        self.finish()

    def test_follows_in_a_sandbox(self):
        self.start("strict")
        self.follow()
        self.finish()

    def test_a_fork_child_follows(self):
        self.start("fork")
        self.follow()
        self.finish()

    def test_follows_in_a_chroot_as_another_user(self):
        self.start("demote")
        self.follow()
        self.finish()

    def test_many_flips_under_load(self):
        self.start()
        flips = states()
        for flip in range(FLIPS):
            self.publish(flips[flip % len(flips)])
            self.assertIsNone(self.process.poll(), f"ended at flip {flip}")
        self.publish(policy(rules=BOTH))
        shim = self.wait_for(lambda s: self.in_force(s) == set(BOTH) and s["mode"] == "Enforce")
        self.assertGreater(shim["generation"], FLIPS)
        for rule in shim["rules"]:
            self.assertGreater(rule["totalAllocations"], 0, rule)
            self.assertLessEqual(rule["liveAllocations"], 64, rule)  # three threads' at most
        self.assertFalse(any(shim["violations"].values()), shim["violations"])
        self.finish()

    def test_a_rule_for_an_unknown_function_waits(self):
        self.start()
        self.publish(policy(rules=("live-first", "nobody-knows-this")))
        shim = self.wait_for(lambda s: s["rulesWaiting"] == 1)
        self.assertIn("live-first", self.in_force(shim))
        self.finish()

    def test_a_damaged_image_is_refused(self):
        self.start()
        before = self.wait_for(lambda s: s["mode"] == "Enforce")
        window = self.folder / "run" / "policy.image"
        with open(window, "r+b") as file:
            file.seek(64)
            word = int.from_bytes(file.read(8), "little")
            file.seek(64)  # a place in the middle of an image
            file.write(((word >> 32) + 1 << 32 | 3).to_bytes(8, "little"))
        shim = self.wait_for(lambda s: s.get("imagesRefused") == 1)
        self.assertEqual(shim["generation"], before["generation"])
        self.assertEqual(self.in_force(shim), set(BOTH))
        self.publish(policy("Audit"))
        self.wait_for(lambda s: s["mode"] == "Audit")
        self.finish()


if __name__ == "__main__":
    live.main()
