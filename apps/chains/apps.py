from django.apps import AppConfig


class ChainsConfig(AppConfig):
    name = "apps.chains"

    def ready(self) -> None:
        """Open the way to endpoints and relays, and have the log tell who changed which row."""
        from apps.chains.egress import configured_addresses
        from apps.state import egress
        from apps.state.services.changes import record_changes_of

        egress.provide(configured_addresses)
        models = ("Chain", "Endpoint", "Relay", "DexDeployment", "StableToken", "Locker")
        record_changes_of(*(self.get_model(name) for name in models))
