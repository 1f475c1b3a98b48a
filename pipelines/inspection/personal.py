"""Personal data that has a pattern: numbers of people and accounts, addresses, telephone numbers."""

from pipelines.inspection.data import PersonalDatum


def personal_data(text: str) -> tuple[PersonalDatum, ...]:
    """Every value in the order of the text. Of two that overlap the longer one, then the one whose kind comes first."""
    from pipelines.inspection.recognisers import watches  # noqa: PLC0415 - takes seconds to load, and most sources ask for none of it

    found = [datum for watch in watches() for datum in watch.found(text)]
    kept: list[PersonalDatum] = []
    for datum in sorted(found, key=lambda each: (-len(each.span), each.kind, each.span)):
        if all(datum.span.end <= other.span.start or other.span.end <= datum.span.start for other in kept):
            kept.append(datum)
    return tuple(sorted(kept))
