#!/usr/bin/env bash
# Starts a private Prometheus that scrapes the given targets every second, and stays until it is told to stop.
#   prometheus.sh --dir DIR [--port N] [--job NAME] --target HOST:PORT… [--throw-away] [--until-eof] [-- FLAG…]
# --job names the job of the targets after it (default: test). A DIR used before keeps its data; DIR/prometheus.yml
# may be changed and reloaded with `POST /-/reload`. A DIR/prometheus.yml that is there already is left as it is.
# With --throw-away DIR is removed at the end.
set -euo pipefail
# shellcheck source=SCRIPTDIR/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

dir='' port=0 job=test throw_away=false until_eof=false
declare -A targets=()
while (($#)); do
  case $1 in
    --dir) dir=$2; shift 2 ;;
    --port) port=$2; shift 2 ;;
    --job) job=$2; shift 2 ;;
    --target)
      targets[$job]+="${targets[$job]:+, }'$2'"
      shift 2
      ;;
    --throw-away) throw_away=true; shift ;;
    --until-eof) until_eof=true; shift ;;
    --) shift; break ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
done
[[ -n $dir ]] || { echo "--dir is needed" >&2; exit 2; }
if [[ $port == 0 ]]; then port=$(free_port); fi
mkdir -p "$dir"
if [[ ! -e $dir/prometheus.yml ]]; then
  {
    echo "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}"
    echo "scrape_configs:"
    for job in "${!targets[@]}"; do
      echo "  - {job_name: '$job', static_configs: [{targets: [${targets[$job]}]}]}"
    done
  } >"$dir/prometheus.yml"
fi

prometheus --config.file="$dir/prometheus.yml" --storage.tsdb.path="$dir/data" \
  --web.listen-address="127.0.0.1:$port" --web.enable-lifecycle --web.enable-admin-api \
  --web.enable-remote-write-receiver --log.level=warn "$@" >"$dir/prometheus.log" 2>&1 &
pid=$!
# shellcheck disable=SC2317 # run by the trap
stop() {
  kill "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  if $throw_away; then rm -rf "$dir"; fi
}
trap stop EXIT

await_ready "$pid" "$port" "$dir/prometheus.log"
printf '{"ready": true, "port": %s, "pid": %s, "config": "%s", "log": "%s"}\n' \
  "$port" "$pid" "$dir/prometheus.yml" "$dir/prometheus.log"
stay "$pid" "$until_eof"
