#!/bin/sh
# Builds the image's stages without Docker, from the files that git knows or would take, and starts what comes out until it is ready.
#   sh deploy/build.sh [--keep]
set -eu
cd "$(dirname "$0")/.."
exec node --conditions=@tocsin/source --disable-warning=ExperimentalWarning deploy/src/run-stages.ts "$@"
