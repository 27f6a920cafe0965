from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal, Optional, Union, overload

import anyio
import httpx

from ._errors import OcrError, service_error
from ._request import (
    DEFAULT_RETRIES,
    DEFAULT_TIMEOUT,
    DocumentOptions,
    FileFormat,
    Picture,
    TextFormat,
    form,
    json_of,
    no_connection,
    option_fields,
    seconds_before_retry,
    target,
    took_too_long,
)

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self, Unpack

    from .answers import Info, OcrLine, V1Document


class GeneralOcr:
    """A client of one service. It may be used by several threads; `with` closes its connections."""

    def __init__(
        self,
        base_url: Optional[str] = None,
        api_key: Optional[str] = None,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        retries: int = DEFAULT_RETRIES,
        http: Optional[httpx.Client] = None,
    ) -> None:
        """
        :param base_url: where the service is; GENERAL_OCR_URL of the environment, else http://localhost:8080
        :param api_key: sent as `x-api-key`; GENERAL_OCR_API_KEY of the environment, else none
        :param timeout: seconds that a call takes, with all its tries and the waits between them. An answer that comes
            in pieces may take as long for each; `AsyncGeneralOcr` keeps the limit to the point.
        :param retries: how many more times a call is tried after 429, 503 (but `ENGINE_CRASHED`) or a broken
            connection; reading a picture changes nothing
        :param http: for a proxy or certificates of your own; it is left open
        """
        self._base_url, self._headers = target(base_url, api_key)
        self._timeout = timeout
        self._retries = retries
        self._owns_http = http is None
        self._http = httpx.Client() if http is None else http

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._owns_http:
            self._http.close()

    def read(self, picture: Picture, *, timeout: Optional[float] = None) -> list[OcrLine]:
        """
        The lines of a jpg, png or bmp, in reading order: `POST /general_ocr`.

        :raises ServiceError: what the service refuses
        :raises NoAnswerError: if no answer came
        """
        lines: list[OcrLine] = json_of(self._call('/general_ocr', form(picture, {}), timeout))
        return lines

    def read_document(self, picture: Picture, **options: Unpack[DocumentOptions]) -> V1Document:
        """
        Pages with lines, their polygons and paragraphs, and words and characters where asked for: `POST /v1/ocr`. Takes
        WebP, TIFF, GIF, AVIF and PDF besides.

        :raises ServiceError: what the service refuses
        :raises NoAnswerError: if no answer came
        """
        fields = form(picture, {**option_fields(options), 'format': 'json'})
        document: V1Document = json_of(self._call('/v1/ocr', fields, options.get('timeout')))
        return document

    @overload
    def read_as(self, picture: Picture, file_format: Literal['pdf'], **options: Unpack[DocumentOptions]) -> bytes: ...
    @overload
    def read_as(self, picture: Picture, file_format: TextFormat, **options: Unpack[DocumentOptions]) -> str: ...
    def read_as(
        self, picture: Picture, file_format: FileFormat, **options: Unpack[DocumentOptions]
    ) -> Union[str, bytes]:
        """
        The same as a file: the bytes of a searchable PDF, or the text of any other format.

        :raises ServiceError: what the service refuses
        :raises NoAnswerError: if no answer came
        """
        fields = form(picture, {**option_fields(options), 'format': file_format})
        response = self._call('/v1/ocr', fields, options.get('timeout'))
        return response.content if file_format == 'pdf' else response.text

    def info(self, *, timeout: Optional[float] = None) -> Info:
        """
        Version, models and limits of the service.

        :raises ServiceError: what the service refuses
        :raises NoAnswerError: if no answer came
        """
        info: Info = json_of(self._call('/v1/info', None, timeout))
        return info

    def _call(self, path: str, fields: Optional[list[tuple[str, Any]]], timeout: Optional[float]) -> httpx.Response:
        timeout = self._timeout if timeout is None else timeout
        end = time.monotonic() + timeout
        retry = 0
        while True:
            failure: OcrError
            try:
                response = self._http.request(
                    'GET' if fields is None else 'POST',
                    self._base_url + path,
                    headers=self._headers,
                    files=fields,
                    timeout=max(end - time.monotonic(), 0.001),
                )
                if response.is_success:
                    return response
                failure, cause = service_error(response), None
            except httpx.TimeoutException as error:
                raise took_too_long(timeout) from error
            except httpx.TransportError as error:
                failure, cause = no_connection(self._base_url), error
            wait = seconds_before_retry(failure, retry) if retry < self._retries else None
            # Better the service's own answer now than a timeout that hides it.
            if wait is None or time.monotonic() + wait >= end:
                raise failure from cause
            time.sleep(wait)
            retry += 1


