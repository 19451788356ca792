#!/usr/bin/env bash
# The stack without Kubernetes: a real MLflow, two real model servers, Prometheus, a node exporter and Watchbell, all on
# loopback, with some traffic. break.sh breaks them.
#
#   stack.sh up        bring it up, and say where everything is
#     --fast           time in the rules runs 20 times faster, by a copy of them: the seven alerts come within minutes
#     --config FILE    Watchbell's configuration, in place of watchbell.yaml beside this script: with your own receivers
#     --ports FIRST    the first of its eleven ports (19090), or `any` for any that are free
#   stack.sh down      end what it started; --data also deletes what it has written, but for the Python environment
#   stack.sh status    what runs; fails where something does not
#   stack.sh inbox     what Watchbell has sent, but for --config
#   stack.sh install   only make the Python environment (about 1 GB)
#   stack.sh help      this text
#
# It needs Debian's prometheus and prometheus-node-exporter, curl, python3 with venv, and a built watchbell.
#
# Environment:
#   STACK_STATE        the folder of data, logs and messages (target/local-stack)
#   STACK_VENV         the Python environment (target/local-stack-venv)
#   WATCHBELL_BINARY   the watchbell to run (target/release, target/debug or the PATH)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=SCRIPTDIR/common.sh
source "$here/common.sh"

# The order of the ports, and of their defaults from 19090 on.
port_names=(prometheus node-exporter mlflow watchbell fastapi mlserver mlserver-metrics mlserver-grpc pods mail inbox)
first_port=19090
# Started in this order, ended in the other.
parts=(node-exporter inbox pods prometheus watchbell)
hurry=20

# The program, by the first place that has it.
find_watchbell() {
  local candidate
  for candidate in "${WATCHBELL_BINARY:-}" "$root/target/release/watchbell" "$root/target/debug/watchbell"; do
    if [[ -n $candidate && -x $candidate ]]; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
  type -P watchbell || fail "there is no watchbell: \`cargo build --release\` makes it, or name it in WATCHBELL_BINARY"
}

find_prometheus() {
  type -P "$1" || fail "$1 is not installed: apt-get install prometheus prometheus-node-exporter"
}

install() {
  local wanted=$here/requirements.txt have=$venv/requirements.txt
  if cmp -s "$wanted" "$have"; then return 0; fi
  type -P python3 >/dev/null || fail "python3 is not installed"
  say "making a Python environment in $venv: MLflow, MLServer, FastAPI (about a minute, 1 GB)"
  rm -rf "$venv"
  python3 -m venv "$venv" || fail "python3 cannot make an environment: apt-get install python3-venv"
  "$venv/bin/pip" install -q --disable-pip-version-check -r "$wanted" || fail "pip could not install $wanted"
  cp "$wanted" "$have"
}

# Writes the file of ports: FIRST and those after it, or any.
choose_ports() {
  local first=$1 name
  if [[ $first == any ]]; then
    python3 - "${port_names[@]}" <<'PYTHON'
import socket, sys
held = [(name, socket.create_server(("127.0.0.1", 0))) for name in sys.argv[1:]]
for name, listener in held:
    print(f"{name}={listener.getsockname()[1]}")
PYTHON
    return
  fi
  if ! [[ $first =~ ^[1-9][0-9]{0,4}$ ]] || ((first > 65500)); then usage "--ports takes a port or \`any\`, not $first"; fi
  for name in "${port_names[@]}"; do
    if listens "$first"; then fail "port $first is in use on this machine: choose others with --ports FIRST, or --ports any"; fi
    printf '%s=%s\n' "$name" "$first"
    first=$((first + 1))
  done
}

# with_ports FILE: its text with the ports of this stack in place of the defaults.
with_ports() {
  local i script=
  for i in "${!port_names[@]}"; do
    script+="s/127\.0\.0\.1:$((first_port + i))\b/@${port_names[i]}@/g;"
  done
  for i in "${port_names[@]}"; do script+="s/@$i@/127.0.0.1:$(port "$i")/g;"; done
  sed -E "$script" "$1"
}

write_configuration() {
  local config=$1 fast=$2 interval=5s rules=$root/rules
  if $fast; then
    interval=1s
    rules=$state/rules
    python3 "$here/hasten.py" "$root/rules" "$rules" "$hurry"
  fi
  with_ports "$here/prometheus.yaml" | sed -E "s/(scrape_(interval|timeout)): 5s/\1: $interval/" >"$state/prometheus.yaml"
  (
    umask 077
    with_ports "$config" | sed -E \
      -e "s|\.\./\.\./rules/|$rules/|" -e "s|\.\./\.\./notifiers/|$root/notifiers/|" \
      -e "s|\.\./\.\./target/local-stack/|$state/|" >"$state/watchbell.yaml"
  )
}

# The node exporter sees the machine through a folder of links, so that break.sh can show it another amount of memory.
link_proc() {
  local entry
  mkdir -p "$state/proc"
  for entry in /proc/[a-z]*; do ln -sfn "$entry" "$state/proc/${entry##*/}"; done
}

