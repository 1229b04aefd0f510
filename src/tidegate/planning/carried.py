"""Placeholders for partial rows: for each column of a row, the newest change that carries it."""

from tidegate.contract import Contract
from tidegate.contract.names import quote
from tidegate.sql_files import lines


def carried_placeholders(contract: Contract) -> dict[str, str]:
    """Return the placeholders of the statements for partial rows."""
    names = [quote(column.name) for column in contract.columns]
    key = ", ".join(quote(name) for name in contract.key)
    carried = [_position_if_carried(number) for number in range(1, len(names) + 1)]
    newest = [f"max({one}) over (partition by {key})" for one in carried]
    numbered = range(1, len(names) + 1)
    return {
        "newest_carried": lines(
            [_newest(name, one, key) for name, one in zip(names, carried, strict=True)], indent=8
        ),
        "newest_positions": lines(
            [f'{one} as "_newest_{n}"' for one, n in zip(newest, numbered, strict=True)], indent=8
        ),
        "carries_nothing_new": "\n        and ".join(
            f'"_position" <> coalesce("_newest_{n}", \'\')' for n in numbered
        ),
    }


def _position_if_carried(number: int) -> str:
    is_carried = f"substring(\"_carried\", {number}, 1) = '1'"
    return f'case when "_op" <> \'D\' and {is_carried} then "_position" end'


def _newest(name: str, position: str, key: str) -> str:
    return (
        f"first_value({name}) over (partition by {key} order by {position} desc nulls last "
        f"rows between unbounded preceding and unbounded following) as {name}"
    )
