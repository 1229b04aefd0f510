"""Refuses SQL that Redshift refuses but PostgreSQL, DuckDB or sqlglot accepts.

Each rule is one function, registered for the kind of expression that it checks.
"""

from collections.abc import Callable

from sqlglot import exp

from tidegate.local.warehouse.language.failures import SYNTAX, UNSUPPORTED, SqlError

Rule = Callable[[exp.Expr], SqlError | None]
MAX_STATEMENT_BYTES = 16 * 1024 * 1024

_RULES: dict[type[exp.Expr], list[Rule]] = {}


def _rule(*kinds: type[exp.Expr]) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        for kind in kinds:
            _RULES.setdefault(kind, []).append(rule)
        return rule

    return register


def refuse(tree: exp.Expr) -> None:
    """Raises the error of the first rule that the statement breaks."""
    for node in tree.walk():
        for rule in _RULES.get(type(node), ()):
            if error := rule(node):
                raise error


def refuse_too_long(text: str) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/c_redshift-sql.html"""
    size = len(text.encode())
    if size > MAX_STATEMENT_BYTES:
        message = (
            f"Statement is too large. Statement Size: {size} bytes. "
            f"Maximum Allowed: {MAX_STATEMENT_BYTES} bytes"
        )
        raise SqlError("54000", message)


def _near(word: str) -> SqlError:
    return SqlError(SYNTAX, f'syntax error at or near "{word}"')


def _same_table(one: exp.Table, other: exp.Table) -> bool:
    return (one.db or "public", one.name) == (other.db or "public", other.name)


# MERGE: https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html


@_rule(exp.Merge)
def merge_target_has_no_alias(merge: exp.Expr) -> SqlError | None:
    """Only MERGE's source may have an alias."""
    return _near(merge.this.alias) if merge.this.alias else None


@_rule(exp.Merge)
def merge_has_no_with(merge: exp.Expr) -> SqlError | None:
    """No common table expressions on MERGE."""
    return _near("merge") if merge.args.get("with_") or merge.args.get("with") else None


@_rule(exp.Merge)
def merge_has_matched_then_not_matched(merge: exp.Expr) -> SqlError | None:
    """MERGE needs both branches, once each, in this order."""
    branches = [bool(when.args.get("matched")) for when in merge.args["whens"].expressions]
    if branches == [True, False]:
        return None
    if branches == [True]:
        return SqlError(SYNTAX, "syntax error at end of input")
    return _near("when" if branches[0] else "not")


@_rule(exp.When)
def merge_branch_has_no_condition(when: exp.Expr) -> SqlError | None:
    """No WHEN MATCHED AND …, no WHEN NOT MATCHED BY SOURCE."""
    if when.args.get("condition"):
        return _near("and")
    return _near("by") if when.args.get("source") else None


@_rule(exp.When)
def merge_branch_has_an_allowed_action(when: exp.Expr) -> SqlError | None:
    """Only UPDATE and DELETE are allowed when matched, only INSERT when not matched."""
    action = when.args["then"]
    word = action.name if isinstance(action, exp.Var) else action.key
    allowed = {"update", "delete"} if when.args.get("matched") else {"insert"}
    if word.lower() not in allowed:
        return _near(word)
    return None if word.lower() == "delete" else _names_columns(action, word)


def _names_columns(action: exp.Expr, word: str) -> SqlError | None:
    """Every column needs a name: no UPDATE SET *, no INSERT *, and none without columns."""
    said = action.expressions if isinstance(action, exp.Update) else [action.this]
    starred = [one for one in said or [] if isinstance(one, exp.Star)]
    if starred:
        return _near("*")
    return None if said and all(said) else _near(word)


@_rule(exp.Merge)
def merge_joins_on_a_condition(merge: exp.Expr) -> SqlError | None:
    """No USING (column)."""
    return _near("using") if merge.args.get("using_cond") else None


