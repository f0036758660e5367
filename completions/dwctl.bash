# Completions of dwctl for bash.

# Sets the subcommands of a command, its flags, and those with a value.
_dwctl_describe() {
    subcommands="" flags="" valued=""
    case "$1" in
        "")
            subcommands="demo upload models serve send forward tail wait smoke doctor topics lag config completions man help"
            flags="--brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h --version -V"
            valued="--brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "demo")
            subcommands=""
            flags="--keep --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "upload")
            subcommands=""
            flags="--manifest --jobs --keep-going --user-id --model-id --name --description --version --framework --model-type --algorithm --is-primary --tags --training-dataset --training-dataset-version --training-accuracy --validation-accuracy --test-accuracy --training-loss --python-version --hardware-requirements --preserve-structure --field --meta --as-file --allow-empty --symlinks --exclude --include --no-default-excludes --compress --dry-run --print-meta --print-curl --fail-on-unsafe --if-exists --retries --limit-rate --task-id --wait-event --dialect --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--manifest --jobs --user-id --model-id --name --description --version --framework --model-type --algorithm --tags --training-dataset --training-dataset-version --training-accuracy --validation-accuracy --test-accuracy --training-loss --python-version --hardware-requirements --field --meta --symlinks --exclude --include --if-exists --retries --limit-rate --task-id --dialect --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "models")
            subcommands="list show files download verify update delete"
            flags="--brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "models list")
            subcommands=""
            flags="--user-id --framework --model-type --search --tags --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--user-id --framework --model-type --search --tags --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "models show")
            subcommands=""
            flags="--user-id --version --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--user-id --version --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "models files")
            subcommands=""
            flags="--user-id --version --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--user-id --version --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "models download")
            subcommands=""
            flags="--user-id --version --file --extract --output-dir --limit-rate --force --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--user-id --version --file --output-dir --limit-rate --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "models verify")
            subcommands=""
            flags="--user-id --version --as-file --symlinks --exclude --include --no-default-excludes --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--user-id --version --symlinks --exclude --include --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "models update")
            subcommands=""
            flags="--user-id --version --name --description --algorithm --training-dataset --training-accuracy --validation-accuracy --test-accuracy --training-loss --python-version --hardware-requirements --tags --dependencies --input-shape --output-shape --is-active --is-production-ready --field --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--user-id --version --name --description --algorithm --training-dataset --training-accuracy --validation-accuracy --test-accuracy --training-loss --python-version --hardware-requirements --tags --dependencies --input-shape --output-shape --field --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "models delete")
            subcommands=""
            flags="--user-id --version --all-versions --yes -y --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--user-id --version --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "serve")
            subcommands=""
            flags="--dialect --data-dir --host --port --broker-port --advertise --cors --idle-timeout --topic --partitions --ready-file --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--dialect --data-dir --host --port --broker-port --advertise --cors --idle-timeout --topic --partitions --ready-file --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "send")
            subcommands="bias automl xai drift bias-trigger automl-trigger xai-trigger drift-trigger raw"
            flags="--brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "send bias")
            subcommands=""
            flags="--dataset-id --dataset-version --user-id --bias-report-id --has-transformation-report --transformation-report-id --mitigated-dataset-version --target-column-name --task-type --success --failure --dialect --task-id --from-json --field --key --topic --dry-run --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--dataset-id --dataset-version --user-id --bias-report-id --transformation-report-id --mitigated-dataset-version --target-column-name --task-type --failure --dialect --task-id --from-json --field --key --topic --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "send automl")
            subcommands=""
            flags="--model-id --user-id --dataset-id --dataset-version --version --framework --model-type --algorithm --model-size-mb --training-accuracy --validation-accuracy --test-accuracy --success --failure --dialect --task-id --from-json --field --key --topic --dry-run --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--model-id --user-id --dataset-id --dataset-version --version --framework --model-type --algorithm --model-size-mb --training-accuracy --validation-accuracy --test-accuracy --failure --dialect --task-id --from-json --field --key --topic --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "send xai")
            subcommands=""
            flags="--model-id --dataset-id --dataset-version --user-id --version --framework --model-type --source-event --report-type --level --xai-report-id --success --failure --dialect --task-id --from-json --field --key --topic --dry-run --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--model-id --dataset-id --dataset-version --user-id --version --framework --model-type --source-event --report-type --level --xai-report-id --failure --dialect --task-id --from-json --field --key --topic --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "send drift")
            subcommands=""
            flags="--model-id --version --dataset-id --dataset-version --user-id --drift-detected --message --success --failure --dialect --task-id --from-json --field --key --topic --dry-run --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--model-id --version --dataset-id --dataset-version --user-id --message --failure --dialect --task-id --from-json --field --key --topic --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "send bias-trigger")
            subcommands=""
            flags="--dataset-id --dataset-version --user-id --target-column-name --task-type --task-category --record-count --dialect --task-id --from-json --field --key --topic --dry-run --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--dataset-id --dataset-version --user-id --target-column-name --task-type --task-category --record-count --dialect --task-id --from-json --field --key --topic --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "send automl-trigger")
            subcommands=""
            flags="--dataset-id --dataset-version --user-id --target-column-name --task-type --time-budget --task-category --filename-column --label-column --model-size --dataset-split --dialect --task-id --from-json --field --key --topic --dry-run --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--dataset-id --dataset-version --user-id --target-column-name --task-type --time-budget --task-category --filename-column --label-column --model-size --dataset-split --dialect --task-id --from-json --field --key --topic --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "send xai-trigger")
            subcommands=""
            flags="--model-id --version --dataset-id --dataset-version --user-id --level --report-type --framework --model-type --dialect --task-id --from-json --field --key --topic --dry-run --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--model-id --version --dataset-id --dataset-version --user-id --level --report-type --framework --model-type --dialect --task-id --from-json --field --key --topic --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "send drift-trigger")
            subcommands=""
            flags="--model-id --version --dataset-id --dataset-version --user-id --target-column-name --window-size --dialect --task-id --from-json --field --key --topic --dry-run --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--model-id --version --dataset-id --dataset-version --user-id --target-column-name --window-size --dialect --task-id --from-json --field --key --topic --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "send raw")
            subcommands=""
            flags="--json --repartition --whole --null -0 --key-delimiter -K --key --header -H --partition -p --compression -z --no-idempotent --partitioner --reject --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--key-delimiter -K --key --header -H --partition -p --compression -z --partitioner --reject --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "forward")
            subcommands=""
            flags="--route --topic --group --from --trigger-form --trigger-topic --dead-letter --download-dir --target-column-name --task-type --time-budget --task-category --lookups --count -n --idle --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--route --topic --group --from --trigger-form --trigger-topic --dead-letter --download-dir --target-column-name --task-type --time-budget --task-category --lookups --count -n --idle --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "tail")
            subcommands=""
            flags="--from --until --last --last-per-partition --group --partition -p --isolation --count -n --at-least --at-most --idle --max-outage --key --header --grep --match --jq --format --timestamps --headers --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--from --until --last --last-per-partition --group --partition -p --isolation --count -n --at-least --at-most --idle --max-outage --key --header --grep --match --jq --format --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "wait")
            subcommands=""
            flags="--count -n --absent --success --failure --from --after --cursor --ready-file --max-outage --jq --key --header --grep --match --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--count -n --from --after --ready-file --max-outage --jq --key --header --grep --match --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "smoke")
            subcommands=""
            flags="--folder --bias --through-forward --junit --user-id --dialect --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--junit --user-id --dialect --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "doctor")
            subcommands=""
            flags="--wait --dialect --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--wait --dialect --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "topics")
            subcommands=""
            flags="--create --alter --partitions --replication --config --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--partitions --replication --config --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "lag")
            subcommands=""
            flags="--max --max-age --watch --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--max --max-age --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "config")
            subcommands="show path trust untrust"
            flags="--brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "config show")
            subcommands=""
            flags="--origin --brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "config path")
            subcommands=""
            flags="--brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "config trust")
            subcommands=""
            flags="--brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "config untrust")
            subcommands=""
            flags="--brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "completions")
            subcommands=""
            flags="--brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "man")
            subcommands=""
            flags="--brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
        "help")
            subcommands=""
            flags="--brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color --no-input --quiet -q --verbose -v --help -h"
            valued="--brokers -b --api-url -u --cacert --output -o --timeout --profile --property -X --color"
            ;;
    esac
}

