# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_dwctl_global_optspecs
    string join \n b/brokers= u/api-url= cacert= o/output= timeout= profile= X/property= color= no-input q/quiet v/verbose h/help V/version
end

function __fish_dwctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_dwctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_dwctl_using_subcommand
    set -l cmd (__fish_dwctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c dwctl -n "__fish_dwctl_needs_command" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_needs_command" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_needs_command" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_needs_command" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_needs_command" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_needs_command" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_needs_command" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_needs_command" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_needs_command" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_needs_command" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_needs_command" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_needs_command" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_needs_command" -s V -l version -d 'Print version'
complete -c dwctl -n "__fish_dwctl_needs_command" -f -a "demo" -d 'Show the main job from end to end: nothing to install, nothing to start'
complete -c dwctl -n "__fish_dwctl_needs_command" -f -a "upload" -d 'Upload a model: a file, a folder or a ready .zip'
complete -c dwctl -n "__fish_dwctl_needs_command" -f -a "models" -d 'List, show, download, verify, change and delete models'
complete -c dwctl -n "__fish_dwctl_needs_command" -f -a "serve" -d 'Run the warehouse API and a Kafka broker in this process, on this disk'
complete -c dwctl -n "__fish_dwctl_needs_command" -f -a "send" -d 'Send an event and print where it lies, once all replicas have it'
complete -c dwctl -n "__fish_dwctl_needs_command" -f -a "forward" -d 'Read the events of one step and send the triggers of the next: of uploads, to XAI'
complete -c dwctl -n "__fish_dwctl_needs_command" -f -a "tail" -d 'Print what is on topics, live or up to an end'
complete -c dwctl -n "__fish_dwctl_needs_command" -f -a "wait" -d 'Wait for an event, with a deadline and an exit code'
complete -c dwctl -n "__fish_dwctl_needs_command" -f -a "smoke" -d 'Prove that API, storage and events work, with one verdict'
complete -c dwctl -n "__fish_dwctl_needs_command" -f -a "doctor" -d 'Find what is wrong between here, the API and the brokers'
complete -c dwctl -n "__fish_dwctl_needs_command" -f -a "topics" -d 'List topics, show one, or make one'
complete -c dwctl -n "__fish_dwctl_needs_command" -f -a "lag" -d 'Show how far a consumer group is behind'
complete -c dwctl -n "__fish_dwctl_needs_command" -f -a "config" -d 'Show settings and where they come from'
complete -c dwctl -n "__fish_dwctl_needs_command" -f -a "completions" -d 'Print completions for a shell'
complete -c dwctl -n "__fish_dwctl_needs_command" -f -a "man" -d 'Print a manual page'
complete -c dwctl -n "__fish_dwctl_needs_command" -f -a "help" -d 'Show the help of a subcommand'
complete -c dwctl -n "__fish_dwctl_using_subcommand demo" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand demo" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand demo" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand demo" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand demo" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand demo" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand demo" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand demo" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand demo" -l keep -d 'Leave the stack running and print the commands to go on with'
complete -c dwctl -n "__fish_dwctl_using_subcommand demo" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand demo" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand demo" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand demo" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l manifest -d 'Upload the models that this TOML or JSON file lists; - reads standard input' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l jobs -d 'Of several models, upload so many at a time; 2 where it is not given' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l user-id -d 'Owner of the model; also DWCTL_USER_ID, or user-id in a profile' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l model-id -d 'Id of the model' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l name -d 'Name for people; the model\'s id where none is given' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l description -d 'What the model is and does' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l version -d 'Version, where the API does not assign it itself' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l framework -d 'pytorch, tensorflow, sklearn, onnx, keras, huggingface or other' -r -f -a "pytorch\t''
tensorflow\t''
sklearn\t''
onnx\t''
keras\t''
huggingface\t''
other\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l model-type -d 'classification, regression, nlp, computer_vision, …' -r -f -a "classification\t''
regression\t''
clustering\t''
nlp\t''
computer_vision\t''
recommendation\t''
time_series\t''
reinforcement_learning\t''
other\t''
image_classification\t''
image_segmentation\t''
object_detection\t''
video_classification\t''
keypoint_detection\t''
audio_classification\t''
text_classification\t''
question_answering\t''
causal_lm\t''
seq2seq_lm\t''
masked_lm\t''
tabular_classification\t''
tabular_regression\t''
tabular_time_series\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l algorithm -d 'How it was trained, such as random forest' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l is-primary -d 'The file is the model\'s main one' -r -f -a "true\t''
false\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l tags -d 'Words to find it by, with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l training-dataset -d 'Dataset that the model was trained on; without it no XAI trigger follows' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l training-dataset-version -d 'Version of that dataset' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l training-accuracy -d 'Accuracy on the training data, such as 0.95' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l validation-accuracy -d 'Accuracy on the validation data' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l test-accuracy -d 'Accuracy on the test data' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l training-loss -d 'Loss at the end of training' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l python-version -d 'Python that it needs' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l hardware-requirements -d 'Hardware that it needs, such as 16 GB of memory' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l preserve-structure -d 'Keep the folders of an archive' -r -f -a "true\t''
false\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l field -d 'Any other field of the form; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l meta -d 'Fields in TOML or JSON, below flags and DWCTL_META_FIELD; dwctl.toml in the folder or beside the file otherwise' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l symlinks -d 'What to do with symbolic links in a folder' -r -f -a "inside\t'Follow where they stay inside the folder, refuse others'
follow\t'Follow wherever they lead'
skip\t'Leave them out'
error\t'Refuse them'"
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l exclude -d 'Leave out what matches, in the way of .gitignore; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l include -d 'Take only what matches; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l if-exists -d 'What to do where the model is there already' -r -f -a "new\t'Make a new version'
skip\t'Compare the MD5 of every file, and send nothing where they are the same'
fail\t'Send nothing, and fail with code 4'"
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l retries -d 'Ask and send again at most so often what fails in passing: no connection, a lost one, 408, 425, 429, 5xx; where it may be stored, its record is looked for first' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l limit-rate -d 'Send at most so many bytes a second, all models together: 500k, 2M, 1.5G' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l task-id -d 'Task that the upload belongs to: X-Task-ID, of today\'s service' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l wait-event -d 'End only when the upload\'s event was read back from its topic' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l dialect -d 'Generation of the API: auto, form, flat or task' -r -f -a "auto\t''
form\t''
flat\t''
task\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l keep-going -d 'Of several models, try all though some fail'
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l as-file -d 'Send a .zip as one file, and not to be unpacked'
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l allow-empty -d 'Send a file of no bytes'
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l no-default-excludes -d 'Take also what is left out by default, such as .git, caches and keys'
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l compress -d 'Deflate the text in a folder, files of up to 8 MiB; each of them is read twice for it'
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l dry-run -d 'Say what would be sent, and send nothing; only another --if-exists than new asks the API'
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l print-meta -d 'Show each value of the metadata and where it comes from, and send nothing'
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l print-curl -d 'Show commands of curl that send the same, and send nothing'
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l fail-on-unsafe -d 'Fail with code 8 and send nothing if a file runs code when it is loaded, cannot be looked into, is damaged or incomplete, is a pointer of Git LFS, or has secrets in it'
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand upload" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and not __fish_seen_subcommand_from list show files download verify update delete" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and not __fish_seen_subcommand_from list show files download verify update delete" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and not __fish_seen_subcommand_from list show files download verify update delete" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and not __fish_seen_subcommand_from list show files download verify update delete" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and not __fish_seen_subcommand_from list show files download verify update delete" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and not __fish_seen_subcommand_from list show files download verify update delete" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and not __fish_seen_subcommand_from list show files download verify update delete" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and not __fish_seen_subcommand_from list show files download verify update delete" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and not __fish_seen_subcommand_from list show files download verify update delete" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and not __fish_seen_subcommand_from list show files download verify update delete" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and not __fish_seen_subcommand_from list show files download verify update delete" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and not __fish_seen_subcommand_from list show files download verify update delete" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and not __fish_seen_subcommand_from list show files download verify update delete" -f -a "list" -d 'List the models of a user, newest first'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and not __fish_seen_subcommand_from list show files download verify update delete" -f -a "show" -d 'Show a model\'s record, the latest version unless one is named'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and not __fish_seen_subcommand_from list show files download verify update delete" -f -a "files" -d 'List a model\'s files with size and MD5'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and not __fish_seen_subcommand_from list show files download verify update delete" -f -a "download" -d 'Download a model and check every file\'s size and MD5'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and not __fish_seen_subcommand_from list show files download verify update delete" -f -a "verify" -d 'Compare a file, folder or .zip here with a model there, by size and MD5'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and not __fish_seen_subcommand_from list show files download verify update delete" -f -a "update" -d 'Change fields of a model\'s record, of the latest version unless one is named'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and not __fish_seen_subcommand_from list show files download verify update delete" -f -a "delete" -d 'Delete a version of a model, or all of them'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from list" -l user-id -d 'Owner of the models; also DWCTL_USER_ID, or user-id in a profile' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from list" -l framework -d 'Models of this framework' -r -f -a "pytorch\t''
tensorflow\t''
sklearn\t''
onnx\t''
keras\t''
huggingface\t''
other\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from list" -l model-type -d 'Models of this type' -r -f -a "classification\t''
regression\t''
clustering\t''
nlp\t''
computer_vision\t''
recommendation\t''
time_series\t''
reinforcement_learning\t''
other\t''
image_classification\t''
image_segmentation\t''
object_detection\t''
video_classification\t''
keypoint_detection\t''
audio_classification\t''
text_classification\t''
question_answering\t''
causal_lm\t''
seq2seq_lm\t''
masked_lm\t''
tabular_classification\t''
tabular_regression\t''
tabular_time_series\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from list" -l search -d 'Models whose name or description has this' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from list" -l tags -d 'Models with one of these tags, with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from list" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from list" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from list" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from list" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from list" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from list" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from list" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from list" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from list" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from show" -l user-id -d 'Owner of the model; also DWCTL_USER_ID, or user-id in a profile' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from show" -l version -d 'Version; the latest where none is given' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from show" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from show" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from show" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from show" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from show" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from show" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from show" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from show" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from show" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from files" -l user-id -d 'Owner of the model; also DWCTL_USER_ID, or user-id in a profile' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from files" -l version -d 'Version; the latest where none is given' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from files" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from files" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from files" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from files" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from files" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from files" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from files" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from files" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from files" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from files" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from files" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from files" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from download" -l user-id -d 'Owner of the model; also DWCTL_USER_ID, or user-id in a profile' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from download" -l version -d 'Version; the latest where none is given' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from download" -l file -d 'Only this file of the model' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from download" -l output-dir -d 'Folder to save in' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from download" -l limit-rate -d 'Take at most so many bytes a second: 500k, 2M, 1.5G' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from download" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from download" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from download" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from download" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from download" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from download" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from download" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from download" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from download" -l extract -d 'Unpack into a folder'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from download" -l force -d 'Replace what is there'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from download" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from download" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from download" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from download" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from verify" -l user-id -d 'Owner of the model; also DWCTL_USER_ID, or user-id in a profile' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from verify" -l version -d 'Version; the latest where none is given' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from verify" -l symlinks -d 'What to do with symbolic links in a folder' -r -f -a "inside\t'Follow where they stay inside the folder, refuse others'
follow\t'Follow wherever they lead'
skip\t'Leave them out'
error\t'Refuse them'"
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from verify" -l exclude -d 'Leave out what matches, in the way of .gitignore; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from verify" -l include -d 'Take only what matches; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from verify" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from verify" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from verify" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from verify" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from verify" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from verify" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from verify" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from verify" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from verify" -l as-file -d 'Take a .zip as one file'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from verify" -l no-default-excludes -d 'Take also what is left out by default, such as .git, caches and keys'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from verify" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from verify" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from verify" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l user-id -d 'Owner of the model; also DWCTL_USER_ID, or user-id in a profile' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l version -d 'Version; the latest where none is given' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l name -d 'Name for people' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l description -d 'What the model is and does' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l algorithm -d 'How it was trained, such as random forest' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l training-dataset -d 'Dataset that it was trained on' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l training-accuracy -d 'Accuracy on the training data' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l validation-accuracy -d 'Accuracy on the validation data' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l test-accuracy -d 'Accuracy on the test data' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l training-loss -d 'Loss at the end of training' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l python-version -d 'Python that it needs' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l hardware-requirements -d 'Hardware that it needs' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l tags -d 'All tags, with commas between; an empty text removes them' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l dependencies -d 'All dependencies, with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l input-shape -d 'Sizes of the input\'s dimensions, such as 1,3,224,224' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l output-shape -d 'Sizes of the output\'s dimensions' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l is-active -d 'The model is in use' -r -f -a "true\t''
false\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l is-production-ready -d 'The model may go into production' -r -f -a "true\t''
false\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l field -d 'Any field with a JSON value, such as custom_metadata={"a":1}; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from update" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from delete" -l user-id -d 'Owner of the model; also DWCTL_USER_ID, or user-id in a profile' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from delete" -l version -d 'Version; the latest where none is given' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from delete" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from delete" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from delete" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from delete" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from delete" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from delete" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from delete" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from delete" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from delete" -l all-versions -d 'Delete every version'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from delete" -s y -l yes -d 'Do not ask'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from delete" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from delete" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from delete" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand models; and __fish_seen_subcommand_from delete" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -l dialect -d 'Generation of the API to speak: all from one router, or one exactly' -r -f -a "all\t''
form\t''
flat\t''
task\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -l data-dir -d 'Folder for models and the database' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -l host -d 'Address to listen on' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -l port -d 'Port of the API; 0 takes a free one' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -l broker-port -d 'Port of the embedded broker, 9092 where it is not given; 0 takes a free one' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -l advertise -d 'Name under which clients reach this machine, where --host is not one, such as 0.0.0.0' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -l cors -d 'Origin of web pages that may use the API, or * for all; can be repeated' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -l idle-timeout -d 'Close connections on which nothing happens for this long [default: 30s]' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -l topic -d 'Make this topic too, beside those of the service; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -l partitions -d 'Partitions of each topic' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -l ready-file -d 'Write the two addresses to this file once everything answers' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand serve" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and not __fish_seen_subcommand_from bias automl xai drift bias-trigger automl-trigger xai-trigger drift-trigger raw" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and not __fish_seen_subcommand_from bias automl xai drift bias-trigger automl-trigger xai-trigger drift-trigger raw" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and not __fish_seen_subcommand_from bias automl xai drift bias-trigger automl-trigger xai-trigger drift-trigger raw" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and not __fish_seen_subcommand_from bias automl xai drift bias-trigger automl-trigger xai-trigger drift-trigger raw" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and not __fish_seen_subcommand_from bias automl xai drift bias-trigger automl-trigger xai-trigger drift-trigger raw" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and not __fish_seen_subcommand_from bias automl xai drift bias-trigger automl-trigger xai-trigger drift-trigger raw" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and not __fish_seen_subcommand_from bias automl xai drift bias-trigger automl-trigger xai-trigger drift-trigger raw" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and not __fish_seen_subcommand_from bias automl xai drift bias-trigger automl-trigger xai-trigger drift-trigger raw" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and not __fish_seen_subcommand_from bias automl xai drift bias-trigger automl-trigger xai-trigger drift-trigger raw" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and not __fish_seen_subcommand_from bias automl xai drift bias-trigger automl-trigger xai-trigger drift-trigger raw" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and not __fish_seen_subcommand_from bias automl xai drift bias-trigger automl-trigger xai-trigger drift-trigger raw" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and not __fish_seen_subcommand_from bias automl xai drift bias-trigger automl-trigger xai-trigger drift-trigger raw" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and not __fish_seen_subcommand_from bias automl xai drift bias-trigger automl-trigger xai-trigger drift-trigger raw" -f -a "bias" -d 'Send bias.reported, or with --dialect task bias-detection-complete'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and not __fish_seen_subcommand_from bias automl xai drift bias-trigger automl-trigger xai-trigger drift-trigger raw" -f -a "automl" -d 'Send model.uploaded, or with --dialect task automl-complete'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and not __fish_seen_subcommand_from bias automl xai drift bias-trigger automl-trigger xai-trigger drift-trigger raw" -f -a "xai" -d 'Send xai.trigger, or with --dialect flat xai.reported, with task xai-complete'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and not __fish_seen_subcommand_from bias automl xai drift bias-trigger automl-trigger xai-trigger drift-trigger raw" -f -a "drift" -d 'Send concept-drift-complete'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and not __fish_seen_subcommand_from bias automl xai drift bias-trigger automl-trigger xai-trigger drift-trigger raw" -f -a "bias-trigger" -d 'Send bias-trigger.reported, or with --dialect task bias-detection-trigger'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and not __fish_seen_subcommand_from bias automl xai drift bias-trigger automl-trigger xai-trigger drift-trigger raw" -f -a "automl-trigger" -d 'Send automl-trigger.reported, or with --dialect task automl-trigger'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and not __fish_seen_subcommand_from bias automl xai drift bias-trigger automl-trigger xai-trigger drift-trigger raw" -f -a "xai-trigger" -d 'Send xai.trigger, or with --dialect flat xai-trigger.reported, with task xai-trigger'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and not __fish_seen_subcommand_from bias automl xai drift bias-trigger automl-trigger xai-trigger drift-trigger raw" -f -a "drift-trigger" -d 'Send concept-drift-trigger'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and not __fish_seen_subcommand_from bias automl xai drift bias-trigger automl-trigger xai-trigger drift-trigger raw" -f -a "raw" -d 'Send lines, whole files, or records as tail -o json writes them'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l dataset-id -d 'Id of the dataset' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l dataset-version -d 'Version of the dataset, in an envelope' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l user-id -d 'Owner; also DWCTL_USER_ID, or user-id in a profile' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l bias-report-id -d 'Id of the stored report' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l has-transformation-report -d 'A transformation report is stored too' -r -f -a "true\t''
false\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l transformation-report-id -d 'Id of the transformation report, in an envelope' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l mitigated-dataset-version -d 'Version of the dataset that mitigation made, in an envelope' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l target-column-name -d 'Column that a model is to predict' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l task-type -d 'What a model is to do, such as classification' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l failure -d 'The step failed; without TYPE: under the step\'s own; means --dialect task' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l dialect -d 'Generation of the event: form, flat or task; else by the topics that exist, then the API' -r -f -a "auto\t''
form\t''
flat\t''
task\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l task-id -d 'Task that the event belongs to; means --dialect task' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l from-json -d 'Take fields from a JSON object in a file, or - for standard input' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l field -d 'Set any field: its value is JSON, or text where it is none' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l key -d 'Key in place of the event\'s own' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l topic -d 'Topic in place of the event\'s own; it must exist' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l success -d 'The step succeeded; means --dialect task'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l dry-run -d 'Print topic, key and value, and send nothing; with --dialect it needs no broker'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l model-id -d 'Id of the model' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l user-id -d 'Owner; also DWCTL_USER_ID, or user-id in a profile' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l dataset-id -d 'Dataset that the model was trained on; without it no XAI trigger can follow' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l dataset-version -d 'Version of the dataset, in an envelope' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l version -d 'Version of the model; v1 where it is not given' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l framework -d 'pytorch, tensorflow, sklearn, onnx, keras, huggingface or other' -r -f -a "pytorch\t''
tensorflow\t''
sklearn\t''
onnx\t''
keras\t''
huggingface\t''
other\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l model-type -d 'classification, regression, nlp, computer_vision, …' -r -f -a "classification\t''
regression\t''
clustering\t''
nlp\t''
computer_vision\t''
recommendation\t''
time_series\t''
reinforcement_learning\t''
other\t''
image_classification\t''
image_segmentation\t''
object_detection\t''
video_classification\t''
keypoint_detection\t''
audio_classification\t''
text_classification\t''
question_answering\t''
causal_lm\t''
seq2seq_lm\t''
masked_lm\t''
tabular_classification\t''
tabular_regression\t''
tabular_time_series\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l algorithm -d 'How it was trained, such as random forest' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l model-size-mb -d 'Size of the model\'s files in mebibytes' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l training-accuracy -d 'Accuracy on the training data' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l validation-accuracy -d 'Accuracy on the validation data' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l test-accuracy -d 'Accuracy on the test data' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l failure -d 'The step failed; without TYPE: under the step\'s own; means --dialect task' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l dialect -d 'Generation of the event: form, flat or task; else by the topics that exist, then the API' -r -f -a "auto\t''
form\t''
flat\t''
task\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l task-id -d 'Task that the event belongs to; means --dialect task' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l from-json -d 'Take fields from a JSON object in a file, or - for standard input' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l field -d 'Set any field: its value is JSON, or text where it is none' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l key -d 'Key in place of the event\'s own' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l topic -d 'Topic in place of the event\'s own; it must exist' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l success -d 'The step succeeded; means --dialect task'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l dry-run -d 'Print topic, key and value, and send nothing; with --dialect it needs no broker'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l model-id -d 'Id of the model' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l dataset-id -d 'Id of the dataset' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l dataset-version -d 'Version of the dataset, in an envelope' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l user-id -d 'Owner; also DWCTL_USER_ID, or user-id in a profile' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l version -d 'Version of the model; v1 where it is not given' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l framework -d 'pytorch, tensorflow, sklearn, onnx, keras, huggingface or other' -r -f -a "pytorch\t''
tensorflow\t''
sklearn\t''
onnx\t''
keras\t''
huggingface\t''
other\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l model-type -d 'classification, regression, nlp, computer_vision, …' -r -f -a "classification\t''
regression\t''
clustering\t''
nlp\t''
computer_vision\t''
recommendation\t''
time_series\t''
reinforcement_learning\t''
other\t''
image_classification\t''
image_segmentation\t''
object_detection\t''
video_classification\t''
keypoint_detection\t''
audio_classification\t''
text_classification\t''
question_answering\t''
causal_lm\t''
seq2seq_lm\t''
masked_lm\t''
tabular_classification\t''
tabular_regression\t''
tabular_time_series\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l source-event -d 'Type of the event that caused this one; model.uploaded where it is not given' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l report-type -d 'Kind of the report, of xai.reported' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l level -d 'beginner or expert, of xai.reported' -r -f -a "beginner\t''
expert\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l xai-report-id -d 'Id of the stored report' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l failure -d 'The step failed; without TYPE: under the step\'s own; means --dialect task' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l dialect -d 'Generation of the event: form, flat or task; else by the topics that exist, then the API' -r -f -a "auto\t''
form\t''
flat\t''
task\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l task-id -d 'Task that the event belongs to; means --dialect task' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l from-json -d 'Take fields from a JSON object in a file, or - for standard input' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l field -d 'Set any field: its value is JSON, or text where it is none' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l key -d 'Key in place of the event\'s own' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l topic -d 'Topic in place of the event\'s own; it must exist' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l success -d 'The step succeeded; means --dialect task'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l dry-run -d 'Print topic, key and value, and send nothing; with --dialect it needs no broker'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -l model-id -d 'Id of the model' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -l version -d 'Version of the model; v1 where it is not given' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -l dataset-id -d 'Id of the dataset' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -l dataset-version -d 'Version of the dataset' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -l user-id -d 'Owner; also DWCTL_USER_ID, or user-id in a profile' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -l drift-detected -d 'Whether there is drift' -r -f -a "true\t''
false\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -l message -d 'What the worker says where there is none' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -l failure -d 'The step failed; without TYPE: under the step\'s own; means --dialect task' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -l dialect -d 'Generation of the event: form, flat or task; else by the topics that exist, then the API' -r -f -a "auto\t''
form\t''
flat\t''
task\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -l task-id -d 'Task that the event belongs to; means --dialect task' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -l from-json -d 'Take fields from a JSON object in a file, or - for standard input' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -l field -d 'Set any field: its value is JSON, or text where it is none' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -l key -d 'Key in place of the event\'s own' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -l topic -d 'Topic in place of the event\'s own; it must exist' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -l success -d 'The step succeeded; means --dialect task'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -l dry-run -d 'Print topic, key and value, and send nothing; with --dialect it needs no broker'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -l dataset-id -d 'Id of the dataset' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -l dataset-version -d 'Version of the dataset' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -l user-id -d 'Owner; also DWCTL_USER_ID, or user-id in a profile' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -l target-column-name -d 'Column that a model is to predict' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -l task-type -d 'What a model is to do, such as classification' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -l task-category -d 'tabular or vision, in an envelope' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -l record-count -d 'Rows of the dataset, of the flat event' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -l dialect -d 'Generation of the event: form, flat or task; else by the topics that exist, then the API' -r -f -a "auto\t''
form\t''
flat\t''
task\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -l task-id -d 'Task that the event belongs to; means --dialect task' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -l from-json -d 'Take fields from a JSON object in a file, or - for standard input' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -l field -d 'Set any field: its value is JSON, or text where it is none' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -l key -d 'Key in place of the event\'s own' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -l topic -d 'Topic in place of the event\'s own; it must exist' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -l dry-run -d 'Print topic, key and value, and send nothing; with --dialect it needs no broker'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from bias-trigger" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l dataset-id -d 'Id of the dataset' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l dataset-version -d 'Version of the dataset, in an envelope' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l user-id -d 'Owner; also DWCTL_USER_ID, or user-id in a profile' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l target-column-name -d 'Column that a model is to predict' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l task-type -d 'What a model is to do, such as classification' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l time-budget -d 'Seconds to train for; 10 in a flat event and 60 in an envelope where it is not given' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l task-category -d 'tabular or vision, in an envelope; tabular where it is not given' -r -f -a "tabular\t''
vision\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l filename-column -d 'Column of the images\' file names' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l label-column -d 'Column of the images\' labels' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l model-size -d 'Size of the model to train, such as small' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l dataset-split -d 'Part of a split dataset to train on' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l dialect -d 'Generation of the event: form, flat or task; else by the topics that exist, then the API' -r -f -a "auto\t''
form\t''
flat\t''
task\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l task-id -d 'Task that the event belongs to; means --dialect task' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l from-json -d 'Take fields from a JSON object in a file, or - for standard input' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l field -d 'Set any field: its value is JSON, or text where it is none' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l key -d 'Key in place of the event\'s own' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l topic -d 'Topic in place of the event\'s own; it must exist' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l dry-run -d 'Print topic, key and value, and send nothing; with --dialect it needs no broker'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from automl-trigger" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -l model-id -d 'Id of the model' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -l version -d 'Version of the model; v1 where it is not given' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -l dataset-id -d 'Id of the dataset' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -l dataset-version -d 'Version of the dataset, in an envelope' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -l user-id -d 'Owner; also DWCTL_USER_ID, or user-id in a profile' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -l level -d 'beginner or expert; beginner where it is not given' -r -f -a "beginner\t''
expert\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -l report-type -d 'Method or kind of report, in an envelope; lime where it is not given' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -l framework -d 'pytorch, tensorflow, sklearn, onnx, keras, huggingface or other' -r -f -a "pytorch\t''
tensorflow\t''
sklearn\t''
onnx\t''
keras\t''
huggingface\t''
other\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -l model-type -d 'classification, regression, nlp, computer_vision, …' -r -f -a "classification\t''
regression\t''
clustering\t''
nlp\t''
computer_vision\t''
recommendation\t''
time_series\t''
reinforcement_learning\t''
other\t''
image_classification\t''
image_segmentation\t''
object_detection\t''
video_classification\t''
keypoint_detection\t''
audio_classification\t''
text_classification\t''
question_answering\t''
causal_lm\t''
seq2seq_lm\t''
masked_lm\t''
tabular_classification\t''
tabular_regression\t''
tabular_time_series\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -l dialect -d 'Generation of the event: form, flat or task; else by the topics that exist, then the API' -r -f -a "auto\t''
form\t''
flat\t''
task\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -l task-id -d 'Task that the event belongs to; means --dialect task' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -l from-json -d 'Take fields from a JSON object in a file, or - for standard input' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -l field -d 'Set any field: its value is JSON, or text where it is none' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -l key -d 'Key in place of the event\'s own' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -l topic -d 'Topic in place of the event\'s own; it must exist' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -l dry-run -d 'Print topic, key and value, and send nothing; with --dialect it needs no broker'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from xai-trigger" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -l model-id -d 'Id of the model' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -l version -d 'Version of the model; v1 where it is not given' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -l dataset-id -d 'Id of the dataset' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -l dataset-version -d 'Version of the dataset' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -l user-id -d 'Owner; also DWCTL_USER_ID, or user-id in a profile' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -l target-column-name -d 'Column that a model is to predict' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -l window-size -d 'Rows of a window; 100 where it is not given' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -l dialect -d 'Generation of the event: form, flat or task; else by the topics that exist, then the API' -r -f -a "auto\t''
form\t''
flat\t''
task\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -l task-id -d 'Task that the event belongs to; means --dialect task' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -l from-json -d 'Take fields from a JSON object in a file, or - for standard input' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -l field -d 'Set any field: its value is JSON, or text where it is none' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -l key -d 'Key in place of the event\'s own' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -l topic -d 'Topic in place of the event\'s own; it must exist' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -l dry-run -d 'Print topic, key and value, and send nothing; with --dialect it needs no broker'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from drift-trigger" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -s K -l key-delimiter -d 'What stands between key and value, such as : or \\t; a line without it has no key' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -l key -d 'Key of every record that has none of its own' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -s H -l header -d 'Header of every record; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -s p -l partition -d 'Partition of every record, in place of the key\'s choice' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -s z -l compression -d 'Compression' -r -f -a "none\t''
gzip\t''
snappy\t''
lz4\t''
zstd\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -l partitioner -d 'How keys choose partitions; murmur2 is what Java clients and aiokafka do' -r -f -a "murmur2\t''
consistent\t''
fnv1a\t''
random\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -l reject -d 'File for lines that did not become records, as JSON with number and reason' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -l json -d 'Lines are records as tail -o json writes them'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -l repartition -d 'With --json, let keys choose partitions anew'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -l whole -d 'Send each file, or all of standard input, as one record'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -s 0 -l null -d 'Records end with NUL in place of a line break'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -l idempotent -d 'In order and without duplicates from retries, which is the default'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -l no-idempotent -d 'Faster: a retry after a lost reply may duplicate or reorder records'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand send; and __fish_seen_subcommand_from raw" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -l route -d 'From which step\'s events to which step\'s triggers' -r -f -a "automl-to-xai\t'Models that were uploaded are explained'
bias-to-automl\t'Models are trained on datasets that were examined'
dataset-to-bias\t'Datasets that were uploaded are examined'"
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -l topic -d 'Topic of the events in place of the role\'s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -l group -d 'Consumer group; the other routes have bias-consumer and dataset-consumer where none is set' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -l from -d 'Where a group starts that has no position yet' -r -f -a "beginning\t''
end\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -l trigger-form -d 'Generation of the triggers: by the event and what exists, or one for all' -r -f -a "event\t'An envelope after an envelope; else by the topics that exist, then the API'
form\t'The first: xai.trigger, automl-trigger.reported'
flat\t'Flat: xai-trigger.reported, automl-trigger.reported, bias-trigger.reported'
task\t'An envelope: xai-trigger, automl-trigger, bias-detection-trigger'"
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -l trigger-topic -d 'Topic of the triggers in place of their form\'s own' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -l dead-letter -d 'Topic for records that nothing can be done with' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -l download-dir -d 'Download each model\'s files to DIR/USER/MODEL/VERSION, checked by their MD5' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -l target-column-name -d 'Column that a model is to predict, where the event does not say it' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -l task-type -d 'What a model is to do, where the event does not say it; classification where nothing does' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -l time-budget -d 'Seconds to train for; 10 in a flat event and 60 in an envelope where it is not given' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -l task-category -d 'tabular or vision, in an envelope; tabular for automl where it is not given' -r -f -a "tabular\t''
vision\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -l lookups -d 'Models or datasets that are looked up at once' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -s n -l count -d 'Stop after so many records' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -l idle -d 'Stop when nothing came for so long' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand forward" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l from -d 'Where to start; the end, or with --until the beginning, where it is not given' -r -f -a "beginning\t''
end\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l until -d 'Where to stop: the first place that is not read' -r -f -a "beginning\t''
end\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l last -d 'The newest records of all that is read: the last ones of each partition, by their timestamps' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l last-per-partition -d 'The newest records of each partition' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l group -d 'Read as a member of this group, and commit what was printed' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -s p -l partition -d 'Read only these partitions, with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l isolation -d 'Whether records of open and aborted transactions are shown' -r -f -a "committed\t'Only what is committed'
uncommitted\t'Everything that was written'"
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -s n -l count -d 'Stop after so many printed records' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l at-least -d 'Exit with 8 when the end comes before so many' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l at-most -d 'Exit with 8 as soon as there are more' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l idle -d 'Stop when nothing came for so long; the time while the brokers are away does not count' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l max-outage -d 'Give up when the brokers have been away for so long' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l key -d 'Only records with this key, a pattern' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l header -d 'Only records with this header, its value a pattern' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l grep -d 'Only values that contain the text or /regular expression/' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l match -d 'Only values with the field: =PATTERN != ~REGEX !~ < <= > >=' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l jq -d 'Print the results of a jq expression on the value; $record holds the rest' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l format -d 'Print each record in kcat\'s tokens, and %v{FIELD}' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l timestamps -d 'Show each record\'s timestamp'
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l headers -d 'Show each record\'s headers'
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -s n -l count -d 'Wait for so many events' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -l from -d 'Count events from here on, as tail --from; the end, where it is not given' -r -f -a "beginning\t''
end\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -l after -d 'Count events after these places, as --cursor and send print them' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -l ready-file -d 'Write the places to this file once they are fixed' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -l max-outage -d 'Give up when the brokers have been away for so long' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -l jq -d 'Only events for which this expression of jq gives something other than null and false' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -l key -d 'Only records with this key, a pattern' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -l header -d 'Only records with this header, its value a pattern' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -l grep -d 'Only values that contain the text or /regular expression/' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -l match -d 'Only values with the field: =PATTERN != ~REGEX !~ < <= > >=' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -l absent -d 'Fail when one comes; end well at the timeout'
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -l success -d 'Fail if the step failed; only events that complete a step count'
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -l failure -d 'Fail if the step succeeded; only events that complete a step count'
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -l cursor -d 'Print where the topics end now, for --after, and wait for nothing'
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand smoke" -l junit -d 'Write the steps to this file, as JUnit does' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand smoke" -l user-id -d 'Owner of the models, which are deleted again' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand smoke" -l dialect -d 'Generation of the API: auto, form, flat or task' -r -f -a "auto\t''
form\t''
flat\t''
task\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand smoke" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand smoke" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand smoke" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand smoke" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand smoke" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand smoke" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand smoke" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand smoke" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand smoke" -l folder -d 'Upload a folder too, with two files of one name'
complete -c dwctl -n "__fish_dwctl_using_subcommand smoke" -l bias -d 'Store a bias report through the API too, and read its event back'
complete -c dwctl -n "__fish_dwctl_using_subcommand smoke" -l through-forward -d 'Wait for the XAI trigger that a running forward sends for the upload'
complete -c dwctl -n "__fish_dwctl_using_subcommand smoke" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand smoke" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand smoke" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand smoke" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand doctor" -l wait -d 'Look again until nothing is red, for at most so long' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand doctor" -l dialect -d 'Generation of the API: auto, form, flat or task' -r -f -a "auto\t''
form\t''
flat\t''
task\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand doctor" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand doctor" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand doctor" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand doctor" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand doctor" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand doctor" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand doctor" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand doctor" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand doctor" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand doctor" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand doctor" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand topics" -l partitions -d 'Partitions of the topic [default: 1]' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand topics" -l replication -d 'Replicas of each partition [default: the cluster\'s]' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand topics" -l config -d 'Setting of a topic that is made, can be repeated' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand topics" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand topics" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand topics" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand topics" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand topics" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand topics" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand topics" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand topics" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand topics" -l create -d 'Make the topic if it is not there'
complete -c dwctl -n "__fish_dwctl_using_subcommand topics" -l alter -d 'Add partitions to a topic that exists'
complete -c dwctl -n "__fish_dwctl_using_subcommand topics" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand topics" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand topics" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand topics" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand lag" -l max -d 'Largest lag of all partitions together that is still well' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand lag" -l max-age -d 'Largest age of the oldest unread record that is still well' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand lag" -l watch -d 'Measure again and again, until it is stopped or a threshold is passed' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand lag" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand lag" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand lag" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand lag" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand lag" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand lag" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand lag" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand lag" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand lag" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand lag" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand lag" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand lag" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and not __fish_seen_subcommand_from show path trust untrust" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and not __fish_seen_subcommand_from show path trust untrust" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and not __fish_seen_subcommand_from show path trust untrust" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and not __fish_seen_subcommand_from show path trust untrust" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and not __fish_seen_subcommand_from show path trust untrust" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and not __fish_seen_subcommand_from show path trust untrust" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and not __fish_seen_subcommand_from show path trust untrust" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and not __fish_seen_subcommand_from show path trust untrust" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and not __fish_seen_subcommand_from show path trust untrust" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and not __fish_seen_subcommand_from show path trust untrust" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and not __fish_seen_subcommand_from show path trust untrust" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and not __fish_seen_subcommand_from show path trust untrust" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and not __fish_seen_subcommand_from show path trust untrust" -f -a "show" -d 'Show every setting that has a value'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and not __fish_seen_subcommand_from show path trust untrust" -f -a "path" -d 'Print the path of the settings file that applies'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and not __fish_seen_subcommand_from show path trust untrust" -f -a "trust" -d 'Trust a project file with its present content'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and not __fish_seen_subcommand_from show path trust untrust" -f -a "untrust" -d 'Stop trusting a project file'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from show" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from show" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from show" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from show" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from show" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from show" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from show" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from show" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from show" -l origin -d 'Say which flag, variable, profile or file each value came from'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from show" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from path" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from path" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from path" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from path" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from path" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from path" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from path" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from path" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from path" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from path" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from path" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from path" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from trust" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from trust" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from trust" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from trust" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from trust" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from trust" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from trust" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from trust" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from trust" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from trust" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from trust" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from trust" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from untrust" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from untrust" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from untrust" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from untrust" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from untrust" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from untrust" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from untrust" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from untrust" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from untrust" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from untrust" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from untrust" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand config; and __fish_seen_subcommand_from untrust" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand completions" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand completions" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand completions" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand completions" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand completions" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand completions" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand completions" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand completions" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand completions" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand completions" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand completions" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand completions" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand man" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand man" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand man" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand man" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand man" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand man" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand man" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand man" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand man" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand man" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand man" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand man" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand help" -s b -l brokers -d 'Kafka bootstrap servers, HOST:PORT with commas between' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand help" -s u -l api-url -d 'Base address of the warehouse API' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand help" -l cacert -d 'CA certificates of an https:// API, in place of the system\'s' -r -F
complete -c dwctl -n "__fish_dwctl_using_subcommand help" -s o -l output -d 'Form of the data on standard output: text or json; tail also takes pretty and raw' -r -f -a "text\t''
json\t''
pretty\t''
raw\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand help" -l timeout -d 'Bound on the whole command, such as 30s' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand help" -l profile -d 'Profile of the settings file' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand help" -s X -l property -d 'Set a librdkafka property; may stand several times' -r
complete -c dwctl -n "__fish_dwctl_using_subcommand help" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dwctl -n "__fish_dwctl_using_subcommand help" -l no-input -d 'Never ask a question; implied by CI=true'
complete -c dwctl -n "__fish_dwctl_using_subcommand help" -s q -l quiet -d 'Say nothing but data and errors'
complete -c dwctl -n "__fish_dwctl_using_subcommand help" -s v -l verbose -d 'Say more: -v requests, -vv what the client libraries say'
complete -c dwctl -n "__fish_dwctl_using_subcommand help" -s h -l help -d 'Print help'
complete -c dwctl -n "__fish_dwctl_using_subcommand tail" -f -a "automl bias xai dataset drift bias-trigger automl-trigger xai-trigger drift-trigger model"
complete -c dwctl -n "__fish_dwctl_using_subcommand wait" -f -a "automl bias xai dataset drift bias-trigger automl-trigger xai-trigger drift-trigger model"
complete -c dwctl -n "__fish_dwctl_using_subcommand completions" -f -a "bash elvish fish powershell zsh"
complete -c dwctl -n "__fish_dwctl_using_subcommand man" -f -a "demo upload models serve send forward tail wait smoke doctor topics lag config completions man help"
complete -c dwctl -n "__fish_dwctl_using_subcommand help" -f -a "demo upload models serve send forward tail wait smoke doctor topics lag config completions man help"
