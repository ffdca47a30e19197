"""The typed Python client: generated from the contract of the door, whole and anew each time."""

from deploy.integrators.client.generating import ContractUnusable, generate

__all__ = ["ContractUnusable", "generate"]
