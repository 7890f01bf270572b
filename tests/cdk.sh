#!/usr/bin/env bash
# A real app of the CDK, made into templates by the real `cdk synth` and deployed by bpctl into the sandbox, and an
# empty account that the real `cdk bootstrap` prepares for it.
#
#     bash tests/cdk.sh BPCTL
#
# Needs Node.js 20 and npm; without them it says so and checks nothing. What npm installs stays in the user's cache.
set -euo pipefail
bpctl=$(realpath "$1")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if ! command -v npx >/dev/null; then
    echo "not checked: there is no npx on the PATH"
    exit 0
fi

hash=$({ node --version; cat "$here/cdk/package-lock.json"; } | git hash-object --stdin | cut -c1-12)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/bpctl-ci-cdk-$hash"
if [[ ! -e "$cache/complete" ]]; then
    rm -rf "$cache"
    mkdir -p "$cache"
    cp "$here/cdk/package.json" "$here/cdk/package-lock.json" "$cache"
    npm ci --prefix "$cache" --no-audit --no-fund --silent
    touch "$cache/complete"
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp "$here/cdk/app.js" "$here/cdk/cdk.json" "$folder"
ln -s "$cache/node_modules" "$folder/node_modules"

# What is right ends with "ok"; anything else ends the script.
export XDG_STATE_HOME="$folder/state" BPCTL_INFRA_DIR="$folder" CDK_DISABLE_CLI_TELEMETRY=true
# The CDK's command line looks for newer versions of itself.
export CDK_DISABLE_VERSION_CHECK=true
# The role that publishes files is assumed for 15 minutes of the sandbox's time: it goes at the pace of the clock.
"$bpctl" sandbox run --speed 1 -- bash -euo pipefail -c '
    expect() { # STATUS WORDS COMMAND…
        local status=$1 words=$2 found=0 said
        shift 2
        said=$("$@" 2>&1) || found=$?
        if [[ "$found" != "$status" || "$said" != *"$words"* ]]; then
            printf "%s\nended with %s, not %s, or says nothing of \"%s\": %s\n" "$said" "$found" "$status" "$words" "$*" >&2
            exit 1
        fi
        echo "ok: $*"
    }
    expect 0 "is new" '"$bpctl"' stack diff staging/gpu-one staging/gpu-two
    expect 1 "needs bp-gpu-fleet-staging-gpu-one" '"$bpctl"' stack deploy staging/gpu-two --yes
    expect 0 "CREATE_COMPLETE" '"$bpctl"' stack deploy --all --yes
    url=$('"$bpctl"' stack outputs staging/gpu-one -o json --query "outputs[?key=='"'"'ScriptUrl'"'"'].value | [0]" | tr -d "\"")
    bucket=${url#s3://}
    expect 0 "node app.js" curl --silent --fail --user sandbox:sandbox --aws-sigv4 aws:amz:us-east-1:s3 "$AWS_ENDPOINT_URL/$bucket"
    expect 0 "is the same" '"$bpctl"' stack diff --exit-code
    expect 9 "(AWS::CloudWatch::Alarm): Threshold" '"$bpctl"' stack diff --exit-code -c threshold=20
    expect 0 "UPDATE_COMPLETE" '"$bpctl"' stack deploy staging/gpu-one --yes -c threshold=20
    expect 0 "unchanged" '"$bpctl"' stack deploy --all --yes -c threshold=20
'

# An account without anything: the CDK makes its bootstrap stack in it, and bpctl sees that it is whole.
"$bpctl" sandbox run --empty -- bash -euo pipefail -c '
    said=$('"$bpctl"' stack bootstrap --yes 2>&1) || { printf "%s\n" "$said" >&2; exit 1; }
    [[ "$said" == *"bootstrapped."* && "$said" == *"is there"* && "$said" != *"is not there"* ]]
    again=$('"$bpctl"' stack bootstrap --yes 2>&1)
    [[ "$again" == *"Nothing to change"* ]]
    echo "ok: stack bootstrap"
'
