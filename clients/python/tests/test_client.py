from __future__ import annotations

import io
import re
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import anyio
import httpx
import pytest
import yaml

from general_ocr import AsyncGeneralOcr, DocumentOptions, GeneralOcr, NoAnswerError, ServiceError
from general_ocr._errors import parse_retry_after

from .local_server import Reaction, local_server, refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable

PICTURE = b'\x01\x02\x03'
Call = Callable[..., Any]


def call_sync(method: str, *args: object, client: dict[str, Any], **options: Any) -> Any:  # noqa: ANN401
    with GeneralOcr(**client) as ocr:
        return getattr(ocr, method)(*args, **options)


def call_on(backend: str) -> Call:
    def call(method: str, *args: object, client: dict[str, Any], **options: Any) -> Any:  # noqa: ANN401
        async def main() -> Any:  # noqa: ANN401
            async with AsyncGeneralOcr(**client) as ocr:
                answer: Awaitable[Any] = getattr(ocr, method)(*args, **options)
                return await answer

        return anyio.run(main, backend=backend)

    return call


@pytest.fixture(params=[call_sync, call_on('asyncio'), call_on('trio')], ids=['sync', 'asyncio', 'trio'])
def call(request: pytest.FixtureRequest) -> Call:
    """Makes one call with a client of its own, of each kind."""
    function: Call = request.param
    return function


def test_sends_every_kind_of_picture_as_a_form(call: Call, tmp_path: Path) -> None:
    path = tmp_path / 'scan.png'
    path.write_bytes(PICTURE)
    pictures = [PICTURE, bytearray(PICTURE), memoryview(PICTURE), path, io.BytesIO(PICTURE)]
    with local_server([Reaction(200)]) as (url, seen):
        for picture in [*pictures, 's3://bucket/key']:
            assert call('read', picture, client={'base_url': f'{url}/ocr/', 'api_key': 'k'}) == []
    assert {(path, headers['x-api-key']) for path, headers, _ in seen} == {('/ocr/general_ocr', 'k')}
    for _, headers, body in seen[:-1]:
        assert headers['content-type'].startswith('multipart/form-data; boundary=')
        assert re.search(rb'name="img"; filename="picture"[^\x01]*\r\n\r\n\x01\x02\x03\r\n', body)
    assert re.search(rb'name="url"\r\n\r\ns3://bucket/key\r\n', seen[-1].body)


def test_sends_every_option_of_the_service(call: Call) -> None:
    options: DocumentOptions = {
        'min_score': 1e-7,
        'region': {'left': 1, 'top': 2, 'width': 3, 'height': 4},
        'text_layer': 'off',
        'orientation': 'off',
        'words': True,
        'characters': False,
        'pages': '2-',
    }
    with local_server([Reaction(200, b'{}')]) as (url, seen):
        call('read_document', PICTURE, client={'base_url': url}, **options)
        call('read_as', PICTURE, 'text', client={'base_url': url}, timeout=50)
    fields = dict(re.findall(r'name="(\w+)"\r\n\r\n(.*)\r\n', seen[0].body.decode('latin1')))
    assert fields == {
        'minScore': '0.000000100',
        'region': '1,2,3,4',
        'textLayer': 'off',
        'orientation': 'off',
        'words': 'true',
        'characters': 'false',
        'pages': '2-',
        'format': 'json',
    }
    document = yaml.safe_load((Path(__file__).parents[3] / 'openapi.yaml').read_text())
    assert set(fields) == {parameter['name'] for parameter in document['paths']['/v1/ocr']['post']['parameters']}
    assert b'name="format"\r\n\r\ntext\r\n' in seen[1].body


def test_waits_as_long_as_retry_after_says(call: Call) -> None:
    reactions = [
        refusal(429, 'OVERLOADED', '1'),
        refusal(503, 'UNAVAILABLE', 'Thu, 01 Jan 2026 00:00:00 GMT'),
        Reaction(0),
        Reaction(200),
    ]
    with local_server(reactions) as (url, seen):
        start = time.monotonic()
        assert call('read', PICTURE, client={'base_url': url}) == []
        waited = time.monotonic() - start
    # One second as told, none, and the two seconds of the third try; each up to a quarter longer.
    assert 3 <= waited < 6
    assert len({len(body) for _, _, body in seen}) == 1, 'the picture is sent whole each time'
    assert len(seen) == 4


