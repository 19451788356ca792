#!/usr/bin/env bash
# The monitoring stack of the namespace mlflow-prod: brings it up, looks at it, takes it down.
#
#   deploy             bring up or update everything, and wait until it runs
#   status             what runs, and what does not
#   logs [COMPONENT]   follow a log: watchbell (the default), prometheus, grafana, kube-state-metrics, node-exporter
#   port-forward       Prometheus, Grafana and Watchbell on this machine, until Ctrl-C
#   prometheus-url     where Prometheus is reached
#   grafana-url        where Grafana is reached, and how to read its password
#   watchbell-url      where Watchbell is reached
#   check-targets      what Prometheus scrapes: fails where a job is down or has no target
#   open-prometheus    open it in a browser
#   open-grafana       open it in a browser
#   open-watchbell     forward it, and open it in a browser, until Ctrl-C
#   test-alert [NAME]  send a sample notification to a receiver, for real; mlflow-team where none is named
#   cleanup [--data]   take everything down; volumes and secrets stay, but for --data, which asks first (--yes: not)
#   help               this text
#
# Environment:
#   WATCHBELL_SECRETS  a folder whose files become the Secret watchbell-secrets (deploy/secrets): smtp-password,
#                      slack-webhook-url, pagerduty-routing-key, and what else the configuration names
#   WATCHBELL_IMAGE    the image of Watchbell (what deploy/kustomization.yaml says)
#   PROMETHEUS_PORT, GRAFANA_PORT, WATCHBELL_PORT   ports on this machine (9090, 3000, 9093)
#   ROLLOUT_TIMEOUT    how long deploy waits for each part (300s)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
namespace=mlflow-prod
parts_label=app.kubernetes.io/part-of=mlflow-monitoring
deployments=(prometheus kube-state-metrics grafana watchbell)
components=(watchbell prometheus grafana kube-state-metrics node-exporter)
# The secrets that the shipped configuration names.
keys=(smtp-password slack-webhook-url pagerduty-routing-key)
jobs=(prometheus mlflow-server model-server kubernetes-apiservers kubernetes-nodes kubernetes-cadvisor
  kube-state-metrics node-exporter watchbell)
secrets=${WATCHBELL_SECRETS:-$here/secrets}
prometheus_port=${PROMETHEUS_PORT:-9090}
grafana_port=${GRAFANA_PORT:-3000}
watchbell_port=${WATCHBELL_PORT:-9093}

# What this script has started and not ended yet.
children=()
scratch=

say() { printf '%s\n' "$*"; }
warn() { printf 'monitoring.sh: warning: %s\n' "$*" >&2; }
fail() {
  printf 'monitoring.sh: %s\n' "$*" >&2
  exit 1
}
usage() {
  printf 'monitoring.sh: %s\n' "$*" >&2
  say "\`monitoring.sh help\` names all commands." >&2
  exit 2
}

end_children() {
  local child
  for child in "${children[@]}"; do
    kill "$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
  done
  children=()
  if [[ -n $scratch ]]; then rm -rf "$scratch"; fi
}
trap end_children EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

k() { kubectl --namespace "$namespace" "$@"; }

needs_kubectl() {
  type -P kubectl >/dev/null || fail "kubectl is not installed: https://kubernetes.io/docs/tasks/tools/"
}

needs_cluster() {
  local answer
  needs_kubectl
  answer=$(kubectl get --raw /version --request-timeout=10s 2>&1) ||
    fail "the cluster does not answer; \`kubectl config current-context\` names the one that is meant: ${answer##*$'\n'}"
}

needs_stack() {
  needs_cluster
  k get deployment "$1" >/dev/null 2>&1 ||
    fail "$1 is not there in the namespace $namespace: \`monitoring.sh deploy\` brings it up"
}

