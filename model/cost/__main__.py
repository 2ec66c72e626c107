"""Print what each type of layer costs on this machine: `python -m model.cost`, `--csv FILE`."""

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from model.cost.complexity import LAYER_TYPES, Sizes
from model.cost.measure import LENGTHS, SECONDS, measure
from model.cost.table import COLUMNS, as_text, table_rows


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m model.cost", description="What each type of layer costs here.")
    parser.add_argument("--kinds", nargs="+", choices=list(LAYER_TYPES), default=list(LAYER_TYPES))
    parser.add_argument("--lengths", nargs="+", type=int, default=list(LENGTHS), metavar="N")
    for name in ("d", "kernel", "window", "n_heads", "rank"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=getattr(Sizes(), name))
    parser.add_argument("--backward", action="store_true", help="a backward pass after each forward pass")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="the longest time (default %(default)s)")
    parser.add_argument("--from-n", type=int, default=0, help="fit the exponents from this length on")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write the table to this file")
    args = parser.parse_args(arguments)
    try:
        sizes = Sizes(1, args.d, args.kernel, args.window, args.n_heads, args.rank)
        results = []
        for result in measure(args.kinds, args.lengths, sizes, args.backward, args.seconds):
            results.append(result)
            print(f"\r{len(results)} of {len(args.kinds) * len(args.lengths)}", end="", file=sys.stderr, flush=True)
    except ValueError as error:
        parser.error(str(error))
    print(file=sys.stderr)
    rows = table_rows(results, sizes, args.from_n)
    print(as_text(rows))
    if args.csv:
        with args.csv.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(COLUMNS))
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