@pytest.mark.parametrize(('status', 'code'), [(400, 'INVALID_IMAGE'), (503, 'ENGINE_CRASHED')])
def test_does_not_try_again_what_would_fail_again(call: Call, status: int, code: str) -> None:
    with local_server([refusal(status, code)]) as (url, seen):
        with pytest.raises(ServiceError, match=f'{code}: about {code}') as refused:
            call('read', PICTURE, client={'base_url': url})
        assert len(seen) == 1
    error = refused.value
    assert (error.code, error.status, error.request_id, error.retry_after) == (code, status, 'r1', None)


def test_tries_no_more_often_than_told(call: Call) -> None:
    with local_server([refusal(429, 'OVERLOADED', '0')]) as (url, seen):
        with pytest.raises(ServiceError, match='OVERLOADED'):
            call('read', PICTURE, client={'base_url': url, 'retries': 2})
        assert len(seen) == 3


def test_does_not_wait_beyond_its_time(call: Call) -> None:
    with local_server([refusal(429, 'RATE_LIMITED', '60')]) as (url, seen):
        with pytest.raises(ServiceError) as refused:
            call('read', PICTURE, client={'base_url': url}, timeout=20)
        assert len(seen) == 1
    assert refused.value.retry_after == 60


def test_no_answer(call: Call) -> None:
    with local_server([Reaction(-1)]) as (url, _), pytest.raises(NoAnswerError, match=r'within 0\.2 s') as late:
        call('read', PICTURE, client={'base_url': url, 'timeout': 0.2})
    assert late.value.reason == 'timeout'
    with pytest.raises(NoAnswerError, match='is the service there') as gone:
        call('info', client={'base_url': 'http://127.0.0.1:1', 'retries': 0})
    assert gone.value.reason == 'connection'


def test_answers_of_somebody_else(call: Call) -> None:
    for status in (502, 200):
        with local_server([Reaction(status, b'<html></html>')]) as (url, _), pytest.raises(ServiceError) as strange:
            call('read', PICTURE, client={'base_url': url})
        assert (strange.value.code, strange.value.status) == ('UNKNOWN', status)


def test_wrong_arguments_are_told_without_a_request(call: Call) -> None:
    with pytest.raises(TypeError, match='must be an http'):
        call('read', 'scan.png', client={})
    with pytest.raises(TypeError, match='no option minScore'):
        call('read_document', PICTURE, client={}, minScore=0.5)
    with pytest.raises(ValueError, match='http:// or https://'):
        call('info', client={'base_url': 'localhost:8080'})


def test_the_environment_says_where_the_service_is(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    with local_server([Reaction(200, b'{}')]) as (url, seen):
        monkeypatch.setenv('GENERAL_OCR_URL', url)
        monkeypatch.setenv('GENERAL_OCR_API_KEY', 'from-environment')
        call('info', client={})
        call('info', client={'api_key': 'given'})
    assert [(path, headers['x-api-key']) for path, headers, _ in seen] == [
        ('/v1/info', 'from-environment'),
        ('/v1/info', 'given'),
    ]


def test_a_given_http_client_is_used_and_left_open() -> None:
    with httpx.Client(headers={'x-trace': 't'}) as http, local_server([Reaction(200)]) as (url, seen):
        with GeneralOcr(url, http=http) as ocr:
            ocr.read(PICTURE)
        assert not http.is_closed
        assert seen[0].headers['x-trace'] == 't'


def test_retry_after_that_nobody_understands() -> None:
    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    assert parse_retry_after('soon', now) is None
    assert parse_retry_after(None, now) is None
    assert parse_retry_after('Thu, 01 Jan 2026 00:00:07 GMT', now) == 7
