"""A shop's web application: an order is taken, and its invoice is sent by a task.

flask --app shop run --port 5000
"""

from flask import Flask, Response, jsonify, request

from rowlock import Client, InvalidRequestError, RowlockError

app = Flask(__name__)
# One for all threads. A customer waits, so it does not try for long.
rowlock = Client(timeout_seconds=3, retry_seconds=3)


@app.post("/orders")
def take_order() -> tuple[Response, int]:
    order = request.get_json()
    order_id = order.get("id") if isinstance(order, dict) else None
    if not isinstance(order_id, int):
        return jsonify(error="The order needs a numeric id."), 400
    # The browser sends again what it got no answer to, or what was clicked twice.
    try:
        task = rowlock.submit(
            "send invoice",
            queue="invoices",
            payload=order,
            idempotency_key=f"order-{order_id}",
        )
    except InvalidRequestError as error:
        return jsonify(error=str(error)), 422
    except RowlockError as error:
        app.logger.warning("order %d was not accepted: %s", order_id, error)
        return jsonify(error="Try again in a moment."), 503
    return jsonify(order=order_id, task=task.id), 202