# start NAME COMMAND…: runs it on its own, and notes it.
start() {
  local name=$1
  shift
  setsid "$@" </dev/null >>"$state/logs/$name.txt" 2>&1 &
  note "$name" "$!"
}

# await NAME URL SECONDS: waits until an address answers.
await() {
  local deadline=$((SECONDS + $3)) part=${4:-$1}
  until curl -fsS -o /dev/null --max-time 5 "$2" 2>/dev/null; do
    alive "$part" || fail "$part has ended: $(tail -n 3 "$state/logs/$part.txt" 2>/dev/null)"
    ((SECONDS < deadline)) || fail "$1 does not answer after $3 s, see $state/logs"
    sleep 0.2
  done
}

up() {
  local config=$here/watchbell.yaml fast=false ports=$first_port watchbell prometheus exporter part scale=1
  while (($#)); do
    case $1 in
      --fast) fast=true ;;
      --config | --ports)
        (($# > 1)) || usage "$1 needs a value"
        if [[ $1 == --config ]]; then config=$2; else ports=$2; fi
        shift
        ;;
      *) usage "up has no option $1" ;;
    esac
    shift
  done
  for part in "${parts[@]}"; do
    if alive "$part"; then fail "it is up already ($part runs): \`stack.sh down\` first"; fi
  done
  [[ -r $config ]] || fail "there is no $config"
  type -P curl >/dev/null || fail "curl is not installed"
  watchbell=$(find_watchbell)
  prometheus=$(find_prometheus prometheus)
  exporter=$(find_prometheus prometheus-node-exporter)
  install
  mkdir -p "$state"/{pids,logs}
  choose_ports "$ports" >"$state/ports.part"
  mv "$state/ports.part" "$state/ports"
  rm -f "$state"/{slow,ballast}
  link_proc
  write_configuration "$config" "$fast"
  if $fast; then scale=$hurry; fi
  trap 'down >/dev/null' EXIT

  start node-exporter "$exporter" --web.listen-address="127.0.0.1:$(port node-exporter)" --path.procfs="$state/proc"
  start inbox "$venv/bin/python" "$here/inbox.py" --mail "$(port mail)" --web "$(port inbox)" --folder "$state/inbox"
  start pods "$venv/bin/python" "$here/pods.py" --state "$state" --hurry "$scale"
  start prometheus "$prometheus" --config.file="$state/prometheus.yaml" --storage.tsdb.path="$state/prometheus" \
    --storage.tsdb.retention.time=2d --web.listen-address="127.0.0.1:$(port prometheus)" --log.level=warn
  await MLflow "$(at mlflow)/health" 120 pods
  await FastAPI "$(at fastapi)/metrics" 120 pods
  await MLServer "$(at mlserver)/v2/models/churn/ready" 120 pods
  await Prometheus "$(at prometheus)/-/ready" 60 prometheus
  start watchbell "$watchbell" run --config "$state/watchbell.yaml" --listen "127.0.0.1:$(port watchbell)"
  await Watchbell "$(at watchbell)/-/ready" 60 watchbell
  trap - EXIT
  say "everything is up:"
  addresses
  say "Break something: deploy/local-stack/break.sh"
}

addresses() {
  say "  Watchbell   $(at watchbell)/alerts"
  say "  Prometheus  $(at prometheus)"
  say "  MLflow      $(at mlflow)"
  say "  FastAPI     $(at fastapi)/docs"
  say "  MLServer    $(at mlserver)/v2/docs"
  say "  messages    $state/inbox"
  say "  logs        $state/logs"
}

down() {
  local i
  end_all burn
  for ((i = ${#parts[@]} - 1; i >= 0; i--)); do end "${parts[i]}"; done
  rm -f "$state"/{slow,ballast}
  say "everything is down"
}

status() {
  local part broken=()
  for part in "${parts[@]}"; do
    if alive "$part"; then say "runs    $part"; else
      say "down    $part"
      broken+=("$part")
    fi
  done
  if alive pods; then
    while read -r part; do
      if [[ $part == *true* ]]; then say "runs    ${part%%:*}"; else
        say "down    ${part%%:*}"
        broken+=("${part%%:*}")
      fi
    done < <(curl -fsS "$(at pods)/pods" | sed -E 's/\}, /\n/g' | sed -E 's/^\{*"([^"]+)": \{"running": (true|false).*/\1: \2/')
    addresses
  fi
  ((${#broken[@]} == 0)) || fail "not running: ${broken[*]}"
}

inbox() { python3 "$here/inbox.py" --folder "$state/inbox"; }

command=${1:-help}
(($#)) && shift
case $command in
  up) up "$@" ;;
  down)
    if (($#)) && [[ $1 != --data || $# -gt 1 ]]; then usage "down takes --data or nothing"; fi
    down
    if (($#)); then rm -rf "$state"; fi
    ;;
  status | inbox | install)
    (($# == 0)) || usage "$command takes no argument"
    "$command"
    ;;
  help | --help | -h) help_text "${BASH_SOURCE[0]}" ;;
  *) usage "there is no command $command" ;;
esac
