#!/bin/sh
# Writes src/general_ocr/answers.py from openapi.yaml (needs the extra `dev`). npm run test:clients compares the two.
set -eu
cd "$(dirname "$0")"
exec datamodel-codegen --input ../../openapi.yaml --input-file-type openapi --openapi-scopes schemas \
  --output-model-type typing.TypedDict --no-use-closed-typed-dict --target-python-version 3.10 --no-use-union-operator \
  --use-standard-collections --collapse-root-models --enum-field-as-literal all --naming-strategy parent-prefixed \
  --use-schema-description --use-field-description --disable-timestamp --formatters builtin \
  --output "${1:-src/general_ocr/answers.py}"
