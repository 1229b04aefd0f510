"""What starts a run: the input of an execution of load_table."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, StrictStr, ValidationError

from tidegate.contract import Contract
from tidegate.errors import InvalidInputError


class Request(BaseModel):
    """`{"table": "schema.table"}`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: StrictStr


def read_request(given: Any, contracts: Sequence[Contract]) -> Contract:  # noqa: ANN401
    """The contract of the table that an execution input names.

    Raises:
        InvalidInputError: not of the form, or no contract is deployed for the table.
    """
    try:
        request = Request.model_validate(given)
    except ValidationError as error:
        wrong = "; ".join(_wrong(details["loc"], details["msg"]) for details in error.errors())
        raise InvalidInputError(
            f'the execution input is wrong ({wrong}); write {{"table": "schema.table"}}'
        ) from error
    by_table = {contract.table: contract for contract in contracts}
    if request.table not in by_table:
        known = ", ".join(sorted(by_table)) or "none"
        raise InvalidInputError(
            f"no contract is deployed for {request.table!r} (there are: {known})"
        )
    return by_table[request.table]


def _wrong(location: tuple[int | str, ...], message: str) -> str:
    return f"{'.'.join(map(str, location)) or 'input'}: {message}"
