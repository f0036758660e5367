//! The table of subcommands. Each has one file with its arguments and its `cmd_` function: parse,
//! call a flow, render.

mod completions;
mod config;
mod deferred;
mod demo;
mod doctor;
mod folder_argument;
mod forward;
mod generation;
mod help;
mod kcat;
mod lag;
mod man;
mod metadata;
mod models;
mod read;
mod ready_file;
mod send;
mod serve;
mod smoke;
mod sums;
mod tail;
mod topics;
mod upload;
mod wait;
mod walk;
mod workspace;

use std::time::Duration;

use clap::Subcommand;
pub use kcat::in_our_words as kcat_in_our_words;

use self::deferred::Deferred;
use crate::base::Failure;
use crate::base::nearest::nearest;
use crate::context::Context;
use crate::schema::model::UnknownWord;
use crate::settings::{Footprint, Key, System};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the main job from end to end: nothing to install, nothing to start
    Demo(Deferred<demo::DemoArgs>),
    /// Upload a model: a file, a folder or a ready .zip
    Upload(Deferred<Box<upload::UploadArgs>>),
    /// List, show, download, verify, change and delete models
    Models(Deferred<models::ModelsArgs>),
    /// Run the warehouse API and a Kafka broker in this process, on this disk
    Serve(Deferred<serve::ServeArgs>),
    /// Send an event and print where it lies, once all replicas have it
    Send(Deferred<send::SendArgs>),
    /// Read the events of one step and send the triggers of the next: of uploads, to XAI
    Forward(Deferred<forward::ForwardArgs>),
    /// Print what is on topics, live or up to an end
    Tail(Deferred<tail::TailArgs>),
    /// Wait for an event, with a deadline and an exit code
    Wait(Deferred<wait::WaitArgs>),
    /// Prove that API, storage and events work, with one verdict
    Smoke(Deferred<smoke::SmokeArgs>),
    /// Find what is wrong between here, the API and the brokers
    Doctor(Deferred<doctor::DoctorArgs>),
    /// List topics, show one, or make one
    Topics(Deferred<topics::TopicsArgs>),
    /// Show how far a consumer group is behind
    Lag(Deferred<lag::LagArgs>),
    /// Show settings and where they come from
    Config(Deferred<config::ConfigArgs>),
    /// Print completions for a shell
    Completions(Deferred<completions::CompletionsArgs>),
    /// Print a manual page
    Man(Deferred<man::ManArgs>),
    /// Show the help of a subcommand
    Help(Deferred<help::HelpArgs>),
}

/// How long a command may go on after a signal or its deadline, and the message of one that does.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// After the first signal; `None` for a command that drains until it is done.
    pub after_signal: Option<Duration>,
    /// After the deadline; `None` for a command that drains until it is done.
    pub after_deadline: Option<Duration>,
    pub suspicion: &'static str,
}

impl Patience {
    /// For commands that do not drain: whatever they wait for by then does not come.
    const USUAL: Self = Self {
        after_signal: Some(Duration::from_secs(10)),
        after_deadline: Some(Duration::from_secs(2)),
        suspicion: "the command did not end in time: a file, a terminal or a program that it waits for does not answer",
    };
    /// For commands that drain.
    const NONE: Self = Self { after_signal: None, after_deadline: None, ..Self::USUAL };

    const fn of(grace: Duration, suspicion: &'static str) -> Self {
        Self { after_signal: Some(grace), after_deadline: Some(grace), suspicion }
    }

    /// For commands that evaluate an expression of jq.
    const fn of_program(grace: Duration) -> Self {
        Self::of(grace, "the --jq expression does not end")
    }
}

impl Command {
    /// How long to wait for its end after a signal or its deadline.
    #[must_use]
    pub fn patience(&self) -> Patience {
        match self {
            Command::Tail(Deferred(args)) => args.patience(),
            Command::Wait(Deferred(args)) => args.patience(),
            Command::Forward(_) => Patience { after_signal: None, ..Patience::USUAL },
            Command::Serve(_) | Command::Demo(_) => Patience::NONE,
            _ => Patience::USUAL,
        }
    }

    /// Whether it evaluates an expression of its user's, however deep that or a value may be.
    #[must_use]
    pub fn evaluates(&self) -> bool {
        match self {
            Command::Tail(Deferred(args)) => args.evaluates(),
            Command::Wait(Deferred(args)) => args.evaluates(),
            _ => false,
        }
    }

