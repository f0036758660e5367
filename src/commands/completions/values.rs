//! The words that a value can be, where the parser takes any text: they are checked later, or are a
//! choice among others, as roles are among topics.

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command};

use crate::schema::model::{Framework, ModelType};
use crate::schema::role::{Dialect, Role};

/// Returns the command and its subcommands with these words as possible values.
pub(super) fn with_known_values(command: Command) -> Command {
    let subcommands: Vec<&'static str> =
        command.get_subcommands().map(|sub| lasting(sub.get_name())).collect();
    with_values_below(command, &subcommands)
}

fn with_values_below(command: Command, subcommands: &[&'static str]) -> Command {
    command
        .mut_args(|arg| match known_words(&arg, subcommands) {
            Some(words) => arg.value_parser(PossibleValuesParser::new(words)),
            None => arg,
        })
        .mut_subcommands(|sub| with_values_below(sub, subcommands))
}

/// Returns the words of one argument; `None` if it has none, or the parser knows them.
fn known_words(arg: &Arg, subcommands: &[&'static str]) -> Option<Vec<&'static str>> {
    if !arg.get_possible_values().is_empty() || !arg.get_action().takes_values() {
        return None;
    }
    let name = arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name);
    match (arg.get_id().as_str(), name) {
        ("framework", _) => Some(Framework::WORDS.to_vec()),
        ("model_type", _) => Some(ModelType::WORDS.to_vec()),
        (_, "EVENT|TOPIC") => Some(Role::ALL.map(Role::name).to_vec()),
        (_, "DIALECT") => {
            Some(["auto"].into_iter().chain(Dialect::ALL.map(Dialect::name)).collect())
        }
        (_, "POSITION") => Some(vec!["beginning", "end"]),
        (_, "COMMAND") if arg.is_positional() && !arg.is_last_set() => Some(subcommands.to_vec()),
        (_, choices) if choices.contains('|') && !choices.contains(char::is_uppercase) => {
            Some(choices.split('|').map(lasting).collect())
        }
        _ => None,
    }
}

/// The parser keeps words for ever. The program prints its completions and ends.
fn lasting(word: &str) -> &'static str {
    word.to_owned().leak()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory;

    fn words_of(path: &[&str], id: &str) -> Vec<String> {
        let mut root = Cli::command();
        root.build();
        let root = with_known_values(root);
        let command = path.iter().fold(&root, |at, name| at.find_subcommand(name).unwrap());
        let arg = command.get_arguments().find(|arg| arg.get_id() == id).unwrap();
        arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect()
    }

    #[test]
    fn every_closed_list_of_words_is_known() {
        for (path, id, word) in [
            (&["upload"][..], "framework", "pytorch"),
            (&["upload"], "model_type", "regression"),
            (&["upload"], "dialect", "flat"),
            (&["models", "list"], "framework", "onnx"),
            (&["models", "list"], "model_type", "nlp"),
            (&["smoke"], "dialect", "auto"),
            (&["doctor"], "dialect", "task"),
            (&["serve"], "dialect", "all"),
            (&["send", "automl"], "framework", "pytorch"),
            (&["send", "automl"], "dialect", "form"),
            (&["forward"], "route", "bias-to-automl"),
            (&["forward"], "trigger_form", "event"),
            (&["tail"], "sources", "xai-trigger"),
            (&["tail"], "from", "beginning"),
            (&["tail"], "until", "end"),
            (&["tail"], "isolation", "committed"),
            (&["tail"], "color", "never"),
            (&["tail"], "output", "raw"),
            (&["wait"], "sources", "automl"),
            (&["help"], "command", "upload"),
            (&["man"], "command", "models"),
            (&["completions"], "shell", "zsh"),
        ] {
            let words = words_of(path, id);
            assert!(words.iter().any(|known| known == word), "{path:?} {id}: {words:?}");
        }
        assert!(words_of(&["wait"], "command").is_empty(), "any program may be run");
    }
}
