"""Addresses of the pages."""

app_name = "dashboard"
urlpatterns: list[object] = []
