#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# symbols.sh PROGRAM: it needs nothing of curl, libmicrohttpd or threads.
if ! found=$(nm -u "$1"); then exit 1; fi
! echo "$found" | grep -E ' (curl_|MHD_|pthread_create)'
