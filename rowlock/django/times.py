"""Django's times and the server's: without `USE_TZ`, Django's have no time zone."""

from datetime import datetime

from django.conf import settings
from django.utils import timezone


def to_server(moment: datetime) -> datetime:
    """With a time zone; one that has none is in the project's."""
    if timezone.is_aware(moment):
        return moment
    return timezone.make_aware(moment, timezone.get_default_timezone())


def to_django(moment: datetime) -> datetime:
    """As `django.utils.timezone.now()` would have it."""
    if settings.USE_TZ:
        return moment
    return timezone.make_naive(moment, timezone.get_default_timezone())
