"""The contract model: all keys, checked to fit together."""

from typing import Self

from pydantic import model_validator

from tidegate.contract.fitting import misfits
from tidegate.contract.keys import Column, Keys
from tidegate.contract.parts import refuse

__all__ = ["Column", "Contract"]


class Contract(Keys):
    """A valid contract: everything that Tidegate must know about one target table."""

    @model_validator(mode="after")
    def _keys_fit_together(self) -> Self:
        refuse(misfits(self))
        return self
