"""The DynamoDB table under the ledger: plain values in, plain values out."""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from tidegate.errors import ServiceBusyError

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]
Element = TypeVar("Element")
_WAITS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)  # seconds at most
_PASSING = {"TransactionConflictException", "TransactionConflict", "ThrottlingError"}
MOST_ACTIONS = 100  # in one TransactWriteItems
MOST_GETS = 100  # in one BatchGetItem

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def pack(values: Item) -> Item:
    """Plain values as DynamoDB takes them; None is left out."""
    return {name: _serialize(value) for name, value in values.items() if value is not None}


def unpack(item: Item) -> Item:
    """DynamoDB's values as plain ones; its numbers are all whole here."""
    return {name: _plain(_deserialize(value)) for name, value in item.items()}


def pieces(elements: Iterable[Element], size: int) -> Iterator[list[Element]]:
    """`elements` in lists of at most `size`."""
    rest = iter(elements)
    while piece := list(islice(rest, size)):
        yield piece


def _patiently(call: Callable[..., Any], **request: Any) -> Any:  # noqa: ANN401  (boto3's own)
    """Make a call again that met a transaction on the same item; botocore does not.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
    """
    for wait in _WAITS:
        try:
            return call(**request)
        except ClientError as error:
            if not _met_a_transaction(error):
                raise
        time.sleep(wait * random.random())  # noqa: S311  (no secret is made of it)
    return call(**request)


def _met_a_transaction(error: ClientError) -> bool:
    reasons = error.response.get("CancellationReasons", [])
    codes = {error.response["Error"]["Code"], *(reason.get("Code") for reason in reasons)}
    return "ConditionalCheckFailed" not in codes and not codes.isdisjoint(_PASSING)


def _plain(value: object) -> object:
    return int(value) if isinstance(value, Decimal) else value


@dataclass(frozen=True, slots=True)
class LedgerTable:
    """Calls to the one table, with strongly consistent reads."""

    client: "DynamoDBClient"
    name: str

    def get(self, pk: str, sk: str) -> Item | None:
        """The item, or None."""
        key = pack({"pk": pk, "sk": sk})
        found = self.client.get_item(TableName=self.name, Key=key, ConsistentRead=True)
        return unpack(found["Item"]) if "Item" in found else None

    def put(self, item: Item) -> None:
        """Write the item, whatever was there."""
        self.client.put_item(TableName=self.name, Item=pack(item))

    def delete(self, pk: str, sk: str) -> None:
        """Remove the item, if it is there."""
        self.client.delete_item(TableName=self.name, Key=pack({"pk": pk, "sk": sk}))

    def update(
        self, pk: str, sk: str, change: str, values: Item, *, condition: str | None = None
    ) -> Item | None:
        """Apply an update expression; give the item after it, or None if `condition` is false."""
        request: Item = {
            "TableName": self.name,
            "Key": pack({"pk": pk, "sk": sk}),
            "UpdateExpression": change,
            "ReturnValues": "ALL_NEW",
        }
        if values:
            request["ExpressionAttributeValues"] = pack(values)
        if condition:
            request["ConditionExpression"] = condition
        try:
            return unpack(_patiently(self.client.update_item, **request)["Attributes"])
        except self.client.exceptions.ConditionalCheckFailedException:
            return None

    def query(
        self,
        pk: str,
        prefix: str = "",
        *,
        where: str = "",
        **values: Any,  # noqa: ANN401  (any plain value)
    ) -> Iterator[Item]:
        """Items of `pk` whose sort key begins with `prefix`, in its order, page by page.

        `where` is a filter expression over `values`, each named by a colon and its keyword.
        """
        for page in self._pages(pk, prefix, where, values):
            yield from map(unpack, page["Items"])

    def count(self, pk: str, prefix: str = "") -> int:
        """How many items `query` would give."""
        return sum(page["Count"] for page in self._pages(pk, prefix, Select="COUNT"))

    def existing(self, keys: list[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of `keys` (pk, sk), at most MOST_GETS, that there are."""
        items = self.get_all(keys, ProjectionExpression="pk, sk")
        return {(item["pk"], item["sk"]) for item in items}

    def get_all(self, keys: list[tuple[str, str]], **more: str) -> Iterator[Item]:
        """The items of `keys` (pk, sk), at most MOST_GETS, in any order; missing ones left out."""
        packed = [pack({"pk": pk, "sk": sk}) for pk, sk in keys]
        unanswered: Any = {self.name: {"Keys": packed, "ConsistentRead": True, **more}}
        while unanswered and keys:
            answer = self.client.batch_get_item(RequestItems=unanswered)
            yield from map(unpack, answer["Responses"].get(self.name, []))
            unanswered = answer.get("UnprocessedKeys")

    def transact(self, actions: list[Item]) -> list[bool]:
        """Write all `actions` or none; give, by action, whether its condition stood in the way.

        Raises:
            ServiceBusyError: another transaction was at the same items, or DynamoDB throttled.
        """
        try:
            _patiently(self.client.transact_write_items, TransactItems=actions)
        except self.client.exceptions.TransactionCanceledException as error:
            return self._refusals(error)
        return [False] * len(actions)

    def action(
        self,
        kind: Literal["Put", "Delete", "ConditionCheck", "Update"],
        *,
        unless_exists: bool = False,
        **parts: Any,  # noqa: ANN401  (the parts of DynamoDB's own request)
    ) -> Item:
        """One action of a transaction on this table."""
        condition = {"ConditionExpression": "attribute_not_exists(pk)"} if unless_exists else {}
        return {kind: {"TableName": self.name, **parts, **condition}}

    def _refusals(self, error: ClientError) -> list[bool]:
        reasons = error.response.get("CancellationReasons", [])
        codes = [reason.get("Code", "None") for reason in reasons]
        if "ConditionalCheckFailed" not in codes:
            raise ServiceBusyError(
                f"DynamoDB cancelled a write to the ledger ({', '.join(codes)}); try again"
            ) from error
        return [code == "ConditionalCheckFailed" for code in codes]

    def _pages(
        self,
        pk: str,
        prefix: str,
        where: str = "",
        values: Item | None = None,
        **more: Any,  # noqa: ANN401  (the parts of DynamoDB's own request)
    ) -> Iterator[Any]:
        condition = "pk = :pk"
        if where:
            more["FilterExpression"] = where
        named = {":pk": pk} | {f":{name}": value for name, value in (values or {}).items()}
        if prefix:
            condition, named = f"{condition} and begins_with(sk, :sk)", {**named, ":sk": prefix}
        return iter(
            self.client.get_paginator("query").paginate(
                TableName=self.name,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=pack(named),
                ConsistentRead=True,
                **more,
            )
        )
