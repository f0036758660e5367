//! How a failure is shown: lines for a person, or one JSON object, both on standard error.

use serde_json::json;

use super::streams::{error_lines, hint_lines};
use super::{Format, Ui, text};
use crate::base::{Fact, Failure, Hint};

/// Shows a failure on standard error in the form that was asked for.
pub fn report(ui: &Ui, failure: &Failure) {
    if ui.format() == Format::Json {
        error_lines(&render_json(failure));
    } else {
        error_lines(&render_text(ui, failure));
    }
}

/// One object a line, as DESIGN section 5 fixes it.
fn render_json(failure: &Failure) -> String {
    let mut object = json!({ "error": {
        "kind": failure.kind().word(),
        "code": failure.kind().code(),
        "message": failure.message(),
        "hints": failure.hints().iter().map(Hint::text).collect::<Vec<_>>(),
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

fn render_text(ui: &Ui, failure: &Failure) -> String {
    let paint = ui.talk_paint();
    let mut lines = format!("{} {}\n", paint.bad("error:"), text::printable(&failure.message()));
    for cause in failure.causes() {
        lines += &format!("  {} {}\n", paint.dim("cause:"), text::printable(&cause));
    }
    lines + &hint_lines(failure.hints(), paint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Kind;

    #[test]
    fn a_fact_is_a_field_of_its_own() {
        let failure = Failure::new(Kind::CheckFailed, "false failed").fact("command_exit", 1);
        assert!(render_json(&failure).ends_with("\"cause\":[],\"command_exit\":1}}\n"));
        let failure = Failure::new(Kind::Rejected, "no").fact("path", "a.pt".to_owned());
        assert!(render_json(&failure).ends_with("\"cause\":[],\"path\":\"a.pt\"}}\n"));
    }

    #[test]
    fn the_json_form_has_its_five_fields() {
        let failure = Failure::new(Kind::NotFound, "no model u/m").hint("dwctl models list");
        assert_eq!(
            render_json(&failure),
            "{\"error\":{\"kind\":\"not-found\",\"code\":3,\"message\":\"no model u/m\",\"hints\":[\"dwctl models list\"],\"cause\":[]}}\n"
        );
    }
}
