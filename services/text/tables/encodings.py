"""Bytes into text: in the encoding that they say or prove, else in the likeliest, with others to choose from."""

import codecs
import re
from dataclasses import dataclass

from charset_normalizer import from_bytes

from services.text.tables.limits import Unreadable

NAMES = {
    "utf-8": "Unicode (UTF-8)",
    "cp1252": "Western European (Windows-1252)",
    "cp1250": "Central European (Windows-1250)",
    "cp1251": "Cyrillic (Windows-1251)",
    "koi8_r": "Cyrillic (KOI8-R)",
    "cp1253": "Greek (Windows-1253)",
    "cp1254": "Turkish (Windows-1254)",
    "cp1255": "Hebrew (Windows-1255)",
    "cp1256": "Arabic (Windows-1256)",
    "cp1257": "Baltic (Windows-1257)",
    "cp874": "Thai (Windows-874)",
    "cp932": "Japanese (Shift JIS)",
    "euc_jp": "Japanese (EUC)",
    "gb18030": "Chinese, simplified (GB 18030)",
    "big5": "Chinese, traditional (Big5)",
    "cp949": "Korean (Windows-949)",
    "mac_roman": "Western European (Mac)",
    "cp850": "Western European (DOS 850)",
}
"""Encodings that can be chosen when a file does not say its own."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 64 * 1024
_WORD = re.compile(rb"[A-Za-z\x80-\xff]+")
_FOREIGN = re.compile("[^\\W\\d_]*[^\\x00-\\x7f]+[^\\x00-\\x7f \\w]*(?: ?\\w+)?")
_STRAY = re.compile("[\0\udc80-\udcff]")
_CONTROLS = bytes({*range(1, 32)} - set(b"\t\n\v\f\r\x1a\x1b"))
"""Bytes that hardly stand in a text. A zero does, where a program padded it: its rows are refused."""

_SHOWN = 30
_WESTERN_SIGNS = "€£§©®°·–—‘’“”„«»…•™½¼¾×"


@dataclass
class Text:
    """A decoded text. `choices` are codec, name and what it makes of the first such words; none when it is certain."""

    text: str
    codec: str = ""
    choices: list[tuple[str, str, str]] | None = None


def decoded(data: bytes, chosen: str | None = None) -> Text:
    """Return the text of *data*, in the encoding *chosen* if it is none that the file proves by itself.

    Bytes of a UTF-8 text that are none become lone surrogates: their rows are to be refused, and no other.
    """
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return Text(_strict(data, codec))
    sample = data[:_SAMPLE]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 10 > len(sample):  # of two bytes each, and one of them is mostly zero
        if min(even, odd) * 2 >= max(even, odd):
            raise _no_text()
        return Text(_strict(data, "utf-16-be" if even > odd else "utf-16-le"))
    if len(sample.translate(None, _CONTROLS)) * 50 < len(sample) * 49:
        raise _no_text()
    try:
        return Text(data.decode())
    except UnicodeDecodeError:
        pass
    sample = _foreign_lines(data)
    choices = _choices(data, sample)
    codec = chosen if chosen in {codec for codec, _, _ in choices} else _likeliest(sample, choices)
    return Text(data.decode(codec, "surrogateescape" if codec == "utf-8" else "strict"), codec, choices)


def _no_text() -> Unreadable:
    return Unreadable("The file is neither text nor a workbook. Use CSV or .xlsx.")


def is_broken(text: str) -> bool:
    """Return whether a part of a text was none: a byte that is no UTF-8, or zero."""
    return "\0" in text or (not text.isascii() and _STRAY.search(text) is not None)


def mended(text: str) -> str:
    """Return *text* with a replacement mark for what was none."""
    return _STRAY.sub("\ufffd", text)


def _strict(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as exc:
        raise Unreadable(
            f"The file claims to be {codec.upper().removesuffix('-SIG')}, but byte {exc.start + 1:,} is not. Save it "
            f"again as UTF-8."
        ) from exc


def _foreign_lines(data: bytes) -> bytes:
    """Return the first lines that hold more than ASCII: what tells an encoding may stand far down."""
    found, size = [], 0
    for line in data.splitlines():
        if not line.isascii():
            found.append(line)
            size += len(line)
            if size > _SAMPLE:
                break
    return b"\n".join(found)[:_SAMPLE]


def _choices(data: bytes, sample: bytes) -> list[tuple[str, str, str]]:
    found = []
    for codec, name in NAMES.items():
        try:
            if codec == "utf-8":
                if not _mostly_utf8(data):
                    continue
                sample_text = mended(sample.decode(codec, "surrogateescape"))
            else:
                data.decode(codec)
                sample_text = sample.decode(codec, "ignore")
        except UnicodeDecodeError:
            continue
        seen = _FOREIGN.search(sample_text)
        found.append((codec, name, " ".join(seen[0].split())[:_SHOWN] if seen else ""))
    if not found:
        raise Unreadable("The file's text cannot be read. Save it as CSV in UTF-8.")
    return found


def _mostly_utf8(data: bytes) -> bool:
    """Return whether most of what is not ASCII is UTF-8: a few bytes out of another file do not change what it is."""
    text = data.decode("utf-8", "surrogateescape")
    broken = len(_STRAY.findall(text))
    foreign = len(text) - len(text.encode("ascii", "ignore"))
    return foreign - broken > broken


def _likeliest(sample: bytes, choices: list[tuple[str, str, str]]) -> str:
    options = [codec for codec, _, _ in choices]
    if options[0] == "utf-8":
        return "utf-8"
    words = [word for word in _WORD.findall(sample) if not word.isascii()]
    mixed = sum(len(word) < 3 or len(word) > 2 * sum(byte > 127 for byte in word) for word in words)
    western = sample.decode("cp1252", "replace")
    odd = sum(not (c.isalpha() or c in _WESTERN_SIGNS) for c in western if not c.isascii())
    # Letters with accents stand between others: by far the most frequent code page, which a few do not tell.
    if "cp1252" in options and mixed * 2 > len(words) and odd * 4 < max(1, len(words)):
        return "cp1252"
    others = [codec for codec in options if codec not in ("cp1252", "cp1250", "cp1254", "cp1257", "mac_roman", "cp850")]
    best = from_bytes(sample, cp_isolation=others or options).best()
    guessed = best.encoding if best else ""
    return guessed if guessed in options else (others or options)[0]
