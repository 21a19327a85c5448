#!/bin/sh
# closure.sh BINARY DIR: makes DIR the root of an image: the binary, the shared objects it is linked
# to, the certificate authorities, and of each Debian package among them licence and status.
set -eu
binary=$1 root=$2

mkdir -p "$root/etc" "$root/var/lib/dpkg/status.d"
strip -o "$root/${binary##*/}" "$binary"
printf 'nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n' >"$root/etc/passwd"
printf 'nonroot:x:65532:\n' >"$root/etc/group"

# what a package says of itself: scanners read its status, people its licence
describe() {
    name=${1%%:*}
    dpkg -s "$1" >"$root/var/lib/dpkg/status.d/$name"
    cp -L --parents "/usr/share/doc/$name/copyright" "$root"
}

ldd "$binary" | grep -o '/[^ ]*' | sort -u | while read -r library; do
    cp -L --parents "$library" "$root"
    # dpkg knows some of them by their path before the merge of /lib into /usr/lib, some by that after
    owner=$(dpkg -S "$library" 2>/dev/null || dpkg -S "/usr$library")
    describe "${owner%%: *}"
done

# whom TLS trusts
cp -L --parents /etc/ssl/certs/ca-certificates.crt "$root"
describe ca-certificates
