"""What eager programs make of a text: Markdown with links found everywhere, HTML, terminals. Written apart from the code it judges."""

import re
from html import unescape

from lxml import html
from markdown_it import MarkdownIt

_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_HARMLESS = {"p", "ol", "ul", "li", "em", "strong", "hr", "br", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "s", "del", "div"}
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://\S|\bwww\.\S|\b(?:javascript|vbscript|data|mailto):\S|\S@\S+\.\w", re.IGNORECASE)
_HOST = re.compile(r"\b[\w-]+\.(?:com|net|org|example|test|io|ai|co|uk|de|ru|cn|рф|xn--\w+)\b", re.IGNORECASE)
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e01ef]")


def active_parts(text: str) -> list[str]:
    """Tags other than those of plain prose, addresses, hosts and unseen characters that somebody shown this text would meet."""
    drawn = _MARKDOWN.render(text)
    tags = {element.tag for form in (drawn, text) for element in html.fragments_fromstring(f"<div>{form}</div>")[0].iter()}
    found = [f"<{tag}>" for tag in tags if not isinstance(tag, str) or tag not in _HARMLESS]
    for form in (text, unescape(text)):
        found += [match.group() for pattern in (_ADDRESS, _HOST, _UNSEEN) for match in pattern.finditer(form)]
    return found
