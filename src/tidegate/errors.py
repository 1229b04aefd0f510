"""Every error Tidegate raises, in one tree.

TidegateError
├── TransientError            the state machine tries again
│   ├── DeploymentError
│   ├── TooNarrowError
│   ├── WarehouseBusyError
│   └── ServiceBusyError
└── TerminalError             a person has to act
    ├── ContractError
    ├── InvalidInputError
    ├── SettingsError
    ├── LeaseLostError
    ├── LoadFailedError
    ├── MassDeleteError
    ├── RefreshRefusedError
    ├── RunFailedError
    ├── SweepFailedError
    └── LocalStackError
"""


class TidegateError(Exception):
    """Base of all errors of Tidegate; its message says what is wrong, where, and what to do."""


class TransientError(TidegateError):
    """The same call may succeed later; nothing has to be changed for that."""


class TerminalError(TidegateError):
    """The same call will fail again until somebody changes something."""


class DeploymentError(TransientError):
    """The database user, the secret, the network or a right is not as it must be.

    A person mends that outside of Tidegate, and every table goes on by itself.
    """


class TooNarrowError(TransientError):
    """Texts are longer than columns that Redshift does not widen; next time they are refused."""


class WarehouseBusyError(TransientError):
    """Redshift refused or dropped the work for a reason that passes."""


class ServiceBusyError(TransientError):
    """An AWS service throttled the call or was not reachable."""


class ContractError(TerminalError):
    """A contract is wrong, or does not fit the table it names."""


class InvalidInputError(TerminalError):
    """An execution input does not say what `load_table` needs."""


class SettingsError(TerminalError):
    """The environment of a function or a command does not say what it needs."""


class LeaseLostError(TerminalError):
    """Another run holds the table's lease now, so this one must not go on."""


class LoadFailedError(TerminalError):
    """Redshift refused the batch and will refuse it again."""


class SweepFailedError(TerminalError):
    """Some tables could not be swept; the others were, and the next sweep tries again."""


class MassDeleteError(TerminalError):
    """A batch deletes more rows than its contract allows without a person's word."""


class RefreshRefusedError(TerminalError):
    """The snapshot of a full refresh is not what may replace the table."""


class RunFailedError(TerminalError):
    """A run that a command started has failed; the message is what it failed with."""


class LocalStackError(TerminalError):
    """The local stack cannot start or is not there."""
