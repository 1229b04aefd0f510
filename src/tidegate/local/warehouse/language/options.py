"""Reads the options after COPY … FROM and UNLOAD … TO."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tidegate.local.warehouse.language.failures import (
    SYNTAX,
    UNSUPPORTED,
    SqlError,
    not_supported_locally,
)
from tidegate.local.warehouse.language.lexer import Words

# https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html
_WITH_PARQUET = {
    "ACCEPTINVCHARS", "FILLRECORD", "STATUPDATE", "COMPUPDATE", "MANIFEST", "EXPLICIT_IDS",
    "ALLOWOVERWRITE", "PARALLEL", "CLEANPATH", "MAXFILESIZE", "EXTENSION",
}  # fmt: skip
_FORMATS = {"CSV", "PARQUET", "JSON", "AVRO", "ORC", "SHAPEFILE", "FIXEDWIDTH"}
_COMPRESSIONS = {"GZIP", "ZSTD", "BZIP2", "LZOP"}


@dataclass
class Options:
    """The options of a COPY or UNLOAD."""

    format: str = "TEXT"
    iam_role: str | None = None
    values: dict[str, str] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        """Returns whether the statement has the option."""
        return name in self.values

    def get(self, name: str, default: str = "") -> str:
        """Returns the value of an option, or `default` if it is not given."""
        return self.values.get(name, default)


def _flag(words: Words) -> str:
    return ""


def _text(words: Words) -> str:
    words.accept("AS")
    return words.string()


def _optional_text(words: Words) -> str:
    words.accept("AS")
    following = words.tokens[words.position : words.position + 1]
    return words.string() if following and following[0].kind == "string" else ""


def _number(words: Words) -> str:
    words.accept("AS")
    return str(words.number())


def _switch(words: Words) -> str:
    for value in ("ON", "OFF", "TRUE", "FALSE", "PRESET"):
        if words.accept(value):
            return value
    return "ON"


def _null(words: Words) -> str:
    words.accept("AS")
    return words.string()


_COMMON: dict[str, Callable[[Words], str]] = {
    "MANIFEST": _flag,
    "DELIMITER": _text,
    "NULL": _null,
    "REGION": _text,
    "QUOTE": _text,
    "ESCAPE": _flag,
    "GZIP": _flag,
    "ZSTD": _flag,
    "BZIP2": _flag,
    "LZOP": _flag,
    "ADDQUOTES": _flag,
    "ENCODING": _text,
}
COPY_OPTIONS = _COMMON | {
    "IGNOREHEADER": _number,
    "EMPTYASNULL": _flag,
    "BLANKSASNULL": _flag,
    "DATEFORMAT": _text,
    "TIMEFORMAT": _text,
    "ACCEPTINVCHARS": _optional_text,
    "ACCEPTANYDATE": _flag,
    "FILLRECORD": _flag,
    "TRUNCATECOLUMNS": _flag,
    "TRIMBLANKS": _flag,
    "REMOVEQUOTES": _flag,
    "ROUNDEC": _flag,
    "EXPLICIT_IDS": _flag,
    "IGNOREBLANKLINES": _flag,
    "MAXERROR": _number,
    "NOLOAD": _flag,
    "COMPUPDATE": _switch,
    "STATUPDATE": _switch,
    "SERIALIZETOJSON": _flag,
}
UNLOAD_OPTIONS = _COMMON | {
    "HEADER": _flag,
    "ALLOWOVERWRITE": _flag,
    "CLEANPATH": _flag,
    "PARALLEL": _switch,
    "EXTENSION": _text,
    "MAXFILESIZE": _number,
}
_UNFOLLOWED = {
    "ACCEPTANYDATE", "BZIP2", "LZOP", "MAXERROR", "NOLOAD", "REMOVEQUOTES", "ROUNDEC",
    "SERIALIZETOJSON", "ACCEPTINVCHARS", "FILLRECORD", "BLANKSASNULL", "EXPLICIT_IDS", "ENCODING",
}  # fmt: skip


def read_options(words: Words, known: dict[str, Callable[[Words], str]]) -> Options:
    """Reads all options up to the end of the statement."""
    options = Options()
    while not words.done:
        _read_option(words, known, options)
    _check(options)
    return options


def _read_option(words: Words, known: dict[str, Callable[[Words], str]], options: Options) -> None:
    word = words.peek()
    if word == "IAM_ROLE":
        words.take()
        options.iam_role = "default" if words.accept("DEFAULT") else words.string()
    elif word in {"CREDENTIALS", "ACCESS_KEY_ID", "WITH"}:
        raise not_supported_locally(f"authorization by {word} instead of IAM_ROLE")
    elif word == "FORMAT" or word in _FORMATS:
        _read_format(words, options)
    elif word in known:
        words.take()
        options.values[word] = known[word](words)
    else:
        raise words.unexpected()


def _read_format(words: Words, options: Options) -> None:
    if words.accept("FORMAT"):
        words.accept("AS")
    if words.peek() not in _FORMATS:
        raise words.unexpected()
    options.format = words.take().upper
    if options.format not in {"CSV", "PARQUET"}:
        raise not_supported_locally(f"format {options.format}")


def _check(options: Options) -> None:
    if options.iam_role is None:
        raise SqlError(SYNTAX, "COPY and UNLOAD need authorization: IAM_ROLE is missing")
    if options.iam_role != "default" and not options.iam_role.startswith("arn:"):
        raise SqlError("22023", f'Invalid IAM role ARN "{options.iam_role}"')
    if options.format == "PARQUET":
        _check_parquet(options)
    for name in options.values:
        if name in _UNFOLLOWED:
            raise not_supported_locally(name)


def _check_parquet(options: Options) -> None:
    for name in options.values:
        if name not in _WITH_PARQUET:
            raise SqlError(UNSUPPORTED, f"{name} argument is not supported for PARQUET based COPY")


def compression_of(options: Options) -> str:
    """Returns DuckDB's name for the compression that the options name."""
    named = [name for name in _COMPRESSIONS if name in options]
    return named[0].lower() if named else "none"
