"""Made-up people's numbers with right check digits, and business texts that hold nothing of anybody. The same each time."""

import random
import string
from collections.abc import Callable, Mapping

SENTENCES = {
    "CREDIT_CARD": ("Charged to card {}.", "We paid with {} in May."),
    "DE_TAX_ID": ("Steuer-ID: {}",),
    "EMAIL_ADDRESS": ("Write to {} today.", "Contact: {}"),
    "ES_NIF": ("DNI {}",),
    "IBAN_CODE": ("Transfer it to {}, please.", "IBAN {}"),
    "IN_AADHAAR": ("Aadhaar {}",),
    "IT_FISCAL_CODE": ("Codice fiscale {}", "Signed, {}."),
    "PHONE_NUMBER": ("Call {} after nine.", "Phone: {}"),
    "PL_PESEL": ("PESEL {}",),
    "UK_NHS": ("NHS number {}",),
    "UK_NINO": ("National insurance number {}", "On file: {}."),
    "US_ITIN": ("ITIN {}",),
    "US_PASSPORT": ("Passport no. {}",),
    "US_SSN": ("Her SSN is {}.", "It says {} there."),
}


def values(draw: random.Random) -> Mapping[str, Callable[[], str]]:
    """Of each kind, a way to make one."""
    digits = lambda count: "".join(draw.choices(string.digits, k=count))  # noqa: E731 - short and local
    return {
        "CREDIT_CARD": lambda: _grouped(_luhn("4" + digits(14))),
        "DE_TAX_ID": lambda: _iso_7064(_tax_digits(draw)),
        "EMAIL_ADDRESS": lambda: (
            f"{draw.choice(('ann.lee', 'b.okafor', 'c_ruiz', 'd-kim'))}@{draw.choice(('northwind.com', 'acme.co.uk', 'bau.de'))}"
        ),
        "ES_NIF": lambda: _nif(digits(8)),
        "IBAN_CODE": lambda: _iban("DE", digits(18)),
        "IN_AADHAAR": lambda: _verhoeff(draw.choice("23456789") + digits(10)),
        "IT_FISCAL_CODE": lambda: draw.choice(("RSSMRA85T10A562S", "VRDLGU80A01H501Q", "BNCGNN75D15F205B")),
        "PHONE_NUMBER": lambda: draw.choice(("+49 30 901820", "+44 20 7946 0958", "(212) 736-5000", "+1 212 736 5000", "020 7219 3000")),
        "PL_PESEL": lambda: _pesel(draw),
        "UK_NHS": lambda: _nhs(draw),
        "UK_NINO": lambda: f"AB {draw.randint(10, 99)} {draw.randint(10, 99)} {draw.randint(10, 99)} {draw.choice('ABCD')}",
        "US_ITIN": lambda: f"9{draw.randint(10, 99)}-{draw.choice((70, 75, 80, 88))}-{draw.randint(1000, 9999)}",
        "US_PASSPORT": lambda: str(draw.randint(300000000, 599999999)),
        "US_SSN": lambda: f"{draw.randint(510, 560)}-{draw.randint(10, 89)}-{draw.randint(1000, 8999)}",
    }


def sentences(kind: str, *, count: int, seed: int = 7) -> list[tuple[str, str]]:
    """(sentence, value in it) pairs."""
    draw = random.Random(f"{kind}{seed}")
    make = values(draw)[kind]
    return [(draw.choice(SENTENCES[kind]).format(value), value) for value in (make() for _ in range(count))]


def business_texts(count: int, seed: int = 11) -> list[str]:
    """Order numbers, parts, dates, prices, versions, page addresses: what honest documents are full of."""
    draw = random.Random(seed)

    def one() -> str:
        number = draw.randint
        return draw.choice(
            (
                f"Order {number(10**9, 10**10 - 1)} ships on {number(2020, 2027)}-{number(10, 12)}-{number(10, 28)}.",
                f"Part {number(100, 999)}-{number(1000, 9999)}-{number(10, 99)} replaces part {number(10**6, 10**7)}.",
                f"Invoice {number(10**15, 10**16 - 1)} over EUR {number(1, 900)},{number(100, 999)}.50 is open.",
                f"See https://northwind.example/items/{number(10**8, 10**9)}?ref={number(10**9, 10**10)} for drawings.",
                f"Firmware {number(1, 9)}.{number(0, 99)}.{number(0, 9999)} needs {number(10**10, 10**11)} bytes free.",
                f"Serial numbers {number(10**10, 10**11)} to {number(10**10, 10**11)} are recalled.",
                f"The meeting is at {number(8, 18)}:{number(10, 59)} in room {number(100, 999)}; {number(10, 99)} people come.",
                f"Cost centre {number(100, 999)} {number(100, 999)} {number(1000, 9999)} takes {number(1, 99)} percent.",
                f"Tolerances are {number(1, 9)}.{number(10, 99)}-{number(1, 9)}.{number(10, 99)} mm over {number(100, 999)} mm.",
            )
        )

    return [one() for _ in range(count)]


def _luhn(digits: str) -> str:
    total = sum(sum(map(int, str(int(digit) * (2 if place % 2 == 0 else 1)))) for place, digit in enumerate(reversed(digits)))
    return digits + str(-total % 10)


def _grouped(digits: str) -> str:
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def _iban(country: str, account: str) -> str:
    as_number = int("".join(str(int(each, 36)) for each in account + country + "00"))
    return _grouped(f"{country}{98 - as_number % 97:02}{account}")


def _tax_digits(draw: random.Random) -> str:
    """Ten digits of which exactly one stands there twice."""
    drawn = draw.sample(string.digits, 9)
    while drawn[0] == "0":
        draw.shuffle(drawn)
    return "".join([*drawn, draw.choice(drawn[1:])])


def _iso_7064(digits: str) -> str:
    product = 10
    for digit in digits:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return digits + str((11 - product) % 10)


def _nif(digits: str) -> str:
    return digits + "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23]


def _pesel(draw: random.Random) -> str:
    digits = f"{draw.randint(50, 99)}{draw.choice(('01', '03', '05', '07'))}{draw.randint(10, 28)}{draw.randint(1000, 9999)}"
    total = sum(int(digit) * weight for digit, weight in zip(digits, (1, 3, 7, 9) * 3, strict=False))
    return digits + str(-total % 10)


def _nhs(draw: random.Random) -> str:
    while True:
        digits = str(draw.randint(10**8, 10**9 - 1))
        check = 11 - sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=True)) % 11
        if check != 10:
            whole = digits + str(check % 11)
            return f"{whole[:3]} {whole[3:6]} {whole[6:]}"


def _verhoeff(digits: str) -> str:
    """With the check digit over the dihedral group of the pentagon (Verhoeff, 1969)."""
    return next(digits + last for last in string.digits if _product(digits + last) == 0)


def _product(digits: str) -> int:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        moved = int(digit)
        for _ in range(place % 8):
            moved = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)[moved]
        turned = (total + moved) % 5 if total < 5 else (total - moved) % 5
        total = turned + 5 * ((total < 5) == (moved >= 5))
    return total
