#!/usr/bin/env bash
# Breaks the local stack that stack.sh has brought up, so that each of the seven alerts of rules/ fires.
#
#   break.sh WAY         break it
#   break.sh mend WAY    the way back; `all` for every way but `run`
#
#   WAY          ALERT                    what it does
#   mlflow       MLflowServerDown         stops MLflow
#   model        ModelServerDown          stops the model server behind FastAPI
#   cpu          HighCPUUsage             keeps every core busy, at the lowest priority
#   memory       HighMemoryUsage          lets the model server fill 90 % of the memory that it may have
#   node-memory  HighMemoryUsage          shows the node exporter 5 % of free memory, since really to fill the machine's
#                                         would end other programs
#   crash-loop   PodCrashLooping          gives a program an address that is wrong: it ends soon after each start
#   slow         HighModelLatency         makes each prediction take 2 s
#   run          MLflowExperimentFailure  lets a training run fail; `mend` trains one that succeeds, and the alert ends
#                                         half an hour after the failure (--fast: a minute and a half)
#
#   break.sh help        this text
#
# Environment: STACK_STATE and STACK_VENV, as for stack.sh.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=SCRIPTDIR/common.sh
source "$here/common.sh"

ways=(mlflow model cpu memory node-memory crash-loop slow run)
# No machine stays busy because somebody forgot it.
longest=2h

pod() {
  curl -fsS -o /dev/null --max-time 60 -X POST "$(at pods)/pods/$1/$2" || fail "the stack does not answer, see $state/logs/pods.txt"
}

# set_file NAME TEXT: whoever reads it sees a whole file.
set_file() {
  printf '%s\n' "$2" >"$state/$1.part"
  mv "$state/$1.part" "$state/$1"
}

burn() {
  local i cores
  cores=$(nproc)
  for ((i = 0; i < cores; i++)); do
    if alive "burn-$i"; then continue; fi
    setsid nice -n 19 timeout "$longest" sh -c 'while :; do :; done' </dev/null >/dev/null 2>&1 &
    note "burn-$i" "$!"
  done
}

# The machine's own numbers, but for the memory that is available.
show_little_memory() {
  awk '/^MemTotal:/ { total = $2 } /^MemAvailable:/ { $2 = int(total / 20); print "MemAvailable: " $2 " kB"; next } { print }' \
    /proc/meminfo >"$state/proc/.meminfo"
  mv "$state/proc/.meminfo" "$state/proc/meminfo"
}

train() { "$venv/bin/python" "$here/train.py" "$(at mlflow)" "$@"; }

damage() {
  case $1 in
    mlflow) pod mlflow-0 stop ;;
    model) pod churn-fastapi-0 stop ;;
    cpu) burn ;;
    memory) set_file ballast 440 ;;
    node-memory) show_little_memory ;;
    crash-loop) pod churn-client-0 spoil ;;
    slow) set_file slow 2 ;;
    run) train --fail ;;
  esac
}

mend() {
  case $1 in
    mlflow) pod mlflow-0 start ;;
    model) pod churn-fastapi-0 start ;;
    cpu) end_all burn- ;;
    memory) rm -f "$state/ballast" ;;
    node-memory) ln -sfn /proc/meminfo "$state/proc/meminfo" ;;
    crash-loop) pod churn-client-0 start ;;
    slow) rm -f "$state/slow" ;;
    run) train ;;
  esac
}

known() {
  local way
  for way in "${ways[@]}"; do
    if [[ $way == "$1" ]]; then return 0; fi
  done
  usage "there is no way $1: ${ways[*]}"
}

action=damage
case ${1:-help} in
  help | --help | -h)
    help_text "${BASH_SOURCE[0]}"
    exit 0
    ;;
  mend)
    action=mend
    shift
    ;;
esac
(($# == 1)) || usage "name one way: ${ways[*]}"
if [[ $action == mend && $1 == all ]]; then chosen=("${ways[@]:0:7}"); else
  known "$1"
  chosen=("$1")
fi
alive pods || fail "the stack is not up: deploy/local-stack/stack.sh up"
for way in "${chosen[@]}"; do "$action" "$way"; done
