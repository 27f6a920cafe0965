#!/usr/bin/env bash
# Puts the tools of `npm run test:deploy` into DIR/bin: helm and actionlint from the Go module proxy, kubernetes-validate and a
# validator of CycloneDX from PyPI, nginx, prometheus, promtool and shellcheck from Debian. Whatever is there already stays. Says which tool could not be had, and fails.
#
#   bash test/deploy/tools.sh DIR
set -uo pipefail
dir=$(realpath -m "${1:?usage: tools.sh DIR}")
mkdir -p "$dir/bin"
missing=()

# want NAME COMMAND...: runs the command unless DIR/bin has the tool, and looks whether it has it then.
want() {
  local name=$1
  shift
  [ -x "$dir/bin/$name" ] && return
  echo "installing $name"
  "$@" || true
  [ -x "$dir/bin/$name" ] || missing+=("$name")
}

go_tool() {
  command -v go >/dev/null || { echo "go is not on the PATH" >&2; return 1; }
  GOBIN="$dir/bin" nice -n 10 go install "$1"
}

python_venv() {
  [ -x "$dir/venv/bin/pip" ] || python3 -m venv "$dir/venv" 2>/dev/null ||
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv && python3 -m venv "$dir/venv"; }
}

kubernetes_validate() {
  python_venv && "$dir/venv/bin/pip" install -q kubernetes-validate==1.37.0 &&
    ln -sf "$dir/venv/bin/kubernetes-validate" "$dir/bin/"
}

cyclonedx_validate() {
  python_venv && "$dir/venv/bin/pip" install -q 'cyclonedx-python-lib[json-validation]==11.6.0' || return
  cat >"$dir/bin/cyclonedx-validate" <<EOF_SCRIPT
#!$dir/venv/bin/python3
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
fault = JsonStrictValidator(SchemaVersion.V1_5).validate_str(sys.stdin.read())
sys.exit(None if fault is None else repr(fault))
EOF_SCRIPT
  chmod +x "$dir/bin/cyclonedx-validate"
}

# Unpacked rather than installed: no service is started, and no root is needed.
debian_package() {
  (cd "$dir" && { apt-get download -qq "$1" || { apt-get update -qq && apt-get download -qq "$1"; }; } &&
    dpkg-deb -x "$1"_*.deb "$1" && find "$dir/$1"/usr/bin "$dir/$1"/usr/sbin -type f -exec ln -sf {} "$dir/bin/" \; 2>/dev/null)
}

want helm go_tool helm.sh/helm/v3/cmd/helm@v3.19.0
want actionlint go_tool github.com/rhysd/actionlint/cmd/actionlint@v1.7.7
want kubernetes-validate kubernetes_validate
want cyclonedx-validate cyclonedx_validate
want promtool debian_package prometheus
want shellcheck debian_package shellcheck
want nginx debian_package nginx

if [ "${#missing[@]}" -gt 0 ]; then
  echo "could not be installed: ${missing[*]}" >&2
  exit 1
fi
