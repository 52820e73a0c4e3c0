"""One battery by its name: `python -m tests.batteries kills --count 60 --seed 1`; 1 if something did not survive."""

from __future__ import annotations

import argparse
import sys

from tests.batteries import BATTERIES, starts


def main() -> int:
    """Run it, and say what did not survive."""
    parser = argparse.ArgumentParser(prog="python -m tests.batteries")
    parser.add_argument("battery", choices=sorted(BATTERIES))
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--crowd", type=int, default=starts.CROWD, help="how many start at once in `starts`")
    options = parser.parse_args()
    starts.CROWD = options.crowd
    tally = BATTERIES[options.battery](options.count, options.seed)
    print(tally, *tally.failed, sep="\n")
    return 0 if tally.sound else 1


if __name__ == "__main__":
    sys.exit(main())
