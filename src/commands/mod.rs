//! The table of subcommands. Each has one file with its arguments and its `cmd_` function: parse,
//! call a flow, render.

mod completions;
mod config;
mod demo;
mod doctor;
mod forward;
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

use crate::base::Failure;
use crate::base::nearest::nearest;
use crate::context::Context;
use crate::schema::model::UnknownWord;
use crate::settings::Key;

#[derive(Debug, Subcommand)]
pub enum Command {
    Demo(demo::DemoArgs),
    Upload(Box<upload::UploadArgs>),
    Models(models::ModelsArgs),
    Serve(serve::ServeArgs),
    Send(send::SendArgs),
    Forward(forward::ForwardArgs),
    Tail(tail::TailArgs),
    Wait(wait::WaitArgs),
    Smoke(smoke::SmokeArgs),
    Doctor(doctor::DoctorArgs),
    Topics(topics::TopicsArgs),
    Lag(lag::LagArgs),
    Config(config::ConfigArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    Help(help::HelpArgs),
}

/// How long a command that was told to stop may go on, and what is said of one that does longer.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    pub grace: Duration,
    pub suspicion: &'static str,
}

impl Patience {
    /// For commands that evaluate an expression of jq.
    const fn of_program(grace: Duration) -> Self {
        Self { grace, suspicion: "the --jq expression does not end" }
    }
}

impl Command {
    /// How long to wait for its end, once it was told to stop, where it may stand where no stop
    /// reaches it.
    #[must_use]
    pub fn may_hang(&self) -> Option<Patience> {
        match self {
            Command::Tail(args) => Some(args.patience()),
            Command::Wait(args) => args.patience(),
            _ => None,
        }
    }

    /// Settings that a subcommand takes as flags of its own.
    #[must_use]
    pub fn overrides(&self) -> Vec<(Key, String)> {
        match self {
            Command::Serve(args) => args.overrides(),
            Command::Upload(args) => args.overrides(),
            Command::Forward(args) => args.overrides(),
            Command::Send(args) => args.overrides(),
            Command::Smoke(args) => args.overrides(),
            Command::Doctor(args) => args.overrides(),
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

    /// Runs the subcommand to its end.
    ///
    /// # Errors
    /// Whatever ended it before what was asked for.
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Command::Demo(args) => demo::cmd_demo(context, &args),
            Command::Upload(args) => upload::cmd_upload(context, &args),
            Command::Models(args) => models::cmd_models(context, &args),
            Command::Serve(args) => serve::cmd_serve(context, &args),
            Command::Send(args) => send::cmd_send(context, &args),
            Command::Forward(args) => forward::cmd_forward(context, &args),
            Command::Tail(args) => tail::cmd_tail(context, &args),
            Command::Wait(args) => wait::cmd_wait(context, &args),
            Command::Smoke(args) => smoke::cmd_smoke(context, &args),
            Command::Doctor(args) => doctor::cmd_doctor(context, &args),
            Command::Topics(args) => topics::cmd_topics(context, &args),
            Command::Lag(args) => lag::cmd_lag(context, &args),
            Command::Config(args) => config::cmd_config(context, &args),
            Command::Completions(args) => completions::cmd_completions(context, &args),
            Command::Man(args) => man::cmd_man(context, &args),
            Command::Help(args) => help::cmd_help(context, &args),
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
