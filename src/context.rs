//! The one assembly point: settings become the user interface and the clients, each made on first
//! use, so that a command pays only for what it touches.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::base::duration::spoken;
use crate::base::shell::quoted;
use crate::base::{Clock, Deadline, Failure, IdSource, Kind, Shutdown};
use crate::kafka::{LibraryListener, Properties};
use crate::settings::{Footprint, Key, Origin, Settings, SettingsError, find_proxy};
use crate::tls::Authorities;
use crate::ui::{ColorChoice, ColorSignals, Format, Ui, UiOptions, Verbosity};
use crate::warehouse::{ApiAddress, Options, RequestListener, Route, Warehouse};

/// All that a command may use.
#[derive(Debug)]
pub struct Context {
    pub settings: Settings,
    pub ui: Ui,
    pub shutdown: Shutdown,
    pub clock: Clock,
    pub ids: IdSource,
    /// The end of the whole command, from `--timeout`; never, where none was given.
    pub deadline: Deadline,
    runtime: OnceLock<tokio::runtime::Runtime>,
    /// Whether what may still run on the runtime's threads is waited for by nobody.
    is_cut_short: AtomicBool,
}

/// Returns the flags without which another command would not reach the same systems.
fn flags_of_run(settings: &Settings) -> String {
    let mut flags = String::new();
    for (key, flag) in [(Key::ApiUrl, "-u"), (Key::Brokers, "-b")] {
        if let Some(value) = settings.get(key)
            && matches!(value.origin, Origin::Flag(_))
        {
            flags += &format!(" {flag} {}", quoted(&key.redact(&value.text)));
        }
    }
    if let Some(profile) = settings.profile() {
        flags += &format!(" --profile {}", quoted(profile));
    }
    flags
}

impl Drop for Context {
    fn drop(&mut self) {
        // A thread that sums up a large file would hold the end of a process that was told to stop.
        if self.is_cut_short.load(Ordering::Relaxed)
            && let Some(runtime) = self.runtime.take()
        {
            runtime.shutdown_background();
        }
    }
}

impl Context {
    /// Assembles a run from its settings.
    ///
    /// # Errors
    /// A setting that decides about streams or time cannot be used.
    pub fn new(
        settings: Settings,
        verbosity: Verbosity,
        shutdown: Shutdown,
    ) -> Result<Self, Failure> {
        let ui = Ui::new(ui_options(&settings, verbosity)?, shutdown.clone())
            .with_command_flags(flags_of_run(&settings));
        let deadline = Deadline::after_if(settings.timeout()?);
        for warning in settings.warnings() {
            ui.warning(&warning.message);
            warning.hint.iter().for_each(|hint| ui.hint(hint));
        }
        Ok(Self {
            settings,
            ui,
            shutdown,
            clock: Clock::system(),
            ids: IdSource::random(),
            deadline,
            runtime: OnceLock::new(),
            is_cut_short: AtomicBool::new(false),
        })
    }

    /// The properties of Kafka clients: brokers, then what `-X` and the tables `[kafka]` say. Secrets
    /// are read here, so this is called only when a client is made.
    ///
    /// # Errors
    /// The brokers are not a list of addresses, or a secret cannot be read.
    pub fn kafka(&self) -> Result<Properties, SettingsError> {
        let brokers = self.settings.brokers()?;
        let given = self.settings.read_kafka_properties(self.deadline)?;
        let named = self.settings.environment().authorities();
        let authorities = named.map(|(name, path)| Authorities::new(path, format!("${name}")));
        let properties = Properties::new(brokers).trusting(authorities);
        let properties = if self.ui.verbosity() == Verbosity::Debug {
            properties.heard_by(Arc::new(Library(self.ui.clone())))
        } else {
            properties
        };
        Ok(given.iter().fold(properties, |all, (property, value)| all.set(property, value)))
    }

    /// Refuses a command that commits, deletes or triggers at a local default while the other system is
    /// on another host. One that only reads there prints a note.
    ///
    /// # Errors
    /// One of the systems is forgotten, and the command has effects there.
    pub fn check_footprint(&self, footprint: Footprint) -> Result<(), Failure> {
        let Some(forgotten) = self.settings.forgotten_system(footprint.systems) else {
            return Ok(());
        };
        if footprint.has_effects {
            return Err(Failure::usage(forgotten.to_string()).hint(forgotten.hint()));
        }
        self.ui.note(&forgotten.to_string());
        Ok(())
    }

    /// The client of the warehouse's API.
    ///
    /// # Errors
    /// The address that is set is none, or the authorities cannot be read.
    pub fn warehouse(&self) -> Result<Warehouse, Failure> {
        self.settings.check_profile()?;
        let address = self.api_address()?;
        Ok(Warehouse::new(Options {
            route: self.route_to(&address)?,
            authorities: self.api_authorities(&address)?,
            address,
            cache_dir: self.settings.cache_dir(),
            ids: self.ids.clone(),
            listener: Some(self.request_listener()),
        })?)
    }

