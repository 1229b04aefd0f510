"""Parses queries and data changes in Redshift's SQL and translates them to DuckDB's."""

import logging
from collections.abc import Callable, Sequence
from typing import ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects import redshift
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import TokenType

from tidegate.local.warehouse.catalog.views import VIEWS
from tidegate.local.warehouse.dialect.casts import refuse_foreign_type, rewrite_cast
from tidegate.local.warehouse.dialect.functions import declared_names, refuse_unknown
from tidegate.local.warehouse.dialect.refusals import refuse
from tidegate.local.warehouse.language.failures import SYNTAX, UNSUPPORTED, SqlError
from tidegate.local.warehouse.language.lexer import Name, fold, tokenize
from tidegate.local.warehouse.language.oids import cast_of


class Redshift(redshift.Redshift):
    """sqlglot's Redshift dialect, except that $1 is a parameter and never starts a dollar quote."""

    class Tokenizer(redshift.Redshift.Tokenizer):
        """A tokenizer without dollar quoting."""

        HEREDOC_STRINGS: ClassVar[list[str | tuple[str, str]]] = []
        SINGLE_TOKENS: ClassVar[dict[str, TokenType]] = {
            **redshift.Redshift.Tokenizer.SINGLE_TOKENS,
            "$": TokenType.PARAMETER,
        }


_UNNAMED = "?column?"

# sqlglot warns about statements that it does not parse; this module refuses them with an error.
logging.getLogger("sqlglot").setLevel(logging.ERROR)


def read(text: str, database: str) -> exp.Expr:
    """Parses a statement, checks it against Redshift's grammar and folds its names."""
    try:
        tree = sqlglot.parse_one(text, read=Redshift)
    except (ParseError, TokenError) as error:
        raise _syntax_error(error) from error
    _fold_names(tree)
    refuse(tree)
    refuse_unknown(list(tokenize(text)), declared_names(tree))
    return _rewrite(tree, database)


def read_expression(text: str, database: str) -> str:
    """Translates an expression without columns, such as a DEFAULT, for DuckDB."""
    (value,) = read(f"select {text}", database).expressions
    return str(value.unalias().sql("duckdb", identify=True, comments=False))


def _syntax_error(error: Exception) -> SqlError:
    details = getattr(error, "errors", None)
    near = details[0].get("highlight") if details else None
    return SqlError(SYNTAX, f'syntax error at or near "{near}"' if near else "syntax error")


def _fold_names(tree: exp.Expr) -> None:
    for identifier in tree.find_all(exp.Identifier):
        identifier.set("this", fold(identifier.name))
        identifier.set("quoted", True)


def tables(tree: exp.Expr) -> list[Name]:
    """Returns the tables and views that the statement names, without its own CTEs."""
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    found = dict.fromkeys(
        Name(table.name, table.db)
        for table in tree.find_all(exp.Table)
        if isinstance(table.this, exp.Identifier) and (table.db or table.name not in own)
    )
    return list(found)


def _rewrite(tree: exp.Expr, database: str) -> exp.Expr:
    for node in list(tree.walk(bfs=False)):
        if isinstance(node, exp.Table):
            _qualify(node, database)
        elif isinstance(node, exp.DataType):
            refuse_foreign_type(node)
        elif isinstance(node, exp.Select):
            _name_columns(node)
    return tree.transform(_rewrite_node, copy=False)


def _qualify(table: exp.Table, database: str) -> None:
    if table.catalog and table.catalog != database:
        message = f'cross-database reference to "{table.catalog}" is not supported locally'
        raise SqlError(UNSUPPORTED, message)
    table.set("catalog", None)
    if table.name in VIEWS and table.db in {"", "pg_catalog"}:
        _call_view(table)


def _call_view(table: exp.Table) -> None:
    name = table.name
    if not table.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
    table.set("this", _call(name))
    table.set("db", None)


def _name_columns(select: exp.Select) -> None:
    for index, node in enumerate(select.expressions):
        if not isinstance(node, exp.Column | exp.Alias | exp.Star) and not node.is_star:
            alias = exp.to_identifier(_name(node), quoted=True)
            select.expressions[index].replace(exp.Alias(this=node.copy(), alias=alias))


