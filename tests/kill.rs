//! `kill -9` of `dwctl serve` at random moments, while clients upload, update and delete, and on a
//! Kafka that hangs and dies as well: what was answered with 200 has its files, its row and its event,
//! nothing else has, and the events of a model come in the order of its changes.
//!
//! `DWCTL_TEST_SCALE=full` kills a hundred times.

mod client;
mod proof;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use dwctl::base::IdSource;
use rustix::process::Signal;

use crate::support::PATIENCE;
use crate::support::environment::Environment;
use crate::support::kafka::{Kafka, OwnCluster, OwnKafka, unused_name};
use crate::support::run::Running;
use crate::support::scale::scaled;
use crate::support::stack::Stack;
use client::Client;

/// Clients at once: each has models of its own, so that each knows what must be.
const CLIENTS: usize = 4;

/// Numbers that look random and can be had again by their seed, which a failure shows.
#[derive(Clone)]
pub struct Dice(u64);

impl Dice {
    fn shaken() -> Self {
        let seed = u64::from_str_radix(&IdSource::random().hex(16), 16).unwrap();
        eprintln!("the dice were shaken to {seed}");
        Self(seed | 1)
    }

    /// Below `sides`.
    pub fn throw(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// What clients do to a server, until it is killed.
struct Load {
    /// Told of each reply with 200.
    replies: Receiver<()>,
}

impl Load {
    /// Waits until so many requests that were begun from now on have been answered.
    #[track_caller]
    fn await_replies(&self, count: usize) {
        while self.replies.try_recv().is_ok() {}
        // One a client may have been on its way before.
        for _ in 0..count + CLIENTS {
            self.replies.recv_timeout(PATIENCE).expect("a reply");
        }
    }

    /// Lets it go on for a while, which ends anywhere in somebody's request.
    fn go_on_for(&self, while_: Duration) {
        let end = Instant::now() + while_;
        while self.replies.recv_timeout(end.saturating_duration_since(Instant::now())).is_ok() {}
    }
}

/// Runs clients against a server while `harm` does what it does, and kills the server at its end.
/// A process that is killed when this is dropped.
struct Killed<'a>(&'a Running);

impl Drop for Killed<'_> {
    fn drop(&mut self) {
        self.0.signal(Signal::KILL);
    }
}

fn kill_under_load(stack: Stack, clients: &mut [Client], harm: impl FnOnce(&Load)) -> Environment {
    let (told, replies): (Sender<()>, _) = channel();
    std::thread::scope(|scope| {
        for client in clients {
            let (host, told) = (stack.host().to_owned(), told.clone());
            scope.spawn(move || client.work(&host, &told));
        }
        // Also where a claim fails meanwhile: the clients work until the server is gone.
        let _killed = Killed(stack.process());
        harm(&Load { replies });
    });
    stack.wait().1
}

fn clients(dice: &mut Dice) -> Vec<Client> {
    let user = unused_name("killed");
    (0..CLIENTS).map(|number| Client::new(&user, number, Dice(dice.throw(u64::MAX) | 1))).collect()
}

#[test]
fn what_was_answered_for_is_there_and_nothing_else_however_often_the_server_is_killed() {
    let Some(kafka) = Kafka::shared() else { return };
    let mut dice = Dice::shaken();
    let mut clients = clients(&mut dice);
    let mut environment = Environment::new();
    let arguments = ["--brokers", &kafka.brokers];
    for _ in 0..scaled(4, 100) {
        let stack = Stack::start_in(environment, &arguments);
        clients.iter_mut().for_each(|client| client.find_out(&stack));
        let moment = Duration::from_micros(dice.throw(300_000));
        environment = kill_under_load(stack, &mut clients, |load| {
            load.await_replies(1);
            load.go_on_for(moment);
        });
    }
    let stack = Stack::start_in(environment, &arguments);
    clients.iter_mut().for_each(|client| client.find_out(&stack));
    stack.wait_until_published();
    proof::of(&clients, &stack, &kafka);
}

#[test]
fn replies_come_and_nothing_is_lost_while_the_broker_hangs_and_dies_and_the_server_too() {
    let Some(mut own) = OwnKafka::planned() else { return };
    let mut dice = Dice::shaken();
    let mut clients = clients(&mut dice);
    let kafka = own.start();
    let arguments = ["--brokers", &kafka.brokers];
    let mut environment = Environment::new();

    // Each of these ends only because requests are answered while the broker does not.
    let stack = Stack::start_in(environment, &arguments);
    environment = kill_under_load(stack, &mut clients, |load| {
        load.await_replies(20);
        own.pause();
        load.await_replies(20);
    });
    let stack = Stack::start_in(environment, &arguments);
    clients.iter_mut().for_each(|client| client.find_out(&stack));
    environment = kill_under_load(stack, &mut clients, |load| {
        load.await_replies(20);
        own.resume();
        load.await_replies(20);
        own.kill();
        load.await_replies(20);
    });
    let stack = Stack::start_in(environment, &arguments);
    clients.iter_mut().for_each(|client| client.find_out(&stack));
    environment = kill_under_load(stack, &mut clients, |load| {
        load.await_replies(20);
        own.start();
        load.await_replies(20);
    });
    let stack = Stack::start_in(environment, &arguments);
    clients.iter_mut().for_each(|client| client.find_out(&stack));
    stack.wait_until_published();
    proof::of(&clients, &stack, &kafka);
}

#[test]
fn nothing_is_lost_while_three_brokers_die_and_come_back_one_after_another() {
    let Some(mut cluster) = OwnCluster::planned() else { return };
    let mut dice = Dice::shaken();
    let mut clients = clients(&mut dice);
    let kafka = cluster.start();
    let arguments = ["--brokers", &kafka.brokers, "--partitions", "3"];
    let stack = Stack::start_in(Environment::new(), &arguments);
    let environment = kill_under_load(stack, &mut clients, |load| {
        load.await_replies(20);
        for number in (0..3).cycle().take(scaled(3, 30)) {
            cluster.broker(number).kill();
            // The others go on: something is published while this one is away.
            let tail = ["tail", "automl-events", "--from", "end", "-n", "1", "-o", "raw", "-q"];
            let place = ["-b", &kafka.brokers, "--timeout", "50s"];
            let seen = Environment::new().run([&tail[..], &place].concat());
            load.await_replies(40);
            assert_eq!(seen.code(), Some(0), "{seen}");
            cluster.broker(number).start();
            load.await_replies(20);
        }
    });
    let stack = Stack::start_in(environment, &arguments);
    clients.iter_mut().for_each(|client| client.find_out(&stack));
    stack.wait_until_published();
    proof::of(&clients, &stack, &kafka);
}
