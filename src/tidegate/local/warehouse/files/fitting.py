"""Checks values before they enter columns: refuses those that are too long or of a wrong type.

Redshift's VARCHAR(n) holds n bytes, not n characters. Redshift cuts off trailing blanks beyond n:
https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
"""

from collections.abc import Sequence

from sqlglot import exp

from tidegate.local.warehouse.catalog.relations import Column
from tidegate.local.warehouse.language.datatypes import DataType
from tidegate.local.warehouse.language.failures import SYNTAX, SqlError

_CHECKED = {
    "character varying": "fit_varchar",
    "character": "fit_char",
    "binary varying": "fit_varbyte",
}
_SOURCE = "fitted"


def fitting_call(kind: DataType, value: str) -> str:
    """Wraps a SQL value in the call that checks it against a type."""
    if macro := _CHECKED.get(kind.name):
        return f"{macro}({value}, {kind.length})"
    return f"to_json({value})" if kind.name == "super" else value


def _fit(node: exp.Expr, column: Column) -> exp.Expr:
    if isinstance(node, exp.Var | exp.Null):
        return node
    if macro := _CHECKED.get(column.type.name):
        length = exp.Literal.number(column.type.length)
        return exp.Anonymous(this=macro, expressions=[node.copy(), length])
    if column.type.name == "super":
        return exp.Anonymous(this="to_json", expressions=[node.copy()])
    return node


def _pick(columns: Sequence[Column], named: Sequence[exp.Expr]) -> list[Column]:
    known = {column.name: column for column in columns}
    for node in named:
        if node.name not in known:
            raise SqlError("42703", f'column "{node.name}" does not exist')
    return [known[node.name] for node in named] or list(columns)


def fit_insert(insert: exp.Insert, columns: Sequence[Column]) -> None:
    """Adds the checks to INSERT … VALUES and INSERT … SELECT."""
    named = insert.this.expressions if isinstance(insert.this, exp.Schema) else []
    picked = _pick(columns, named)
    source = insert.expression
    if isinstance(source, exp.Values):
        for row in source.expressions:
            _fit_row(row, picked)
    elif source is not None:
        insert.set("expression", _fit_query(source, picked))


def _fit_row(row: exp.Expr, columns: Sequence[Column]) -> None:
    if len(row.expressions) > len(columns):
        raise SqlError(SYNTAX, "INSERT has more expressions than target columns")
    fitted = [_fit(node, column) for node, column in zip(row.expressions, columns, strict=False)]
    row.set("expressions", fitted)


def _fit_query(query: exp.Expr, columns: Sequence[Column]) -> exp.Expr:
    names = [f"c{index}" for index in range(_width(query) or len(columns))]
    sources = [exp.column(name, quoted=True) for name in names]
    fitted = [_fit(node, column) for node, column in zip(sources, columns, strict=False)]
    if len(names) > len(columns):
        raise SqlError(SYNTAX, "INSERT has more expressions than target columns")
    identifiers = [exp.to_identifier(name, quoted=True) for name in names]
    alias = exp.TableAlias(this=exp.to_identifier(_SOURCE), columns=identifiers)
    inner = query.this if isinstance(query, exp.Subquery) else query
    return exp.Select(expressions=fitted).from_(exp.Subquery(this=inner.copy(), alias=alias))


def _width(query: exp.Expr) -> int | None:
    selects = getattr(query, "selects", [])
    return None if any(node.is_star for node in selects) else len(selects)


def fit_update(update: exp.Update, columns: Sequence[Column]) -> None:
    """Adds the checks to the values of an UPDATE or of a MERGE's MATCHED branch."""
    for assignment in update.expressions:
        (column,) = _pick(columns, [assignment.this])
        assignment.set("expression", _fit(assignment.expression, column))


def fit_merge(merge: exp.Merge, columns: Sequence[Column]) -> None:
    """Adds the checks to both branches; names the columns if the INSERT names none."""
    for when in merge.args["whens"].expressions:
        action = when.args["then"]
        if isinstance(action, exp.Update):
            fit_update(action, columns)
        elif isinstance(action, exp.Insert):
            _fit_merge_insert(action, columns)


def _fit_merge_insert(insert: exp.Insert, columns: Sequence[Column]) -> None:
    if not insert.args.get("expression"):
        # sqlglot parses VALUES (…) without a column list as a function call.
        insert.set("expression", exp.Tuple(expressions=insert.this.expressions[0].expressions))
        insert.set("this", None)
    named = insert.this.expressions if insert.this is not None else []
    picked = _pick(columns, named)
    _fit_row(insert.expression, picked)
    kept = picked[: len(insert.expression.expressions)]
    targets = [exp.column(column.name, quoted=True) for column in kept]
    insert.set("this", exp.Tuple(expressions=targets))
