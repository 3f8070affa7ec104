from django.apps import AppConfig


class StateConfig(AppConfig):
    name = "apps.state"
    verbose_name = "How the system runs"

    def ready(self) -> None:
        """Connect checks, the log of who came in, and trace ids in log lines; shut the ways out."""
        from django.conf import settings

        from apps.state import checks, egress, signals, tracing

        checks.register_checks()
        signals.connect()
        tracing.install_filter()
        egress.install(settings.ENV)
