"""Orders come in; what is slow is left to tasks."""

from functools import partial

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from shop.models import Order
from shop.tasks import count_oars, send_receipt


@csrf_exempt
@require_POST
@transaction.atomic
def take_order(request: HttpRequest) -> JsonResponse:
    order = Order.objects.create(oars=int(request.POST["oars"]))
    # A worker must not look for the order before it is committed.
    transaction.on_commit(partial(send_receipt.enqueue, order.pk))
    return JsonResponse({"order": order.pk}, status=202)


@csrf_exempt
@require_POST
async def count(_request: HttpRequest) -> JsonResponse:
    result = await count_oars.aenqueue()
    return JsonResponse({"result": result.id}, status=202)


@require_GET
async def counted(_request: HttpRequest, result_id: str) -> JsonResponse:
    result = await count_oars.aget_result(result_id)
    value = result.return_value if result.status == "SUCCESSFUL" else None
    return JsonResponse({"status": result.status, "value": value})
