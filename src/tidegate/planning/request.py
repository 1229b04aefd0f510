"""Reads the input of an execution of load_table: load, full_refresh or replay."""

from collections.abc import Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    StrictBool,
    StrictStr,
    Tag,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import ErrorDetails

from tidegate.contract import Contract
from tidegate.contract.names import name_some
from tidegate.errors import InvalidInputError
from tidegate.planning.as_of import read_as_of


def _time(value: object) -> datetime:
    try:
        found = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(f"{value!r} is not a time; write it like 2026-01-31T18:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


Time = Annotated[datetime, PlainValidator(_time)]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    table: StrictStr


class LoadRequest(_Request):
    """Load the pending files. `force` releases a batch whose deletes were held back."""

    mode: Literal["load"] = "load"
    force: StrictBool = False


class RefreshRequest(_Request):
    """Replace the table's rows by the newest snapshot. `force` accepts any number of rows."""

    mode: Literal["full_refresh"]
    snapshot_prefix: Annotated[StrictStr, Field(min_length=1)] | None = None
    as_of: Annotated[StrictStr, Field(min_length=1)] | None = None
    force: StrictBool = False


class ReplayRequest(_Request):
    """Load files again that landed from `since` on and before `until`."""

    mode: Literal["replay"]
    since: Time = Field(alias="from")
    until: Time = Field(alias="to")


def _mode(given: Any) -> str:  # noqa: ANN401  (any JSON)
    return str(given.get("mode", "load")) if isinstance(given, dict) else "load"


_MODELS: dict[str, type[_Request]] = {
    "load": LoadRequest,
    "full_refresh": RefreshRequest,
    "replay": ReplayRequest,
}
_WRITE = {
    "load": '{"table": "schema.table"}',
    "full_refresh": '{"table": "schema.table", "mode": "full_refresh"}',
    "replay": '{"table": "schema.table", "mode": "replay", "from": "…", "to": "…"}',
}
Request = LoadRequest | RefreshRequest | ReplayRequest
_TAGGED = Annotated[
    Annotated[LoadRequest, Tag("load")]
    | Annotated[RefreshRequest, Tag("full_refresh")]
    | Annotated[ReplayRequest, Tag("replay")],
    Discriminator(
        _mode,
        custom_error_type="unknown_mode",
        custom_error_message="unknown mode; write full_refresh or replay",
    ),
]
_REQUESTS: TypeAdapter[Request] = TypeAdapter(_TAGGED)


def read_request(
    given: Any,  # noqa: ANN401  (any JSON)
    contracts: Mapping[str, Contract],
) -> tuple[Contract, Request]:
    """Read the input of an execution; return the contract of its table, and the request.

    Raises:
        InvalidInputError: the input is not valid, or does not fit the contract.
    """
    try:
        request = _REQUESTS.validate_python(given)
    except ValidationError as error:
        wrong = "; ".join(map(_wrong, error.errors()))
        meant = _WRITE.get(_mode(given), " or ".join(_WRITE.values()))
        raise InvalidInputError(f"the execution input is wrong ({wrong}); write {meant}") from error
    try:
        contract = contracts[request.table]
    except KeyError:
        raise InvalidInputError(
            f"no contract is deployed for {request.table!r} (there are: {name_some(contracts)})"
        ) from None
    return contract, _fitted(request, contract)


def _fitted(request: Request, contract: Contract) -> Request:
    match request:
        case ReplayRequest() if request.since >= request.until:
            raise InvalidInputError(f"from ({request.since}) must be before to ({request.until})")
        case RefreshRequest():
            _refuse_strange_prefix(request.snapshot_prefix, contract)
            as_of = read_as_of(request.as_of, contract) if request.as_of else None
            return request.model_copy(update={"as_of": as_of})
    return request


def _refuse_strange_prefix(prefix: str | None, contract: Contract) -> None:
    if prefix and not prefix.startswith(contract.source.prefix):
        raise InvalidInputError(
            f"snapshot_prefix {prefix!r} is not under {contract.source.prefix!r}, the prefix of "
            f"{contract.table}; write a folder below it"
        )


def _wrong(details: ErrorDetails) -> str:
    mode, *location = details["loc"] or ("load",)
    where = ".".join(map(str, location)) or ("mode" if not details["loc"] else "input")
    message = details["msg"].removeprefix("Value error, ")
    if details["type"] == "extra_forbidden":
        message += _nearest(str(location[-1]), _MODELS[str(mode)])
    return f"{where}: {message}"


def _nearest(name: str, model: type[BaseModel]) -> str:
    known = [field.alias or name for name, field in model.model_fields.items()]
    near = get_close_matches(name, known, n=1)
    return f", did you mean {near[0]!r}?" if near else f", only {', '.join(known)}"
