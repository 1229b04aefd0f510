"""Makes DynamoDB's transactions cheap: for each item, moto copies the whole table."""

import contextlib
from copy import deepcopy
from typing import Any

from moto.dynamodb.exceptions import MockValidationException, ResourceNotFoundException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table

Key = tuple[Any, Any]

_transact = DynamoDBBackend.transact_write_items


def patch_transactions() -> None:
    """Copy only a transaction's items, and restore them if it fails."""
    DynamoDBBackend.transact_write_items = transact  # type: ignore[assignment]
    Table.__deepcopy__ = lambda self, _: self  # type: ignore[attr-defined]


def transact(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """Write all items or none; replaces moto's method with the same arguments."""
    before = _read_items(backend, transact_items)
    try:
        _transact(backend, transact_items)
    except Exception:
        for table, key, item in before:
            _put_back(table, key, item)
        raise


def _read_items(
    backend: DynamoDBBackend, actions: list[dict[str, Any]]
) -> list[tuple[Table, Key, Any]]:
    found = []
    for action in actions:
        for operation in action.values():
            # moto itself reports what is wrong with an action.
            with contextlib.suppress(KeyError, MockValidationException, ResourceNotFoundException):
                table = backend.get_table(operation["TableName"])
                attributes = operation["Item"] if "Item" in operation else operation["Key"]
                key = backend.get_keys_value(table, attributes)
                found.append((table, key, deepcopy(table.get_item(*key))))
    return found


def _put_back(table: Table, key: Key, item: Any) -> None:  # noqa: ANN401  (moto's item, or None)
    hash_key, range_key = key
    if item is None:
        table.delete_item(hash_key, range_key)
    elif range_key is None:
        table.items[hash_key] = item
    else:
        table.items[hash_key][range_key] = item
