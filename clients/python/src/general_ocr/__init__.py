"""Client of General OCR, self-hosted: `GeneralOcr` and, for asyncio and trio, `AsyncGeneralOcr`."""

from ._client import AsyncGeneralOcr, GeneralOcr
from ._errors import ErrorCode, NoAnswerError, OcrError, ServiceError
from ._request import DocumentOptions, FileFormat, Picture, Region, TextFormat
from .answers import Info, OcrLine, V1Character, V1Document, V1Line, V1Page, V1Word

__all__ = [
    'AsyncGeneralOcr',
    'DocumentOptions',
    'ErrorCode',
    'FileFormat',
    'GeneralOcr',
    'Info',
    'NoAnswerError',
    'OcrError',
    'OcrLine',
    'Picture',
    'Region',
    'ServiceError',
    'TextFormat',
    'V1Character',
    'V1Document',
    'V1Line',
    'V1Page',
    'V1Word',
]
