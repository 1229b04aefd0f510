"""The ledger: one DynamoDB table that knows of every landed object, and who works on which table.

    pk               sk                       one item for
    TABLE#<table>    STATE                    the table: lease, fence, watermark, open batch, counts
    TABLE#<table>    PENDING#<kind>#<order>   an object that waits, or is in the open batch
    TABLE#<table>    DONE#<id>                an object that was applied
    TABLE#<table>    QUARANTINE#<id>          an object that was refused whole
    TABLE#<table>    BATCH#<number>           an applied batch
    TABLE#<table>    REFRESH#<run>            a full refresh that was done, by the run that asked
    UNROUTED         <id>                     an object that no contract claims
    TABLES           <table>                  a contract that is deployed
    SWEEP            CURSOR                   where the next look for missed objects begins

An object version is known by `id`, a digest of its key and ETag: both may be longer than a key of
DynamoDB. A file costs three writes over its life: it is put as PENDING, and later, in one
transaction, deleted there and put as DONE or QUARANTINE.
"""

from tidegate.ledger.catalogue import Catalogue
from tidegate.ledger.files import FileLedger, Registered
from tidegate.ledger.history import FileHistory
from tidegate.ledger.items import LedgerTable
from tidegate.ledger.refreshes import RefreshLedger
from tidegate.ledger.setting_aside import HandLedger
from tidegate.ledger.states import StateLedger
from tidegate.ledger.table_state import TableState

__all__ = [
    "Catalogue",
    "FileHistory",
    "FileLedger",
    "HandLedger",
    "LedgerTable",
    "RefreshLedger",
    "Registered",
    "StateLedger",
    "TableState",
]
