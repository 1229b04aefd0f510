"""A portal: a bound statement that returns its rows as the client asks for them."""

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from tidegate.local.warehouse.engine import execution
from tidegate.local.warehouse.engine.session import Session
from tidegate.local.warehouse.engine.statement import Outcome, Statement
from tidegate.local.warehouse.language.failures import SqlError
from tidegate.local.warehouse.language.oids import Field, Parameter
from tidegate.local.warehouse.protocol.messages import data_row
from tidegate.local.warehouse.protocol.values import encoder


class Portal:
    """A portal, made by Bind: a statement, its parameters, and the format of each column."""

    def __init__(
        self,
        session: Session,
        statement: Statement,
        parameters: Sequence[Parameter],
        formats: Sequence[int],
        described: Sequence[Field] | None = None,
        *,
        scaled: bool = False,
    ) -> None:
        self.statement = statement
        self._session = session
        self._parameters = parameters
        self._formats = formats
        self._described = described
        self._scaled = scaled
        self._outcome: Outcome | None = None
        self._rows: Iterator[bytes] = iter(())
        self._count = 0
        self.done = False

    def fields(self) -> Sequence[Field] | None:
        """Returns the columns of the result, None for a statement without a result."""
        if self._described is None:
            oids = [parameter.oid for parameter in self._parameters]
            self._described = execution.describe(self._session, self.statement, oids)
        return self._described

    def formats(self, count: int) -> list[int]:
        """Returns a format for each column: one code for all, one for each, or text by default."""
        codes = list(self._formats) or [0]
        return codes * count if len(codes) == 1 else codes

    def execute(self) -> Outcome:
        """Starts the statement unless it has started."""
        if self._outcome is None:
            self._outcome = execution.execute(self._session, self.statement, self._parameters)
            if self._described is None:
                self._described = self._outcome.fields
            self._rows = self._encoded(self._outcome)
        return self._outcome

    def take(self, limit: int) -> Iterator[bytes]:
        """Yields at most `limit` DataRow messages; 0 means no limit."""
        for taken, row in enumerate(self._rows, start=1):
            yield row
            if taken == limit:
                return
        self.close()

    def close(self) -> None:
        """Ends the statement, even if the client has not taken all its rows."""
        if not self.done and self._outcome is not None:
            self.done = True
            self._session.finish(rows=self._count)

    def _encoded(self, outcome: Outcome) -> Iterator[bytes]:
        fields = self._described or ()
        formats = self.formats(len(fields))
        encoders = [
            encoder(field, form, scaled=self._scaled)
            for field, form in zip(fields, formats, strict=True)
        ]
        try:
            for rows in outcome.rows:
                for row in rows:
                    self._count += 1
                    yield data_row(_encode(row, encoders))
        except (duckdb.Error, SqlError) as error:
            self.done = True
            raise execution.fail(self._session, self.statement, error) from error


def _encode(row: Sequence[Any], encoders: Sequence[Any]) -> list[bytes | None]:
    return [
        None if value is None else encode(value)
        for value, encode in zip(row, encoders, strict=True)
    ]
