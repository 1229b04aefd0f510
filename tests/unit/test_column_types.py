"""Redshift's types as contracts write them."""
# ruff: noqa: E501  (tables read better in one line a case)

import re

import pytest

from tidegate.column_types import TYPE_NAMES, ColumnType


@pytest.mark.parametrize(
    ("written", "kept", "ddl", "stage", "catalogue"),
    [
        ("smallint", "smallint", "smallint", "smallint", ("smallint", None, None, None)),
        ("BIGINT", "bigint", "bigint", "bigint", ("bigint", None, None, None)),
        ("double", "double", "double precision", "double precision", ("double precision", None, None, None)),
        ("decimal(12, 2)", "decimal(12,2)", "decimal(12,2)", "decimal(38,2)", ("numeric", None, 12, 2)),
        ("decimal(38)", "decimal(38,0)", "decimal(38,0)", "decimal(38,0)", ("numeric", None, 38, 0)),
        ("varchar( 20 )", "varchar(20)", "varchar(20)", "varchar(20)", ("character varying", 20, None, None)),
        ("varchar(max)", "varchar(65535)", "varchar(65535)", "varchar(65535)", ("character varying", 65535, None, None)),
        ("char(4096)", "char(4096)", "char(4096)", "varchar(65535)", ("character", 4096, None, None)),
        ("time", "time", "time", "varchar(65535)", ("time without time zone", None, None, None)),
        ("timestamp", "timestamp", "timestamp", "timestamp", ("timestamp without time zone", None, None, None)),
        ("timestamptz", "timestamptz", "timestamptz", "varchar(65535)", ("timestamp with time zone", None, None, None)),
        ("super", "super", "super", "varchar(65535)", ("super", None, None, None)),
        ("varbyte", "varbyte", "varbyte", "varchar(65535)", ("binary varying", None, None, None)),
        ("varbyte(8)", "varbyte(8)", "varbyte(8)", "varchar(65535)", ("binary varying", 8, None, None)),
    ],
)  # fmt: skip
def test_type_is_kept_declared_staged_and_found(written, kept, ddl, stage, catalogue):
    found = ColumnType.parse(written)
    assert (str(found), found.ddl, found.stage_ddl, found.catalogue) == (
        kept,
        ddl,
        stage,
        catalogue,
    )
    assert ColumnType.parse(str(found)) == found


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("int", "'int' is not a type of a contract; write integer"),
        ("text", "'text' is not a type of a contract; write varchar(n)"),
        ("double precision", "'double precision' is not a type of a contract; write double"),
        ("character varying(20)", "'character varying(20)' is not a type of a contract; write varchar(n)"),
        ("numeric(5,2)", "'numeric(5,2)' is not a type of a contract; write decimal(p,s)"),
        ("decimal", "'decimal' is not a type of a contract; write decimal(p,s)"),
        ("decimal(max)", "'decimal(max)' is not a type of a contract; write decimal(p,s)"),
        ("varchar", "'varchar' is not a type of a contract; write varchar(n)"),
        ("json", "'json' is not a type of a contract; write super"),
        ("integer(4)", f"'integer(4)' is not a type of a contract; write one of {', '.join(TYPE_NAMES)}"),
        ("varchar(5,2)", "'varchar(5,2)' is not a type of a contract; write varchar(n)"),
        ("money", f"'money' is not a type of a contract; write one of {', '.join(TYPE_NAMES)}"),
        ("varchar(²)", f"'varchar(²)' is not a type; write one of {', '.join(TYPE_NAMES)}"),
        ("varchar(5); drop table x", f"'varchar(5); drop table x' is not a type; write one of {', '.join(TYPE_NAMES)}"),
        ("decimal(39,2)", "decimal precision 39 is not between 1 and 38"),
        ("decimal(0)", "decimal precision 0 is not between 1 and 38"),
        ("decimal(5,6)", "decimal scale 6 is larger than precision or 37"),
        ("decimal(38,38)", "decimal scale 38 is larger than precision or 37"),
        ("varchar(65536)", "varchar length 65536 is not between 1 and 65535 bytes"),
        ("char(0)", "char length 0 is not between 1 and 4096 bytes"),
        ("varbyte(1024001)", "varbyte length 1024001 is not between 1 and 1024000 bytes"),
    ],
)  # fmt: skip
def test_type_that_is_none_is_refused_with_the_one_to_write(written, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        ColumnType.parse(written)
