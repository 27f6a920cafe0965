"""Against a running service: GENERAL_OCR_URL, GENERAL_OCR_API_KEY (npm run test:clients starts one)."""

from __future__ import annotations

import os
from pathlib import Path

import anyio
import pytest

from general_ocr import AsyncGeneralOcr, GeneralOcr, ServiceError, TextFormat

SAMPLE = Path(__file__).parents[3] / 'docs/images/sample.png'
assert 'GENERAL_OCR_URL' in os.environ, 'GENERAL_OCR_URL must say where the service is'


def test_reads_lines() -> None:
    with GeneralOcr() as ocr:
        lines = ocr.read(SAMPLE)
    assert lines[4]['words'] == 'OCR-2026-0815'
    assert all(line['score'] > 0.8 and line['location']['width'] > 40 for line in lines)


def test_reads_a_document_with_every_option() -> None:
    with GeneralOcr() as ocr:
        document = ocr.read_document(
            SAMPLE,
            region={'left': 0, 'top': 100, 'width': 760, 'height': 120},
            words=True,
            characters=True,
            orientation='off',
            text_layer='off',
            min_score=0.5,
            pages='1',
        )
    [page] = document['pages']
    assert [line['text'] for line in page['lines']] == ['姓名', '李明 Li Ming', '编号', 'OCR-2026-0815']
    assert [word['text'] for word in page['lines'][1]['words']] == ['李', '明', 'Li', 'Ming']
    assert len(page['lines'][1]['characters']) == 8


@pytest.mark.parametrize(
    ('file_format', 'beginning'),
    [('text', '样本证件 SPECIMEN\n'), ('markdown', ''), ('tsv', 'level\t'), ('hocr', '<?xml'), ('alto', '<?xml')],
)
def test_every_text_format(file_format: TextFormat, beginning: str) -> None:
    with GeneralOcr() as ocr:
        text = ocr.read_as(SAMPLE, file_format)
    assert text.startswith(beginning)
    assert 'OCR-2026-0815' in text


def test_several_at_once() -> None:
    async def main() -> list[str]:
        first_words: list[str] = []

        async def read(ocr: AsyncGeneralOcr, top: int) -> None:
            document = await ocr.read_document(SAMPLE, region={'left': 0, 'top': top, 'width': 760, 'height': 60})
            first_words.append(document['pages'][0]['lines'][0]['text'])

        async with AsyncGeneralOcr() as ocr, anyio.create_task_group() as tasks:
            for top in (100, 170, 230):
                tasks.start_soon(read, ocr, top)
        return first_words

    assert sorted(anyio.run(main)) == sorted(['姓名', '编号', '地址'])


def test_the_pdf() -> None:
    with GeneralOcr() as ocr:
        assert ocr.read_as(SAMPLE, 'pdf').startswith(b'%PDF-')


def test_refusals() -> None:
    with GeneralOcr() as ocr:
        with pytest.raises(ServiceError, match='UNSUPPORTED_FORMAT'):
            ocr.read(b'not a picture')
        with pytest.raises(ServiceError, match='minScore'):
            ocr.read_document(SAMPLE, min_score=2)
        with pytest.raises(ServiceError, match='SOURCE_NOT_ALLOWED'):
            ocr.read('http://127.0.0.1/a.png')
    with GeneralOcr(api_key='wrong') as stranger, pytest.raises(ServiceError, match='UNAUTHORIZED'):
        stranger.read(SAMPLE)


def test_what_runs_there() -> None:
    with GeneralOcr() as ocr:
        info = ocr.info()
    assert info['limits']['maxSide'] >= 1000
    assert len(info['modelPack']['files']) == 3
