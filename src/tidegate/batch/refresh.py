"""What is known of a full refresh from the moment it is asked for until it is done."""

from pydantic import BaseModel, ConfigDict


class Refresh(BaseModel):
    """A full refresh that `run`, an execution, asked for; see `RefreshRequest`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run: str
    snapshot_prefix: str | None = None
    as_of: str | None = None
    force: bool = False
