//! One broker: its configuration, its formatted storage, and the shell that ends it when its lease
//! ends.

use std::fs::File;
use std::io::PipeWriter;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, Producer as _};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::guard::{Guard, allow};
use super::{Kafka, jars};
use crate::support::PATIENCE;
use crate::support::certificates::Signed;

/// Runs the broker, waits for the end of the lease on standard input, and ends the broker.
///
/// A new lease may be taken between the end of the last one and the stop, so the stop is made under
/// the lock under which leases are taken, and only if the end is still there then. `setpriv` has the
/// kernel end the broker should this shell be killed.
const SUPERVISOR: &str = r#"
setpriv --pdeathsig KILL "$@" </dev/null 9>&- &
while :; do
  cat >/dev/null
  flock 9
  timeout 1 cat >/dev/null && break
  flock -u 9
done
kill -KILL $!
wait
"#;

/// A broker that serves. Its supervisor ends it, not this value.
pub struct Server {
    brokers: String,
    supervisor: Child,
}

impl Server {
    /// Formats the storage, starts the broker and waits until it serves. `lease` is what the
    /// supervisor reads to its end.
    pub fn start(jars: &Path, folder: &Path, lease: impl Into<Stdio>) -> std::io::Result<Self> {
        let data = folder.join("data");
        if data.exists() {
            std::fs::remove_dir_all(&data)?;
        }
        Self::start_at(&Ports::free(), None, jars, folder, lease)
    }

    /// On the storage that is there, or on fresh storage.
    fn start_at(
        ports: &Ports,
        guard: Option<&Guard>,
        jars: &Path,
        folder: &Path,
        lease: impl Into<Stdio>,
    ) -> std::io::Result<Self> {
        let data = folder.join("data");
        let configuration = folder.join("server.properties");
        std::fs::write(&configuration, ports.properties(&data, guard))?;
        if !data.exists() {
            format(jars, &configuration)?;
        }
        let log = folder.join("broker.log");
        let output = File::create(&log)?;
        let lock = File::create(folder.join("lock"))?;
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec 9<>\"$0\"; {SUPERVISOR}")]);
        command.arg(folder.join("lock"));
        drop(lock);
        command.args(java(jars)).arg("kafka.Kafka").arg(&configuration);
        // A group of its own: Ctrl-C at a terminal ends the tests, and their end ends the broker.
        command.stdin(lease).stdout(output.try_clone()?).stderr(output).process_group(0);
        let mut server = Self { brokers: ports.address(), supervisor: command.spawn()? };
        server.wait(&log)?;
        Ok(server)
    }

    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    pub fn leave_to_its_supervisor(self) -> String {
        self.brokers
    }

    /// The broker itself, a child of its supervisor.
    fn java(&self) -> Pid {
        let shell = self.supervisor.id();
        let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"));
        let children = children.unwrap();
        let mut pids = children.split_whitespace();
        let java = pids.find(|pid| {
            std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "java\n")
        });
        Pid::from_raw(java.unwrap_or_else(|| panic!("no java in {children:?}")).parse().unwrap())
            .unwrap()
    }

    fn wait(&mut self, log: &Path) -> std::io::Result<()> {
        let end = Instant::now() + PATIENCE;
        while !serves(&self.brokers) {
            let is_over = self.supervisor.try_wait()?.is_some();
            if is_over || Instant::now() > end {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                return Err(std::io::Error::other(format!("its log ends with:\n{said}")));
            }
        }
        Ok(())
    }
}

/// Whether a broker answers; waits a second for it.
pub fn serves(brokers: &str) -> bool {
    let client: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("log_level", "0")
        .create()
        .unwrap();
    let answer = client.client().fetch_metadata(None, Duration::from_secs(1));
    // A broker answers before it has registered itself, and then cannot make topics.
    answer.is_ok_and(|cluster| !cluster.brokers().is_empty())
}

pub(super) fn java(jars: &Path) -> Vec<String> {
    let logging = format!("-Dlog4j2.configurationFile={}/log4j2.properties", jars.display());
    ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", &logging, "-cp"]
        .into_iter()
        .map(str::to_owned)
        .chain([format!("{}/*", jars.display())])
        .collect()
}

fn format(jars: &Path, configuration: &Path) -> std::io::Result<()> {
    let mut words = java(jars).into_iter();
    let output = Command::new(words.next().unwrap_or_default())
        .args(words)
        .args(["kafka.tools.StorageTool", "format", "-t", "ZHdjdGwtdGVzdHMtMDAwMQ", "-c"])
        .arg(configuration)
        .stdin(Stdio::null())
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(std::io::Error::other(format!("the storage could not be formatted: {said}")))
}

