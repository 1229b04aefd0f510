"""The prefix tree finds the same owner of a folder as a search through all tables."""

from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from tidegate.contract import Contract, check_contracts
from tidegate.contract.prefixes import PrefixTree

FOLDER = st.text("aAb ü", max_size=2)
PATHS = st.lists(FOLDER, max_size=4).map("/".join)
PREFIXES = PATHS.map(lambda path: f"x{path}/")
TEXT = """\
table: {table}
source: {{prefix: "{prefix}", format: jsonl}}
key: [id]
columns: [{{name: id, type: bigint}}]
"""
# `a__b.c` and `a.b__c` would share their control tables.
TABLES = st.sampled_from(["a.b", "a.c", "a__b.c", "a.b__c", "d.e", "f.g", "h.i", "j.k"])


def grown(prefixes: list[str]) -> PrefixTree[str]:
    tree: PrefixTree[str] = PrefixTree()
    for prefix in prefixes:
        tree.add(prefix, prefix)
    return tree


def overlap(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


@given(st.lists(PREFIXES, max_size=8), PATHS)
def test_the_owner_of_a_key_is_the_one_whose_prefix_it_begins_with(prefixes, rest):
    apart = [one for n, one in enumerate(prefixes) if not any(map(one.startswith, prefixes[:n]))]
    apart = [one for one in apart if not any(two != one and overlap(one, two) for two in apart)]
    tree = grown(apart)
    for key in (rest, f"x{rest}", *(prefix + rest for prefix in prefixes), *prefixes):
        expected = {prefix for prefix in apart if key.startswith(prefix)}
        assert tree.owner_of(key) == (expected.pop() if expected else None)


@given(st.lists(PREFIXES, max_size=8), PREFIXES)
def test_a_folder_overlaps_with_another_if_one_begins_with_the_other(prefixes, new):
    expected = {prefix for prefix in prefixes if overlap(prefix, new)}
    found = grown(prefixes).overlapping(new)
    assert found in expected if expected else found is None


def conflict(one: Contract, other: Contract) -> str:
    """What pair by pair would be said."""
    if one.table == other.table:
        return f"table: {one.table!r} has a contract already; keep one of the two"
    if one.table.replace(".", "__") == other.table.replace(".", "__"):
        return f"table: {one.table!r} would share control tables; rename the target"
    first, second = one.source.prefix, other.source.prefix
    if overlap(first, second):
        return f"source.prefix: {first!r} and {second!r} claim the same objects; make them differ"
    return ""


@given(st.lists(st.tuples(TABLES, PREFIXES), max_size=7))
def test_contracts_conflict_as_if_each_pair_had_been_compared(written):
    with TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.yaml") for number in range(len(written))]
        for path, (table, prefix) in zip(paths, written, strict=True):
            path.write_text(TEXT.format(table=table, prefix=prefix))
        read = [(path, check_contracts([path])[0][0]) for path in paths]
        by_pairs = {
            (later, f"{text} (see {earlier})")
            for (earlier, other), (later, one) in combinations(read, 2)
            if (text := conflict(one, other))
        }
        found = {(mistake.path, mistake.text) for mistake in check_contracts([Path(folder)])[1]}
    assert found <= by_pairs
    assert {path for path, _ in found} == {path for path, _ in by_pairs}
