#!/bin/sh
# Usage: createKubeConfig.sh USER -n NAMESPACE
# Writes USER.config: a kubeconfig for the service account USER, with a token that never expires. Whoever copies it can
# use it; "arena user kubeconfig USER" makes one whose tokens are short-lived and renew themselves.
set -eu
umask 077

usage() {
  echo "usage: $0 USER -n NAMESPACE" >&2
  exit 2
}

user=
namespace=
while [ $# -gt 0 ]; do
  case $1 in
    -n | --namespace)
      [ $# -ge 2 ] || usage
      namespace=$2
      shift 2
      ;;
    -*) usage ;;
    *)
      [ -z "$user" ] || usage
      user=$1
      shift
      ;;
  esac
done
[ -n "$user" ] && [ -n "$namespace" ] || usage

kubectl get serviceaccount "$user" -n "$namespace" > /dev/null

kubectl apply -f - > /dev/null << EOF
apiVersion: v1
kind: Secret
type: kubernetes.io/service-account-token
metadata:
  name: $user-token
  namespace: $namespace
  annotations:
    kubernetes.io/service-account.name: $user
EOF

secret_field() {
  kubectl get secret "$user-token" -n "$namespace" -o "jsonpath={.data.$1}"
}

tries=0
while [ -z "$(secret_field token)" ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt 100 ]; then
    echo "$0: the cluster did not fill the secret $user-token with a token" >&2
    exit 1
  fi
  sleep 0.1
done

server=$(kubectl config view --minify --flatten -o 'jsonpath={.clusters[0].cluster.server}')
authority=$(secret_field 'ca\.crt')
token=$(secret_field token | base64 -d)

# Written by the shell itself, as the token would show in the arguments of any other program.
cat > "$user.config" << EOF
apiVersion: v1
kind: Config
clusters:
  - name: arena
    cluster:
      server: $server
      certificate-authority-data: $authority
users:
  - name: $user
    user:
      token: $token
contexts:
  - name: $user
    context:
      cluster: arena
      user: $user
      namespace: $namespace
current-context: $user
EOF
echo "$user.config written"
