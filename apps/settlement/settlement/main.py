"""The service: `uvicorn settlement.main:create_app --factory --no-proxy-headers --host 127.0.0.1 --port 9000`.

Without --no-proxy-headers uvicorn lets any caller on the same host choose the address that the request log has.
"""

import gc
import logging
import logging.config
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from etebar_common import crash, tracing
from etebar_common.environment import load
from etebar_common.logs import logging_config
from settlement import metrics
from settlement.api import errors, openapi
from settlement.api.middleware import RequestMiddleware
from settlement.api.routes import batch_router, probes, router, sandbox_router
from settlement.database_state import refuse_start_without_database
from settlement.request_log import RequestLog
from settlement.services import open_services
from settlement.settings import SERVICE, Settings


def create_app() -> FastAPI:
    """The app for uvicorn, from the environment; SystemExit with clear lines when it could not serve."""
    settings = load(Settings, SERVICE)
    crash.configure(settings)
    configure_logging(settings)
    refuse_start_without_database(settings)
    settings.begin_serving()
    tracing.start(settings, SERVICE)
    app = build_app(settings)
    metrics.serve(settings)
    # what is here now stays until the end: no collection need look at it again
    gc.freeze()
    return app


def build_app(settings: Settings) -> FastAPI:
    """The app for these settings; it connects to nothing before its lifespan starts."""
    request_log = RequestLog()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_services(settings, request_log) as services:
            app.state.services = services
            yield
        # uvicorn ends itself by the signal that it got, after which nothing runs
        tracing.stop()

    app = FastAPI(
        title="Etebar settlement",
        description="Pays merchants' bank accounts, once per withdrawal id. Answers core only.",
        version=version("etebar-settlement"),
        lifespan=lifespan,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # FastAPI's own would send its logs, which we do not choose, wherever our traces go
        telemetry={"auto_configure": False, "tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = settings
    routers = [batch_router, router, probes]
    if settings.etebar_profile.is_sandboxed:
        routers.append(sandbox_router)
    for each in routers:
        app.include_router(each)
    errors.install(app)
    openapi.install(app)
    app.add_middleware(RequestMiddleware, request_log=request_log)
    return app


def configure_logging(settings: Settings) -> None:
    """JSON for our lines and uvicorn's; its access log is ours to write, with the request's id."""
    logging.config.dictConfig(logging_config(settings.log_level, SERVICE))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"