/// Below the range from which the kernel gives ports to clients, so that none of them can take one
/// between now and the broker's start.
fn free_port() -> u16 {
    // No port is given twice in one process; processes begin at places of their own.
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    loop {
        let count = std::process::id() * 16 + GIVEN.fetch_add(1, Ordering::Relaxed);
        let port = 15_000 + u16::try_from(count % 16_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A broker's id and ports. It is its own controller, or one of three.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    id: usize,
    broker: u16,
    /// Of all controllers, by the brokers' ids from 1.
    controllers: [u16; 3],
    /// How many of them there are.
    count: usize,
}

impl Ports {
    fn free() -> Self {
        Self { id: 1, broker: free_port(), controllers: [free_port(), 0, 0], count: 1 }
    }

    /// Of three brokers that are one cluster.
    pub(super) fn of_three() -> [Self; 3] {
        let controllers = [free_port(), free_port(), free_port()];
        [1, 2, 3].map(|id| Self { id, broker: free_port(), controllers, count: 3 })
    }

    fn voters(self) -> String {
        let controllers = self.controllers[..self.count].iter().enumerate();
        let voters = controllers.map(|(index, port)| format!("{}@127.0.0.1:{port}", index + 1));
        voters.collect::<Vec<_>>().join(",")
    }

    fn address(self) -> String {
        format!("127.0.0.1:{}", self.broker)
    }

    /// Small and quick: one replica of everything, and a log cleaner that is small
    /// and comes at once.
    fn properties(self, data: &Path, guard: Option<&Guard>) -> String {
        let Self { id, broker, controllers, count, .. } = self;
        let (controller, voters, in_step) = (controllers[id - 1], self.voters(), count.div_ceil(2));
        let doors = guard.map_or_else(String::new, Guard::listeners);
        let onward = guard.map_or_else(String::new, Guard::advertised);
        let further = guard.map_or_else(String::new, Guard::properties);
        format!(
            "process.roles=broker,controller\nnode.id={id}\nlog.dirs={}\n\
             listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}{doors}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{broker}{onward}\n\
             controller.listener.names=CONTROLLER\n\
             controller.quorum.voters={voters}\n\
             default.replication.factor={count}\nmin.insync.replicas={in_step}\n\
             broker.session.timeout.ms=3000\nbroker.heartbeat.interval.ms=500\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,\
             GUARDED:SASL_PLAINTEXT,SEALED:SASL_SSL,LOST:PLAINTEXT,BLIND:PLAINTEXT\n\
             auto.create.topics.enable=true\nnum.partitions=1\n\
             group.initial.rebalance.delay.ms=0\ngroup.min.session.timeout.ms=1000\n\
             offsets.topic.replication.factor={count}\noffsets.topic.num.partitions=1\n\
             transaction.state.log.replication.factor={count}\ntransaction.state.log.min.isr=1\n\
             transaction.state.log.num.partitions=1\n\
             log.cleaner.backoff.ms=100\n\
             log.cleaner.dedupe.buffer.size=4194304\nlog.cleaner.io.buffer.size=131072\n\
             log.index.size.max.bytes=1048576\nnum.network.threads=2\nnum.io.threads=4\n{further}",
            data.display()
        )
    }
}

/// A broker of one test's own, to start late and to harm. Ends with the test.
pub struct OwnKafka {
    ports: Ports,
    guard: Option<Guard>,
    folder: TempDir,
    running: Option<(Server, PipeWriter)>,
}

impl OwnKafka {
    pub(super) fn at_free_ports() -> Self {
        Self::at(Ports::free())
    }

    pub(super) fn at(ports: Ports) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { ports, guard: None, folder, running: None }
    }

    /// Gives it doors at which these users log in, with TLS and without; nothing is allowed to them
    /// yet.
    pub fn guarded(mut self, users: &'static [&'static str]) -> Self {
        let [port, sealed, lost, blind] = std::array::from_fn(|_| free_port());
        let authority = Signed::authority();
        self.guard = Some(Guard { port, sealed, authority, users, lost, blind });
        self
    }

    /// Two more doors of a guarded broker: the first sends clients on to a name that nobody has, the
    /// second to a port at which nothing listens.
    pub fn doors_to_nowhere(&self) -> [String; 2] {
        let guard = self.guard.as_ref().expect("a guarded broker");
        [guard.lost, guard.blind].map(|port| format!("127.0.0.1:{port}"))
    }

    /// The flags of a client that logs in without TLS.
    pub fn flags_of(&self, user: &str) -> Vec<String> {
        self.guard.as_ref().expect("a guarded broker").flags(user)
    }

    /// The flags of a client that logs in with TLS.
    pub fn sealed_flags_of(&self, user: &str) -> Vec<String> {
        self.guard.as_ref().expect("a guarded broker").sealed_flags(user)
    }

    /// Allows a user something, in the words of Kafka's `kafka-acls`.
    pub fn allow(&self, user: &str, what: &[&str]) {
        allow(&jars::folder().unwrap(), &self.brokers(), user, what);
    }

    /// Where it serves once it is started.
    pub fn brokers(&self) -> String {
        self.ports.address()
    }

    /// Starts the broker, on the storage of the last time if there was one.
    pub fn start(&mut self) -> Kafka {
        let jars: PathBuf = jars::folder().unwrap();
        let (lease, held) = std::io::pipe().unwrap();
        let guard = self.guard.as_ref();
        let server =
            Server::start_at(&self.ports, guard, &jars, self.folder.path(), lease).unwrap();
        self.running = Some((server, held));
        Kafka { brokers: self.brokers() }
    }

    /// The broker keeps its connections and answers nothing, until it is resumed.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let (server, _) = self.running.as_ref().expect("a broker that runs");
        kill_process(server.java(), signal).unwrap();
    }

    /// Kills the broker, which keeps what was on its disk.
    pub fn kill(&mut self) {
        if let Some((mut server, held)) = self.running.take() {
            drop(held);
            let _ = server.supervisor.wait();
        }
    }
}

impl Drop for OwnKafka {
    /// The folder goes after the broker has gone.
    fn drop(&mut self) {
        self.kill();
    }
}