@_rule(exp.Update)
def set_columns_have_no_prefix(update: exp.Expr) -> SqlError | None:
    """No prefix, in MERGE or UPDATE: https://docs.aws.amazon.com/redshift/latest/dg/r_UPDATE.html"""
    for assignment in update.expressions:
        if isinstance(assignment.this, exp.Column) and assignment.this.table:
            return _near(".")
    return None


@_rule(exp.Insert)
def insert_columns_have_no_prefix(insert: exp.Expr) -> SqlError | None:
    """In INSERT and in MERGE's INSERT branch, column names have no table prefix."""
    named = insert.this.expressions if insert.this is not None else []
    prefixed = any(isinstance(column, exp.Column) and column.table for column in named)
    return _near(".") if prefixed else None


@_rule(exp.Merge)
def merge_source_is_not_the_target(merge: exp.Expr) -> SqlError | None:
    """MERGE's source is not the target and does not read it in a subquery."""
    target, source = merge.this, merge.args["using"]
    if any(_same_table(target, table) for table in source.find_all(exp.Table)):
        message = "Source view/subquery in Merge statement cannot reference target table."
        return SqlError(UNSUPPORTED, message)
    return None


# Other statements


@_rule(exp.Delete)
def delete_target_has_no_alias(delete: exp.Expr) -> SqlError | None:
    """https://github.com/dbt-labs/dbt-adapters/issues/958"""
    return _near("as") if delete.this.alias else None


@_rule(exp.Returning)
def nothing_is_returned(returning: exp.Expr) -> SqlError | None:
    """https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html"""
    return _near("returning")


@_rule(exp.OnConflict)
def insert_has_no_on_conflict(conflict: exp.Expr) -> SqlError | None:
    """https://docs.aws.amazon.com/redshift/latest/dg/c_best-practices-upsert.html"""
    return _near("on")


@_rule(exp.Insert)
def insert_is_plain(insert: exp.Expr) -> SqlError | None:
    """No OR REPLACE, OVERWRITE or BY NAME, which DuckDB and others have."""
    for word, argument in (("or", "alternative"), ("overwrite", "overwrite"), ("by", "by_name")):
        if insert.args.get(argument):
            return _near(word)
    return None


@_rule(exp.Distinct)
def distinct_has_no_on(distinct: exp.Expr) -> SqlError | None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_list.html"""
    if distinct.args.get("on"):
        return SqlError(UNSUPPORTED, "SELECT DISTINCT ON is not supported")
    return None


@_rule(exp.Values)
def values_only_in_insert(values: exp.Expr) -> SqlError | None:
    """https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html"""
    return None if isinstance(values.parent, exp.Insert) else _near("values")


@_rule(exp.Filter)
def aggregates_have_no_filter(node: exp.Expr) -> SqlError | None:
    """https://docs.aws.amazon.com/redshift/latest/dg/c_Aggregate_Functions.html"""
    return _near("(")


@_rule(exp.Lateral)
def joins_are_not_lateral(node: exp.Expr) -> SqlError | None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause30.html"""
    return _near("lateral")


@_rule(exp.Join)
def joins_are_sql(join: exp.Expr) -> SqlError | None:
    """No SEMI, ANTI, ASOF or POSITIONAL, which DuckDB has."""
    for word in (join.args.get("kind"), join.args.get("method")):
        if word and word.upper() in {"SEMI", "ANTI", "ASOF", "POSITIONAL"}:
            return _near(word)
    return None


@_rule(exp.TableSample)
def tables_are_not_sampled(node: exp.Expr) -> SqlError | None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_synopsis.html"""
    return _near("tablesample")


@_rule(exp.Array)
def arrays_are_made_by_a_function(array: exp.Expr) -> SqlError | None:
    """ARRAY(1, 2), not [1, 2]: https://docs.aws.amazon.com/redshift/latest/dg/r_array.html"""
    return _near("[") if array.args.get("bracket_notation") else None


@_rule(exp.Struct, exp.Map, exp.Lambda, exp.Glob, exp.Slice)
def literals_are_sql(node: exp.Expr) -> SqlError | None:
    """No structs, maps, slices or lambdas, which DuckDB has."""
    return _near({"struct": "{", "slice": ":"}.get(node.key, node.key))
