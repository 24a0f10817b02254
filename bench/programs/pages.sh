#!/bin/sh
# SPDX-License-Identifier: MIT
# Turn a PostScript document into PDF, and that into images.
# usage: pages.sh DOCUMENT PDF
set -e
gs -q -dBATCH -dNOPAUSE -sDEVICE=pdfwrite -sOutputFile="$2" "$1"
gs -q -dBATCH -dNOPAUSE -sDEVICE=ppmraw -r36 -sOutputFile=- "$2" | cksum
