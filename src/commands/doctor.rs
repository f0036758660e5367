//! `dwctl doctor`: what is wrong between here, the API and the brokers, and the line to change.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use crate::base::duration::{parse_duration, spoken};
use crate::base::{Deadline, Failure};
use crate::context::Context;
use crate::flows::doctor::{
    Diagnosis, DoctorPlan, Finding, ForgottenFact, Level, SettingFact, Setup, UnreadVariable,
    examine,
};
use crate::schema::role::Role;
use crate::settings::{DialectChoice, Key, Origin, Settings, ShownSetting, System};
use crate::ui::text::escape_breaks;
use crate::ui::{Format, StyledText, TextStyle};
use crate::warehouse::Warehouse;

/// How long one look at everything may take.
const LOOK: Duration = Duration::from_secs(9);
/// How long before it is looked again.
const PAUSE: Duration = Duration::from_millis(300);

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dwctl doctor
  dwctl doctor --wait 30s
  dwctl doctor -o json | jq '.findings[] | select(.status != \"ok\")'

Looks at the settings, the API and its dialect, the way to each broker (name, port, TLS, login), the
addresses that the brokers advertise, the dialect's topics with what may be done with them, and the
groups of the workers with their lag. Nothing is changed: no topic is made, no group is joined.

Exit codes: 0 when nothing is red; 8 when something is, or 6 or 10 when nothing but that is wrong.")]
pub struct DoctorArgs {
    /// Look again until nothing is red, for at most so long
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    wait: Option<Duration>,
    /// Generation of the API: auto, form, flat or task
    #[arg(long, value_name = "DIALECT")]
    dialect: Option<String>,
}

impl DoctorArgs {
    pub(super) fn overrides(&self) -> Vec<(Key, String)> {
        self.dialect.iter().map(|dialect| (Key::Dialect, dialect.clone())).collect()
    }
}

pub fn cmd_doctor(context: &Context, args: &DoctorArgs) -> Result<(), Failure> {
    let warehouse = context.warehouse()?;
    let plan = DoctorPlan {
        setup: setup(&context.settings, &warehouse),
        dialect: match context.settings.dialect()? {
            DialectChoice::Auto => None,
            DialectChoice::Given(dialect) => Some(dialect),
        },
        group: context.settings.consumer_group().to_owned(),
    };
    let end = context.deadline.earlier(Deadline::after(args.wait.unwrap_or_default()));
    let diagnosis = context.run(look_until_good(context, &warehouse, &plan, end))?;
    show(context, &diagnosis)?;
    diagnosis.failure().map_or(Ok(()), Err)
}

/// The last look: the first at which nothing was red, or the first that ended after `end`.
async fn look_until_good(
    context: &Context,
    warehouse: &Warehouse,
    plan: &DoctorPlan,
    end: Deadline,
) -> Result<Diagnosis, Failure> {
    let kafka = context.kafka()?;
    let mut told = String::new();
    loop {
        let deadline = context.deadline.within(LOOK);
        let diagnosis = examine(warehouse, &kafka, &context.clock, plan, deadline).await;
        let Some(first) = diagnosis.bad().next() else { return Ok(diagnosis) };
        if end.has_passed() {
            return Ok(diagnosis);
        }
        let news = format!("not yet: {}: {}", first.subject, first.seen);
        if news != told {
            context.ui.note(&news);
            told = news;
        }
        tokio::time::sleep(end.slice(PAUSE)).await;
    }
}