class AsyncGeneralOcr:
    """The same for asyncio and trio; `async with` closes its connections."""

    def __init__(
        self,
        base_url: Optional[str] = None,
        api_key: Optional[str] = None,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        retries: int = DEFAULT_RETRIES,
        http: Optional[httpx.AsyncClient] = None,
    ) -> None:
        """The arguments are those of `GeneralOcr`; `timeout` is kept to the point."""
        self._base_url, self._headers = target(base_url, api_key)
        self._timeout = timeout
        self._retries = retries
        self._owns_http = http is None
        self._http = httpx.AsyncClient() if http is None else http

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.close()

    async def close(self) -> None:
        if self._owns_http:
            await self._http.aclose()

    async def read(self, picture: Picture, *, timeout: Optional[float] = None) -> list[OcrLine]:  # noqa: ASYNC109
        """See `GeneralOcr.read`."""
        lines: list[OcrLine] = json_of(await self._call('/general_ocr', form(picture, {}), timeout))
        return lines

    async def read_document(self, picture: Picture, **options: Unpack[DocumentOptions]) -> V1Document:
        """See `GeneralOcr.read_document`."""
        fields = form(picture, {**option_fields(options), 'format': 'json'})
        document: V1Document = json_of(await self._call('/v1/ocr', fields, options.get('timeout')))
        return document

    @overload
    async def read_as(
        self, picture: Picture, file_format: Literal['pdf'], **options: Unpack[DocumentOptions]
    ) -> bytes: ...
    @overload
    async def read_as(self, picture: Picture, file_format: TextFormat, **options: Unpack[DocumentOptions]) -> str: ...
    async def read_as(
        self, picture: Picture, file_format: FileFormat, **options: Unpack[DocumentOptions]
    ) -> Union[str, bytes]:
        """See `GeneralOcr.read_as`."""
        fields = form(picture, {**option_fields(options), 'format': file_format})
        response = await self._call('/v1/ocr', fields, options.get('timeout'))
        return response.content if file_format == 'pdf' else response.text

    async def info(self, *, timeout: Optional[float] = None) -> Info:  # noqa: ASYNC109
        """See `GeneralOcr.info`."""
        info: Info = json_of(await self._call('/v1/info', None, timeout))
        return info

    async def _call(
        self,
        path: str,
        fields: Optional[list[tuple[str, Any]]],
        timeout: Optional[float],  # noqa: ASYNC109
    ) -> httpx.Response:
        timeout = self._timeout if timeout is None else timeout
        try:
            with anyio.fail_after(timeout) as scope:
                return await self._try(path, fields, scope.deadline)
        except TimeoutError as error:
            raise took_too_long(timeout) from error

    async def _try(self, path: str, fields: Optional[list[tuple[str, Any]]], end: float) -> httpx.Response:
        """:param end: in the clock of `anyio.current_time`; whoever calls ends this then"""
        retry = 0
        while True:
            failure: OcrError
            try:
                response = await self._http.request(
                    'GET' if fields is None else 'POST',
                    self._base_url + path,
                    headers=self._headers,
                    files=fields,
                    timeout=None,
                )
                if response.is_success:
                    return response
                failure, cause = service_error(response), None
            except httpx.TransportError as error:
                failure, cause = no_connection(self._base_url), error
            wait = seconds_before_retry(failure, retry) if retry < self._retries else None
            # Better the service's own answer now than a timeout that hides it.
            if wait is None or anyio.current_time() + wait >= end:
                raise failure from cause
            await anyio.sleep(wait)
            retry += 1
