# SPDX-License-Identifier: Apache-2.0
"""How fast verify searches memory, beside a plain copy of it and another matcher."""

import operator

import programs
import report

SPEED = report.Budget("verify, memory searched a second, per core", operator.ge, 1, "GB/s",
                      broken=0.3)


def search():
    """Rows and verdicts: gigabytes a second of one core's time."""
    speed = programs.figures([programs.program("verify_bench")])
    assert speed["unwiped"] > 0, speed  # or vectorscan could be used after all

    def row(title, baseline, name):
        return [title, f"{baseline}: {speed[baseline]:.1f} GB/s", f"{speed[name]:.1f} GB/s",
                f"{speed[name] / speed[baseline]:.2f} ×"]

    speed = {"memcpy": speed["copy"], "/proc/PID/mem": speed["proc-mem"],
             "vectorscan": speed["hyperscan"], **speed}
    rows = [row("another process, read", "/proc/PID/mem", "vm-readv"),
            row("36 needles, bytes at hand", "vectorscan", "windows"),
            row("another process, searched for two RSA keys", "memcpy", "search"),
            row(f"the same and a password, {speed['needles']:.0f} needles", "memcpy",
                "search-all")]
    return rows, [SPEED.judge(speed["search-all"])]
