//! `dwctl serve` as a process on free ports, with a data folder that outlives it, so that a test can
//! end it in any way and start it again.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Instant;

use rustix::process::Signal;

use super::PATIENCE;
use super::environment::Environment;
use super::http::{Call, Reply};
use super::run::{Outcome, Running, Stream};

/// A running stack and the place in which its clients run.
pub struct Stack {
    pub environment: Environment,
    pub api_url: String,
    pub brokers: String,
    process: Running,
}

impl Stack {
    /// With the embedded broker.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// With further arguments of `serve`.
    pub fn start_with(arguments: &[&str]) -> Self {
        Self::start_in(Environment::new(), arguments)
    }

    /// In a place that may hold the data of an earlier one.
    pub fn start_in(environment: Environment, arguments: &[&str]) -> Self {
        let ready = environment.path("ready");
        let _ = std::fs::remove_file(&ready);
        let data = environment.path("warehouse");
        let mut command = environment.dwctl(["serve", "--port", "0"]);
        command.arg("--ready-file").arg(&ready).arg("--data-dir").arg(&data).args(arguments);
        if !arguments.contains(&"--brokers") {
            command.args(["--broker-port", "0"]);
        }
        let process = Running::start(command);
        // Said once everything answers and the file of addresses is complete.
        process.wait_for(Stream::Err, "Ctrl-C stops");
        let addresses = std::fs::read_to_string(&ready).unwrap();
        let address = |name: &str| {
            let line = addresses.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("no {name} in {addresses:?}")).to_owned()
        };
        Self {
            api_url: address("DWCTL_API_URL="),
            brokers: address("KAFKA_BOOTSTRAP_SERVERS="),
            environment,
            process,
        }
    }

    pub fn data_dir(&self) -> PathBuf {
        self.environment.path("warehouse")
    }

    /// `dwctl` as a client of this stack.
    pub fn start_client<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Running {
        let mut command = self.environment.dwctl(arguments);
        command.env("DWCTL_API_URL", &self.api_url);
        command.env("KAFKA_BOOTSTRAP_SERVERS", &self.brokers);
        Running::start(command)
    }

    /// The same with standard input that the test writes.
    pub fn start_with_input<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Running {
        let mut command = self.environment.dwctl(arguments);
        command.env("DWCTL_API_URL", &self.api_url);
        command.env("KAFKA_BOOTSTRAP_SERVERS", &self.brokers);
        Running::start_with_input(command)
    }

    pub fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Outcome {
        self.start_client(arguments).finish()
    }

    /// A request to the API, which must answer.
    #[track_caller]
    pub fn call(&self, call: &Call) -> Reply {
        call.send(self.host())
    }

    /// Waits until every event that was committed before is on its topic.
    #[track_caller]
    pub fn wait_until_published(&self) {
        let end = Instant::now() + PATIENCE;
        loop {
            let health = self.call(&Call::get("/health")).expect(200).json();
            if health["outbox"]["waiting"] == 0 {
                return;
            }
            assert!(Instant::now() < end, "events still wait: {health}");
            std::thread::yield_now();
        }
    }

    /// `HOST:PORT` of the API.
    pub fn host(&self) -> &str {
        self.api_url.strip_prefix("http://").unwrap()
    }

    pub fn process(&self) -> &Running {
        &self.process
    }

    /// Asks for the end, waits for it, and gives the place back.
    pub fn stop(self, signal: Signal) -> (Outcome, Environment) {
        self.process.signal(signal);
        self.wait()
    }

    /// Waits for the end that somebody has asked for.
    pub fn wait(self) -> (Outcome, Environment) {
        (self.process.finish(), self.environment)
    }
}
