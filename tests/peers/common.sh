# shellcheck shell=bash
# What the peers written in Bash share. Sourced, not run.

# A TCP port on loopback that is free now.
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Whether something listens on a port of loopback.
listens() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# wait_until SECONDS COMMAND…: polls until the command succeeds; fails when the time is over.
wait_until() {
  local deadline=$(($(date +%s) + $1))
  shift
  until "$@"; do
    if (($(date +%s) >= deadline)); then return 1; fi
    sleep 0.05
  done
}

# Whether a server is ready, or has ended: PID, PORT.
ready_or_over() {
  ! kill -0 "$1" 2>/dev/null || python3 - "$2" <<'PYTHON'
import sys, urllib.request
try:
    urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/-/ready", timeout=2)
except OSError:
    sys.exit(1)
PYTHON
}

# await_ready PID PORT LOG: waits until a server says that it is ready; ends with its log where it does not.
await_ready() {
  if ! wait_until 30 ready_or_over "$1" "$2" || ! kill -0 "$1" 2>/dev/null; then
    cat "$3" >&2
    exit 1
  fi
}

# Waits until PID ends, SIGTERM comes or, with "true" as the second word, standard input ends.
stay() {
  local pid=$1 until_eof=$2 watcher=''
  trap '[[ -z $watcher ]] || kill "$watcher" 2>/dev/null; exit 0' TERM INT
  if [[ $until_eof == true ]]; then
    # With <&0 the reader keeps the real standard input: Bash gives background jobs /dev/null otherwise.
    { exec cat >/dev/null; } <&0 &
    watcher=$!
    wait -n "$pid" "$watcher" || true
    kill "$watcher" 2>/dev/null || true
  else
    wait "$pid" || true
  fi
}
