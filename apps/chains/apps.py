from django.apps import AppConfig


class ChainsConfig(AppConfig):
    name = "apps.chains"

    def ready(self) -> None:
        """Have the log tell who changed which chain, endpoint, relay, exchange, coin or locker."""
        from apps.state.services.changes import record_changes_of

        models = ("Chain", "Endpoint", "Relay", "DexDeployment", "StableToken", "Locker")
        record_changes_of(*(self.get_model(name) for name in models))
