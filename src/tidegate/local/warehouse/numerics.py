"""NUMERIC in the binary form of the wire: base-10000 digits with weight, sign and scale."""

import struct
from decimal import Decimal
from itertools import zip_longest

_HEAD = struct.Struct("!hhHh")
_NEGATIVE = 0x4000
_BASE_DIGITS = 4


def binary_numeric(value: Decimal | int) -> bytes:
    """The binary form of a number."""
    sign, _, _ = Decimal(value).as_tuple()
    whole, _, fraction = format(abs(Decimal(value)), "f").partition(".")
    whole = whole.lstrip("0")
    whole = whole.rjust(-(-len(whole) // _BASE_DIGITS) * _BASE_DIGITS, "0")
    padded = fraction.ljust(-(-len(fraction) // _BASE_DIGITS) * _BASE_DIGITS, "0")
    digits = [int("".join(group)) for group in zip_longest(*[iter(whole + padded)] * _BASE_DIGITS)]
    head = _HEAD.pack(len(digits), len(whole) // _BASE_DIGITS - 1, sign * _NEGATIVE, len(fraction))
    return head + struct.pack(f"!{len(digits)}h", *digits)


def numeric_of_binary(raw: bytes) -> Decimal:
    """The number of a binary form."""
    count, weight, sign, scale = _HEAD.unpack_from(raw)
    digits = struct.unpack_from(f"!{count}h", raw, _HEAD.size)
    total = sum(
        Decimal(digit).scaleb(_BASE_DIGITS * (weight - index)) for index, digit in enumerate(digits)
    )
    number = Decimal(total).quantize(Decimal(1).scaleb(-scale))
    return -number if sign == _NEGATIVE else number
