"""Telephony vendors, one file each. A module here that defines `VENDOR` is in the registry."""

import importlib
import pkgutil

from providers.base import Vendor


def _found() -> dict[str, Vendor]:
    modules = (importlib.import_module(f"providers.{m.name}") for m in pkgutil.iter_modules(__path__) if not m.ispkg)
    vendors = [module.VENDOR for module in modules if hasattr(module, "VENDOR")]
    return {vendor.key: vendor for vendor in sorted(vendors, key=lambda vendor: vendor.name)}


VENDORS: dict[str, Vendor] = _found()
"""Every vendor by its key, in the order of their names."""
