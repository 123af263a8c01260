#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Rules of every form begin and end in a running process, and its threads do not notice.

    tests/programs/live_forms_test.py PAGEWARDEN PROGRAM"""

import mmap
import pathlib
import re
import subprocess
import time

import live

BASE = ("base", "during: [live_second]")
FLIPS = 2000


def return_address():
    """Of live_caller's call, as `match.stack` writes it."""
    library = next(path for path in linked() if path.endswith("liblive_reload_functions.so"))
    notes = output("readelf", "--notes", library)
    code = output("objdump", "--disassemble=live_caller", "--no-show-raw-insn", library)
    lines = [line for line in code.splitlines() if re.match(r"\s+[0-9a-f]+:", line)]
    call = next(i for i, line in enumerate(lines) if "call" in line)
    offset = int(lines[call + 1].split(":")[0], 16)
    return f"{re.search('Build ID: ([0-9a-f]+)', notes)[1]}+{offset:#x}"


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def linked():
    return re.findall(r"=> (\S+)", output("ldd", live.PROGRAM))


class LiveFormsTest(live.LiveCase):
    def setUp(self):
        super().setUp()
        self.secret = self.folder / "live.key"
        self.secret.write_text("not a key\n", encoding="utf-8")
        # What starts under it has hooks for both functions.
        self.environment = self.publish(live.policy([("both", "during: [live_first, live_second]")]))

    def total(self, name):
        rule = self.rule(self.shim(), name)
        return rule["totalAllocations"] if rule else 0

    def begin(self, rules, name):
        self.publish(live.policy(rules))
        self.wait_for(lambda s: name in self.in_force(s)
                      and self.rule(s, name)["totalAllocations"] > 0)

    def end(self, rules, name):
        """Calls that are judged already go on by the rules that they began with."""
        self.publish(live.policy(rules))
        self.wait_for(lambda s: name not in self.in_force(s))
        end = time.monotonic() + live.SECONDS
        while (before := self.total(name)) != self.total(name):
            self.assertLess(time.monotonic(), end, f"{name} still takes allocations")

    def check(self, match):
        self.start("gentle", self.secret)
        for _ in range(2):  # with what is remembered of the first time
            self.begin([("live", match), BASE], "live")
            self.end([BASE], "live")
        shim = self.shim()
        self.assertEqual(shim["rulesWaiting"], 0)
        self.assertFalse(any(shim["violations"].values()), shim["violations"])
        self.finish()

    def test_callers(self):
        self.check("callers: [{module: 'liblive_reload_functions*', functions: [live_caller]}]")

    def test_stack(self):
        self.check(f"stack: [['{return_address()}']]")

    def test_read_from(self):
        self.check(f"readFrom: [{self.folder}/*.key]")

    def test_every_allocation_of_a_size(self):
        self.check("all: true, size: {min: 100, max: 100}")

    def test_threads(self):
        self.check("during: [live_first], threads: ['live_reload']")

    def test_a_rule_of_another_form_takes_the_name_over(self):
        self.start("gentle", self.secret)
        self.begin([("live", "during: [live_first]")], "live")
        self.begin([("live", f"readFrom: ['{self.secret}']")], "live")
        self.begin([("live", "callers: [{module: 'liblive_reload_functions*'}]")], "live")
        self.end([BASE], "live")
        self.finish()

    def images(self):
        """Many policies of every form; their words in the window, as publishers store them."""
        caller = "callers: [{module: '*', functions: [live_caller]}]"
        forms = ["during: [live_first]", caller, f"readFrom: ['{self.secret}']",
                 "all: true, size: {max: 60}", "during: [live_first], threads: ['worker']"]
        for count in range(1, 2 ** len(forms)):
            chosen = [(f"r{i}", form) for i, form in enumerate(forms) if count >> i & 1]
            mode = "Audit" if count % 5 == 0 else "Disabled" if count % 7 == 0 else "Enforce"
            self.publish(live.policy(chosen, mode))
            yield self.window().current()

    def window(self):
        return Window(self.folder / "run" / "policy.image")

    def test_flips_of_all_forms_as_fast_as_can_be(self):
        words = list(self.images())
        self.start("rough", self.secret)
        window = self.window()
        for flip in range(FLIPS):
            window.flip(words[flip * 17 % len(words)])
            time.sleep(0.001 * (flip % 3))
            self.assertIsNone(self.process.poll(), f"ended at flip {flip}")
        self.begin([("live", "during: [live_first]")], "live")
        shim = self.shim()
        self.assertGreater(shim["generation"], FLIPS)
        self.assertEqual(shim.get("imagesRefused", 0), 0)
        self.assertFalse(any(shim["violations"].values()), shim["violations"])
        self.finish()


class Window:
    """The file of a live image (preload/abi/live_image.h)."""

    def __init__(self, path: pathlib.Path):
        with open(path, "r+b") as file:
            page = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self.words = memoryview(page).cast("Q")  # stored whole

    def current(self):
        return self.words[8]

    def flip(self, word):
        """The image of `word`, as the next generation."""
        generation = (self.current() >> 32) + 1
        self.words[8] = generation << 32 | word & 0xffffffff


if __name__ == "__main__":
    live.main()
