//! Subcommands that are described only when they are asked for.

use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches, Id};

/// The arguments of a subcommand, described to the parser once it has met the subcommand's name, or to
/// whoever builds the whole tree. The line about the subcommand is not among them: it stands with the
/// variant, for the list of all.
///
/// Describing every subcommand took each start of the program half a millisecond.
#[derive(Debug)]
pub struct Deferred<A>(pub A);

impl<A: Args> Args for Deferred<A> {
    fn group_id() -> Option<Id> {
        A::group_id()
    }

    fn augment_args(command: Command) -> Command {
        command.defer(|command| described(command, A::augment_args))
    }

    fn augment_args_for_update(command: Command) -> Command {
        command.defer(|command| described(command, A::augment_args_for_update))
    }
}

/// A subcommand as it would be, had it been described at once: what it inherits comes after what is its
/// own, and its line is the one that it has already.
fn described(command: Command, describe: fn(Command) -> Command) -> Command {
    let inherited = command.get_arguments().count();
    let about = command.get_about().cloned();
    let command = describe(command).about(about.unwrap_or_default()).long_about(None);
    let mut arguments: Vec<Arg> = command.get_arguments().cloned().collect();
    arguments.rotate_left(inherited);
    let mut in_order = arguments.into_iter();
    command.mut_args(|argument| in_order.next().unwrap_or(argument))
}

impl<A: FromArgMatches> FromArgMatches for Deferred<A> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        A::from_arg_matches(matches).map(Self)
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        A::from_arg_matches_mut(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }

    fn update_from_arg_matches_mut(&mut self, matches: &mut ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches_mut(matches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Parser, Subcommand};

    #[derive(Debug, Parser)]
    struct Root {
        #[arg(long, global = true)]
        everywhere: bool,
        #[command(subcommand)]
        command: Commands,
    }

    #[derive(Debug, Subcommand)]
    enum Commands {
        /// Its line
        One(Deferred<OneArgs>),
    }

    #[derive(Debug, Args)]
    struct OneArgs {
        #[arg(long)]
        own: bool,
        #[command(flatten)]
        part: PartArgs,
    }

    /// The line of a part
    #[derive(Debug, Args)]
    struct PartArgs {
        #[arg(long)]
        of_a_part: bool,
    }

    #[test]
    fn a_subcommand_is_described_when_the_tree_is_built() {
        let mut root = <Root as clap::CommandFactory>::command();
        let one = |root: &Command| root.find_subcommand("one").unwrap().clone();
        assert_eq!(one(&root).get_arguments().count(), 0);
        assert_eq!(one(&root).get_about().unwrap().to_string(), "Its line");
        root.build();
        let built = one(&root);
        let names: Vec<&str> =
            built.get_arguments().map(|argument| argument.get_id().as_str()).collect();
        assert_eq!(names[..3], ["own", "of_a_part", "everywhere"]);
        assert_eq!(built.get_about().unwrap().to_string(), "Its line");
    }

    #[test]
    fn its_arguments_are_taken_from_the_words() {
        let root = Root::parse_from(["root", "one", "--own", "--everywhere"]);
        let Commands::One(Deferred(one)) = root.command;
        assert!(root.everywhere && one.own && !one.part.of_a_part);
    }
}