# needs_port PORT VARIABLE: something that listens already would be taken for the forward.
needs_port() {
  if ! [[ $1 =~ ^[1-9][0-9]{0,4}$ ]] || (($1 > 65535)); then fail "$2 is no port: $1"; fi
  if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
    fail "port $1 is in use on this machine: end what listens there, or choose another with $2=PORT"
  fi
}

# forward SERVICE PORT ON: starts a forward and waits until it takes connections.
forward() {
  local log=$scratch/$1.txt child
  kubectl --namespace "$namespace" port-forward --address 127.0.0.1 "service/$1" "$3:$2" >"$log" 2>&1 &
  child=$!
  children+=("$child")
  for _ in {1..150}; do
    if ! kill -0 "$child" 2>/dev/null; then
      fail "the forward to $1 has ended: $(tail -n 1 "$log")"
    fi
    if (exec 3<>"/dev/tcp/127.0.0.1/$3") 2>/dev/null; then return 0; fi
    sleep 0.1
  done
  fail "the forward to $1 takes no connections: $(tail -n 1 "$log")"
}

# Waits until a forward ends or somebody presses Ctrl-C.
stay() {
  say "Ctrl-C ends it."
  wait -n "${children[@]}" || true
  fail "a forward has ended: $(tail -qn 1 "$scratch"/*.txt | tr '\n' ' ')"
}

# node_url PORT: the address of a NodePort, of a node that can be reached from outside where there is one.
node_url() {
  local type address=
  for type in ExternalIP InternalIP; do
    address=$(kubectl get nodes -o "jsonpath={.items[*].status.addresses[?(@.type==\"$type\")].address}") ||
      fail "the nodes of the cluster cannot be listed; \`monitoring.sh port-forward\` needs no node's address"
    address=${address%% *}
    [[ -z $address ]] || break
  done
  [[ -n $address ]] || fail "no node has an address; use \`monitoring.sh port-forward\`"
  [[ $address != *:* ]] || address="[$address]"
  say "http://$address:$1"
}

browse() {
  local opener
  for opener in xdg-open open; do
    if type -P "$opener" >/dev/null; then
      "$opener" "$1" >/dev/null 2>&1 || warn "$opener could not open it"
      say "$1"
      return 0
    fi
  done
  fail "there is no browser that can be opened from here (xdg-open or open); the address is $1"
}

make_namespace() {
  kubectl get namespace "$namespace" >/dev/null 2>&1 || kubectl apply -f "$here/namespace.yaml"
}

