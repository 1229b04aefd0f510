"""What landed: one version of an object of the landing bucket, and its place in source order."""

import hashlib

from pydantic import BaseModel, ConfigDict


class LandedObject(BaseModel):
    """One version of an object; `size` in bytes, `landed_at` in seconds since 1970."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: str
    etag: str
    size: int
    landed_at: int
    version: str | None = None

    @property
    def id(self) -> str:
        """What the ledger knows the version by: the same key with a new ETag is another one."""
        return hashlib.sha256(f"{self.key}\0{self.etag}".encode()).hexdigest()[:32]


class LandedFile(LandedObject):
    """An object that belongs to a table: `kind` 0 for a snapshot, 1 for changes."""

    kind: int
    order: str
