"""Phone numbers as people, spreadsheets and programs write them: their digits, or what else the text is."""

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote

from services.core.errors import InvalidInput

_LONGEST = 120
_ECHOED = 60
_MOST_DIGITS = 25
_MOST_WITH_EXIT = 18

_INVISIBLE_MARKS = {"\u034f", "\u180b", "\u180c", "\u180d", "\u180f"}
_NUMBER_SIGNS = {*map(chr, range(0x0600, 0x0606)), "\u06dd", "\u08e2", "\U000110bd", "\U000110cd"}  # Cf, yet they show
_BLANKS = {"\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"}  # letters and symbols that show nothing
_LINE_ENDS = set("\n\r\t\v\f\x85\u2028\u2029")
_PLUSES = {"\uff0b", "\ufe62", "\u207a"}
_DASHES = {"\u2212", "\u30fc", "\uff70", "\u02d7", "\u2043", "\u2500"}
_TILDES = {"\u301c", "\u3030", "\uff5e", "\u223c", "\u2053"}
_DOTS = {"\u00b7", "\u2022", "\u2027", "\u2219", "\u22c5", "\u30fb", "\uff0e", "\u3002", "\uff61"}
_SLASHES = {"\uff0f", "\u2044", "\u2215"}
_QUOTES = set("\"'`\u00b4\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a\uff02\uff07")
_CONTROLS = {"\x00": "NULL", "\x08": "BACKSPACE", "\x1b": "ESCAPE", "\x7f": "DELETE"}

_PLAIN_E164 = re.compile(r"\+[0-9]{7,15}")
_NOTHING_TO_DO = re.compile(r"[0-9+ ()./-]*")
_SCHEME = re.compile(r"(tel|callto|sips?)\s*:\s*(//)?", re.IGNORECASE)
_SCIENTIFIC = re.compile(r"[+-]?(\d+)(?:[.,](\d+))?[eE]([+-]?\d{1,4})")
_WHOLE_FLOAT = re.compile(r"(\+?\d+)[.,]0{1,2}")
_DECIMAL = re.compile(r"\+?\d+[.,]\d{1,2}|\+?\d{7,}[.,]0+|\+?\d+,\d+")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}([.,\"])\d{3}(\1\d{3})+((?!\1)[.,]\d+)?|[1-9]\d{0,2},\d{3}")
_IN_ACCOUNTING = re.compile(r"\(\s*\d+([.,]\d+)?\s*\)")
_TIME = r"(?:[T ,]+\d{1,2}[:.h]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?\s*(?:[AaPp]\.?[Mm]\.?|Z|[+-]\d{2}:?\d{2})?)?"
_YEAR_FIRST = re.compile(r"(?:19|20)\d\d([-./ ])(\d{1,2})\1(\d{1,2})" + _TIME)
_YEAR_LAST = re.compile(r"(\d{1,2})([-./ ]) ?(\d{1,2})\2 ?(?:(?:19|20)\d\d|(?<! )\d\d)" + _TIME)
_DAY_IN_DIGITS = re.compile(r"(?:19[5-9]|20[0-4])\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[0-2]\d[0-5]\d[0-5]\d)?")
_COUNTED_DAY = re.compile(r"[345]\d{4}[.,]\d+")
_ADDRESS = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:[:/]\d+)?")
_EXTENSION = re.compile(
    r"(?:[,;\s(]|(?<=\d))\s*(?:ext(?:ension|n)?|x|dw|durchwahl|app|apparat|poste|anexo|ramal|int|доб|#)\s*[.:=]?\s*"
    r"#?\s*(\d{1,8})\s*\)?",
    re.IGNORECASE,
)
_LIST_NUMBER = re.compile(r"\d{1,3}[.):]\s+(?=[+(\d])|\(\d{1,2}\)\s+(?=[+0])")
_VANITY = re.compile(r"[+\d(][\d\s().A-Z+-]*[A-Z]{3,}[\d\s().A-Z-]*")
_KEYS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
_TRUNK = re.compile(r"\(\s*0\s*\)")
_GROUPS = re.compile(r"\d+")
_TWO_APART = re.compile(r"\d{6,} {2,}\d{6,}")
_WAIT_FOR_TONE = re.compile(r"8\s*~\s*10")


