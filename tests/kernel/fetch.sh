#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The kernel that Debian installs by linux-image-amd64, unpacked below DIRECTORY/image without
# installing it: fetch.sh DIRECTORY. What is there already and still current is kept.
set -eu
directory=${1:?usage: fetch.sh DIRECTORY}
mkdir -p "$directory"
cd "$directory"

package=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p')
case $package in
linux-image-6.1.*) ;;
*)
	echo "fetch.sh: linux-image-amd64 is '$package' here; Debian 12's 6.1 is wanted" >&2
	exit 1
	;;
esac
version=$(apt-cache show --no-all-versions "$package" | sed -n 's/^Version: //p')
[ "$(cat image.version 2>/dev/null)" = "$package $version" ] && exit 0

echo "fetching $package $version"
rm -rf image image.version ./*.deb
apt-get update -qq
apt-get download -qq -o APT::Sandbox::User=root "$package=$version"
dpkg-deb --extract ./*.deb image
rm -f ./*.deb
echo "$package $version" >image.version
