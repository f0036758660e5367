//! How a failure is shown: lines for a person, or one JSON object, both on standard error.

use serde_json::json;

use super::streams::labelled;
use super::styled::{StyledText, TextStyle};
use super::text::{self, LineBreaks};
use super::{Format, Ui};
use crate::base::{Fact, Failure};

/// Shows a failure on standard error in the form that was asked for.
pub fn report(ui: &Ui, failure: &Failure) {
    ui.error_text(&match ui.format() {
        Format::Json if ui.err().is_terminal => escape_document(render_json(ui, failure)),
        Format::Json => render_json(ui, failure),
        Format::Text | Format::Raw => render_text(ui, failure),
    });
}

/// One object a line, as DESIGN section 5 fixes it.
fn render_json(ui: &Ui, failure: &Failure) -> String {
    let flags = ui.command_flags();
    let mut object = json!({ "error": {
        "kind": failure.kind().word(),
        "code": failure.kind().code(),
        "message": failure.message(),
        "hints": failure.hints().iter().map(|hint| hint.text_with(flags)).collect::<Vec<_>>(),
        "cause": failure.causes(),
    }});
    for (name, value) in failure.facts() {
        object["error"][*name] = match value {
            Fact::Number(number) => json!(number),
            Fact::Text(text) => json!(text),
        };
    }
    format!("{object}\n")
}

fn escape_document(document: String) -> String {
    let mut bytes = document.into_bytes();
    text::escape_json(&mut bytes, 0);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn render_text(ui: &Ui, failure: &Failure) -> String {
    let (message, causes) = (failure.message(), failure.causes());
    let hints: Vec<_> =
        failure.hints().iter().map(|hint| hint.text_with(ui.command_flags())).collect();
    let mut lines = vec![labelled(TextStyle::Bad, "error:", &message)];
    for cause in &causes {
        let indented = StyledText::from("  ").with(TextStyle::Dim, "cause:");
        lines.push(indented.plain(" ").plain(cause));
    }
    lines.extend(hints.iter().map(|hint| labelled(TextStyle::Hint, "hint:", hint)));
    lines.iter().map(|line| ui.err().render(line, LineBreaks::Indent) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Kind, Shutdown};
    use crate::ui::UiOptions;

    fn ui() -> Ui {
        Ui::new(UiOptions::plain(), Shutdown::new()).with_command_flags(" -u http://h:1".into())
    }

    #[test]
    fn a_command_of_a_hint_has_the_flags_of_the_run() {
        let failure = Failure::new(Kind::NotFound, "no model u/m")
            .hint_command("see it", "dwctl models show u/m")
            .hint("name another");
        assert_eq!(
            render_text(&ui(), &failure),
            "error: no model u/m\nhint: see it: dwctl models show u/m -u http://h:1\nhint: name another\n"
        );
    }

    #[test]
    fn a_fact_is_a_field_of_its_own() {
        let failure = Failure::new(Kind::CheckFailed, "false failed").fact("command_exit", 1);
        assert!(render_json(&ui(), &failure).ends_with("\"cause\":[],\"command_exit\":1}}\n"));
        let failure = Failure::new(Kind::Rejected, "no").fact("path", "a.pt".to_owned());
        assert!(render_json(&ui(), &failure).ends_with("\"cause\":[],\"path\":\"a.pt\"}}\n"));
    }

    #[test]
    fn the_json_form_has_its_five_fields() {
        let failure = Failure::new(Kind::NotFound, "no model u/m").hint("dwctl models list");
        assert_eq!(
            render_json(&ui(), &failure),
            "{\"error\":{\"kind\":\"not-found\",\"code\":3,\"message\":\"no model u/m\",\"hints\":[\"dwctl models list\"],\"cause\":[]}}\n"
        );
    }
}
