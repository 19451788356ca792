# shellcheck shell=bash
# What stack.sh and break.sh share. Sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
state=$(realpath -m "${STACK_STATE:-$root/target/local-stack}")
# shellcheck disable=SC2034 # stack.sh and break.sh use it
venv=$(realpath -m "${STACK_VENV:-$root/target/local-stack-venv}")

say() { printf '%s\n' "$*"; }
fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}
usage() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  say "\`${0##*/} help\` names all commands." >&2
  exit 2
}
# The comment at the beginning of a script.
help_text() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$1"; }

# port NAME, at NAME: the port and the address of a part.
port() { sed -n "s/^$1=//p" "$state/ports"; }
at() { printf 'http://127.0.0.1:%s' "$(port "$1")"; }

# Whether something listens on a port of loopback.
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# When a process began, in ticks since the machine did: with its number it names one process only.
began() { sed -E 's/^.*\) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

# note NAME PID: remembers a process that was started.
note() { printf '%s %s\n' "$2" "$(began "$2")" >"$state/pids/$1"; }

# Whether a part that was started is still the same process.
alive() {
  local pid start
  read -r pid start 2>/dev/null <"$state/pids/$1" || return 1
  [[ -n $start && $(began "$pid") == "$start" && $(sed -E 's/^.*\) (.).*/\1/' "/proc/$pid/stat" 2>/dev/null) != Z ]]
}

# end NAME: ends a part, by force where it does not go within 30 s.
end() {
  local pid i
  if alive "$1"; then
    read -r pid _ <"$state/pids/$1"
    kill "$pid" 2>/dev/null || true
    for ((i = 0; i < 300; i++)); do
      alive "$1" || break
      sleep 0.1
    done
    if alive "$1"; then kill -KILL -- "-$pid" 2>/dev/null || true; fi
  fi
  rm -f "$state/pids/$1"
}

# end_all PREFIX: ends the parts whose names begin so.
end_all() {
  local file
  for file in "$state/pids/$1"*; do
    if [[ -e $file ]]; then end "${file##*/}"; fi
  done
}
