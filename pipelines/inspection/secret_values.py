"""Secrets in texts, by the detectors of detect-secrets. Nothing is verified with a service and nothing is written down.

Detectors that know a form (keys of clouds, tokens of services, private keys) count as they are. Words such as `password:` count only
before something that a person would not write in a sentence, and random-looking characters only where such a word stands on the line.
"""

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache

from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.base import BasePlugin
from detect_secrets.plugins.basic_auth import BasicAuthDetector
from detect_secrets.plugins.discord import DiscordBotTokenDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.jwt import JwtTokenDetector
from detect_secrets.plugins.mailchimp import MailchimpDetector
from detect_secrets.plugins.npm import NpmDetector
from detect_secrets.plugins.openai import OpenAIDetector
from detect_secrets.plugins.private_key import PrivateKeyDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector
from detect_secrets.plugins.telegram_token import TelegramBotTokenDetector
from detect_secrets.plugins.twilio import TwilioKeyDetector

NAMED = "Secret Keyword"
LONGEST_LINE = 2_000
"""Characters of a line that are looked at: secrets stand in short lines, and patterns must not have long ones to try."""

_NAMES = r"api[ _-]?key|(?:auth|access)[ _-]?(?:key|token)|client[ _-]?secret|secret(?:[ _-]?key)?|passw(?:or)?d|passphrase|pwd|token"
_ASSIGNED = re.compile(
    rf"\b\w{{0,40}}(?:{_NAMES})\w{{0,20}}"
    r"""['"]?\s{0,3}(?::=|=>|[:=]|\bis\b)\s{0,3}['"`]?(?P<value>[^\s'"`,;<>()]{8,200})""",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"\$|\{|%|\*{3}|x{4}|\.{3}|example|changeme|placeholder|your|env:|vault:|file:|https?:|redacted|hidden", re.IGNORECASE
)


@cache
def _detectors() -> tuple[BasePlugin, ...]:
    return (
        AWSKeyDetector(),
        AzureStorageKeyDetector(),
        BasicAuthDetector(),
        DiscordBotTokenDetector(),
        GitHubTokenDetector(),
        GitLabTokenDetector(),
        JwtTokenDetector(),
        MailchimpDetector(),
        NpmDetector(),
        OpenAIDetector(),
        PrivateKeyDetector(),
        PypiTokenDetector(),
        SendGridDetector(),
        SlackDetector(),
        SquareOAuthDetector(),
        StripeDetector(),
        TelegramBotTokenDetector(),
        TwilioKeyDetector(),
    )


def secrets_in(text: str) -> Mapping[str, int]:
    """Kind of secret, e.g. `AWS Access Key`, to how many different values of it the text holds."""
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        for kind, value in _in_line(line[:LONGEST_LINE]):
            found.setdefault(kind, set()).add(value)
    return Counter({kind: len(values) for kind, values in found.items()})


def _in_line(line: str) -> list[tuple[str, str]]:
    if len(line) < _SHORTEST:
        return []
    known = [(detector.secret_type, value) for detector in _detectors() for value in detector.analyze_string(line)]
    if known:
        return [(kind, value) for kind, value in known if not _PLACEHOLDER.search(value)]
    return [(NAMED, match["value"]) for match in _ASSIGNED.finditer(line) if _looks_made(match["value"])]


_SHORTEST = 12
"""Characters of a line that can hold a secret."""


def _looks_made(value: str) -> bool:
    """Whether nobody would write it in a sentence: letters mixed with digits, or marks inside of it."""
    if _PLACEHOLDER.search(value):
        return False
    return bool(re.search(r"\d", value) and re.search(r"[^\W\d]", value))
