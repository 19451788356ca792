#!/usr/bin/env bash
# Makes a test CA with a server and a client certificate in a folder:
#   certs.sh DIR   ->  ca.pem ca.key server.pem server.key client.pem client.key
# The server's names are localhost, mail.example.test and 127.0.0.1. Valid for ten years, for tests only.
set -euo pipefail

dir=${1:?usage: certs.sh DIR}
mkdir -p "$dir"
cd "$dir"

openssl ecparam -name prime256v1 -genkey -noout -out ca.key
openssl req -x509 -new -key ca.key -sha256 -days 3650 -subj "/CN=Watchbell test CA" \
  -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" -out ca.pem

# issue NAME COMMON_NAME USAGE SUBJECT_ALT_NAMES
issue() {
  openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
  openssl req -new -key "$1.key" -subj "/CN=$2" -out "$1.csr"
  printf '%s\n' "basicConstraints=CA:FALSE" "keyUsage=critical,digitalSignature" \
    "extendedKeyUsage=$3" "subjectAltName=$4" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -sha256 -days 3650 \
    -extfile "$1.ext" -out "$1.pem" 2>/dev/null
  rm "$1.csr" "$1.ext"
}

issue server localhost serverAuth "DNS:localhost,DNS:mail.example.test,IP:127.0.0.1"
issue client watchbell clientAuth "DNS:watchbell"