    /// The only authorities that an API is checked against; `None` leaves it to the system's, and to
    /// `SSL_CERT_FILE`, which the library reads itself and passes over if it cannot be used.
    fn api_authorities(&self, address: &ApiAddress) -> Result<Option<Authorities>, Failure> {
        let set = self.settings.get(Key::ApiCa).filter(|value| !value.text.is_empty());
        if !address.is_tls() {
            if set.is_some_and(|value| matches!(value.origin, Origin::Flag(_))) {
                self.ui.note(&format!("--cacert is not used: {address} is without TLS"));
            }
            return Ok(None);
        }
        if let Some(value) = set {
            return Ok(Some(Authorities::new(&value.text, value.origin.to_string())));
        }
        if let Some((name @ "SSL_CERT_FILE", path)) = self.settings.environment().authorities() {
            Authorities::new(path, format!("${name}")).read()?;
        }
        Ok(None)
    }

    fn api_address(&self) -> Result<ApiAddress, Failure> {
        ApiAddress::parse(self.settings.api_url()).map_err(|error| {
            let origin = self.settings.get(Key::ApiUrl).map(|value| value.origin.to_string());
            Failure::from(error)
                .context(format!("failed to use api-url from {}", origin.unwrap_or_default()))
        })
    }

    /// The way to the API: direct, or through the proxy of the environment.
    fn route_to(&self, address: &ApiAddress) -> Result<Route, SettingsError> {
        let environment = self.settings.environment();
        let proxy = find_proxy(environment, address.is_tls(), address.host(), address.port())?;
        Ok(proxy.map_or(Route::Direct, |proxy| Route::Proxied {
            shown: proxy.to_string(),
            url: proxy.url().to_owned(),
        }))
    }

    /// Shows each request to an API under `-v`.
    #[must_use]
    pub fn request_listener(&self) -> Arc<dyn RequestListener> {
        Arc::new(Requests(self.ui.clone()))
    }

    /// Runs a future to its end, until a stop is requested, or until shortly after the deadline: then
    /// it is dropped, and with it whatever it holds. Its own waits end at the deadline; the rest is
    /// for one that does not.
    ///
    /// # Errors
    /// What the future fails with, or the stop.
    pub fn run<T>(&self, future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let outcome = self.block_on(async {
            tokio::select! {
                outcome = future => outcome,
                signal = self.shutdown.requested() => {
                    Err(Failure::new(signal.kind().unwrap_or(Kind::Interrupted), "stopped"))
                }
                () = passes(self.deadline.later(OVERTIME)) => {
                    Err(Failure::new(Kind::Deadline, "the command did not end before the timeout")
                        .hint("give it longer with --timeout; -v shows which request waits"))
                }
            }
        })?;
        if self.shutdown.is_requested() || outcome.is_err() {
            self.is_cut_short.store(true, Ordering::Relaxed);
        }
        outcome
    }

    /// Runs a future to its end on this run's runtime.
    ///
    /// # Errors
    /// The runtime cannot be started: no threads or no file descriptors are left.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> Result<T, Failure> {
        if self.runtime.get().is_none() {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .thread_name("dwctl")
                .build()
                .map_err(|error| {
                    Failure::wrap(Kind::Internal, error).context("failed to start the runtime")
                })?;
            // Only this thread assembles, so nobody can have been faster.
            let _ = self.runtime.set(runtime);
        }
        match self.runtime.get() {
            Some(runtime) => Ok(runtime.block_on(future)),
            None => Err(Failure::new(Kind::Internal, "the runtime is gone")),
        }
    }
}

/// How long after the deadline a future may take to end by itself, with a better message.
const OVERTIME: Duration = Duration::from_millis(500);

async fn passes(deadline: Deadline) {
    match deadline.instant() {
        Some(instant) => tokio::time::sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}

/// What `-v` says of requests to the API.
#[derive(Debug)]
struct Requests(Ui);

impl RequestListener for Requests {
    fn request(&self, method: &str, url: &str, status: Option<u16>, took: Duration) {
        let status = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        self.0.detail(&format!("{method} {url} {status} {}", spoken(took)));
    }
}

/// What `-vv` says of librdkafka.
#[derive(Debug)]
struct Library(Ui);

impl LibraryListener for Library {
    fn line(&self, line: &str) {
        self.0.debug(line);
    }
}

fn ui_options(settings: &Settings, verbosity: Verbosity) -> Result<UiOptions, Failure> {
    let environment = settings.environment();
    let refuse = |key: Key, reason: String| {
        let value = settings.get(key);
        let origin = value.map_or_else(String::new, |value| format!(" from {}", value.origin));
        let reason = key.redact_within(&reason, value.map_or("", |value| &value.text));
        Failure::usage(format!("failed to use {}{origin}: {reason}", key.path()))
    };
    let text = |key: Key| settings.get(key).map_or("", |value| value.text.as_str());
    let format: Format = text(Key::Output).parse().map_err(|reason| refuse(Key::Output, reason))?;
    let color: ColorChoice =
        text(Key::Color).parse().map_err(|reason| refuse(Key::Color, reason))?;
    let no_input = match text(Key::NoInput) {
        "true" | "1" => true,
        "false" | "0" | "" => environment.is_on("CI"),
        other => return Err(refuse(Key::NoInput, format!("{other:?} is not true or false"))),
    };
    Ok(UiOptions {
        format,
        verbosity,
        color,
        signals: ColorSignals {
            no_color: environment.get("NO_COLOR").is_some(),
            force: environment.is_on("CLICOLOR_FORCE"),
            dumb: environment.get("TERM") == Some("dumb"),
        },
        no_input,
    })
}
