"""Twilio: its facts and verbs, how it is signed in to, and what its records say."""

from providers.twilio.provider import Twilio

__all__ = ["Twilio"]
