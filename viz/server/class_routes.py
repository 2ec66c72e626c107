"""The addresses of a class: what a browser sends to it, and the stream of what it sees.

POST _lab/class                  start a class; answers its code and the lecturer's key
POST _lab/class/{code}/{action}  do something; the body is a JSON object with `key` (lecturer) or `member` (student)
POST _lab/class/{code}/watch     a stream of JSON objects, one a line: what this person sees of the class

The stream answers a POST, so that the key does not stand in an address, which servers write into their logs.
"""

import asyncio
import csv
import io
import json
import os
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from streamlit import config

from viz.classroom.classes import NO_CLASS, ClassError, Classes
from viz.classroom.code import digest, read_code, spoken
from viz.classroom.question import Question, QuestionError
from viz.classroom.rate_limit import RateLimit
from viz.classroom.store import MemoryStore, Store, StoreError

PATH = "_lab/class"
SETTING = "ATTENTION_LAB_REDIS"  # the address of the Redis that replicas share; "": the memory of this process
MAX_BODY = 16_000  # bytes
PAUSE = 0.25  # seconds between two checks of the class
TOUCH = 15.0  # seconds between two notes that a browser is still there
LONGEST = 3 * 3600.0  # seconds of one stream
TOO_OFTEN = "This was done too often. Wait a few seconds and try again."
NOT_READABLE = "The class cannot read this message."

T = TypeVar("T")


def open_store(address: str) -> Store:
    """The store of classes: Redis at this address, or without one the memory of this process.

    Raises:
        SystemExit: the address is none of Redis, or the package `redis` is not installed.
    """
    if not address:
        return MemoryStore()
    try:
        from viz.classroom.redis_store import RedisStore  # noqa: PLC0415  only where it is wanted

        return RedisStore(address)
    except ImportError as error:
        raise SystemExit(f'{SETTING} is set. Install what it needs: pip install -e ".[class]"') from error
    except ValueError as error:
        raise SystemExit(f"{SETTING} must be the address of a Redis: {error}.") from error


CLASSES = Classes(open_store(os.environ.get(SETTING, "")))
_salt = secrets.token_hex(8)  # addresses are counted under a keyed hash, from which the address cannot be computed
wrong_codes = RateLimit(at_once=30, each_second=0.5)  # by address: a room shares one behind most networks
all_wrong_codes = RateLimit(at_once=2000, each_second=100)  # by all addresses together
starts = RateLimit(at_once=10, each_second=0.05)  # classes that one address starts
joins = RateLimit(at_once=400, each_second=10)  # streams that one address opens: a room joins at once
writes = RateLimit(at_once=12, each_second=3)  # messages of one student, or of one lecturer


def routes() -> list[Route]:
    """The routes of classes, below the base path of the server."""
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    prefix = f"{f'/{base}' if base else ''}/{PATH}"
    return [
        Route(prefix, start, methods=["POST"]),
        Route(f"{prefix}/{{code}}/watch", watch, methods=["POST"]),
        Route(f"{prefix}/{{code}}/{{action}}", act, methods=["POST"]),
    ]


async def start(request: Request) -> Response:
    """Start a class."""
    if not starts.spend(_address(request)):
        return _refusal(TOO_OFTEN, 429)
    try:
        code, key = await _call(CLASSES.start)
    except ClassError as refusal:
        return _refusal(str(refusal), refusal.status)
    except StoreError as error:
        return _refusal(str(error), 503)
    return _json({"code": spoken(code), "key": key})


async def act(request: Request) -> Response:
    """One action of a lecturer or of a student."""
    action = ACTIONS.get(request.path_params["action"])
    if action is None:
        return _refusal(NOT_READABLE, 404)
    try:
        code, message = await _read(request)
        if not writes.spend(digest(_text(message, "key") or _text(message, "member") or _address(request))):
            raise ClassError(TOO_OFTEN, 429)
        answer = await _call(action, code, message)
    except ClassError as refusal:
        return _refusal(str(refusal), refusal.status)
    except QuestionError as error:
        return _refusal(str(error), 400)
    except StoreError as error:
        return _refusal(str(error), 503)
    return answer if isinstance(answer, Response) else _json({})


async def watch(request: Request) -> Response:
    """The stream of what a person sees of the class. A student who watches is a member of it."""
    try:
        code, message = await _read(request)
        if not joins.spend(_address(request)):
            raise ClassError(TOO_OFTEN, 429)
        key, member = _text(message, "key"), _text(message, "member")
        if key:
            await _call(CLASSES.lecturer_view, code, key)
        else:
            await _call(CLASSES.join, code, member)
    except ClassError as refusal:
        return _refusal(str(refusal), refusal.status)
    except StoreError as error:
        return _refusal(str(error), 503)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}  # a proxy must not collect the lines
    return StreamingResponse(views(code, key, member), media_type="application/x-ndjson", headers=headers)


