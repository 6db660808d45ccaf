"""A backend for Django's framework for tasks (`pip install "rowlock[django]"`).

INSTALLED_APPS = [..., "rowlock.django"]  # for `manage.py rowlock_worker`
TASKS = {"default": {"BACKEND": "rowlock.django.RowlockBackend"}}
"""

from rowlock.django.backend import RowlockBackend

__all__ = ["RowlockBackend"]
