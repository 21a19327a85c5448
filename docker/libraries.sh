#!/bin/sh
# libraries.sh: installs libcurl and libmicrohttpd, from Debian's own sources with Debian's fixes, without what the daemon
# never asks of them and what makes two thirds of an image's libraries: LDAP, Kerberos, SSH, RTMP, HTTP/2 and the like in the
# one, TLS in the other (the daemon's TLS is OpenSSL's). Each becomes a package that dpkg knows and that names its source, so
# that a scanner finds what is known of that version. They go below /usr/local: link with -rpath.
set -eu
work=/usr/local/src/scored # always the same: its name gets into what is built
mkdir -p "$work"
sed -i 's/^Types: deb$/Types: deb deb-src/' /etc/apt/sources.list.d/debian.sources
apt-get update -q

# source NAME: unpacks it, and goes there
source_of() {
    cd "$work"
    apt-get source -q "$1"
    cd "$1"-*/
    version=$(dpkg-parsechangelog -S Version)
    eval "$(dpkg-buildflags --export=sh)" # as Debian hardens it
}

# install NAME SOURCE: makes a package of what has been put below $work/NAME
install_package() {
    root=$work/$1
    mkdir -p "$root/DEBIAN" "$root/usr/share/doc/$1"
    cp debian/copyright "$root/usr/share/doc/$1/"
    strip --strip-unneeded "$root"/usr/local/lib/*.so
    cat >"$root/DEBIAN/control" <<CONTROL
Package: $1
Source: $2
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: scored
Description: $2 of Debian, built with less
CONTROL
    dpkg-deb --root-owner-group --build "$root" "$root.deb"
    dpkg -i "$root.deb"
}

source_of curl
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr/local -DBUILD_CURL_EXE=OFF -DBUILD_TESTING=OFF \
    -DENABLE_MANUAL=OFF -DHTTP_ONLY=ON -DCURL_USE_OPENSSL=ON -DCURL_USE_LIBSSH2=OFF -DUSE_LIBIDN2=OFF -DUSE_NGHTTP2=OFF \
    -DCURL_ZSTD=OFF -DCURL_BROTLI=OFF -DCURL_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt -DCURL_CA_PATH=/etc/ssl/certs
DESTDIR=$work/libcurl-https cmake --build build --target install
install_package libcurl-https curl

source_of libmicrohttpd
./configure -q --prefix=/usr/local --disable-https --disable-doc --disable-examples \
    --disable-curl --disable-tools --disable-static
# what these tools make is there, only older than Debian's patches
made="AUTOMAKE=: ACLOCAL=: AUTOCONF=: AUTOHEADER=:"
for part in src/include src/microhttpd; do make -s $made -C $part DESTDIR="$work/libmicrohttpd-plain" install; done
make -s $made DESTDIR="$work/libmicrohttpd-plain" install-pkgconfigDATA
install_package libmicrohttpd-plain libmicrohttpd

# no ldconfig: programs of Debian that need libcurl, as cmake, keep theirs
cd /
rm -rf "$work" /var/lib/apt/lists/*
