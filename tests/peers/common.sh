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
