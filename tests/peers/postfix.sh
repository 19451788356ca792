#!/usr/bin/env bash
# Starts a private Postfix with Dovecot for AUTH (PLAIN, LOGIN), and stays until it is told to stop.
#   postfix.sh --dir DIR [--port STARTTLS] [--smtps-port N] [--user U] [--password P] [--until-eof]
# Both ports demand TLS and AUTH. Mail to any address at example.test lands in the Maildir DIR/mail/box. The
# certificates are those of certs.sh in DIR/certs, made when missing. Needs root, postfix and dovecot-core 2.3.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=SCRIPTDIR/common.sh
source "$here/common.sh"
PATH=$PATH:/usr/sbin:/sbin

dir='' port=0 smtps_port=0 user=alerts password=test-password until_eof=false
while (($#)); do
  case $1 in
    --dir) dir=$2; shift 2 ;;
    --port) port=$2; shift 2 ;;
    --smtps-port) smtps_port=$2; shift 2 ;;
    --user) user=$2; shift 2 ;;
    --password) password=$2; shift 2 ;;
    --until-eof) until_eof=true; shift ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
done
[[ -n $dir ]] || { echo "--dir is needed" >&2; exit 2; }
[[ $EUID == 0 ]] || { echo "postfix needs root" >&2; exit 3; }
[[ $(dovecot --version) == 2.3.* ]] || { echo "dovecot is not 2.3: $(dovecot --version)" >&2; exit 3; }
if [[ $port == 0 ]]; then port=$(free_port); fi
if [[ $smtps_port == 0 ]]; then smtps_port=$(free_port); fi
auth_port=$(free_port)

mkdir -p "$dir"/{etc,queue,data,mail/box,dovecot}
# Postfix' processes run as their own user and must be able to walk here.
chmod 755 "$dir" "$dir"/{etc,queue,mail,dovecot}
dir=$(cd "$dir" && pwd)
parent=$dir
while [[ $parent != / ]]; do
  parent=$(dirname "$parent")
  [[ $(stat -c %A "$parent") == *[xt] ]] || { echo "postfix cannot walk through $parent: chmod 755" >&2; exit 2; }
done
chown postfix "$dir/data"
chown -R nobody:nogroup "$dir/mail/box"
if [[ ! -e $dir/certs/server.pem ]]; then "$here/certs.sh" "$dir/certs"; fi

printf '%s:{PLAIN}%s\n' "$user" "$password" >"$dir/dovecot/users"
cat >"$dir/dovecot/dovecot.conf" <<CONF
protocols =
base_dir = $dir/dovecot/run
state_dir = $dir/dovecot/state
log_path = $dir/dovecot/dovecot.log
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
passdb {
  driver = passwd-file
  args = $dir/dovecot/users
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=$dir/mail
}
service auth {
  inet_listener {
    address = 127.0.0.1
    port = $auth_port
  }
}
CONF

cat >"$dir/etc/main.cf" <<CONF
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/data
maillog_file = $dir/mail.log
maillog_file_prefixes = $dir
myhostname = mail.example.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
alias_maps =
local_recipient_maps =
relay_domains =
default_transport = error:no mail leaves this test
virtual_mailbox_domains = example.test
virtual_mailbox_base = $dir/mail
virtual_mailbox_maps = static:box/
virtual_uid_maps = static:$(id -u nobody)
virtual_gid_maps = static:$(id -g nobody)
virtual_minimum_uid = 1
smtpd_tls_cert_file = $dir/certs/server.pem
smtpd_tls_key_file = $dir/certs/server.key
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:$auth_port
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
smtpd_error_sleep_time = 0
CONF

cat >"$dir/etc/master.cf" <<CONF
127.0.0.1:$port inet n - n - - smtpd -o smtpd_tls_security_level=encrypt
127.0.0.1:$smtps_port inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
CONF

dovecot -F -c "$dir/dovecot/dovecot.conf" </dev/null >"$dir/dovecot/start.log" 2>&1 &
dovecot_pid=$!
# shellcheck disable=SC2317 # run by the trap
stop() {
  postfix -c "$dir/etc" stop >/dev/null 2>&1 || true
  kill "$dovecot_pid" 2>/dev/null || true
  wait "$dovecot_pid" 2>/dev/null || true
}
trap stop EXIT
postfix -c "$dir/etc" start </dev/null >"$dir/postfix-start.log" 2>&1 || { cat "$dir/postfix-start.log" >&2; exit 1; }

for each in "$auth_port" "$port" "$smtps_port"; do
  wait_until 30 listens "$each" || {
    cat "$dir"/mail.log "$dir"/dovecot/*.log >&2 || true
    exit 1
  }
done
printf '{"ready": true, "port": %s, "smtps_port": %s, "maildir": "%s", "ca": "%s"}\n' \
  "$port" "$smtps_port" "$dir/mail/box" "$dir/certs/ca.pem"
stay "$dovecot_pid" "$until_eof"
