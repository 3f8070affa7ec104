from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "apps.api"

    def ready(self) -> None:
        """Let tokens stand for no second factor that was taken away."""
        from apps.api.services.tokens import tokens_unvouch
        from apps.state.services.second_factor import factor_removed

        factor_removed.connect(tokens_unvouch, dispatch_uid="api.factor_removed")
