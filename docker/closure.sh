#!/bin/sh
# closure.sh BINARY DIR: makes DIR the root of an image: the binary, the shared objects it is linked to, the certificate
# authorities, of each Debian package among them licence and status, and sbom.cdx.json, which lists every file by package and
# digest (CycloneDX). Times are those of SOURCE_DATE_EPOCH.
set -eu
binary=$1 root=$2 listed=$(mktemp)
version=$(sed -n 's/^project(scored VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)

mkdir -p "$root/etc" "$root/var/lib/dpkg/status.d"

# has PACKAGE PATH: the image has the file, which is the package's ("scored" is this project)
has() { printf '%s %s\n' "$1" "$2" >>"$listed"; }

strip -o "$root/scored" "$binary"
printf 'nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n' >"$root/etc/passwd"
printf 'nonroot:x:65532:\n' >"$root/etc/group"
for path in /scored /etc/passwd /etc/group; do has scored $path; done

# take PACKAGE PATH: the file, and what its package says of itself: scanners read the status, people the licence
take() {
    name=${1%%:*}
    cp -L --parents "$2" "$root"
    has "$name" "$2"
    [ ! -e "$root/var/lib/dpkg/status.d/$name" ] || return 0
    dpkg -s "$1" >"$root/var/lib/dpkg/status.d/$name"
    cp -L --parents "/usr/share/doc/$name/copyright" "$root"
    has "$name" "/var/lib/dpkg/status.d/$name"
    has "$name" "/usr/share/doc/$name/copyright"
}

ldd "$binary" | grep -o '/[^ ]*' | sort -u | while read -r library; do
    # dpkg knows some of them by their path before the merge of /lib into /usr/lib, some by that after
    owner=$(dpkg -S "$library" 2>/dev/null || dpkg -S "/usr$library")
    take "${owner%%: *}" "$library"
done
take ca-certificates /etc/ssl/certs/ca-certificates.crt # whom TLS trusts

# field PACKAGE NAME
field() { dpkg-query -W -f "\${$2}" "$1" 2>/dev/null; }

# component PACKAGE: of the list, with its files
component() {
    if [ "$1" = scored ]; then
        printf '{"type":"application","name":"scored","version":"%s","licenses":[{"license":{"id":"Apache-2.0"}}]' "$version"
    else
        # in the URL of a package + is %2B
        printf '{"type":"library","name":"%s","version":"%s","purl":"pkg:deb/debian/%s@%s?arch=%s&distro=debian-12"' "$1" \
            "$(field "$1" Version)" "$(field "$1" source:Package)" "$(field "$1" source:Version | sed 's/+/%2B/g')" source
    fi
    printf ',"components":['
    comma=
    sed -n "s/^$1 //p" "$listed" | while read -r path; do
        digest=$(sha256sum "$root$path")
        printf '%s{"type":"file","name":"%s","hashes":[{"alg":"SHA-256","content":"%s"}]}' "$comma" "$path" "${digest%% *}"
        comma=,
    done
    printf ']}'
}

{
    printf '{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"components":['
    comma=
    cut -d' ' -f1 "$listed" | sort -u | while read -r package; do
        printf '%s\n' "$comma"
        component "$package"
        comma=,
    done
    printf '\n]}\n'
} >"$root/sbom.cdx.json"

find "$root" -exec touch -hd "@${SOURCE_DATE_EPOCH:-0}" {} +