# Sets the words that the value of a flag can be, or whether it is a file.
# Without a flag it is about operands.
_dwctl_value() {
    case "$1 $2" in
        *" --cacert") is_file=1 ;;
        *" --output" | *" -o") words="text json pretty raw" ;;
        *" --color") words="auto always never" ;;
        "upload"" ") is_file=1 ;;
        "upload"" --manifest") is_file=1 ;;
        "upload"" --framework") words="pytorch tensorflow sklearn onnx keras huggingface other" ;;
        "upload"" --model-type") words="classification regression clustering nlp computer_vision recommendation time_series reinforcement_learning other image_classification image_segmentation object_detection video_classification keypoint_detection audio_classification text_classification question_answering causal_lm seq2seq_lm masked_lm tabular_classification tabular_regression tabular_time_series" ;;
        "upload"" --is-primary") words="true false" ;;
        "upload"" --preserve-structure") words="true false" ;;
        "upload"" --meta") is_file=1 ;;
        "upload"" --symlinks") words="inside follow skip error" ;;
        "upload"" --if-exists") words="new skip fail" ;;
        "upload"" --dialect") words="auto form flat task" ;;
        "models list"" --framework") words="pytorch tensorflow sklearn onnx keras huggingface other" ;;
        "models list"" --model-type") words="classification regression clustering nlp computer_vision recommendation time_series reinforcement_learning other image_classification image_segmentation object_detection video_classification keypoint_detection audio_classification text_classification question_answering causal_lm seq2seq_lm masked_lm tabular_classification tabular_regression tabular_time_series" ;;
        "models download"" --output-dir") is_file=1 ;;
        "models verify"" ") is_file=1 ;;
        "models verify"" --symlinks") words="inside follow skip error" ;;
        "models update"" --is-active") words="true false" ;;
        "models update"" --is-production-ready") words="true false" ;;
        "serve"" --dialect") words="all form flat task" ;;
        "serve"" --data-dir") is_file=1 ;;
        "serve"" --ready-file") is_file=1 ;;
        "send bias"" --has-transformation-report") words="true false" ;;
        "send bias"" --dialect") words="auto form flat task" ;;
        "send bias"" --from-json") is_file=1 ;;
        "send automl"" --framework") words="pytorch tensorflow sklearn onnx keras huggingface other" ;;
        "send automl"" --model-type") words="classification regression clustering nlp computer_vision recommendation time_series reinforcement_learning other image_classification image_segmentation object_detection video_classification keypoint_detection audio_classification text_classification question_answering causal_lm seq2seq_lm masked_lm tabular_classification tabular_regression tabular_time_series" ;;
        "send automl"" --dialect") words="auto form flat task" ;;
        "send automl"" --from-json") is_file=1 ;;
        "send xai"" --framework") words="pytorch tensorflow sklearn onnx keras huggingface other" ;;
        "send xai"" --model-type") words="classification regression clustering nlp computer_vision recommendation time_series reinforcement_learning other image_classification image_segmentation object_detection video_classification keypoint_detection audio_classification text_classification question_answering causal_lm seq2seq_lm masked_lm tabular_classification tabular_regression tabular_time_series" ;;
        "send xai"" --level") words="beginner expert" ;;
        "send xai"" --dialect") words="auto form flat task" ;;
        "send xai"" --from-json") is_file=1 ;;
        "send drift"" --drift-detected") words="true false" ;;
        "send drift"" --dialect") words="auto form flat task" ;;
        "send drift"" --from-json") is_file=1 ;;
        "send bias-trigger"" --dialect") words="auto form flat task" ;;
        "send bias-trigger"" --from-json") is_file=1 ;;
        "send automl-trigger"" --task-category") words="tabular vision" ;;
        "send automl-trigger"" --dialect") words="auto form flat task" ;;
        "send automl-trigger"" --from-json") is_file=1 ;;
        "send xai-trigger"" --level") words="beginner expert" ;;
        "send xai-trigger"" --framework") words="pytorch tensorflow sklearn onnx keras huggingface other" ;;
        "send xai-trigger"" --model-type") words="classification regression clustering nlp computer_vision recommendation time_series reinforcement_learning other image_classification image_segmentation object_detection video_classification keypoint_detection audio_classification text_classification question_answering causal_lm seq2seq_lm masked_lm tabular_classification tabular_regression tabular_time_series" ;;
        "send xai-trigger"" --dialect") words="auto form flat task" ;;
        "send xai-trigger"" --from-json") is_file=1 ;;
        "send drift-trigger"" --dialect") words="auto form flat task" ;;
        "send drift-trigger"" --from-json") is_file=1 ;;
        "send raw"" ") is_file=1 ;;
        "send raw"" --compression" | "send raw"" -z") words="none gzip snappy lz4 zstd" ;;
        "send raw"" --partitioner") words="murmur2 consistent fnv1a random" ;;
        "send raw"" --reject") is_file=1 ;;
        "forward"" --route") words="automl-to-xai bias-to-automl dataset-to-bias" ;;
        "forward"" --from") words="beginning end" ;;
        "forward"" --trigger-form") words="event form flat task" ;;
        "forward"" --download-dir") is_file=1 ;;
        "forward"" --task-category") words="tabular vision" ;;
        "tail"" ") words="automl bias xai dataset drift bias-trigger automl-trigger xai-trigger drift-trigger model" ;;
        "tail"" --from") words="beginning end" ;;
        "tail"" --until") words="beginning end" ;;
        "tail"" --isolation") words="committed uncommitted" ;;
        "wait"" ") words="automl bias xai dataset drift bias-trigger automl-trigger xai-trigger drift-trigger model" ;;
        "wait"" --from") words="beginning end" ;;
        "wait"" --ready-file") is_file=1 ;;
        "smoke"" --junit") is_file=1 ;;
        "smoke"" --dialect") words="auto form flat task" ;;
        "doctor"" --dialect") words="auto form flat task" ;;
        "config trust"" ") is_file=1 ;;
        "config untrust"" ") is_file=1 ;;
        "completions"" ") words="bash elvish fish powershell zsh" ;;
        "man"" ") words="demo upload models serve send forward tail wait smoke doctor topics lag config completions man help" ;;
        "help"" ") words="demo upload models serve send forward tail wait smoke doctor topics lag config completions man help" ;;
    esac
}

