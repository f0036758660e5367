//! The script for bash. Bash breaks words at `=`, splits candidates at blanks, and inserts what all
//! of them begin with; the library's script heeds none of it.

use clap::{Arg, Command, ValueHint};

/// The part that is the same for every command line.
const ENGINE: &str = r#"
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
"#;

/// Returns the script for a built command.
pub(super) fn render_bash(root: &Command) -> String {
    let mut commands = Vec::new();
    collect_commands(root, "", &mut commands);
    let mut script = "# Completions of dwctl for bash.\n\n".to_owned();
    script += "# Sets the subcommands of a command, its flags, and those with a value.\n";
    script +=
        "_dwctl_describe() {\n    subcommands=\"\" flags=\"\" valued=\"\"\n    case \"$1\" in\n";
    for (path, command) in &commands {
        script += &describe(path, command);
    }
    script += "    esac\n}\n\n# Sets the words that the value of a flag can be, or whether it is a file.\n";
    script += "# Without a flag it is about operands.\n";
    script += "_dwctl_value() {\n    case \"$1 $2\" in\n";
    for arg in root.get_arguments().filter(|arg| arg.is_global_set()) {
        script += &value_case("*", arg);
    }
    for (path, command) in &commands {
        let own = command.get_arguments().filter(|arg| !arg.is_global_set() && !arg.is_last_set());
        for arg in own {
            script += &value_case(&format!("\"{path}\""), arg);
        }
    }
    script + "    esac\n}\n" + ENGINE
}

/// Appends a command and those below it, by the words that lead to them.
fn collect_commands<'c>(
    command: &'c Command,
    path: &str,
    commands: &mut Vec<(String, &'c Command)>,
) {
    commands.push((path.to_owned(), command));
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let path = format!("{path} {}", sub.get_name());
        collect_commands(sub, path.trim_start(), commands);
    }
}

fn describe(path: &str, command: &Command) -> String {
    let subcommands: Vec<&str> =
        command.get_subcommands().filter(|sub| !sub.is_hide_set()).map(Command::get_name).collect();
    let visible =
        || command.get_arguments().filter(|arg| !arg.is_positional() && !arg.is_hide_set());
    let flags: Vec<String> = visible().flat_map(spellings).collect();
    let valued: Vec<String> =
        visible().filter(|arg| needs_value(arg)).flat_map(spellings).collect();
    format!(
        "        \"{path}\")\n            subcommands=\"{}\"\n            flags=\"{}\"\n            valued=\"{}\"\n            ;;\n",
        subcommands.join(" "),
        flags.join(" "),
        valued.join(" ")
    )
}

fn spellings(arg: &Arg) -> Vec<String> {
    let long = arg.get_long().map(|long| format!("--{long}"));
    let short = arg.get_short().map(|short| format!("-{short}"));
    long.into_iter().chain(short).collect()
}

/// Whether the next word is always the value.
fn needs_value(arg: &Arg) -> bool {
    let fewest = arg.get_num_args().map_or(1, |range| range.min_values());
    arg.get_action().takes_values() && fewest > 0 && !arg.is_require_equals_set()
}

/// The line of one argument in the table of values; empty if there is nothing to offer.
fn value_case(path: &str, arg: &Arg) -> String {
    if !arg.get_action().takes_values() {
        return String::new();
    }
    let words: Vec<String> =
        arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    let is_file = matches!(
        arg.get_value_hint(),
        ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath
    );
    let action = match (words.is_empty(), is_file) {
        (false, _) => format!("words=\"{}\"", words.join(" ")),
        (true, true) => "is_file=1".to_owned(),
        (true, false) => return String::new(),
    };
    let spelt = if arg.is_positional() { vec![String::new()] } else { spellings(arg) };
    let patterns: Vec<String> = spelt.iter().map(|flag| format!("{path}\" {flag}\"")).collect();
    format!("        {}) {action} ;;\n", patterns.join(" | "))
}
