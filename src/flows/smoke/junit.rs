//! The report as a JUnit file, which CI servers show: one suite, each step a case.

use std::fmt::Write;

use super::{Outcome, Report};

/// Characters that XML 1.0 cannot hold are left out; the others are escaped.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            // A line end in an attribute would be read as a space.
            '\n' => shown.push_str("&#10;"),
            '\t' => shown.push_str("&#9;"),
            control if control < ' ' || ('\u{fffe}'..='\u{ffff}').contains(&control) => {}
            letter => shown.push(letter),
        }
    }
    shown
}

/// The document, with times in seconds.
#[must_use]
pub fn render_junit(report: &Report) -> String {
    let count = |word: &str| report.steps.iter().filter(|s| s.outcome.word() == word).count();
    let counts = format!(
        "tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{:.3}\"",
        report.steps.len(),
        count("failed"),
        count("skipped"),
        report.took.as_secs_f64()
    );
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"dwctl smoke\" {counts}>\n  <testsuite name=\"dwctl smoke\" {counts}>\n"
    );
    for step in &report.steps {
        let (name, took) = (escaped(step.name), step.took.as_secs_f64());
        let evidence = escaped(&step.outcome.evidence());
        let inner = match &step.outcome {
            Outcome::Passed(_) => format!("<system-out>{evidence}</system-out>"),
            Outcome::Skipped(_) => format!("<skipped message=\"{evidence}\"/>"),
            Outcome::Failed(trouble) => {
                let kind = trouble.fault.map_or("failure", |fault| fault.name());
                let body = trouble.fault.map_or_else(String::new, |fault| {
                    escaped(&format!("{}\n{}", fault.cause(), fault.fix()))
                });
                format!("<failure type=\"{kind}\" message=\"{evidence}\">{body}</failure>")
            }
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "    <testcase classname=\"dwctl.smoke\" name=\"{name}\" time=\"{took:.3}\">{inner}</testcase>"
        );
    }
    text + "  </testsuite>\n</testsuites>\n"
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::{Failure, Kind};
    use crate::flows::smoke::{Fault, Step, Trouble};

    #[test]
    fn every_step_is_a_case_with_its_end_and_nothing_breaks_the_document() {
        let failure = Failure::new(Kind::Deadline, "<no> \"event\" & \u{1b}[31m");
        let outcomes = [
            Outcome::Passed("a < b".to_owned()),
            Outcome::Failed(Trouble { failure, fault: Some(Fault::EventLost) }),
            Outcome::Skipped("not tried"),
        ];
        let took = Duration::from_millis(1_500);
        let steps = outcomes.into_iter().map(|outcome| Step { name: "event", took, outcome });
        let report = Report { token: "t".to_owned(), steps: steps.collect(), took };
        let text = render_junit(&report);
        let counts = "tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\" time=\"1.500\"";
        assert_eq!(text.matches(counts).count(), 2, "{text}");
        assert!(text.contains("<system-out>a &lt; b</system-out>"), "{text}");
        let failed = "<failure type=\"event-lost\" message=\"&lt;no&gt; &quot;event&quot; &amp; [31m\">the service";
        assert!(text.contains(failed), "{text}");
        assert!(text.contains("<skipped message=\"not tried\"/>"), "{text}");
    }
}
