from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "apps.alerts"

    def ready(self) -> None:
        """Let a paired chat stand for no second factor that was taken away."""
        from apps.alerts.services.pairing import pairing_unvouch
        from apps.state.services.second_factor import factor_removed

        factor_removed.connect(pairing_unvouch, dispatch_uid="alerts.factor_removed")