@dataclass(frozen=True)
class Written:
    """The digits of a number as they were written, in their groups.

    `code` is what stands before a 0 in brackets that is among them, as in +44 (0)20: a calling code.
    """

    digits: str
    groups: tuple[str, ...]
    has_plus: bool = False
    code: str = ""

    @property
    def without_trunk(self) -> str:
        """The digits without the 0 in brackets."""
        return self.code + self.digits[len(self.code) + 1 :]

    @property
    def can_be_day(self) -> bool:
        """Whether this may be a day, or a moment, written in digits alone: 20261125."""
        return not self.has_plus and len(self.groups) == 1 and _DAY_IN_DIGITS.fullmatch(self.digits) is not None


def echo(text: str) -> str:
    """Return input fit for display: short, with invisible and unstorable characters spelled out."""
    visible = " ".join("".join(map(_visible, text[: _LONGEST + 1])).split())
    return visible if len(visible) <= _ECHOED else f"{visible[:_ECHOED]}…"


def storable(text: str) -> str:
    """Return *text* without what no database takes: NUL, and halves of characters."""
    return "".join(char for char in text if char != "\0" and not 0xD800 <= ord(char) <= 0xDFFF)


def printable(text: str) -> str:
    """Return *text* with what cannot be stored or sent, as half of a character, written out."""
    return "".join(char if unicodedata.category(char) not in ("Cc", "Cs") else f"[U+{ord(char):04X}]" for char in text)


def visible(text: str) -> str:
    """Return *text* with plain digits and signs for those of every script and width, without invisible marks."""
    return text if _NOTHING_TO_DO.fullmatch(text) else "".join(map(_plain, text))


def written(text: str) -> Written:
    """Return the digits of the one number that *text* is. Raises InvalidInput with what else is in it."""
    if _PLAIN_E164.fullmatch(text):
        return Written(text[1:], (text[1:],), has_plus=True)
    if len(text) > _LONGEST:
        raise _no(f"{echo(text)} is too long to be a phone number.")
    seen = _unwrapped(visible(text))
    if not seen:
        raise _no("Enter a phone number.")
    seen = _WAIT_FOR_TONE.sub("810", _whole(seen)) if "+" not in seen else _whole(seen)
    for look in (_expect_no_date, _expect_no_amount, _expect_one, _expect_signs, _expect_brackets, _expect_slash):
        look(seen)
    trunk = _TRUNK.search(seen)
    groups = tuple(_GROUPS.findall(seen))
    digits = "".join(groups)
    if len(groups) > 1 and len(digits) > _MOST_WITH_EXIT:
        raise _two(text)
    if len(digits) > _MOST_DIGITS:
        raise _no(f"{echo(text)} cannot be a phone number: it is too long.")
    plus = seen.lstrip("( ").startswith("+")
    return Written(digits, groups, plus, "".join(_GROUPS.findall(seen[: trunk.start()])) if trunk else "")


def _plain(char: str) -> str:
    """Return a character as it is read in a number: nothing, one of the plain signs, or itself."""
    digit, kind = unicodedata.decimal(char, None), unicodedata.category(char)
    if digit is not None:
        return str(digit)
    if char in _NUMBER_SIGNS:
        return char
    if kind == "Cf" or char in _INVISIBLE_MARKS or 0xFE00 <= ord(char) <= 0xFE0F or 0xE0100 <= ord(char) <= 0xE01EF:
        return ""
    for signs, plain in (
        (_LINE_ENDS, "\n"),
        (_BLANKS, " "),
        (_PLUSES, "+"),
        (_TILDES, "~"),
        (_DOTS, "."),
        (_SLASHES, "/"),
        (_QUOTES, '"'),
    ):
        if char in signs:
            return plain
    if kind == "Pd" or char in _DASHES:
        return "-"
    return {"Zs": " ", "Ps": "(", "Pe": ")"}.get(kind, char)


