"""TO_CHAR and TO_NUMBER of numbers with a format model.

Source: Oracle's SQL Language Reference, "Number Format Models". Refused: C, L, U and RN (territory and Roman numerals).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.expressions.number_bytes import EXACT, decode, encode
from oracle_mimic.sql.expressions.registry import udf


@dataclass(frozen=True, slots=True)
class Mask:
    """A parsed number mask. whole: the elements 9, 0, ',' or 'G' in front of the point; fraction: 9 and 0 behind it.

    sign: where it goes: '' leading, 'S<' 'S>' 'MI' 'PR'. point: '' | '.' | 'D'. shift: digits of V.
    """

    whole: str
    fraction: str
    point: str = ""
    sign: str = ""
    dollar: bool = False
    blank_zero: bool = False
    scientific: bool = False
    fill: bool = True
    hexadecimal: int = 0
    hex_padded: bool = False
    hex_lower: bool = False
    minimal: str = ""  # TM9, TME
    shift: int = 0


def _invalid() -> OracleError:
    return OracleError(1481, "invalid number format model")


@lru_cache(maxsize=512)
def parse_number_model(text: str) -> Mask:
    """ORA-01481 for what is no number format."""
    model = text.upper()
    fill = not model.startswith("FM")
    body = model if fill else model[2:]
    if body in ("TM", "TM9", "TME"):
        return Mask("", "", minimal="TME" if body == "TME" else "TM9", fill=fill)
    if found := re.fullmatch(r"(0*)(X+)", body):
        lower = text.rstrip()[-1] == "x"
        return Mask("", "", fill=fill, hexadecimal=len(body), hex_padded=bool(found.group(1)), hex_lower=lower)
    if re.search(r"[CLU]|RN", body):
        raise refused(f"number format {text}")
    sign = ""
    if body.startswith("S"):
        sign, body = "S<", body[1:]
    elif body.endswith("S"):
        sign, body = "S>", body[:-1]
    elif body.endswith("MI"):
        sign, body = "MI", body[:-2]
    elif body.endswith("PR"):
        sign, body = "PR", body[:-2]
    scientific = body.endswith("EEEE")
    body = body[:-4] if scientific else body
    dollar, blank_zero = "$" in body, "B" in body
    body = body.replace("$", "", 1).replace("B", "", 1)
    found = re.fullmatch(r"([90,G]*)(?:([.D])([90]*)|V([90]+))?", body)
    if not found or not (re.search("[90]", body)):
        raise _invalid()
    whole, point, fraction, shifted = found.groups()
    if whole[:1] in (",", "G") or ("," in whole and "G" in whole):
        raise _invalid()
    return Mask(whole + (shifted or ""), fraction or "", point or "", sign, dollar, blank_zero, scientific, fill, shift=len(shifted or ""))


def _exponent_text(value: Decimal, mask: Mask, characters: str) -> str:
    digits = len(mask.fraction)
    exponent = value.adjusted() if value else 0
    mantissa = abs(value).scaleb(-exponent, context=EXACT).quantize(Decimal((0, (1,), -digits)), ROUND_HALF_UP, context=EXACT)
    if mantissa >= 10:
        exponent += 1
        mantissa = abs(value).scaleb(-exponent, context=EXACT).quantize(Decimal((0, (1,), -digits)), ROUND_HALF_UP, context=EXACT)
    text = f"{mantissa:f}"
    if mask.point and not digits:
        text += "."
    text = text.replace(".", characters[0] if mask.point == "D" else ".")
    return text.rjust(len(text) + 5 - len(f"E{exponent:+03d}")) + f"E{exponent:+03d}"  # there is room for three digits


def _digits_text(value: Decimal, mask: Mask, characters: str) -> str | None:
    """Digits and separators without sign; None when the mask is too narrow."""
    places = len(mask.fraction)
    scaled = abs(value).scaleb(mask.shift, context=EXACT)
    rounded = scaled.quantize(Decimal((0, (1,), -places)), ROUND_HALF_UP, context=EXACT)
    whole, _, fraction = f"{rounded:f}".partition(".")
    whole = whole.lstrip("0")
    positions = mask.whole.replace(",", "").replace("G", "")
    if len(whole) > len(positions):
        return None
    first_zero = positions.find("0")
    forced = len(positions) - first_zero if first_zero >= 0 else 0
    if not forced and not whole and not places:
        forced = 1  # a zero that has nothing else to show is shown
    whole = whole.rjust(forced, "0")
    out: list[str] = []
    left = list(whole)
    separators = {",": ",", "G": characters[1]}
    for element in reversed(mask.whole):
        if element in separators:
            out.append(separators[element] if left else " ")
        else:
            out.append(left.pop() if left else " ")
    text = "".join(reversed(out))
    if not mask.fill:
        kept = fraction.rstrip("0")
        last_zero = mask.fraction.rfind("0")
        fraction = fraction[: max(len(kept), last_zero + 1)]
    if mask.point:
        text += (characters[0] if mask.point == "D" else ".") + fraction
    return text


def _signed(text: str, mask: Mask, *, negative: bool) -> str:
    """The sign and the dollar put where the mask wants them."""
    body = text.lstrip(" ")
    pad = text[: len(text) - len(body)]
    dollar = "$" if mask.dollar else ""
    if mask.sign == "S<":
        return f"{pad}{'-' if negative else '+'}{dollar}{body}"
    if mask.sign == "S>":
        return f"{pad}{dollar}{body}{'-' if negative else '+'}"
    if mask.sign == "MI":
        return f"{pad}{dollar}{body}{'-' if negative else ' '}"
    if mask.sign == "PR":
        return f"{pad}<{dollar}{body}>" if negative else f"{pad} {dollar}{body} "
    return f"{pad}{'-' if negative else ' '}{dollar}{body}"


TM9_CHARACTERS = 64
"""Up to so many characters TM9 prints plain digits, beyond them it prints as TME does."""


@udf("BLOB", "VARCHAR", "VARCHAR", returns="VARCHAR")
def format_number(data: bytes, model: str, characters: str) -> str:
    """TO_CHAR(number, model): `#` all over when the number does not fit."""
    mask, value = parse_number_model(model), decode(data)
    if mask.minimal:
        plain = _plain(value).replace(".", characters[0])
        return plain if mask.minimal == "TM9" and len(plain) <= TM9_CHARACTERS else _minimal_exponent(value, characters)
    if mask.hexadecimal:
        return _hexadecimal(value, mask)
    if mask.scientific:
        text: str | None = _exponent_text(value, mask, characters)
    else:
        text = _digits_text(value, mask, characters)
    if text is None:
        width = len(mask.whole) + len(mask.fraction) + bool(mask.point) + mask.dollar + 1 + (mask.sign == "PR")
        return "#" * width
    if mask.blank_zero and not value:
        text = " " * len(text)
    result = _signed(text, mask, negative=value < 0)
    return result if mask.fill else result.strip(" ") or " "


def _plain(value: Decimal) -> str:
    """Every digit, no exponent, no zero before the point: `-.5`."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    sign, body = ("-", text[1:]) if text.startswith("-") else ("", text)
    return sign + (body[1:] if body.startswith("0.") else body)


