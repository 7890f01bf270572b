# Makes a worker of an instance: the active bundle, then ComfyUI, then the worker with what it has to know.
set -euo pipefail
exec > >(tee -a /var/log/comfyui-asset-sync.log) 2>&1

parameter() {
    aws ssm get-parameter --region "@REGION@" --name "$1" --with-decryption --query Parameter.Value --output text
}

fleet_secret=$(parameter "@FLEET_SECRET@")
active=$(parameter "@ACTIVE_BUNDLE@" 2>/dev/null || echo none)
active=${active%/}
baked=$(tr -d '[:space:]' 2>/dev/null </opt/comfyui/.baked_bundle_id || true)

if [[ -z $active || $active == none ]]; then
    echo "no bundle is active"
elif [[ $active == "$baked" ]]; then
    echo "the image holds the active bundle $baked"
else
    echo "copying $active"
    for folder in models custom_nodes; do
        aws s3 sync --region "@REGION@" --no-progress \
            "s3://@MODELS_BUCKET@/bundles/@SLUG@/$active/$folder/" "/opt/comfyui/$folder/"
    done
fi

systemctl stop comfyui-worker.service || true
systemctl start comfyui.service
for _ in {1..60}; do
    curl -sf -o /dev/null http://127.0.0.1:8188/system_stats && break
    sleep 5
done

token=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' http://169.254.169.254/latest/api/token)
instance=$(curl -sf -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/instance-id)

# Nobody but the worker reads its secret.
install -o ubuntu -g ubuntu -m 600 /dev/null /opt/worker/env
cat >/opt/worker/env <<EOF
API_BASE_URL="$API_BASE_URL"
WORKER_ID="$instance"
FLEET_SECRET="$fleet_secret"
WORKFLOW_SLUGS="@SLUG@"
FLEET_SLUG="@SLUG@"
FLEET_STAGE="@STAGE@"
ASG_NAME="@GROUP@"
@WORKER_REGION@
COMFYUI_BASE_URL="http://127.0.0.1:8188"
POLL_INTERVAL_SECONDS=3
HEARTBEAT_INTERVAL_SECONDS=30
MAX_CONCURRENCY=1
EOF
systemctl restart comfyui-worker.service
