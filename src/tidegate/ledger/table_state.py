"""What the ledger knows of a table at one moment."""

from pydantic import BaseModel, ConfigDict

from tidegate.batch.applied import AppliedContract
from tidegate.batch.refresh import Refresh


class TableState(BaseModel):
    """STATE as it stands; times in seconds since 1970, 0 and None where there is nothing.

    `blocked_by` is the run after which a person must look at the table, `held_back` whether that is
    because of all that the open batch deletes, `set_aside` which of its files a person wants to be
    quarantined, by id with the reason.

    `attempts` have failed since `failing_since`, the last `unexplained` ones of them with an error
    that Tidegate does not know. No run starts by itself before `retry_at`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    holder: str | None = None
    lease_expires: int = 0
    fence: int = 0
    wake: int = 0
    epoch: int = 1
    epoch_from: int = 0
    watermark: str | None = None
    open_batch: int | None = None
    open_plan: str | None = None
    released: int | None = None
    narrow: dict[str, int] = {}
    set_aside: dict[str, str] = {}
    refresh: Refresh | None = None
    as_of: str | None = None
    taken_at: int = 0
    applied: AppliedContract | None = None
    last_batch: int = 0
    blocked_by: str | None = None
    held_back: bool = False
    attempts: int = 0
    unexplained: int = 0
    failing_since: int | None = None
    retry_at: int = 0
    last_error: str | None = None
    last_success_at: int | None = None
    pending_since: int | None = None
    applied_files: int = 0
    quarantined_files: int = 0
    quarantined_rows: int = 0

    @property
    def blocked(self) -> bool:
        """Whether nothing goes on until a person has looked."""
        return self.blocked_by is not None

    def is_held(self, now: int) -> bool:
        """Whether a run holds the lease."""
        return self.holder is not None and self.lease_expires > now
