#!/usr/bin/env bash
# Replays recorded requests against a fresh cluster and compares every answer with real Kubernetes' own. Never fewer
# may match than the number in replay-matches.
#   e2e/replay.sh [DIRECTORY OF replay.mjs]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
replay=${1:-$root/../shared/kubernetes}/replay.mjs
if [ ! -f "$replay" ]; then
  echo "replay: there is no $replay to replay" >&2
  exit 1
fi
least=$(cat "$root/e2e/replay-matches")
for round in ${REPLAY_ROUNDS:-1 2 3}; do
  directory=$(mktemp -d)
  arena() { node "$root/dist/arena.js" "$@" --data-dir "$directory/cluster"; }
  trap 'arena cluster stop >/dev/null; rm -rf "$directory"' EXIT
  # Without nodes of its own: the recorded cluster had none, and the requests bring theirs.
  printf '{"nodes": []}' >"$directory/cluster.yaml"
  kubeconfig=$(arena cluster start --detach --config "$directory/cluster.yaml")
  result=$(node "$replay" --kubeconfig "$kubeconfig" --max-diffs 5 || true)
  echo "$result"
  passed=$(echo "$result" | sed -n 's/^\([0-9]*\) passed, .*/\1/p')
  arena cluster stop >/dev/null
  rm -rf "$directory"
  trap - EXIT
  if [ "${passed:-0}" -lt "$least" ]; then
    echo "replay: round $round: ${passed:-0} answers match where $least must" >&2
    exit 1
  fi
done
echo "replay: at least $least answers match in every round"
