"""What both clients have in common: requests as values, and what an answer means. Nothing here waits or sends."""

from __future__ import annotations

import os
import random
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, NamedTuple, Optional, TypedDict, Union

from ._errors import NoAnswerError, OcrError, ServiceError, not_ours
from .answers import V1LineBox

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

Picture = Union[str, bytes, bytearray, memoryview, 'os.PathLike[str]', BinaryIO]
"""
A picture, or a PDF where documents are read: its address (`http://`, `https://` or `s3://`, fetched by the service) as
text, its bytes, its path as `pathlib.Path`, or a file that is open for reading bytes.
"""

Region = V1LineBox
"""A rectangle in whole pixels of the upright picture: `left`, `top`, `width`, `height`."""

TextFormat = Literal['text', 'markdown', 'tsv', 'hocr', 'alto']
FileFormat = Union[TextFormat, Literal['pdf']]


class DocumentOptions(TypedDict, total=False):
    """How to read; what is left out is the service's to decide."""

    min_score: float
    """Lines with a lower confidence are left out, 0 to 1."""
    region: Region
    """Reads this rectangle only, as if there were nothing around it."""
    orientation: Literal['auto', 'off']
    """`off` takes the picture as upright."""
    text_layer: Literal['auto', 'off']
    """`off` reads the pages of a PDF as pictures even where their text layer can be believed."""
    words: bool
    """Words with their boxes in the document."""
    characters: bool
    """Characters with their places, in the document, hocr and alto."""
    pages: str
    """Pages of a PDF or TIFF: `3`, `3-5`, or `3-` for all from there on."""
    timeout: float
    """Instead of the client's `timeout`."""


DEFAULT_URL = 'http://localhost:8080'
# The service's own limit, 30 s unless set otherwise, begins when the body has arrived; this leaves time for that.
DEFAULT_TIMEOUT = 60.0
DEFAULT_RETRIES = 3
# Seconds before the first retry where nobody says how long; doubled for each further one.
FIRST_WAIT = 0.5
# Waits are up to this much longer, so that clients refused together do not come back together.
JITTER = 0.25
TOO_MANY_REQUESTS = 429
UNAVAILABLE = 503
# The code of a 503 that is of the picture: sent again, it would end more engine processes.
ENGINE_CRASHED = 'ENGINE_CRASHED'


class Target(NamedTuple):
    """Where the service is, and the headers of every request."""

    base_url: str
    headers: dict[str, str]


def target(base_url: Optional[str], api_key: Optional[str]) -> Target:
    """
    Arguments win over GENERAL_OCR_URL and GENERAL_OCR_API_KEY of the environment.

    :raises ValueError: if the base URL is no address
    """
    url = base_url or os.environ.get('GENERAL_OCR_URL') or DEFAULT_URL
    key = api_key or os.environ.get('GENERAL_OCR_API_KEY')
    if not re.match('https?://[^/]', url):
        raise ValueError('The base URL must be an http:// or https:// address, such as http://localhost:8080')
    return Target(url.rstrip('/'), {'x-api-key': key} if key else {})


def form(picture: Picture, fields: Mapping[str, str]) -> list[tuple[str, Any]]:
    """
    The form that the service takes, as `files` of httpx.

    :raises TypeError: for a text that is no address
    """
    texts = [(name, (None, value)) for name, value in fields.items()]
    if isinstance(picture, str):
        if not re.match('(https?|s3)://', picture, re.IGNORECASE):
            raise TypeError(
                'A picture given as text must be an http://, https:// or s3:// address; '
                'give a pathlib.Path, or bytes, instead of a path or base64.'
            )
        return [('url', (None, picture)), *texts]
    # A name makes it a file for every server; the service looks at the bytes, not at name or type.
    return [('img', ('picture', _bytes_of(picture), 'application/octet-stream')), *texts]


def _bytes_of(picture: Union[bytes, bytearray, memoryview, os.PathLike[str], BinaryIO]) -> bytes:
    """Whole in memory, so that it can be sent again."""
    if isinstance(picture, (bytes, bytearray, memoryview)):
        return bytes(picture)
    if isinstance(picture, os.PathLike):
        return Path(picture).read_bytes()
    return picture.read()


def option_fields(options: DocumentOptions) -> dict[str, str]:
    """
    Options as form fields; those that are None count as left out.

    :raises TypeError: for an option that there is not
    """
    unknown = set(options) - set(DocumentOptions.__annotations__)
    if unknown:
        raise TypeError(f'There is no option {", ".join(sorted(unknown))}')
    fields: dict[str, str] = {}
    score, region = options.get('min_score'), options.get('region')
    if score is not None:
        # Nine decimals are what the service takes; str() would write 1e-07.
        fields['minScore'] = f'{score:.9f}'
    if region is not None:
        fields['region'] = f'{region["left"]},{region["top"]},{region["width"]},{region["height"]}'
    for name in ('orientation', 'pages', 'words', 'characters'):
        value = options.get(name)
        if value is not None:
            fields[name] = str(value).lower()
    text_layer = options.get('text_layer')
    if text_layer is not None:
        fields['textLayer'] = text_layer
    return fields


def seconds_before_retry(failure: OcrError, retry: int) -> Optional[float]:
    """
    None where another try would end in the same way.

    :param retry: how many there were already
    """
    told: Optional[float] = None
    if isinstance(failure, ServiceError):
        if failure.status not in (TOO_MANY_REQUESTS, UNAVAILABLE) or failure.code == ENGINE_CRASHED:
            return None
        told = failure.retry_after
    return (FIRST_WAIT * 2**retry if told is None else told) * (1 + JITTER * random.random())  # noqa: S311


def took_too_long(timeout: float) -> NoAnswerError:
    return NoAnswerError('timeout', f'No answer within {timeout:g} s. The argument timeout allows more.')


def no_connection(base_url: str) -> NoAnswerError:
    return NoAnswerError('connection', f'No answer from {base_url}: is the service there?')


def json_of(response: httpx.Response) -> Any:  # noqa: ANN401
    """The edge to JSON: what the service sends has the shape of openapi.yaml, from which the types are made."""
    try:
        return response.json()
    except ValueError:
        raise not_ours(response) from None
