//! What `dwctl wait -- CMD` runs ends with it: the command, what it started, and what it left behind.

use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::support::PATIENCE;
use crate::support::environment::{DWCTL, Environment};
use crate::support::peers;
use crate::support::run::{Outcome, Running};
use crate::support::stack::Stack;

/// Scripts that do not end by themselves, or not by SIGTERM. Each writes the number of its last
/// process into `pid`.
const STUBBORN: &[(&str, &str)] = &[
    ("an obedient command", "echo $$ > pid; exec sleep 600"),
    ("a command that ignores SIGTERM", "trap '' TERM; echo $$ > pid; while :; do sleep 1; done"),
    (
        "a child that ignores SIGTERM",
        "(trap '' TERM; echo $BASHPID > pid; while :; do sleep 1; done) & wait",
    ),
    (
        "a grandchild that ignores SIGTERM",
        "((trap '' TERM; echo $BASHPID > pid; exec sleep 600) & wait) & wait",
    ),
    ("closed streams", "echo $$ > pid; exec <&- >&- 2>&-; sleep 600; true"),
    ("a child left behind", "sleep 600 & echo $! > pid"),
    ("an orphan that ignores SIGTERM", "(trap '' TERM; exec sleep 600) & echo $! > pid"),
    ("a group of its own", "set -m; sleep 600 & echo $! > pid; wait"),
    ("a group of its own, left behind", "set -m; sleep 600 & echo $! > pid"),
    ("a session of its own", "setsid --wait bash -c 'echo $$ > pid; exec sleep 600'; true"),
    ("a stopped command", "echo $$ > pid; kill -STOP $$; sleep 600"),
    ("a command that reads", "echo $$ > pid; exec cat"),
];

fn start(environment: &Environment, stack: &Stack, script: &str, flags: &[&str]) -> Running {
    let fixed = ["wait", "bias-events", "-b", &stack.brokers];
    let command = ["--", "bash", "-c", script];
    environment.start([&fixed[..], flags, &command].concat())
}

/// The number that the script wrote, waited for.
#[track_caller]
fn pid_in(environment: &Environment) -> Pid {
    let end = Instant::now() + PATIENCE;
    loop {
        let text = std::fs::read_to_string(environment.path("pid")).unwrap_or_default();
        if let Some(pid) = text.trim_end().parse().ok().and_then(Pid::from_raw)
            && text.ends_with('\n')
        {
            return pid;
        }
        assert!(Instant::now() < end, "no pid was written");
        std::thread::yield_now();
    }
}

/// Whether a process is there that has not ended.
fn is_running(pid: Pid) -> bool {
    let stat = format!("/proc/{}/stat", pid.as_raw_nonzero());
    let is_zombie = std::fs::read_to_string(stat).is_ok_and(|stat| stat.contains(") Z "));
    test_kill_process(pid).is_ok() && !is_zombie
}

#[track_caller]
fn nothing_runs(name: &str, pid: Pid, outcome: &Outcome) {
    assert!(!is_running(pid), "{name}: {pid:?} still runs after\n{outcome}");
}

#[test]
fn all_that_a_command_started_ends_at_the_deadline() {
    let stack = Stack::start();
    for (name, script) in STUBBORN {
        let environment = Environment::new();
        let running = start(&environment, &stack, script, &["--timeout", "2s"]);
        let pid = pid_in(&environment);
        let outcome = running.finish().expect(7);
        assert!(!outcome.err().contains("did not end in time"), "{name}: {outcome}");
        nothing_runs(name, pid, &outcome);
    }
}

#[test]
fn all_that_a_command_started_ends_after_a_signal() {
    let stack = Stack::start();
    for (index, (name, script)) in STUBBORN.iter().enumerate() {
        let environment = Environment::new();
        let (signal, code) = if index % 2 == 0 { (Signal::INT, 130) } else { (Signal::TERM, 143) };
        let running = start(&environment, &stack, script, &["--timeout", "60s"]);
        let pid = pid_in(&environment);
        running.signal(signal);
        let outcome = running.finish().expect(code);
        nothing_runs(name, pid, &outcome);
    }
}

#[test]
fn what_a_failed_command_left_behind_ends_and_what_a_successful_one_left_stays() {
    let stack = Stack::start();
    let environment = Environment::new();
    let script = "sleep 600 & echo $! > pid; exit 3";
    let running = start(&environment, &stack, script, &["--timeout", "60s"]);
    let outcome = running.finish().expect(8);
    nothing_runs("a failed command", pid_in(&environment), &outcome);

    let environment = Environment::new();
    let send =
        format!("{DWCTL} send bias --dialect form --user-id u --dataset-id d -b {}", stack.brokers);
    let script = format!("sleep 600 <&- >&- 2>&- & echo $! > pid; {send}");
    let outcome = start(&environment, &stack, &script, &["--timeout", "60s"]).finish().expect(0);
    let pid = pid_in(&environment);
    assert!(is_running(pid), "what a successful command leaves is meant to stay: {outcome}");
    kill_process(pid, Signal::KILL).unwrap();
}

/// As `docker exec` starts it: the session and the group of the first process were made outside of the
/// container and have no numbers inside of it.
#[test]
fn in_a_container_whose_session_was_made_outside_the_command_ends_too() {
    let container = ["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"];
    let probe = std::process::Command::new("unshare").args(container).arg("true").output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        return;
    }
    let stack = Stack::start();
    for (name, script) in STUBBORN.iter().filter(|(name, _)| !name.contains("session")) {
        let environment = Environment::new();
        let mut command = environment.command("unshare");
        let wait = ["wait", "bias-events", "-b", &stack.brokers, "--timeout", "2s", "--"];
        // The first process of a container ends all others with it: this one stays for a look.
        let line = r#""$@"; code=$?; kill -0 "$(cat pid)" 2> alive || touch ended; exit $code"#;
        command.args(container).args(["bash", "-c", line, "bash", DWCTL]);
        command.args(wait).args(["bash", "-c", script]);
        let outcome = Running::start(command).finish().expect(7);
        assert!(environment.path("ended").exists(), "{name}: {outcome}");
    }
}

#[test]
fn at_a_terminal_the_command_may_ask_and_ctrl_c_ends_both() {
    if !peers::has("script") {
        return;
    }
    let stack = Stack::start();
    let at_terminal = |script: &str| {
        let line = format!("{DWCTL} wait bias-events --timeout 60s -- bash -c '{script}'");
        let mut command = stack.environment.command("script");
        command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        command.env("KAFKA_BOOTSTRAP_SERVERS", &stack.brokers);
        Running::start_with_input(command)
    };
    let ask = format!(
        "read -p whose: -r user < /dev/tty; {DWCTL} send bias --dialect form --user-id $user --dataset-id d"
    );
    let mut running = at_terminal(&ask);
    running.wait_for_text("whose:");
    running.write("somebody\n");
    let outcome = running.finish().expect(0);
    let event = outcome.out().rsplit("Bias Message received").next().unwrap();
    assert!(event.contains("somebody"), "{outcome}");

    let mut running = at_terminal("echo $$ > pid; exec sleep 600");
    let pid = pid_in(&stack.environment);
    running.write("\x03");
    let outcome = running.finish().expect(130);
    nothing_runs("the command at a terminal", pid, &outcome);
}
