#!/usr/bin/env bash
# The README's walk-through from start to end on free ports: a local stack, models uploaded with curl
# and with dwctl, a bias report stored and one announced, and the events read back.
#
# Needs dwctl on the search path (or its path in $DWCTL) and curl; leaves nothing behind.
set -euo pipefail

dwctl=${DWCTL:-dwctl}
folder=$(mktemp -d)

# `serve` prints its two addresses, one a line, once everything answers.
exec {serve}< <(exec "$dwctl" serve --port 0 --broker-port 0 --data-dir "$folder/data" 2>"$folder/serve.log")
stack=$!
watchers=()
stop() {
  kill -INT "$stack" "${watchers[@]}" 2>/dev/null || true
  # The read ends when the stack has closed its output: after a clean stop.
  cat <&"$serve" >/dev/null
  rm -rf "$folder"
}
trap stop EXIT
for _ in api brokers; do
  read -r -u "$serve" address || { cat "$folder/serve.log" >&2; exit 1; }
  export "${address?}"
done
echo "# API $DWCTL_API_URL, brokers $KAFKA_BOOTSTRAP_SERVERS"

# What a second terminal would show while the rest goes on.
"$dwctl" tail automl --from beginning -n 2 --timeout 60s >"$folder/automl" &
watchers+=($!)
"$dwctl" tail bias --from beginning -n 2 --timeout 60s >"$folder/bias" &
watchers+=($!)

echo "# upload a model with curl"
head -c 2048 /dev/zero >"$folder/model.pt"
curl --silent --show-error --fail-with-body -X POST "$DWCTL_API_URL/ai-models/upload/single" \
  -F "file=@$folder/model.pt" \
  -F "user_id=user123" \
  -F "model_id=test-model-1" \
  -F "name=Test Model" \
  -F "version=v1" \
  -F "framework=pytorch" \
  -F "model_type=classification" \
  -F "training_dataset=dataset123" \
  -F "training_accuracy=0.95"
echo

echo "# and its second version with dwctl"
"$dwctl" upload "$folder/model.pt" --user-id user123 --model-id test-model-1 --name 'Test Model' \
  --dialect form --version v2 --framework pytorch --model-type classification \
  --training-dataset dataset123 --training-accuracy 0.96

echo "# the data set that it was trained on: a bias report asks for it"
printf 'age,income\n39,1\n50,0\n' >"$folder/adult.csv"
curl --silent --show-error --fail-with-body -X POST "$DWCTL_API_URL/datasets/upload/user123" \
  -F "file=@$folder/adult.csv" -F "dataset_id=dataset123" -F "name=Adult census"
echo

echo "# store a bias report, which the API announces"
curl --silent --show-error --fail-with-body -X POST "$DWCTL_API_URL/bias-reports/" \
  -H 'Content-Type: application/json' \
  -d '{"user_id": "user123", "dataset_id": "dataset123", "report": {"disparate_impact": 0.83},
       "target_column_name": "income", "task_type": "classification"}'
echo

echo "# announce another one without the API"
"$dwctl" send bias --dataset-id dataset456 --user-id user123 --bias-report-id 6b043d7cea6542dcabfd36e5 \
  --has-transformation-report --target-column-name income --task-type classification

for watcher in "${watchers[@]}"; do wait "$watcher"; done
cat "$folder/automl" "$folder/bias"
