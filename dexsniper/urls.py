"""Addresses."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

from apps.dashboard.views.second_factor import SignIn

admin.autodiscover()

urlpatterns = [
    path("login/", SignIn.as_view(), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("api/v1/schemas/", include("apps.api.messages_views")),
    path("", include("apps.api.scrape")),
    path("", include("apps.api.urls")),
    path("", include("apps.dashboard.urls")),
]
