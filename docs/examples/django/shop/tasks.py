"""What the shop does later."""

import django

from shop.models import Order

if django.VERSION >= (6,):
    from django.tasks import task
else:
    from django_tasks import task


@task(queue_name="shop", priority=10)
def send_receipt(order_id: int) -> str:
    """Done twice, it sends one receipt: a task may be run again after a worker has died."""
    order = Order.objects.get(pk=order_id)
    if not order.receipt:
        order.receipt = f"R-{order.pk}: {order.oars} oars"
        order.save()
    return order.receipt


@task(queue_name="shop", takes_context=True)
async def count_oars(context) -> dict[str, int]:
    """A coroutine function, run in the worker's event loop."""
    total = 0
    async for order in Order.objects.all():
        total += order.oars
    return {"oars": total, "attempt": context.attempt}
