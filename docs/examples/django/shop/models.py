"""What the shop remembers."""

from django.db import models


class Order(models.Model):
    """An order, with the receipt that was sent for it."""

    oars = models.PositiveIntegerField()
    receipt = models.CharField(max_length=40, blank=True)
