"""What recognises personal data: Presidio's recognisers, and when each of them is believed. No model, no network.

A kind whose pattern also fits part numbers, invoices or times counts only where its check digits are
right in a form that nothing else has, or where a word in front of it names it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer,
    DeTaxIdRecognizer,
    EmailRecognizer,
    EsNifRecognizer,
    IbanRecognizer,
    InAadhaarRecognizer,
    ItFiscalCodeRecognizer,
    NhsRecognizer,
    PhoneRecognizer,
    PlPeselRecognizer,
    UkNinoRecognizer,
    UsItinRecognizer,
    UsPassportRecognizer,
    UsSsnRecognizer,
)
from tldextract import TLDExtract

from pipelines.inspection.data import PersonalDatum
from retrieval.domain.documents import Span

CONTEXT_CHARACTERS = 60
"""How far in front of a number a word may stand that names it; a line of a form."""
PHONE_REGIONS = ("US", "GB", "DE")
"""For numbers written without a country's code; with one they are known from everywhere."""
PHONE_WORDS = "phone|telephone|tel|mobile|cell|call|fax|reach|handy|telefon|mobil"
_NEAR_PHONE = re.compile(rf"(?:\b(?:{PHONE_WORDS})\b|\+(?=\d)|\((?=\d\d))[^\n]{{0,120}}", re.IGNORECASE)


class _OfflineEmailRecognizer(EmailRecognizer):
    """Knows top-level domains from the list inside the library; never asks for a newer one."""

    _domains = TLDExtract(suffix_list_urls=(), cache_dir=None)

    def validate_result(self, pattern_text: str) -> bool:
        return bool(self._domains(pattern_text).top_domain_under_public_suffix)


class _NearPhoneRecognizer(PhoneRecognizer):
    """Looks only where a word or a country's code announces a number: matching numbers everywhere costs as much as all the rest."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:  # noqa: ANN401 - a model's
        found = []
        for near in _NEAR_PHONE.finditer(text):
            for result in super().analyze(near.group(), entities, nlp_artifacts):
                result.start, result.end = result.start + near.start(), result.end + near.start()
                found.append(result)
        return found


@dataclass(frozen=True)
class Watch:
    """A recogniser, and when to believe it.

    Attributes:
        words: in front of a value they name it.
        sure: a value of this form needs no such word. Where it is None every value does: one number in ten has right check digits.
    """

    recogniser: EntityRecognizer
    words: re.Pattern[str]
    sure: re.Pattern[str] | None = None

    def found(self, text: str) -> Iterator[PersonalDatum]:
        kind = self.recogniser.supported_entities[0]
        for result in self.recogniser.analyze(text, [kind], _NO_MODEL):
            if self._counts(text, result.start, result.end):
                yield PersonalDatum(Span(result.start, result.end), kind)

    def _counts(self, text: str, start: int, end: int) -> bool:
        if _PART_BEFORE.match(text[start - 1 : start]) or _PART_AFTER.match(text[end : end + 2]):
            return False
        is_sure = self.sure is not None and self.sure.fullmatch(text, start, end) is not None
        return is_sure or self.words.search(text, max(0, start - CONTEXT_CHARACTERS), start) is not None


_NO_MODEL: Any = None
"""In the place of what a language model would say of the text: patterns ask for none of it."""
_PART_BEFORE = re.compile(r"[\w/=&?#%.-]")
_PART_AFTER = re.compile(r"[\w/=&%]|[.-]\w")
"""Next to a value: then it is a piece of a longer number, of a page's address or of a part number."""


def _watch(recogniser: EntityRecognizer, words: str, sure: str | None = None) -> Watch:
    named = re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    return Watch(recogniser, named, None if sure is None else re.compile(sure, re.DOTALL))


@cache
def watches() -> tuple[Watch, ...]:
    """Every recogniser with its rule."""
    return (
        _watch(_OfflineEmailRecognizer(), "e-?mail", sure=".+"),
        _watch(IbanRecognizer(), "iban", sure=".+"),
        _watch(ItFiscalCodeRecognizer(), "codice fiscale|fiscal code", sure="[A-Z0-9]{16}"),
        _watch(UsSsnRecognizer(), "ssn|social security", sure=r"\d{3}-\d{2}-\d{4}"),
        _watch(UkNinoRecognizer(), "nino|national insurance|ni (?:number|no)", sure=r"[A-Z]{2} \d{2} \d{2} \d{2} [A-D]"),
        _watch(
            CreditCardRecognizer(),
            "credit|card|visa|mastercard|amex|kreditkarte",
            sure=r"\d{4}([- ])\d{4}\1\d{4}\1\d{1,4}|3\d{3} \d{6} \d{5}",
        ),
        _watch(_NearPhoneRecognizer(supported_regions=PHONE_REGIONS, leniency=1), PHONE_WORDS, sure=r"\+.+|\(\d{3}\).+"),
        _watch(UsItinRecognizer(), "itin|taxpayer"),
        _watch(UsPassportRecognizer(), "passport"),
        _watch(NhsRecognizer(), "nhs|national health service"),
        _watch(DeTaxIdRecognizer(), r"steuer-?id\w*|steuerliche identifikationsnummer|idnr|tax id\w*"),
        _watch(EsNifRecognizer(), "nif|dni|documento nacional"),
        _watch(PlPeselRecognizer(), "pesel"),
        _watch(InAadhaarRecognizer(), "aadhaar|uidai"),
    )
