#!/usr/bin/env bash
# Puts the tools of `npm run test:deploy` into DIR/bin: helm and actionlint from the Go module proxy, kubernetes-validate from
# PyPI, prometheus and promtool from Debian. Whatever is there already stays. Says which tool could not be had, and fails.
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

python_tool() {
  python3 -m venv "$dir/venv" 2>/dev/null ||
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv && python3 -m venv "$dir/venv"; }
  "$dir/venv/bin/pip" install -q "$1" && ln -sf "$dir/venv/bin/kubernetes-validate" "$dir/bin/"
}

# Unpacked rather than installed: no service is started, and no root is needed.
debian_prometheus() {
  local bin
  bin=$(command -v promtool) && ln -sf "$bin" "$(dirname "$bin")/prometheus" "$dir/bin/" && return
  (cd "$dir" && { apt-get download -qq prometheus || { apt-get update -qq && apt-get download -qq prometheus; }; } &&
    dpkg-deb -x prometheus_*.deb prometheus && ln -sf "$dir"/prometheus/usr/bin/* "$dir/bin/")
}

want helm go_tool helm.sh/helm/v3/cmd/helm@v3.19.0
want actionlint go_tool github.com/rhysd/actionlint/cmd/actionlint@v1.7.7
want kubernetes-validate python_tool kubernetes-validate==1.37.0
want promtool debian_prometheus

if [ "${#missing[@]}" -gt 0 ]; then
  echo "could not be installed: ${missing[*]}" >&2
  exit 1
fi
