#!/usr/bin/env bash
# Starts a private Alertmanager that tells nobody, and stays until it is told to stop.
#   alertmanager.sh --dir DIR [--port N] [--until-eof]
set -euo pipefail
# shellcheck source=SCRIPTDIR/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

dir='' port=0 until_eof=false
while (($#)); do
  case $1 in
    --dir) dir=$2; shift 2 ;;
    --port) port=$2; shift 2 ;;
    --until-eof) until_eof=true; shift ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
done
[[ -n $dir ]] || { echo "--dir is needed" >&2; exit 2; }
if [[ $port == 0 ]]; then port=$(free_port); fi
mkdir -p "$dir"
echo '{route: {receiver: nobody}, receivers: [{name: nobody}]}' >"$dir/alertmanager.yml"

prometheus-alertmanager --config.file="$dir/alertmanager.yml" --storage.path="$dir/data" \
  --web.listen-address="127.0.0.1:$port" --cluster.listen-address= --log.level=warn \
  >"$dir/alertmanager.log" 2>&1 &
pid=$!
# shellcheck disable=SC2317 # run by the trap
stop() {
  kill "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}
trap stop EXIT

await_ready "$pid" "$port" "$dir/alertmanager.log"
printf '{"ready": true, "port": %s, "pid": %s, "log": "%s"}\n' "$port" "$pid" "$dir/alertmanager.log"
stay "$pid" "$until_eof"
