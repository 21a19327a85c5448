#!/bin/sh
# closure.sh BINARY DIR: makes DIR the root of an image: the binary, the shared objects it is linked
# to, and for each Debian package among them its licence and its status, which is what scanners read.
set -eu
binary=$1 root=$2

mkdir -p "$root/etc" "$root/var/lib/dpkg/status.d"
strip -o "$root/${binary##*/}" "$binary"
printf 'nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n' >"$root/etc/passwd"
printf 'nonroot:x:65532:\n' >"$root/etc/group"

ldd "$binary" | grep -o '/[^ ]*' | sort -u | while read -r library; do
    cp -L --parents "$library" "$root"
    # dpkg knows some of them by their path before the merge of /lib into /usr/lib, some by that after
    owner=$(dpkg -S "$library" 2>/dev/null || dpkg -S "/usr$library")
    package=${owner%%: *}
    name=${package%%:*}
    dpkg -s "$package" >"$root/var/lib/dpkg/status.d/$name"
    cp -L --parents "/usr/share/doc/$name/copyright" "$root"
done
