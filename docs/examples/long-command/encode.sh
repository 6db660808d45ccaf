#!/usr/bin/env bash
# Compress a file piece by piece, slowly, as a video is encoded. For `rowlock worker --exec`.

set -eu -o pipefail

pieces=50

task=$(cat)
input=$(jq -er '.payload.input' <<<"$task") && output=$(jq -er '.payload.output' <<<"$task") || {
  echo 'the payload needs "input" and "output"' >&2
  exit 65 # it will need them the next time too
}

# Of this attempt alone: one that was given up elsewhere may not have noticed yet.
part=$output.part-${ROWLOCK_ATTEMPT:-1}
trap 'rm -f -- "$part"' EXIT
trap 'exit 143' TERM INT

size=$(wc -c <"$input")
: >"$part"
for ((n = 0; n < pieces; n++)); do
  dd if="$input" bs=$((size / pieces + 1)) skip="$n" count=1 status=none | gzip >>"$part"
  sleep 0.1
  echo "::progress $((100 * (n + 1) / pieces))" >&2
done
mv -- "$part" "$output"

jq -n --arg output "$output" --argjson bytes "$(wc -c <"$output")" '{$output, $bytes}'
