"""Characters as classifiers see them: each quote, space and line end written one way, and no offset moved."""

PREPARATION = "text@1"  # how a text is cleaned, cut and split before a classifier sees it: another way, another name
MAX_CODE_POINTS = 20_000  # about ten pages: what follows has never changed what an answer is about
HIDDEN = "\u200b"

_CURLY = {"‘": "'", "’": "'", "‛": "'", "`": "'", "´": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"'}
_SAME_LENGTH = (
    {ord(curly): plain for curly, plain in _CURLY.items()}
    | dict.fromkeys((*range(9), *range(14, 32), 0x7F, 0xA0, *range(0x2000, 0x200B), 0x202F, 0x3000), " ")
    | dict.fromkeys((0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029), "\n")
    | dict.fromkeys((0xAD, 0x61C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0xFEFF), HIDDEN)
    | dict.fromkeys(range(0x2060, 0x2070), HIDDEN)
    | {code: _CURLY.get(chr(code - 0xFEE0), chr(code - 0xFEE0)) for code in range(0xFF01, 0xFF5F)}
    | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")  # lone surrogates cannot be encoded, and spaCy encodes
)


def normalise(text: str) -> str:
    """The same text, code point for code point, with one way to write each quote, space and line end.

    Bidi and zero-width marks become one zero-width mark, full-width letters plain ones, lone surrogates U+FFFD. Done
    twice it changes nothing more.
    """
    return text.translate(_SAME_LENGTH)
