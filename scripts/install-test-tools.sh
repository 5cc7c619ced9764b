#!/usr/bin/env bash
# Installs what the tests that need more than Node and a C++ compiler run in, on Debian 12 as root: two browsers, Deno, an
# MPI, Slurm, network namespaces, strace, the fast JPEG decoder and a software GPU. Without these their tests are skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=(chromium firefox-esr fonts-dejavu-core openmpi-bin iproute2 strace libturbojpeg0 slurm-wlm munge)

missing=()
for tool in "${tools[@]}"; do
  dpkg-query -W -f '${Status}' "$tool" 2>/dev/null | grep -q '^install ok installed' || missing+=("$tool")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "Installing ${missing[*]}…"
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
fi
command -v deno >/dev/null || npm install --global --allow-scripts=deno deno@2.9.6
bash scripts/install-lavapipe.sh