def _name(node: exp.Expr) -> str:
    """Returns Redshift's name for a column without alias."""
    if isinstance(node, exp.Cast):
        return node.this.name if isinstance(node.this, exp.Column) else node.to.this.value.lower()
    if isinstance(node, exp.Window | exp.Paren):
        return _name(node.this)
    if isinstance(node, exp.Column):
        return node.name
    if isinstance(node, exp.Case):
        return "case"
    if isinstance(node, exp.Func) and not isinstance(node, exp.Connector | exp.Binary):
        return node.sql("redshift").split("(", 1)[0].lower()
    return _UNNAMED


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _now(node: exp.Expr) -> exp.Expr:
    return _call("sysdate" if node.args.get("sysdate") else "getdate")


def _guard_division(node: exp.Expr) -> exp.Expr:
    if not node.expression.is_number or float(node.expression.name or 0) == 0:
        node.set("expression", _call("divisor", node.expression.copy()))
    return node


def _separate_nothing(node: exp.Expr) -> exp.Expr:
    if not node.args.get("separator"):
        node.set("separator", exp.Literal.string(""))
    return node


def _default(node: exp.Expr) -> exp.Expr:
    """Makes DEFAULT among values a keyword instead of a column with that name."""
    assigned = isinstance(node.parent, exp.Tuple | exp.EQ) and node.arg_key != "this"
    return exp.Var(this="DEFAULT") if node.name == "default" and assigned else node


def _anonymous(node: exp.Expr) -> exp.Expr:
    """Renames octet_length to text_bytes: DuckDB's own takes only bytes, and macros call it."""
    if node.name.lower() == "octet_length":
        node.set("this", "text_bytes")
    return node


def _navigate(node: exp.Expr) -> exp.Expr:
    """Navigates SUPER as JSON in DuckDB, with indexes from 0; DuckDB's own lists start at 1."""
    (index,) = node.expressions
    return _call("json_extract", node.this.copy(), exp.Literal.string(f"$[{index.name}]"))


_REWRITERS: dict[type[exp.Expr], Callable[..., exp.Expr]] = {
    exp.CurrentTimestamp: _now,
    exp.CurrentUser: lambda node: _call("session_user_name"),
    exp.SessionUser: lambda node: _call("session_user_name"),
    exp.CurrentSchema: lambda node: _call("current_schema"),
    exp.CurrentDatabase: lambda node: _call("current_database"),
    exp.Cast: rewrite_cast,
    exp.TryCast: lambda node: node,
    exp.Div: _guard_division,
    exp.GroupConcat: _separate_nothing,
    exp.Bracket: _navigate,
    exp.Column: _default,
    exp.Anonymous: _anonymous,
    exp.ByteLength: lambda node: _call("text_bytes", node.this.copy()),
}


def _rewrite_node(node: exp.Expr) -> exp.Expr:
    rewriter = _REWRITERS.get(type(node))
    return rewriter(node) if rewriter else node


def write(tree: exp.Expr, parameter_oids: Sequence[int] = ()) -> str:
    """Writes the statement for DuckDB; casts its parameters to the client's types."""
    if parameter_oids:
        tree = tree.transform(lambda node: _typed(node, parameter_oids))
    return str(tree.sql("duckdb", identify=True, comments=False))


def _typed(node: exp.Expr, oids: Sequence[int]) -> exp.Expr:
    if not isinstance(node, exp.Parameter) or isinstance(node.parent, exp.Cast):
        return node
    number = int(node.name)
    kind = cast_of(oids[number - 1]) if number <= len(oids) else None
    return (
        exp.Cast(this=node.copy(), to=exp.DataType.build(kind, dialect="duckdb")) if kind else node
    )


def count_parameters(tree: exp.Expr) -> int:
    """Returns the highest parameter number, 0 if there are none."""
    return max((int(node.name) for node in tree.find_all(exp.Parameter)), default=0)
