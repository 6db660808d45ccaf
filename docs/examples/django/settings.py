"""A project with one application, and its tasks on a Rowlock server."""

import os
import secrets
from pathlib import Path

import django

SECRET_KEY = secrets.token_hex()
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "shop.urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("SHOP_DATABASE", Path(__file__).with_name("shop.sqlite3")),
    }
}
INSTALLED_APPS = [
    "rowlock.django",
    "shop",
    # Before Django 6 the framework is a package of its own.
    *([] if django.VERSION >= (6,) else ["django_tasks"]),
]
TASKS = {
    "default": {
        "BACKEND": "rowlock.django.RowlockBackend",
        "QUEUES": ["shop"],
        "OPTIONS": {"retry_limit": 5, "timeout_seconds": 60},
    }
}
