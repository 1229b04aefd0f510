"""Encodes and decodes NUMERIC in PostgreSQL's and Redshift's binary wire formats."""

import struct
from decimal import Decimal, localcontext

_HEAD = struct.Struct("!hhHh")
_NEGATIVE = 0x4000
_BASE_DIGITS = 4
_PRECISION = 100


def binary_numeric(value: Decimal | int) -> bytes:
    """Encodes a number in PostgreSQL's binary format."""
    number = Decimal(value)
    whole, _, fraction = format(abs(number), "f").partition(".")
    whole = whole.lstrip("0")
    padded = _pad_left(whole) + _pad_right(fraction)
    digits = [int(padded[at : at + _BASE_DIGITS]) for at in range(0, len(padded), _BASE_DIGITS)]
    weight = len(_pad_left(whole)) // _BASE_DIGITS - 1
    sign = _NEGATIVE if number.is_signed() else 0
    head = _HEAD.pack(len(digits), weight, sign, len(fraction))
    return head + struct.pack(f"!{len(digits)}h", *digits)


def _pad_left(digits: str) -> str:
    return "0" * (-len(digits) % _BASE_DIGITS) + digits


def _pad_right(digits: str) -> str:
    return digits + "0" * (-len(digits) % _BASE_DIGITS)


def numeric_of_binary(raw: bytes) -> Decimal:
    """Decodes a number from PostgreSQL's binary format."""
    count, weight, sign, scale = _HEAD.unpack_from(raw)
    digits = struct.unpack_from(f"!{count}h", raw, _HEAD.size)
    with localcontext(prec=_PRECISION):
        total = sum(
            (
                Decimal(digit).scaleb(_BASE_DIGITS * (weight - index))
                for index, digit in enumerate(digits)
            ),
            Decimal(0),
        )
        number = total.quantize(Decimal(1).scaleb(-scale))
    return -number if sign == _NEGATIVE else number


def scaled_numeric(value: Decimal | int, scale: int) -> bytes:
    """Encodes a number in Redshift's binary format: a scaled integer of 16 bytes."""
    with localcontext(prec=_PRECISION):
        return int(Decimal(value).scaleb(scale)).to_bytes(16, "big", signed=True)
