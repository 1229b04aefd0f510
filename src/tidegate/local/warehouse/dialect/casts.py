"""Gives casts Redshift's meaning: only Redshift's types; text that is too long is cut."""

from sqlglot import exp

from tidegate.local.warehouse.language.failures import UNSUPPORTED, SqlError

_T = exp.DType

_TEXT = {_T.VARCHAR, _T.NVARCHAR, _T.TEXT}
_CHAR = {_T.CHAR, _T.NCHAR, _T.BPCHAR}
_BYTES = {_T.VARBINARY, _T.BINARY}
_KNOWN = (
    _TEXT
    | _CHAR
    | _BYTES
    | {_T.SMALLINT, _T.INT, _T.BIGINT, _T.DECIMAL, _T.FLOAT, _T.DOUBLE, _T.BOOLEAN}
    | {_T.DATE, _T.TIME, _T.TIMETZ, _T.TIMESTAMP, _T.TIMESTAMPTZ, _T.SUPER, _T.INTERVAL}
)


def refuse_foreign_type(node: exp.DataType) -> None:
    """Refuses types that PostgreSQL or DuckDB has but Redshift lacks.

    https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-datatypes.html
    """
    if node.args.get("nested"):
        raise SqlError(UNSUPPORTED, f'unsupported type "{node.sql("redshift").lower()}"')
    if node.this not in _KNOWN and not isinstance(node.this, exp.Interval):
        raise SqlError("42704", f'type "{node.sql("redshift").lower()}" does not exist')


def _length(node: exp.DataType) -> exp.Expr | None:
    return node.expressions[0].this.copy() if node.expressions else None


def _plain(kind: exp.DType) -> exp.DataType:
    return exp.DataType(this=kind, nested=False)


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def rewrite_cast(node: exp.Cast) -> exp.Expr:
    """Returns a DuckDB expression that does what this cast does in Redshift."""
    kind, length = node.to.this, _length(node.to)
    if kind in _TEXT | _CHAR:
        return _text_cast(node, length, padded=kind in _CHAR)
    if kind == _T.SUPER:
        return _call("to_json", node.this.copy())
    if kind in _BYTES:
        return _call("encode", node.this.copy()) if _is_text(node.this) else node
    if kind == _T.DECIMAL and length is None:
        node.set("to", exp.DataType.build("DECIMAL(18, 0)", dialect="duckdb"))
    return node


def _text_cast(node: exp.Cast, length: exp.Expr | None, *, padded: bool) -> exp.Expr:
    node.set("to", _plain(_T.TEXT))
    written: exp.Expr = node.copy()
    if padded:
        written = _call("rtrim", written, exp.Literal.string(" "))
        length = length or exp.Literal.number(1)
    return (
        _call("clip_varchar", written, length) if length is not None and length.is_int else written
    )


def _is_text(node: exp.Expr) -> bool:
    return node.is_string or (isinstance(node, exp.Cast) and node.to.this in _TEXT | _CHAR)
