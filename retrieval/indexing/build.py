"""`python -m retrieval.indexing.build`: builds one generation of the embedded index and ends. Started by the index's owner."""

import argparse
import os
import pkgutil
import sys
import threading
from pathlib import Path

from retrieval.adapters.qdrant.building import EXACT_MILLISECONDS, build_generation
from retrieval.adapters.qdrant.collection import IndexIdentity

NICENESS = 10
"""Searches come first: the owner answers them on the same processors."""

ORPHANED = 3
"""Exit status of a build whose owner has died."""


def main() -> None:
    arguments = _arguments()
    threading.Thread(target=_end_with_the_owner, daemon=True).start()
    os.nice(NICENESS)
    feed = pkgutil.resolve_name(arguments.feed)(arguments.model)
    beside = tuple((model, int(dimensions)) for model, dimensions in arguments.beside)
    identity = IndexIdentity(arguments.model, arguments.dimensions, beside=beside)
    build_generation(feed, arguments.directory, identity, exact_milliseconds=arguments.exact_milliseconds)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m retrieval.indexing.build", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="empty folder to build in")
    parser.add_argument("--feed", required=True, help="'module:function' that takes the model and returns the catalog's ChangeFeed")
    parser.add_argument("--model", required=True, help="the embedder's name and hash")
    parser.add_argument("--dimensions", type=int, required=True, help="floats per vector")
    parser.add_argument(
        "--beside", nargs=2, action="append", default=[], metavar=("MODEL", "DIMENSIONS"), help="another model's vectors too"
    )
    parser.add_argument(
        "--exact-milliseconds", type=float, default=EXACT_MILLISECONDS, help="longest time for comparing all that somebody reads"
    )
    return parser.parse_args()


def _end_with_the_owner() -> None:
    """Standard input is a pipe that the owner never writes to: it ends when the owner does.

    Read below Python's own buffer, whose lock would stop this process from ending while the thread waits.
    """
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(ORPHANED)


if __name__ == "__main__":
    main()
