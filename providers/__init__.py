"""Telephony providers, one file or folder each. Each subclass of `Provider` that is defined here is in the registry."""

import importlib
import pkgutil

from providers.base import Provider


def _found() -> dict[str, type[Provider]]:
    for module in pkgutil.iter_modules(__path__):
        if module.name != "sandbox":  # it stands for a provider, and is none
            importlib.import_module(f"providers.{module.name}")
    return {found.key: found for found in sorted(Provider.__subclasses__(), key=lambda found: found.name)}


PROVIDERS: dict[str, type[Provider]] = _found()
"""Every provider by its key, in the order of their names."""
