"""Units of measure and numbers in English words."""

Scale = tuple[float, float]
"""How many of the dimension's own unit one is, from and to: a month is 28 to 31 days."""

_DAY = 86_400.0
_DIMENSIONS: dict[str, dict[str, float | Scale]] = {
    "time": {
        "second sec": 1,
        "minute min": 60,
        "hour hr h": 3_600,
        "day": _DAY,
        "week": (5 * _DAY, 7 * _DAY),
        "fortnight": (10 * _DAY, 14 * _DAY),
        "month": (28 * _DAY, 31 * _DAY),
        "quarter": (89 * _DAY, 93 * _DAY),
        "year": (365 * _DAY, 366 * _DAY),
        "decade": (3_650 * _DAY, 3_660 * _DAY),
        "century": (36_500 * _DAY, 36_600 * _DAY),
    },
    "length": {
        "mm millimetre millimeter": 0.001,
        "cm centimetre centimeter": 0.01,
        "m metre meter": 1,
        "km kilometre kilometer": 1_000,
        "inch": 0.0254,
        "foot ft": 0.3048,
        "yard": 0.9144,
        "mile": 1_609,
    },
    "mass": {
        "mg milligram": 0.001,
        "g gram": 1,
        "kg kilogram kilo": 1_000,
        "tonne ton": (907_000, 1_016_100),
        "lb": 453.6,
        "ounce oz": 28.35,
    },
    "volume": {"ml millilitre milliliter": 0.001, "litre liter": 1, "gallon": (3.785, 4.546)},
    "bytes": {"byte": 1, "kb kib": (1_000, 1_024), "mb mib": (1e6, 1_048_576), "gb gib": (1e9, 1_073_741_824), "tb tib": (1e12, 1.1e12)},
    "percent": {"% percent": 1},
    "celsius": {"°c": 1},
    "fahrenheit": {"°f": 1},
}

UNITS: dict[str, tuple[str, Scale]] = {
    word: (dimension, scale if isinstance(scale, tuple) else (scale, scale))
    for dimension, units in _DIMENSIONS.items()
    for words, scale in units.items()
    for word in words.split()
}
"""Unit, in the singular and lower-cased, to its dimension and scale."""

CURRENCIES: dict[str, str] = {
    word: code
    for code, words in {
        "eur": "€ eur euro",
        "usd": "$ usd dollar",
        "gbp": "£ gbp pound",
        "chf": "chf franc",
        "cent": "cent ct",
        "pence": "pence penny p",
    }.items()
    for word in words.split()
}

_UP_TO_NINETEEN = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen
"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
WORD_NUMBERS: dict[str, int] = {word: number for number, word in enumerate(_UP_TO_NINETEEN.split())} | {
    word: 10 * number for number, word in enumerate(_TENS.split(), 2)
}

MULTIPLES: dict[str, int] = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000, "trillion": 10**12}