async def views(code: str, key: str, member: str) -> AsyncIterator[str]:
    """What a person sees, whenever it changes, until the class ends. The last line is `{"ended": true}`."""
    known, last, quiet = None, "", TOUCH
    for _ in range(int(LONGEST / PAUSE)):
        try:
            if member and quiet >= TOUCH:
                await _call(CLASSES.touch, code, member)
            version = await _call(CLASSES.version, code)
            if version != known:
                seen_by = CLASSES.lecturer_view if key else CLASSES.student_view
                view = await _call(seen_by, code, key or member)
                known, line = version, json.dumps(view, separators=(",", ":"))
                if line != last:
                    last = line
                    yield f"{line}\n"
        except ClassError:
            yield f"{json.dumps({'ended': True})}\n"
            return
        except StoreError as error:
            known = None
            yield f"{json.dumps({'away': str(error)})}\n"
            await asyncio.sleep(4 * PAUSE)
        if quiet >= TOUCH:
            quiet = 0.0
            yield "\n"  # a proxy closes a connection on which nothing is sent
        await asyncio.sleep(PAUSE)
        quiet += PAUSE


async def _call(function: Callable[..., T], *arguments: Any) -> T:
    """What the function returns. One that asks another process does so in a thread: others are not kept waiting."""
    if CLASSES.store.is_remote:
        return await asyncio.to_thread(function, *arguments)
    return function(*arguments)


def _show(code: str, message: Mapping[str, Any]) -> None:
    CLASSES.show(code, _text(message, "key"), _text(message, "page"), _text(message, "query", 8000))


def _ask(code: str, message: Mapping[str, Any]) -> None:
    choices, tolerance = message.get("choices", []), message.get("tolerance", 0.01)
    if not isinstance(choices, list) or len(choices) > 100 or not all(isinstance(choice, str) for choice in choices):
        raise ClassError(NOT_READABLE)
    if not isinstance(tolerance, int | float):
        raise ClassError(NOT_READABLE)
    wanted = tuple(stripped for choice in choices if (stripped := " ".join(choice.split())))
    text = " ".join(_text(message, "text", 2000).split())
    CLASSES.ask(code, _text(message, "key"), Question(text, wanted, tolerance))


def _answers(code: str, message: Mapping[str, Any]) -> Response:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("number", "question", "answer", "is_right"))
    writer.writerows(CLASSES.answers(code, _text(message, "key")))
    return PlainTextResponse(file.getvalue(), media_type="text/csv", headers={"cache-control": "no-store"})


ACTIONS: dict[str, Callable[[str, Mapping[str, Any]], Response | None]] = {
    "show": _show,
    "ask": _ask,
    "reveal": lambda code, message: CLASSES.reveal(code, _text(message, "key"), _text(message, "right")),
    "close": lambda code, message: CLASSES.close(code, _text(message, "key")),
    "end": lambda code, message: CLASSES.end(code, _text(message, "key")),
    "answers": _answers,
    "follow": lambda code, message: CLASSES.follow(code, _text(message, "member"), message.get("follows") is True),
    "answer": lambda code, message: CLASSES.answer(code, _text(message, "member"), _text(message, "answer")),
    "leave": lambda code, message: CLASSES.leave(code, _text(message, "member")),
}


async def _read(request: Request) -> tuple[str, Mapping[str, Any]]:
    """The code and the body of a message.

    Raises:
        ClassError: the body is no JSON object, or the code belongs to no class.
    """
    body = await request.body()
    try:
        message = json.loads(body) if len(body) <= MAX_BODY else None
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise ClassError(NOT_READABLE)
    address = _address(request)
    if wrong_codes.left(address) < 1 or all_wrong_codes.left("") < 1:
        raise ClassError(TOO_OFTEN, 429)
    code = read_code(request.path_params["code"])
    if code is None or await _call(CLASSES.version, code) is None:
        wrong_codes.spend(address)
        all_wrong_codes.spend("")
        raise ClassError(NO_CLASS, 404)
    return code, message


def _text(message: Mapping[str, Any], name: str, most: int = 200) -> str:
    """A text of a message, "" where there is none.

    Raises:
        ClassError: it is no text, too long, or has a character that cannot be sent.
    """
    text = message.get(name, "")
    if not isinstance(text, str) or len(text) > most or not text.isprintable():
        raise ClassError(NOT_READABLE)
    return text


def _address(request: Request) -> str:
    return digest(f"{_salt} {request.client.host if request.client else ''}")


def _json(content: Mapping[str, Any]) -> Response:
    return JSONResponse(content, headers={"cache-control": "no-store"})


def _refusal(sentence: str, status: int) -> Response:
    return JSONResponse({"error": sentence}, status, headers={"cache-control": "no-store"})
