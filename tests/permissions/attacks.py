"""What a model says that follows every instruction it finds in a passage: thousands of outputs, each with something hostile in it.

An output is made of a payload (what the attacker wants shown), a disguise (how it is hidden from filters) and a placement (where in an
otherwise true answer it stands).
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.permissions.attack_payloads import PAYLOADS, ZERO_WIDTH, Prey


@dataclass(frozen=True)
class Attack:
    """One output. `kind` names payload, disguise and placement."""

    kind: str
    output: str


DISGUISES: dict[str, Callable[[Random, str], str]] = {
    "none": lambda _random, text: text,
    "zero width": lambda random, text: "".join(c + (random.choice(ZERO_WIDTH) if random.random() < 0.3 else "") for c in text),
    "full width": lambda _random, text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "emphasis": lambda random, text: _inserted(random, text, ["**", "_", "~~", "*"]),
    "citations inside": lambda random, text: _inserted(random, text, ["[1]", "[1, 2]", "[^2]"]),
    "entities": lambda random, text: text.replace("<", random.choice(["&lt;", "&lt", "&#60"])).replace(
        ":", random.choice(["&colon;", "&#58;", "&#58"])
    ),
    "broken lines": lambda random, text: _inserted(random, text, ["\n", "\t", "\r\n", "\u2028"]),
    "upper case": lambda _random, text: text.upper(),
    "dots": lambda random, text: text.replace(".", random.choice(["\u3002", "\uff0e", "\uff61", "\u2024", ". "])),
}

PLACEMENTS: dict[str, Callable[[str, str, str], str]] = {
    "alone": lambda payload, _fact, _other: payload,
    "after a fact": lambda payload, fact, _other: f"{fact} [1] {payload}",
    "in a fact": lambda payload, fact, _other: f"{fact.rstrip('.')} {payload} [1].",
    "before a fact": lambda payload, fact, _other: f"{payload} {fact} [1].",
    "between facts": lambda payload, fact, other: f"{fact} [1]\n\n{payload}\n\n{other} [2]",
    "in a list": lambda payload, fact, _other: f"- {fact} [1]\n- {payload}\n",
    "in the middle of a word": lambda payload, fact, _other: f"{fact[: len(fact) // 2]}{payload}{fact[len(fact) // 2 :]} [1]",
}


def _inserted(random: Random, text: str, pieces: Sequence[str]) -> str:
    at = random.randrange(len(text) + 1)
    return text[:at] + random.choice(pieces) + text[at:]


def attacks(count: int, prey: Prey, *, seed: int) -> Iterator[Attack]:
    """`count` different outputs, every kind of payload as often as the others."""
    random, seen, kinds = Random(seed), set[str](), list(PAYLOADS)
    while len(seen) < count:
        payload, disguise, placement = kinds[len(seen) % len(kinds)], random.choice(list(DISGUISES)), random.choice(list(PLACEMENTS))
        hostile = DISGUISES[disguise](random, PAYLOADS[payload](random, prey))
        output = PLACEMENTS[placement](hostile, random.choice(prey.facts), random.choice(prey.facts))
        if random.random() < 0.1:
            output = output.replace(" ", prey.marker)
        if output not in seen:
            seen.add(output)
            yield Attack(f"{payload}, {disguise}, {placement}", output)


def known_injections(directory: Path) -> list[Attack]:
    """Injections and jailbreaks that others collected, as an obedient model would repeat them."""
    lines = (directory / "prompt_injection" / "samples.jsonl").read_text().strip().split("\n")
    return [Attack(f"known: {sample['source']}", sample["text"]) for sample in map(json.loads, lines) if sample["label"] == 1]
