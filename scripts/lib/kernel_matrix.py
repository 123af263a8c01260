#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What scripts/kernel-matrix runs once all is built."""

import argparse
import concurrent.futures
import dataclasses
import json
import pathlib
import shutil
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "matrix"))

from lib import cell  # noqa: E402

from kernels import catalog, guest, images, suites, table  # noqa: E402


@dataclasses.dataclass(frozen=True)
class Run:
    kernel: catalog.Kernel
    image: images.Image
    boot: guest.Boot
    seconds: float
    retried: str  # why the first boot did not count


class Matrix:
    """The suites chosen, packed once for all kernels."""

    def __init__(self, chosen, files):
        self.suites = chosen
        self.directory = cell.BUILD / "kernels"
        self.initramfs = self.directory / "initramfs.cpio"
        self.directory.mkdir(parents=True, exist_ok=True)
        suites.write_initramfs(self.initramfs, files, chosen)

    def _boot(self, kernel, image):
        seconds = sum(suite.seconds for suite in self.suites)
        return guest.boot(image.path, self.initramfs, self.directory / "logs" / kernel.name,
                          kernel.cgroups, seconds)

    def run(self, kernel, image):
        """One boot; one more if that one broke off, which TCG makes some do."""
        start = time.monotonic()
        shutil.rmtree(self.directory / "logs" / kernel.name, ignore_errors=True)
        boot = self._boot(kernel, image)
        retried = ""
        if not boot.finished:
            retried = boot.panic() or boot.problem
            boot = self._boot(kernel, image)
        seconds = time.monotonic() - start
        print(f"kernel-matrix: {kernel.name} ({image.version}): {seconds:.0f} s", file=sys.stderr)
        return Run(kernel, image, boot, seconds, retried)


def _options(words):
    parser = argparse.ArgumentParser(prog="scripts/kernel-matrix", description=(
        "Boots Debian's kernels in an emulated machine, runs the test suites of "
        "tests/kernels/suites.json in each, and prints a table."))
    parser.add_argument("--kernel", action="append", choices=list(catalog.ALL), metavar="NAME",
                        help=f"only this one; may be repeated: {', '.join(catalog.ALL)}")
    parser.add_argument("--suite", action="append", metavar="NAME", help="likewise")
    parser.add_argument("--manifest", type=pathlib.Path, default=suites.MANIFEST, metavar="FILE",
                        help="other suites than those of tests/kernels/suites.json")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    parser.add_argument("--refresh", action="store_true",
                        help="ask the archives for newer kernels than those in build/kernels")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="guests at once (2)")
    return parser.parse_args(words)


def _chosen(names, known):
    unknown = set(names or ()) - {suite.name for suite in known}
    if unknown:
        print(f"kernel-matrix: no suite {', '.join(sorted(unknown))} : there are "
              f"{', '.join(suite.name for suite in known)}", file=sys.stderr)
        sys.exit(2)
    return suites.chosen(known, names)


def boot_all(chosen, files, kernels, refresh=False, jobs=2):
    """A Run for each of `kernels`, in order. Raises images.Unavailable."""
    matrix = Matrix(chosen, files)
    fetched = [(kernel, images.image(kernel, refresh)) for kernel in kernels]
    with concurrent.futures.ThreadPoolExecutor(max_workers=jobs) as pool:
        return list(pool.map(lambda pair: matrix.run(*pair), fetched))


def main(words):
    options = _options(words)
    files, known = suites.load(options.manifest)
    chosen = _chosen(options.suite, known)
    kernels = [catalog.ALL[name] for name in options.kernel or catalog.ALL]
    try:
        runs = boot_all(chosen, files, kernels, options.refresh, options.jobs)
    except images.Unavailable as reason:
        print(f"kernel-matrix: no kernel to boot : {reason}", file=sys.stderr)
        return 1
    except FileNotFoundError as missing:
        print(f"kernel-matrix: cannot pack the guest : {missing}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(table.as_json(chosen, runs), indent=2))
    else:
        print(table.markdown(chosen, runs))
    for line in table.details(chosen, runs):
        print(line, file=sys.stderr)
    return 0 if table.good(chosen, runs) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