    /// Whether it stops once nobody can read what it prints.
    #[must_use]
    pub fn ends_with_reader(&self) -> bool {
        matches!(self, Command::Tail(_) | Command::Forward(_))
    }

    /// Settings that a subcommand takes as flags of its own.
    #[must_use]
    pub fn overrides(&self) -> Vec<(Key, String)> {
        match self {
            Command::Serve(Deferred(args)) => args.overrides(),
            Command::Upload(Deferred(args)) => args.overrides(),
            Command::Forward(Deferred(args)) => args.overrides(),
            Command::Send(Deferred(args)) => args.overrides(),
            Command::Smoke(Deferred(args)) => args.overrides(),
            Command::Doctor(Deferred(args)) => args.overrides(),
            Command::Demo(_)
            | Command::Models(_)
            | Command::Tail(_)
            | Command::Wait(_)
            | Command::Topics(_)
            | Command::Lag(_)
            | Command::Config(_)
            | Command::Completions(_)
            | Command::Man(_)
            | Command::Help(_) => Vec::new(),
        }
    }

    /// Whether it depends on settings files. Help must work in every folder, and a
    /// malformed file must not keep its user from trusting another one.
    #[must_use]
    pub fn reads_settings_file(&self) -> bool {
        match self {
            Command::Help(_) | Command::Man(_) | Command::Completions(_) => false,
            Command::Config(Deferred(args)) => args.reads_settings_file(),
            _ => true,
        }
    }

    /// Which systems it uses, and whether it commits, deletes or triggers there.
    fn footprint(&self) -> Footprint {
        const BOTH: &[System] = &[System::Api, System::Brokers];
        const BROKERS: &[System] = &[System::Brokers];
        match self {
            Command::Upload(Deferred(args)) => args.footprint(),
            Command::Models(Deferred(args)) => args.footprint(),
            Command::Send(Deferred(args)) => args.footprint(),
            Command::Tail(Deferred(args)) => args.footprint(),
            Command::Topics(Deferred(args)) => args.footprint(),
            Command::Forward(_) | Command::Smoke(_) => Footprint::new(BOTH, true),
            Command::Wait(_) | Command::Lag(_) => Footprint::reads(BROKERS),
            // The doctor makes a finding of it; the others start their own systems, or use none.
            Command::Doctor(_)
            | Command::Demo(_)
            | Command::Serve(_)
            | Command::Config(_)
            | Command::Completions(_)
            | Command::Man(_)
            | Command::Help(_) => Footprint::NONE,
        }
    }

    /// Runs the subcommand to its end.
    ///
    /// # Errors
    /// Whatever ended it before what was asked for.
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        context.check_footprint(self.footprint())?;
        match self {
            Command::Demo(Deferred(args)) => demo::cmd_demo(context, &args),
            Command::Upload(Deferred(args)) => upload::cmd_upload(context, &args),
            Command::Models(Deferred(args)) => models::cmd_models(context, &args),
            Command::Serve(Deferred(args)) => serve::cmd_serve(context, &args),
            Command::Send(Deferred(args)) => send::cmd_send(context, &args),
            Command::Forward(Deferred(args)) => forward::cmd_forward(context, &args),
            Command::Tail(Deferred(args)) => tail::cmd_tail(context, &args),
            Command::Wait(Deferred(args)) => wait::cmd_wait(context, &args),
            Command::Smoke(Deferred(args)) => smoke::cmd_smoke(context, &args),
            Command::Doctor(Deferred(args)) => doctor::cmd_doctor(context, &args),
            Command::Topics(Deferred(args)) => topics::cmd_topics(context, &args),
            Command::Lag(Deferred(args)) => lag::cmd_lag(context, &args),
            Command::Config(Deferred(args)) => config::cmd_config(context, &args),
            Command::Completions(Deferred(args)) => completions::cmd_completions(context, &args),
            Command::Man(Deferred(args)) => man::cmd_man(context, &args),
            Command::Help(Deferred(args)) => help::cmd_help(context, &args),
        }
    }
}

/// The refusal of a word that is not on its list: the flag, the nearest words, then all of them.
fn unknown_word(flag: &str, unknown: &UnknownWord) -> Failure {
    let failure = Failure::usage(format!("{flag} cannot be {:?}", unknown.word));
    let failure = match nearest(&unknown.word, unknown.known.iter().copied(), 2).as_slice() {
        [] => failure,
        near => failure.hint(format!("did you mean {}?", near.join(" or "))),
    };
    failure.hint(format!("allowed: {}", unknown.known.join(", ")))
}
