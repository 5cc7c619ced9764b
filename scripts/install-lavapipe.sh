#!/usr/bin/env bash
# Installs Mesa's software Vulkan driver (lavapipe, version 25) on Debian 12, so that the WebGPU tests run on a machine
# without a GPU. Debian 12's own version is too old for Dawn, so it comes from bookworm-backports. Needs root.
set -euo pipefail

if [ -e /usr/share/vulkan/icd.d/lvp_icd.json ] && dpkg --compare-versions "$(dpkg-query -W -f '${Version}' mesa-vulkan-drivers)" ge 24; then
  echo "mesa-vulkan-drivers $(dpkg-query -W -f '${Version}' mesa-vulkan-drivers) is already installed."
  exit 0
fi
if ! apt-cache policy | grep -q bookworm-backports; then
  # The mirror that serves bookworm serves its backports too.
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' | awk '$2 == "bookworm" { print $1; exit }')
  echo "deb ${mirror:?apt has no source for bookworm} bookworm-backports main" >/etc/apt/sources.list.d/bookworm-backports.list
fi
apt-get update
apt-get install -y --no-install-recommends -t bookworm-backports mesa-vulkan-drivers
echo "Use it with VK_DRIVER_FILES=/usr/share/vulkan/icd.d/lvp_icd.json XDG_RUNTIME_DIR=/tmp"
