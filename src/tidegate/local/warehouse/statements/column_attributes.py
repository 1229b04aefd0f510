"""Reads the attributes after a column's type in CREATE TABLE and ADD COLUMN."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tidegate.local.warehouse.catalog.relations import Column
from tidegate.local.warehouse.dialect.dialect import read_expression
from tidegate.local.warehouse.language.failures import SqlError, not_supported_locally
from tidegate.local.warehouse.language.lexer import Words

_ENCODINGS = {
    "auto", "az64", "bytedict", "delta", "delta32k", "lzo", "mostly8", "mostly16", "mostly32",
    "raw", "runlength", "text255", "text32k", "zstd",
}  # fmt: skip
_ENDS_DEFAULT = {
    "NOT", "NULL", "ENCODE", "DISTKEY", "SORTKEY", "UNIQUE", "PRIMARY", "REFERENCES", "COLLATE",
    "IDENTITY", "GENERATED",
}  # fmt: skip


def read_attributes(column: Column, words: Words, database: str, kept: dict[str, Any]) -> Column:
    """Returns the column with its attributes; puts table attributes into `kept`."""
    while words.peek() not in {"", ",", ")"}:
        column = _read_attribute(column, words, database, kept)
    return column


def _read_attribute(column: Column, words: Words, database: str, kept: dict[str, Any]) -> Column:
    if words.accept("NOT", "NULL"):
        return replace(column, nullable=False)
    if words.accept("NULL"):
        return column
    if words.accept("ENCODE"):
        return replace(column, encode=_read_encoding(words))
    if words.accept("DEFAULT"):
        return replace(column, default=_read_default(words, database))
    for keyword, keep in _TABLE_ATTRIBUTES.items():
        if words.accept(*keyword):
            return keep(column, words, kept)
    raise words.unexpected()


def _read_encoding(words: Words) -> str:
    encoding = words.identifier()
    if encoding not in _ENCODINGS:
        raise SqlError("42704", f'invalid encoding type "{encoding}"')
    return encoding


def _read_default(words: Words, database: str) -> str:
    start, depth = words.tokens[words.position].start, 0
    while words.peek() or not words.done:
        word = words.peek()
        if depth == 0 and (word in {",", ")"} or (word in _ENDS_DEFAULT and start != _here(words))):
            break
        depth += {"(": 1, ")": -1}.get(words.take().text, 0)
    end = words.tokens[words.position].start if not words.done else len(words.text)
    return read_expression(words.text[start:end].strip(), database)


def _here(words: Words) -> int:
    return words.tokens[words.position].start


def _keep_distkey(column: Column, words: Words, kept: dict[str, Any]) -> Column:
    kept["distkey"] = column.name
    return column


def _keep_sortkey(column: Column, words: Words, kept: dict[str, Any]) -> Column:
    kept.setdefault("sortkey", []).append(column.name)
    return column


def _keep_primary_key(column: Column, words: Words, kept: dict[str, Any]) -> Column:
    kept["primary_key"] = [column.name]
    return replace(column, nullable=False)


def _keep_unique(column: Column, words: Words, kept: dict[str, Any]) -> Column:
    kept.setdefault("unique", []).append([column.name])
    return column


def _pass_reference(column: Column, words: Words, kept: dict[str, Any]) -> Column:
    words.name()
    if words.peek() == "(":
        words.listed(words.identifier)
    return column


def _pass_collation(column: Column, words: Words, kept: dict[str, Any]) -> Column:
    if words.identifier() != "case_sensitive":
        raise not_supported_locally("COLLATE CASE_INSENSITIVE")
    return column


def _refuse_identity(column: Column, words: Words, kept: dict[str, Any]) -> Column:
    raise not_supported_locally("IDENTITY")


_TABLE_ATTRIBUTES: dict[tuple[str, ...], Callable[[Column, Words, dict[str, Any]], Column]] = {
    ("DISTKEY",): _keep_distkey,
    ("SORTKEY",): _keep_sortkey,
    ("PRIMARY", "KEY"): _keep_primary_key,
    ("UNIQUE",): _keep_unique,
    ("REFERENCES",): _pass_reference,
    ("COLLATE",): _pass_collation,
    ("IDENTITY",): _refuse_identity,
    ("GENERATED",): _refuse_identity,
}
