#!/bin/sh
# build.sh TAG [--model URI [--trust PUBLIC.pem] [--region REGION] [--credentials FILE]] [-- ARG ...]
#
# Builds docker/Dockerfile with the commit and its time in the image: by podman and buildah the same commit on the same
# packages of Debian is the same image. --model bakes a bundle in: s3://BUCKET/PREFIX/#sha256=DIGEST, or a directory of the repository;
# the build ends where its golden rows are not answered as Spark did, or --trust's key has not signed it. --credentials
# is a file of AWS's form that the build reads S3 by, and the image does not have. What follows -- is the builder's. BUILDER is docker (the default), podman or buildah.
set -eu
cd "$(dirname "$0")/.."
usage() { sed -n '2,9s/^# \{0,1\}//p' docker/build.sh; }
case ${1:-} in
'') usage >&2; exit 2 ;;
-h | --help) usage; exit 0 ;;
esac
tag=$1
shift
model='' trust='' credentials='' region=${AWS_REGION:-}
while [ $# -gt 0 ]; do
    [ $# -gt 1 ] || [ "$1" = -- ] || { echo "build.sh: $1 needs a value" >&2; exit 2; }
    case $1 in
    --model) model=$2; shift 2 ;;
    --trust) trust=$(cat "$2"); shift 2 ;;
    --region) region=$2; shift 2 ;;
    --credentials) credentials=$2; shift 2 ;;
    --) shift; break ;;
    *) echo "build.sh: there is no $1; there are --model, --trust, --region, --credentials and --" >&2; exit 2 ;;
    esac
done

commit=$(git rev-parse HEAD)
[ -z "$(git status --porcelain -- CMakeLists.txt docker include models src)" ] || commit=$commit-dirty
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
version=$(sed -n 's/^project(scored VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
set -- --build-arg COMMIT="$commit" --build-arg VERSION="$version" --build-arg SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" \
    --build-arg CREATED="$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)" "$@"
if [ -n "$model" ]; then
    set -- --target baked --build-arg MODEL_URI="$model" --build-arg TRUST="$trust" --build-arg AWS_REGION="$region" "$@"
    [ -z "$credentials" ] || set -- --secret id=aws,src="$credentials" "$@"
else
    set -- --target scored "$@"
fi
case ${BUILDER:-docker} in
docker) exec docker build -f docker/Dockerfile -t "$tag" "$@" . ;;
# not --format docker, which puts the name of the container that it was built in into the image, but has HEALTHCHECK
*) exec "$BUILDER" build -f docker/Dockerfile --format oci --timestamp "$SOURCE_DATE_EPOCH" -t "$tag" "$@" . ;;
esac
