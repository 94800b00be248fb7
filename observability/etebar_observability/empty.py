"""Expressions that find nothing on a healthy release under load, each with why; every other one must find data."""

EMPTY: dict[str, str] = {
    "etebar-overview: Firing": "nothing fires",
    "etebar-workers: Certificates expire in": "the databases of kind speak no TLS: no authority is mounted",
    "EtebarCertificateExpiring": "the same",
    "EtebarMigrationFailed": "asks kube-state-metrics, which kind has not",
    "EtebarBooksNotVerified": "asks what was there 15 minutes ago, when the test's Prometheus was not",
}
