#!/usr/bin/env bash
# First minutes of an incident, and a fleet that must not cost money until the morning.
# Rehearse it without an AWS account:
#   bpctl sandbox run --scenario scale-to-zero-unsubscribed -- bash examples/runbooks/night-shift.sh
set -euo pipefail

# What is wrong, root cause first. Findings are the result here, not a reason to stop.
bpctl triage --fail-on never

# What each fleet is doing.
bpctl fleet status

# Stop every fleet that has nothing to do. A fleet with queued or running jobs is left alone.
for fleet in $(bpctl fleet list -o name); do
    bpctl fleet scale-to-zero "$fleet" --yes || echo "left $fleet as it is (status $?)" >&2
done
