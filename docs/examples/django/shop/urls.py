"""The shop's addresses."""

from django.urls import path

from shop import views

urlpatterns = [
    path("orders", views.take_order),
    path("counts", views.count),
    path("counts/<str:result_id>", views.counted),
]