# A password that nobody has seen; one that is there stays. It goes through a pipe: arguments can be seen by others.
make_grafana_password() {
  local password
  if k get secret grafana-admin >/dev/null 2>&1; then return 0; fi
  password=$(head -c 24 /dev/urandom | base64 | tr '+/' '-_')
  [[ ${#password} == 32 ]] || fail "no random password could be made"
  printf '%s\n' 'apiVersion: v1' 'kind: Secret' 'metadata:' '  name: grafana-admin' \
    "  labels: {app.kubernetes.io/part-of: mlflow-monitoring}" 'stringData:' "  admin-password: \"$password\"" |
    k create -f -
}

make_watchbell_secrets() {
  local key file files=() missing=()
  for file in "$secrets"/*; do
    # A file that an editor has kept beside a secret is none.
    [[ -f $file && -s $file && $file != *~ ]] || continue
    key=${file##*/}
    [[ $key =~ ^[A-Za-z0-9._-]+$ ]] || fail "$file cannot be a key of a Secret: letters, digits, - _ and . alone"
    files+=("--from-file=$file")
  done
  for key in "${keys[@]}"; do
    [[ -s $secrets/$key ]] || missing+=("$key")
  done
  if ((${#files[@]})); then
    k create secret generic watchbell-secrets "${files[@]}" --dry-run=client -o yaml |
      kubectl label --local -f - "$parts_label" -o yaml |
      k apply --server-side --force-conflicts -f -
  elif k get secret watchbell-secrets >/dev/null 2>&1; then
    return 0
  fi
  if ((${#missing[@]})); then
    warn "no ${missing[*]} in $secrets: what needs them will not be delivered"
  fi
}

apply_stack() {
  local manifests
  manifests=$(kubectl kustomize "$here") || fail "the manifests cannot be put together; kubectl 1.27 or newer is needed"
  if [[ -n ${WATCHBELL_IMAGE:-} ]]; then
    [[ $WATCHBELL_IMAGE =~ ^[A-Za-z0-9._/:@-]+$ ]] || fail "WATCHBELL_IMAGE is no name of an image: $WATCHBELL_IMAGE"
    manifests=$(sed -E "s|^( *(- )?image: )watchbell:.*|\1$WATCHBELL_IMAGE|" <<<"$manifests")
  fi
  kubectl apply --server-side --force-conflicts -f - <<<"$manifests"
}

deploy() {
  local name late=() parts=()
  needs_cluster
  make_namespace
  make_grafana_password
  make_watchbell_secrets
  apply_stack || fail "the cluster has refused a part, see above; what it has taken stays"
  for name in "${deployments[@]}"; do parts+=("deployment/$name"); done
  for name in "${parts[@]}" daemonset/node-exporter; do
    k rollout status "$name" --timeout="${ROLLOUT_TIMEOUT:-300s}" || late+=("$name")
  done
  if ((${#late[@]})); then
    k get pods -l "$parts_label" >&2 || true
    fail "not running: ${late[*]}. \`kubectl -n $namespace describe pods -l $parts_label\` says why, docs/deploy.md what to do"
  fi
  say "everything runs. Next: monitoring.sh check-targets, monitoring.sh test-alert, monitoring.sh grafana-url"
}

status() {
  local name ready broken=()
  needs_cluster
  k get deployments,daemonsets,pods,services,persistentvolumeclaims -l "$parts_label"
  for name in "${deployments[@]}"; do
    ready=$(k get deployment "$name" -o 'jsonpath={.status.readyReplicas}' 2>/dev/null) || ready=
    ((${ready:-0} >= 1)) || broken+=("$name")
  done
  ready=$(k get daemonset node-exporter -o 'jsonpath={.status.numberReady}/{.status.desiredNumberScheduled}' 2>/dev/null) || ready=
  [[ -n $ready && $ready != /* && ${ready%/*} == "${ready#*/}" ]] || broken+=("node-exporter")
  k get secret watchbell-secrets >/dev/null 2>&1 ||
    warn "there is no Secret watchbell-secrets: mail with a password, Slack and PagerDuty get nothing"
  ((${#broken[@]} == 0)) || fail "not ready: ${broken[*]}"
  say "everything is ready."
}

logs() {
  local component=${1:-watchbell}
  [[ " ${components[*]} " == *" $component "* ]] || usage "there is no component $component: ${components[*]}"
  needs_cluster
  k logs --follow --tail=100 --prefix --max-log-requests=50 -l "app.kubernetes.io/name=$component,$parts_label"
}

port_forward() {
  needs_cluster
  needs_port "$prometheus_port" PROMETHEUS_PORT
  needs_port "$grafana_port" GRAFANA_PORT
  needs_port "$watchbell_port" WATCHBELL_PORT
  forward prometheus 9090 "$prometheus_port"
  forward grafana 3000 "$grafana_port"
  forward watchbell 9093 "$watchbell_port"
  say "Prometheus  http://127.0.0.1:$prometheus_port"
  say "Grafana     http://127.0.0.1:$grafana_port"
  say "Watchbell   http://127.0.0.1:$watchbell_port/alerts"
  stay
}

grafana_url() {
  node_url 30300
  say "user admin, password: kubectl -n $namespace get secret grafana-admin -o 'jsonpath={.data.admin-password}' | base64 -d" >&2
}

watchbell_url() {
  say "http://127.0.0.1:$watchbell_port/alerts"
  say "while \`monitoring.sh port-forward\` runs; from elsewhere Watchbell shows only its health and metrics" >&2
}

open_watchbell() {
  needs_stack watchbell
  needs_port "$watchbell_port" WATCHBELL_PORT
  forward watchbell 9093 "$watchbell_port"
  browse "http://127.0.0.1:$watchbell_port/alerts"
  stay
}

# promtool stands in Prometheus' own image, so nothing is needed here to read its answer.
check_targets() {
  local answer job up down problems=0
  needs_stack prometheus
  answer=$(k exec deployment/prometheus -c prometheus -- \
    promtool query instant http://127.0.0.1:9090 'sum by (job) (up) * 10000 + count by (job) (up)' 2>&1) ||
    fail "Prometheus does not answer: ${answer##*$'\n'}"
  for job in "${jobs[@]}"; do
    # {job="x"} => 20002 @[…]: two up of two.
    up=$(sed -nE "s/^\{job=\"$job\"\} => ([0-9]+) @.*/\1/p" <<<"$answer")
    if [[ -z $up ]]; then
      say "none  $job: Prometheus knows of no target"
      problems=$((problems + 1))
      continue
    fi
    down=$((up % 10000 - up / 10000))
    if ((down)); then
      say "down  $job: $down of $((up % 10000))"
      problems=$((problems + 1))
    else
      say "up    $job: $((up % 10000))"
    fi
  done
  ((problems == 0)) || fail "jobs with trouble: $problems. Prometheus' page /targets has the errors, docs/deploy.md what to do"
}

test_alert() {
  local receiver=${1:-mlflow-team}
  needs_stack watchbell
  k exec deployment/watchbell -c watchbell -- /watchbell notify-test -- "$receiver" ||
    fail "not everything was delivered to $receiver, see above"
}

cleanup() {
  local data=false sure=false answer
  while (($#)); do
    case $1 in
      --data) data=true ;;
      --yes) sure=true ;;
      *) usage "cleanup has no option $1" ;;
    esac
    shift
  done
  needs_cluster
  if $data && ! $sure; then
    printf 'The history of Prometheus, Grafana and Watchbell and the secrets will be gone. Type %s: ' "$namespace"
    read -r answer || answer=
    [[ $answer == "$namespace" ]] || fail "nothing was deleted"
  fi
  k delete deployments,daemonsets,services,configmaps,serviceaccounts,roles,rolebindings,networkpolicies \
    -l "$parts_label" --ignore-not-found
  kubectl --namespace default delete roles,rolebindings -l "$parts_label" --ignore-not-found
  kubectl delete clusterroles,clusterrolebindings -l "$parts_label" --ignore-not-found
  if $data; then
    k delete persistentvolumeclaims,secrets -l "$parts_label" --ignore-not-found
  else
    say "volumes and secrets are still there: monitoring.sh cleanup --data"
  fi
  say "the namespace $namespace and what else lives in it is untouched"
}

command=${1:-help}
(($#)) && shift
case $command in
  logs | test-alert) (($# <= 1)) || usage "$command takes one argument at most" ;;
  cleanup) ;;
  *) (($# == 0)) || usage "$command takes no argument" ;;
esac
scratch=$(mktemp -d)
case $command in
  deploy) deploy ;;
  status) status ;;
  logs) logs "$@" ;;
  port-forward) port_forward ;;
  prometheus-url) needs_cluster && node_url 30090 ;;
  grafana-url) needs_cluster && grafana_url ;;
  watchbell-url) watchbell_url ;;
  check-targets) check_targets ;;
  open-prometheus) needs_cluster && url=$(node_url 30090) && browse "$url" ;;
  open-grafana) needs_cluster && url=$(node_url 30300) && browse "$url" ;;
  open-watchbell) open_watchbell ;;
  test-alert) test_alert "$@" ;;
  cleanup) cleanup "$@" ;;
  help | --help | -h) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" ;;
  *) usage "there is no command $command" ;;
esac
