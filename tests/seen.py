"""What a person sees of a page: its words, without the marks around them."""

import re
from html import unescape

import httpx


def seen(page: httpx.Response | str) -> str:
    """The words of a page, or of a piece of one, on one line."""
    text = page if isinstance(page, str) else page.text
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())
