"""A Twilio-compatible server, and a small Exotel, to run the console and its tests against."""

from providers.sandbox.app import create_app
from providers.sandbox.store import OwnedSeed, number_sid

__all__ = ["OwnedSeed", "create_app", "number_sid"]
