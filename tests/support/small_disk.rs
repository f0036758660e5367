//! `dwctl serve` on a disk of its own that is small enough to be filled.

use std::process::Command;

use super::environment::Environment;
use super::run::{Running, Stream};
use super::skip::skip;

/// A server whose data folder is a small disk of its own; `None` where none can be made.
#[track_caller]
pub fn on_a_disk_of(
    mebibytes: u64,
    environment: &Environment,
) -> Option<(Running, String, String)> {
    let data = environment.path("warehouse");
    std::fs::create_dir(&data).unwrap();
    let namespaces = ["--user", "--map-root-user", "--mount"];
    let possible = Command::new("unshare").args(namespaces).arg("true").output();
    if !possible.is_ok_and(|output| output.status.success()) {
        skip("DWCTL_REQUIRE_UNSHARE", "unshare cannot make a mount namespace here");
        return None;
    }
    let ready = environment.path("ready");
    let script = "mount -t tmpfs -o size=\"$1\"m tmpfs \"$2\" && shift 2 && exec \"$@\"";
    let mut command = environment.command("unshare");
    command.args(namespaces).args(["sh", "-c", script, "sh", &mebibytes.to_string()]);
    command.arg(&data);
    let serve = environment.dwctl(["serve", "--port", "0", "--broker-port", "0", "--data-dir"]);
    command.arg(serve.get_program()).args(serve.get_args()).arg(&data);
    command.arg("--ready-file").arg(&ready);
    let process = Running::start(command);
    process.wait_for(Stream::Err, "Ctrl-C stops");
    let addresses = std::fs::read_to_string(ready).unwrap();
    let address = |name: &str| {
        let line = addresses.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().to_owned()
    };
    let host = address("DWCTL_API_URL=http://");
    Some((process, host, address("KAFKA_BOOTSTRAP_SERVERS=")))
}
