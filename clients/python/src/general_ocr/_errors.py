from __future__ import annotations

import re
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal, Optional

if TYPE_CHECKING:
    import httpx

ErrorCode = str
"""
A code of the service (docs/errors.md), or `UNKNOWN` if the answer was not the service's (a proxy's, mostly).
"""


class OcrError(Exception):
    """Whatever goes wrong between here and the service; the message says what, and what to do."""


class ServiceError(OcrError):
    """The service answered, and not with 200."""

    def __init__(
        self, code: ErrorCode, status: int, message: str, request_id: Optional[str], retry_after: Optional[float]
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message
        self.request_id = request_id
        """Under which the operator finds the request in the log; None if somebody else answered."""
        self.retry_after = retry_after
        """Seconds to wait before another try (`Retry-After`); None if the answer does not say."""

    def __str__(self) -> str:
        return f'{self.code}: {self.message}'


class NoAnswerError(OcrError):
    """No answer came: nobody listens, the connection broke, or the time was over. `__cause__` has the reason."""

    def __init__(self, reason: Literal['timeout', 'connection'], message: str) -> None:
        super().__init__(message)
        self.reason = reason


def service_error(response: httpx.Response) -> ServiceError:
    """The error of a whole answer that is not 2xx."""
    try:
        body = response.json()
        code, message, request_id = body['code'], body['message'], body.get('requestId')
    except (ValueError, KeyError, TypeError, AttributeError):
        return not_ours(response)
    retry_after = parse_retry_after(response.headers.get('retry-after'), datetime.now(timezone.utc))
    return ServiceError(code, response.status_code, message, request_id, retry_after)


def not_ours(response: httpx.Response) -> ServiceError:
    """For an answer that another server, mostly a proxy, must have given."""
    message = (
        f'The answer, {response.status_code} {response.reason_phrase}, is not one of General OCR: '
        'check the base URL, and the proxy in front of the service.'
    )
    retry_after = parse_retry_after(response.headers.get('retry-after'), datetime.now(timezone.utc))
    return ServiceError('UNKNOWN', response.status_code, message, response.headers.get('x-request-id'), retry_after)


def parse_retry_after(value: Optional[str], now: datetime) -> Optional[float]:
    """Seconds until another try, of either form of the header (RFC 9110, section 10.2.3)."""
    if value is None:
        return None
    if re.fullmatch('[0-9]+', value):
        return float(value)
    try:
        return max((parsedate_to_datetime(value) - now).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