def _unwrapped(text: str) -> str:
    """Return *text* out of quotes, `="…"`, angle brackets and `tel:` or `sip:` addresses."""
    while True:
        inner = text.strip(" \n").strip('"').strip(" \n")
        if inner.startswith("=") and inner[1:].lstrip(" ")[:1] in ('"', "+", *"0123456789"):
            inner = inner[1:]
        if inner.startswith("<") and inner.endswith(">"):
            inner = inner[1:-1]
        if scheme := _SCHEME.match(inner):
            inner = _addressed(inner[scheme.end() :])
        inner = inner.rstrip(" ,;.")
        if inner == text:
            return text
        text = inner


def _addressed(address: str) -> str:
    """Return the number in what follows `tel:` or `sip:` (RFC 3966, RFC 3261)."""
    user, at, _host = visible(unquote(address)).partition("@")
    number, *parameters = (user if at else user.partition("?")[0]).split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() in ("ext", "isub"):
            raise _extension(value)
        if name.strip().lower() == "phone-context" and not number.startswith("+"):
            number = f"{value} {number}" if value.startswith("+") else number
    return number


def _whole(text: str) -> str:
    """Return a number that a spreadsheet or a program wrote as a float, in its digits."""
    if found := _SCIENTIFIC.fullmatch(text):
        before, after, power = found[1], found[2] or "", int(found[3])
        if text.startswith("-") or power != len(after):
            raise _no(
                f"A spreadsheet has shortened this number to {echo(text)} and lost digits. Store the column as text."
                if power > len(after)
                else f"{echo(text)} is a number with decimals, not a phone number."
            )
        return before + after
    if found := _WHOLE_FLOAT.fullmatch(text):
        return found[1]
    return text


def _expect_no_date(text: str) -> None:
    if found := _ADDRESS.fullmatch(text):
        if all(int(part) <= 255 for part in found.groups()):
            raise _no(f"{echo(text)} is a network address, not a phone number.{_MEANT}")
        return
    found = _YEAR_FIRST.fullmatch(text)
    if found and _can_be_day(found[2], found[3]):
        raise _no(f"{echo(text)} is a date, not a phone number.{_MEANT}")
    found = _YEAR_LAST.fullmatch(text)
    if found and (_can_be_day(found[1], found[3]) or _can_be_day(found[3], found[1])):
        raise _no(f"{echo(text)} is a date, not a phone number.{_MEANT}")
    if _COUNTED_DAY.fullmatch(text):
        raise _no(f"{echo(text)} is a spreadsheet's day count, not a phone number.{_MEANT}")


def _can_be_day(month: str, day: str) -> bool:
    return 1 <= int(month) <= 12 and 1 <= int(day) <= 31


def _expect_no_amount(text: str) -> None:
    if sign := next((char for char in text if char in "%\u2030" or unicodedata.category(char) == "Sc"), None):
        raise _no(f"{echo(text)} is an amount in {sign}, not a phone number.")
    if not any(char.isalnum() for char in text):
        raise _no(f"{echo(text)} has no digits.")
    if _IN_ACCOUNTING.fullmatch(text) or text.startswith("-"):
        raise _no(f"{echo(text)} is a negative amount, not a phone number.{_MEANT}")
    if _THOUSANDS.fullmatch(text):
        raise _no(f"{echo(text)} is an amount in thousands, not a phone number.{_MEANT}")
    if _DECIMAL.fullmatch(text):
        raise _no(f"{echo(text)} is a number with decimals, not a phone number.{_MEANT}")


