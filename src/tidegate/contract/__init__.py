"""Contracts: one YAML file describes one target table and its source."""

from tidegate.contract.compiled import CompiledContracts, write_contracts
from tidegate.contract.model import Column, Contract
from tidegate.contract.reading import Mistake, check_contracts, read_contracts
from tidegate.contract.routes import Route
from tidegate.contract.source import Source

__all__ = [
    "Column",
    "CompiledContracts",
    "Contract",
    "Mistake",
    "Route",
    "Source",
    "check_contracts",
    "read_contracts",
    "write_contracts",
]
