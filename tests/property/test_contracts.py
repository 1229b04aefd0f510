"""Any contract written into a plan or a layer reads back unchanged."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from tidegate.comparison import COMPARISONS
from tidegate.contract import CompiledContracts, Contract, write_contracts
from tidegate.contract.names import SYSTEM_COLUMNS, TIDEGATE_COLUMNS

NAMES = (
    st.text(
        st.characters(categories=["L", "N", "P", "S"], exclude_characters="."),
        min_size=1,
        max_size=15,
    )
    .filter(lambda name: name == name.lower() and name != "op")
    .filter(lambda name: name not in SYSTEM_COLUMNS | TIDEGATE_COLUMNS)
)
TYPES = st.sampled_from(["integer", "decimal(9,2)", "varchar(20)", "timestamp", "date", "char(3)"])
OTHERS = st.sampled_from(["super", "double", "varbyte(5)", "boolean", "timestamptz", "time"])


@st.composite
def contracts(draw) -> dict:
    names = draw(st.lists(NAMES, min_size=2, max_size=6, unique=True))
    key = draw(st.lists(st.sampled_from(names[:-1]), min_size=1, unique=True))
    columns = [{"name": name, "type": draw(TYPES)} for name in names[:-1]]
    columns.append({"name": names[-1], "type": draw(OTHERS), "from": names[-1].upper() + "x"})
    written = {
        "table": f"s{draw(NAMES)}.{draw(NAMES)}",
        "source": {
            "prefix": "a/",
            "format": "dms_csv",
            "options": {
                "header": draw(st.booleans()),
                "null": draw(st.sampled_from(["", "NULL", "\\N", "{0}"])),
                "delimiter": draw(st.sampled_from([",", ";", "\t", "§"])),
            },
        },
        "key": key,
        "columns": columns,
        "freshness": draw(st.sampled_from(["0s", "90s", "15m", "2h", "1d"])),
    }
    compared = st.sampled_from([*COMPARISONS])
    sequence = [
        name if draw(st.booleans()) else {"name": name, "as": draw(compared)} for name in key
    ]
    optional = {"sequence": sequence, "sortkey": key, "distkey": key[0]}
    return written | {name: optional[name] for name in draw(st.sets(st.sampled_from([*optional])))}


@given(contracts())
def test_contract_is_read_back_as_it_was_written(written):
    found = Contract.model_validate(written)
    through_json = json.loads(json.dumps(found.as_written()))
    assert Contract.model_validate(through_json) == found
    assert through_json["key"] == written["key"]
    assert through_json.get("sequence") == written.get("sequence")


@given(st.lists(contracts(), max_size=2, unique_by=lambda written: written["table"]))
def test_contracts_are_loaded_as_they_were_compiled_each_by_itself(written):
    found = {one["table"]: Contract.model_validate(one) for one in written}
    with TemporaryDirectory() as folder:
        write_contracts(found.values(), Path(folder))
        loaded = CompiledContracts(Path(folder))
        assert dict(loaded) == found
        assert loaded.routes == [contract.route for contract in found.values()]
        assert "no.such" not in loaded
