from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DashboardConfig(AppConfig):
    name = "apps.dashboard"

    def ready(self) -> None:
        """Make the roles once all apps' permissions exist: this app is the last to migrate."""
        from apps.dashboard.roles import roles_make

        post_migrate.connect(roles_make, sender=self)