def _expect_one(text: str) -> None:
    """Raise InvalidInput for more than one number, or text before or after it."""
    if listed := _LIST_NUMBER.match(text):
        raise _no(f"{echo(listed[0].strip())} is a list number. Write only {echo(text[listed.end() :])}.")
    found = _EXTENSION.search(text)
    if found and found.end() == len(text) and _GROUPS.search(text[: found.start() + 1]):
        raise _extension(found[1])
    lines = [line for line in text.split("\n") if line.strip()]
    starts = text.count("+")
    if starts > 1 or len(lines) > 1 or _TWO_APART.search(text) or re.search(r"\d\s*[,;|&]\s*[+(\d]", text):
        raise _two(text)
    if starts == 1 and not text.lstrip("( ").startswith("+"):
        raise _no(f"There is text before the + in {echo(text)}. Write only the number, starting with +.")


def _expect_signs(text: str) -> None:
    """Raise InvalidInput naming the invalid character."""
    if words := "".join(c if c.isalpha() else " " for c in text).split():
        message = f"{echo(text)} has letters. A phone number has only digits."
        if _VANITY.fullmatch(text) and any(len(word) > 2 for word in words):
            message = f"{message} In digits it is {text.translate(_KEYS)}."
        elif re.search(r"\d{4}", text):
            message = f"{message} Write only the number, without {' '.join(words)[:30]}."
        raise _no(message)
    strange = next((c for c in text if c not in "0123456789+-./() "), None)
    if strange is None:
        return
    if strange == "~":
        raise _no(f"{echo(text)} is a range of numbers. Write each in its own row.")
    if strange.isnumeric():
        raise _no(f"{strange} in {echo(text)} is a footnote or a symbol, not a digit. Remove it. ({_name(strange)})")
    if strange.isprintable():
        raise _no(
            f"A phone number has only digits, spaces, brackets, dots, dashes and a leading +. {echo(text)} has "
            f"{strange} ({_name(strange)})."
        )
    raise _no(f"There is an invisible character in {echo(text)}: {_name(strange)}. Type the number again.")


def _expect_brackets(text: str) -> None:
    inside = re.findall(r"\(([^()]*)\)", text)
    if re.sub(r"\([^()]*\)", "", text).strip("0123456789+-./ ") or any(not _GROUPS.search(part) for part in inside):
        raise _no(f"The brackets in {echo(text)} do not match.")
    if re.search(r"\d[^()]*\([^()]*\)[^\d]*$", text):
        raise _no(f"There is something in brackets after the number in {echo(text)}. Remove it.")
    if text.rstrip(" )")[-1:] in ("-", "/", "+"):
        raise _no(f"{echo(text)} is incomplete: something is missing at the end.")


def _expect_slash(text: str) -> None:
    """Raise InvalidInput for a slash that does not stand after an area code, as in 030/123456."""
    if "/" not in text:
        return
    before, *behind = ("".join(_GROUPS.findall(part)) for part in text.split("/"))
    longest = 9 if "+" in text or before.startswith("00") else 6
    is_code = len(behind) == 1 and 2 <= len(before) <= longest and len(behind[0]) >= 4
    if not is_code or behind[0].startswith("0"):
        raise _two(text)


_MEANT = " If it is one, write it with + and its country calling code."


def _two(text: str) -> InvalidInput:
    return _no(f"There is more than one number in {echo(text)}. Write each in its own row.")


def _extension(digits: str) -> InvalidInput:
    return _no(f"The number has an extension, {echo(digits)}. Remove it: numbers are stored without extensions.")


def _no(message: str) -> InvalidInput:
    return InvalidInput(message, field="number")


def _visible(char: str) -> str:
    if char.isprintable() or char in _LINE_ENDS or unicodedata.category(char) == "Zs":
        return char
    return "" if _plain(char) == "" else f"[U+{ord(char):04X}]"


def _name(char: str) -> str:
    return f"U+{ord(char):04X} {unicodedata.name(char, _CONTROLS.get(char, ''))}".strip()
