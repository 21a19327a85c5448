#!/usr/bin/env python3
"""Counts what a test command's output says: prints "PASSED FAILED SKIPPED".

    tally.py LOG STATUS

Understood are the closing lines of pytest ("3 passed, 1 skipped in 2.1s"), of ctest ("100% tests passed, 0 tests failed
out of 7") and our own ("3 passed, 0 failed, 1 skipped"). Output without any is one test, judged by the status. A status
other than 0 without a counted failure is one failure.
"""

import re
import sys


def tally(text: str, status: int) -> tuple[int, int, int]:
    """Counts of passed, failed and skipped tests."""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for line in text.splitlines():
        ctest = re.fullmatch(r"\d+% tests passed, (\d+) tests? failed out of (\d+)", line)
        if ctest:
            failed, total = int(ctest[1]), int(ctest[2])
            counts["failed"] += failed
            counts["passed"] += total - failed
        elif re.fullmatch(r"=* ?(\w+: )?\d+ (passed|failed|skipped|errors?|warnings?|deselected)\b.*", line):
            for number, what in re.findall(r"(\d+) (passed|failed|skipped|error)", line):
                counts["failed" if what == "error" else what] += int(number)
    if not any(counts.values()):
        counts["passed"] = int(status == 0)
    if status != 0 and counts["failed"] == 0:
        counts["failed"] = 1
    return counts["passed"], counts["failed"], counts["skipped"]


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
        print(*tally(log.read(), int(sys.argv[2])))
