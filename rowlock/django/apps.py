"""The application, for `INSTALLED_APPS`: it brings `manage.py rowlock_worker`."""

from django.apps import AppConfig


class RowlockConfig(AppConfig):
    """`django` would be its label otherwise."""

    name = "rowlock.django"
    label = "rowlock"