def _minimal_exponent(value: Decimal, characters: str) -> str:
    if not value:
        return "0E+00"
    mantissa = abs(value).scaleb(-value.adjusted(), context=EXACT).normalize(EXACT)
    return f"{'-' if value < 0 else ''}{mantissa:f}E{value.adjusted():+03d}".replace(".", characters[0])


def _hexadecimal(value: Decimal, mask: Mask) -> str:
    number = int(value.to_integral_value(ROUND_HALF_UP))
    digits = f"{number:x}" if mask.hex_lower else f"{number:X}"
    if number < 0 or len(digits) > mask.hexadecimal:
        return "#" * (mask.hexadecimal + 1)
    digits = digits.rjust(mask.hexadecimal, "0") if mask.hex_padded else digits.rjust(mask.hexadecimal) if mask.fill else digits
    return digits if not mask.fill else " " + digits


@udf("VARCHAR", "VARCHAR", "VARCHAR", returns="BLOB")
def parse_number_mask(text: str, model: str, characters: str) -> bytes:
    """TO_NUMBER(text, model); ORA-01722 when the text does not fit the model."""
    mask = parse_number_model(model)
    body = text.strip()
    if mask.hexadecimal:
        if not re.fullmatch(r"[0-9A-Fa-f]+", body) or len(body) > mask.hexadecimal:
            raise OracleError(1722, "invalid number")
        return encode(Decimal(int(body, 16)))
    negative = False
    if mask.sign == "PR" and body.startswith("<") and body.endswith(">"):
        negative, body = True, body[1:-1]
    elif mask.sign in ("S>", "MI") and body[-1:] in ("-", "+"):
        negative, body = body[-1] == "-", body[:-1]
    elif body[:1] in ("-", "+"):
        negative, body = body[0] == "-", body[1:]
    body = body.strip()
    if mask.dollar:
        body = body.removeprefix("$")
    point = characters[0] if mask.point == "D" else "."
    group = characters[1] if "G" in mask.whole else ","
    whole, _, fraction = body.partition(point)
    exponent = 0
    if mask.scientific:
        found = re.fullmatch(r"(.*?)[eE]([+-]?\d+)", body)
        if not found:
            raise OracleError(1722, "invalid number")
        whole, _, fraction = found.group(1).partition(point)
        exponent = int(found.group(2))
    if ("," in mask.whole or "G" in mask.whole) and group in whole:
        whole = whole.replace(group, "")
    positions = mask.whole.replace(",", "").replace("G", "")
    if (
        not re.fullmatch(r"\d*", whole)
        or not re.fullmatch(r"\d*", fraction)
        or not (whole or fraction)
        or len(whole) > max(len(positions), 1)
    ):
        raise OracleError(1722, "invalid number")
    if len(fraction) > len(mask.fraction) and not mask.scientific:
        raise OracleError(1722, "invalid number")
    value = Decimal(f"{whole or 0}.{fraction or 0}E{exponent - mask.shift}")
    return encode(-value if negative else value)
