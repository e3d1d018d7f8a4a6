"""Server: the lab's pages behind its guard, on one port of this machine."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pellucid.app.lab import collection
from pellucid.app.lab.desk import Desk
from pellucid.app.lab.guard import Guard
from pellucid.app.lab.lab import RESULTS, Lab
from pellucid.errors import PellucidError
from pellucid.page import LANGUAGES

MOST_BYTES = 50_000_000  # of one request, hence of a photo
MOST_PIXELS = 40_000_000  # of a photo
TRIES = 20  # ports that are tried, from the one asked for


@contextmanager
def opened(
    specs: dict[str, dict[str, Any]],
    *,
    device: str = "auto",
    place: str = "",
    limit: float = 600.0,
) -> Iterator[Lab]:
    """A lab with its worker and its folder, both gone after the `with`.

    Args:
        specs: arguments of `load` by the names of networks.
        place: of the atlas.
        limit: s that a job may take.
    """
    folder = Path(tempfile.mkdtemp(prefix="pellucid-lab-")).resolve()
    # Before Gradio is imported: it asks no other machine for anything, and keeps uploads here.
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", GRADIO_TEMP_DIR=str(folder / "uploads"))
    (folder / "uploads").mkdir()
    bench = {
        "specs": specs,
        "device": device,
        "folder": str(folder),
        "pixels": MOST_PIXELS,
        "place": place,
    }
    lab = Lab(Desk(bench, limit=limit), list(specs), folder, place)
    if place:
        lab.mounts |= collection.served(folder)
    try:
        yield lab
    finally:
        lab.close()


def app(lab: Lab, *, host: str, password: str | None) -> Any:
    """The pages of both languages as one application.

    Raises:
        PellucidError: Gradio is not installed; or others can reach it and it has no password.
    """
    try:
        import gradio as gr
        from fastapi import FastAPI
        from starlette.responses import RedirectResponse
        from starlette.staticfiles import StaticFiles
    except ImportError as error:
        raise PellucidError(
            f"the lab needs gradio ({error.name} is missing): pip install 'pellucid[lab]'"
        ) from None
    from pellucid.app.lab.page import PATHS, build
    from pellucid.app.lab.theme import theme

    served: Any = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    for address, folder in lab.mounts.items():
        served.mount(address, StaticFiles(directory=folder, html=True))
    for path in filter(None, (path.rstrip("/") for path in PATHS.values())):
        served.add_route(path, lambda request: RedirectResponse(f"{request.url.path}/"))
    for lang in sorted(LANGUAGES, key=lambda lang: -len(PATHS[lang])):  # "/" takes what is left
        blocks = build(lab, lang)
        blocks.queue(max_size=64, default_concurrency_limit=16, api_open=True)
        served = gr.mount_gradio_app(
            served,
            blocks,
            PATHS[lang].rstrip("/") or "/",
            footer_links=["api"],
            ssr_mode=False,
            max_file_size=MOST_BYTES,
            allowed_paths=[str(lab.folder / RESULTS)],
            theme=theme(),
            pwa=False,
            css_paths=sorted(Path(__file__).parent.glob("*.css")),
            show_error=True,
            enable_monitoring=False,
            mcp_server=False,
        )
    lab.sweeping()
    return Guard(served, host=host, password=password, most=MOST_BYTES)


def free(host: str, port: int) -> socket.socket:
    """A bound socket at the port, or at the next that is free.

    Raises:
        PellucidError: the address is not this machine's, or all ports are taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in range(port, min(port + TRIES, 65536)):
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, number))
            bound.listen()  # before that, another could have the same port
            return bound
        except (OSError, OverflowError) as error:
            bound.close()
            reason = error
    raise PellucidError(f"{host}:{port} cannot be listened on: {reason}")


def serve(application: Any, bound: socket.socket, ready: Callable[[], None]) -> None:
    """Answers until Ctrl-C.

    Args:
        ready: called when the first question can be answered.
    """
    import uvicorn

    class Server(uvicorn.Server):  # type: ignore[misc]  # its types are not read
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready()

    # Uvicorn hands a signal on once it has ended; to this, so that kill, too, leaves nothing.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Of open pages it would tell with a traceback that they were there at the end.
    config = uvicorn.Config(application, log_level="critical", timeout_graceful_shutdown=1)
    with suppress(KeyboardInterrupt):  # which it raises once more after its own end
        Server(config).run(sockets=[bound])


def address(host: str, port: int) -> str:
    """What to type into a browser on this machine."""
    name = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"
