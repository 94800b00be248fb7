"""`python -m onboarding`: the operator, until it is told to end."""

import asyncio
import logging.config

from etebar_common import crash
from onboarding import logs
from onboarding.environment import environment
from onboarding.errors import ClusterUnavailable
from onboarding.operator import KindsMissing, serve


def main() -> None:
    """Ends with one line when the cluster cannot be worked with."""
    settings = environment()
    crash.configure(settings)
    logging.config.dictConfig(logs.config(settings.log_level))
    try:
        asyncio.run(serve(settings))
    except (KindsMissing, ClusterUnavailable) as error:
        raise SystemExit(f"the operator does not start: {error}") from error


if __name__ == "__main__":
    main()
