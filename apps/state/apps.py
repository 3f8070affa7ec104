from django.apps import AppConfig


class StateConfig(AppConfig):
    name = "apps.state"
    verbose_name = "How the system runs"

    def ready(self) -> None:
        """Connect checks, the log of who came in, and trace ids in log lines."""
        from apps.state import checks, signals, tracing

        checks.register_checks()
        signals.connect()
        tracing.install_filter()