/// What the settings say, secrets left out.
fn setup(settings: &Settings, warehouse: &Warehouse) -> Setup {
    let looked_at = [Some(Key::ApiUrl), Some(Key::Brokers)];
    let shown = settings.shown().into_iter().filter_map(|setting| {
        let ShownSetting { key, name, value, origin } = setting;
        (looked_at.contains(&key) || origin != Origin::Default).then(|| SettingFact {
            name,
            value,
            origin: origin.to_string(),
        })
    });
    let topic = |role: Role| {
        let value = settings.get(Key::Topic(role))?;
        Some((role, value.text.clone(), value.origin.to_string()))
    };
    let forgotten = settings.forgotten_system(&[System::Api, System::Brokers]);
    Setup {
        settings: shown.collect(),
        unread_variables: settings
            .unread_variables()
            .into_iter()
            .map(|unread| UnreadVariable {
                name: unread.name,
                near: unread.near,
                is_of_service: unread.is_of_service,
            })
            .collect(),
        topics: Role::ALL.into_iter().filter_map(topic).collect(),
        forgotten: forgotten.map(|forgotten| ForgottenFact {
            system: match forgotten.system {
                System::Api => "api-url",
                System::Brokers => "brokers",
            },
            seen: forgotten.to_string(),
            fix: forgotten.hint(),
        }),
        proxy: warehouse.proxy().map(str::to_owned),
        ignored: settings
            .warnings()
            .iter()
            .map(|warning| (warning.message.clone(), warning.hint.clone()))
            .collect(),
    }
}

fn show(context: &Context, diagnosis: &Diagnosis) -> Result<(), Failure> {
    if context.ui.format() == Format::Json {
        return context.ui.document(&document(diagnosis));
    }
    let findings = diagnosis.findings.iter().fold(StyledText::default(), with_finding);
    context.ui.text(findings)?;
    context.ui.line(verdict(diagnosis))?;
    diagnosis.unseen.map_or(Ok(()), |unseen| context.ui.line(unseen))
}

/// Appends the lines of a finding.
fn with_finding(lines: StyledText<'static>, finding: &Finding) -> StyledText<'static> {
    let (style, mark) = match finding.level {
        Level::Good => (TextStyle::Good, "ok  "),
        Level::Odd(_) => (TextStyle::Warning, "odd "),
        Level::Bad(..) => (TextStyle::Bad, "BAD "),
    };
    let took = finding.took.map_or_else(String::new, |took| format!(" ({})", spoken(took)));
    let Finding { area, subject, seen, .. } = finding;
    let (subject, seen) = (escape_breaks(subject), escape_breaks(seen));
    let lines = lines.with(style, mark).plain(format!("  {area:<10}  {subject}: {seen}{took}\n"));
    let Some(trouble) = finding.trouble() else { return lines };
    lines
        .plain("                  ")
        .with(TextStyle::Hint, "fix:")
        .plain(format!(" {}\n", escape_breaks(&trouble.fix)))
}

fn verdict(diagnosis: &Diagnosis) -> StyledText<'static> {
    let (bad, odd) = (diagnosis.bad().count(), diagnosis.odd().count());
    let took = spoken(diagnosis.took);
    let things = |count: usize, what: &str| match count {
        1 => format!("1 thing is {what}"),
        count => format!("{count} things are {what}"),
    };
    let (style, word) =
        if bad == 0 { (TextStyle::Good, "Good:") } else { (TextStyle::Bad, "Bad:") };
    let summary = match (bad, odd) {
        (0, 0) => "everything is well".to_owned(),
        (0, odd) => format!("{}, nothing is wrong", things(odd, "odd")),
        (bad, 0) => things(bad, "wrong"),
        (bad, odd) => format!("{}, {}", things(bad, "wrong"), things(odd, "odd")),
    };
    StyledText::new(style, word).plain(format!(" {summary}, in {took}"))
}

fn document(diagnosis: &Diagnosis) -> Value {
    let millis = |took: Duration| (took.as_secs_f64() * 1e6).round() / 1e3;
    let findings: Vec<Value> = diagnosis
        .findings
        .iter()
        .map(|finding| {
            let status = match finding.level {
                Level::Good => "ok",
                Level::Odd(_) => "odd",
                Level::Bad(..) => "bad",
            };
            json!({
                "area": finding.area.to_string(),
                "subject": finding.subject,
                "status": status,
                "fault": finding.trouble().map(|trouble| trouble.fault),
                "seen": finding.seen,
                "fix": finding.trouble().map(|trouble| trouble.fix.as_str()),
                "took_ms": finding.took.map(millis),
            })
        })
        .collect();
    json!({
        "schema": "dwctl.doctor/1",
        "ok": diagnosis.bad().next().is_none(),
        "took_ms": millis(diagnosis.took),
        "unseen": diagnosis.unseen,
        "findings": findings,
    })
}
