"""Sentences that read like orders to a model. Precise rather than complete: an order that is missed meets the other defences.

An order counts only where it is about the conversation itself: its instructions, its prompt, its role or its answer. Documents that
tell people what to do (`ignore the alarm`, `you are now in the workshop`) do not.
"""

import re
from collections.abc import Iterator

from retrieval.domain.documents import Span
from retrieval.domain.visible_text import without_unseen

_WHAT_IT_WAS_TOLD = r"(?:instruction|direction|prompt|rule|guideline|directive|command|order|message|context|training)s?"
_BEFORE = r"(?:previous|prior|above|earlier|preceding|foregoing|original|initial|system|developer|safety)"
_TO_DROP = r"(?:ignore|disregard|forget|override|bypass|do not follow|don't follow|stop following)"
_MODEL = r"(?:ai|assistant|chatbot|language model|llm)"
_SAID = r"(?:you\s+(?:were|have been)|(?:that\s+)?(?:was\s+)?(?:said|written|told))"
_SENTENCE = r"[^.!?\n]"
_PATTERNS = tuple(
    re.compile("".join(parts), re.IGNORECASE | re.MULTILINE)
    for parts in (
        (rf"\b{_TO_DROP}\b{_SENTENCE}{{0,25}}\b{_BEFORE}\b{_SENTENCE}{{0,25}}\b{_WHAT_IT_WAS_TOLD}\b",),
        (rf"\b{_TO_DROP}\s+(?:all\s+|any\s+)?(?:of\s+)?(?:your|the model's)\s+(?:\w+\s+)?{_WHAT_IT_WAS_TOLD}\b",),
        (rf"\b{_TO_DROP}\s+(?:everything|all|anything)\s+{_SAID}\b",),
        (
            rf"\b(?:reveal|print|repeat|output|show|leak|disclose|display)\b{_SENTENCE}{{0,30}}",
            r"\b(?:system|hidden|initial|original|developer)\s+(?:prompt|message|instructions?)\b",
        ),
        (rf"\byou are (?:now|no longer)\s+(?:an?\s+)?(?:\w+\s+)?(?:{_MODEL}|gpt|dan|unrestricted|jailbroken)\b",),
        (
            r"\b(?:act|behave|respond|answer|pretend)\s+(?:as|like)\s+(?:if\s+you\s+(?:are|were)\s+)?(?:an?\s+)?",
            r"(?:unrestricted|unfiltered|uncensored|jailbroken|dan)\b",
        ),
        (
            rf"\b{_MODEL}s?\s*(?:reading|processing|summari[sz]ing|that reads?|that process(?:es)?)\s+(?:this|the)\b",
            rf"{_SENTENCE}{{0,60}}\b(?:must|should|shall|will|please|are to)\b",
        ),
        (rf"\b(?:note|attention|message|instructions?)\s+(?:to|for)\s+(?:the\s+|any\s+)?{_MODEL}s?\b\s*[:\-\u2013]",),
        (rf"\b(?:do not|don't|never)\s+(?:mention|reveal|tell|disclose|inform)\b{_SENTENCE}{{0,40}}\b(?:the user|to users)\b",),
        (
            r"\b(?:respond|reply|answer)\s+(?:only\s+)?with\s+(?:the\s+(?:exact\s+)?)?(?:words?|text|phrase|sentence|string)\b",
            r"[^.!?\n]{0,5}[\"'\u201c:]",
        ),
        (r"<\|?(?:im_start|im_end|system|endoftext|start_header_id|eot_id)\|?>|\[/?INST\]|<<SYS>>",),
        (r"^#{2,3}\s*(?:system|assistant)\s*(?:prompt|message)?\s*:",),
        (
            r"\bnew\s+(?:system\s+)?instructions?\s*(?:for (?:you|the \w+))?\s*:\s*\S+[^.\n]{0,80}",
            r"\b(?:ignore|answer|respond|reply|you must)\b",
        ),
        (r"!\[[^\]]{0,100}\]\(https?://[^)\s]{1,300}[?&][\w.-]{1,40}=\{?(?:secret|data|conversation|context|prompt|answer|history)\b",),
        (
            rf"\b(?:ignoriere?|vergiss|missachte)\b{_SENTENCE}{{0,30}}\b(?:vorherige|bisherige|obige|fr\u00fchere)[nrs]?\b",
            rf"{_SENTENCE}{{0,20}}\b(?:anweisung|instruktion|regel|befehl)\w*",
        ),
        (rf"\b(?:ignore[zs]?|oublie[zs]?)\b{_SENTENCE}{{0,30}}\b(?:instructions?|consignes?|r\u00e8gles?)\s+(?:pr\u00e9c|ant\u00e9ri)\w+",),
        (rf"\b(?:ignora|olvida)\b{_SENTENCE}{{0,30}}\b(?:instrucciones|\u00f3rdenes|reglas)\s+(?:anteriores|previas)",),
    )
)


def instructions(text: str) -> Iterator[Span]:
    """Where in the seen text such sentences stand, each once."""
    seen = without_unseen(text)
    last = 0
    for span in sorted(Span(*match.span()) for pattern in _PATTERNS for match in pattern.finditer(seen)):
        if span.start >= last:
            yield span
            last = span.end
