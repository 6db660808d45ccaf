#!/usr/bin/env bash
# Claim tasks, answer each with the lines, words and bytes of its file, until Ctrl-C or SIGTERM.
#
#   ./worker.sh [QUEUE]

set -u -o pipefail

url=${ROWLOCK_URL:-http://127.0.0.1:8000}
queue=${1:-files}
worker=$HOSTNAME-$$

stopping=
trap 'stopping=1' INT TERM

# Ctrl-C reaches the whole process group. What is in hand is finished first.
undisturbed() (
  trap '' INT TERM
  "$@"
)

# In a header, but not on the command line, where everybody on this machine could read it.
token() {
  [[ -z ${ROWLOCK_TOKEN:-} ]] || echo "Authorization: Bearer $ROWLOCK_TOKEN"
}

# POST stdin and print the answer. 0: taken; 1: try again later; 2: refused.
post() {
  local answer status
  answer=$(undisturbed curl --silent --show-error --max-time 30 --write-out '\n%{http_code}' \
    --header 'Content-Type: application/json' --header @<(token) --data-binary @- "$url$1") ||
    return 1 # curl has said why
  status=${answer##*$'\n'}
  answer=${answer%$'\n'*}
  case $status in
    2??) echo "$answer" ;;
    408 | 429 | 5??) echo "POST $1: $answer" >&2 && return 1 ;;
    *) echo "POST $1: $answer" >&2 && return 2 ;;
  esac
}

# The work. Prints the result as JSON, or what is wrong; 65: it will be wrong the next time too.
count() {
  [[ -n $1 ]] || { echo 'the payload has no "path"' && return 65; }
  wc <"$1" | jq -cR '[scan("[0-9]+") | tonumber] | {lines: .[0], words: .[1], bytes: .[2]}'
} 2>&1

claim=$(jq -cn --arg worker "$worker" --arg queue "$queue" \
  '{$worker, queues: [$queue], wait_seconds: 5}')

while [[ -z $stopping ]]; do
  leases=$(post /leases <<<"$claim")
  case $? in
    1)
      sleep 2
      continue
      ;;
    2) exit 1 ;;
  esac
  lease=$(jq -r '.[0].lease_id // empty' <<<"$leases") || exit 1
  [[ -n $lease ]] || continue

  said=$(undisturbed count "$(jq -r '.[0].task.payload | .path? // empty' <<<"$leases")")
  code=$?
  if ((code == 0)); then
    ending=complete
    body=$(jq -cn --argjson result "$said" '{$result}')
  else
    ending=fail
    body=$(jq -cn --arg error "$said" --argjson code "$code" '{$error, retryable: ($code != 65)}')
  fi

  # The answer may have been lost on its way: the same again is answered the same again.
  until post "/leases/$lease/$ending" <<<"$body" >/dev/null || (($? == 2)); do
    if [[ -n $stopping ]]; then
      echo "lease $lease: the server is not available; the task will run again" >&2
      exit 1
    fi
    sleep 2
  done
done