_dwctl() {
    local command="" pending="" rest="" word cur index
    local subcommands flags valued words="" is_file="" prefix=""
    COMPREPLY=()
    _dwctl_describe ""
    for ((index = 1; index < COMP_CWORD; index++)); do
        word=${COMP_WORDS[index]}
        if [[ $word == "=" ]]; then
            # Bash breaks words there.
            pending=${COMP_WORDS[index - 1]}
        elif [[ -n $pending ]]; then
            pending=""
        elif [[ $word == "--" ]]; then
            rest=1
            break
        elif [[ $word == -* ]]; then
            [[ " $valued " == *" $word "* ]] && pending=$word
        elif [[ " $subcommands " == *" $word "* ]]; then
            command=${command:+$command }$word
            _dwctl_describe "$command"
        fi
    done
    cur=${COMP_WORDS[COMP_CWORD]}
    if [[ $cur == "=" ]]; then
        pending=${COMP_WORDS[COMP_CWORD - 1]}
        cur=""
    elif [[ -z $pending && $cur == --*=* ]]; then
        pending=${cur%%=*}
        prefix=$pending=
        cur=${cur#*=}
    fi

    if [[ -n $rest ]]; then
        is_file=1
    elif [[ -n $pending ]]; then
        _dwctl_value "$command" "$pending"
    elif [[ $cur == -* ]]; then
        words=$flags
    elif [[ -n $subcommands ]]; then
        words=$subcommands
    else
        _dwctl_value "$command" ""
    fi

    if [[ -n $is_file ]]; then
        # Bash quotes what it inserts, so the candidates are plain names.
        compopt -o filenames 2>/dev/null
        cur=${cur#[\"\']}
        cur=${cur//\\/}
        while IFS= read -r word; do
            COMPREPLY+=("$prefix$word")
        done < <(compgen -f -- "$cur")
    fi
    while IFS= read -r word; do
        COMPREPLY+=("$prefix$word")
    done < <(compgen -W "$words" -- "$cur")
}

complete -F _dwctl dwctl
