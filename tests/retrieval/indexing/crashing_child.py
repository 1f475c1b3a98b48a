"""Owns an index and applies random changes until it is killed. Arguments: a directory and a seed."""

import random
import sys
from pathlib import Path

from retrieval.adapters.qdrant.edge import EdgeIndex
from retrieval.indexing.owner import IndexOwner
from tests.retrieval.indexing.world import IDENTITY, FakeChangeFeed, InProcessBuilder, document


def main(directory: Path, seed: int) -> None:
    dice = random.Random(seed)
    feed = FakeChangeFeed()
    feed.publish(*[document(f"d{number}", "lantern", "harbour") for number in range(20)])
    index = EdgeIndex.open(directory / "index", IDENTITY, flush_seconds=0.02)
    owner = IndexOwner(feed, index, InProcessBuilder(feed), batch_documents=2, renew_after_passages=10_000)
    owner.rebuild()
    feed.save(directory / "world.json")
    (directory / "applying").touch()
    for number in range(2, 100_000):
        change(feed, dice, number)
        feed.save(directory / "world.json")
        owner.follow()


def change(feed: FakeChangeFeed, dice: random.Random, number: int) -> None:
    """One of what happens to documents; the world is saved before the index hears of it, as the catalog commits first."""
    names = [state.document for state in feed.current()]
    what = dice.random()
    if what < 0.6 or not names:
        texts = [f"passage {part} of {number} {'granite ' * dice.randint(0, 40)}" for part in range(dice.randint(1, 12))]
        feed.publish(document(f"d{dice.randint(0, 40)}", *texts, access_class=dice.randint(1, 3), number=number))
    elif what < 0.8:
        feed.reclassify(dice.randint(1, 3), dice.choice(names))
    else:
        feed.withdraw(dice.choice(names))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
