"""Contracts: what one YAML file says of one target table."""

from tidegate.contract.model import Column, Contract
from tidegate.contract.reading import Mistake, check_contracts, read_contracts
from tidegate.contract.source import Source

__all__ = ["Column", "Contract", "Mistake", "Source", "check_contracts", "read_contracts"]
