//! What was measured, as Markdown: on standard output, and for a run at full scale in `RESULTS.md`,
//! where each group keeps its place and its own account of the machine.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::machine;
use crate::workshop::Workshop;

const INTRODUCTION: &str = "# Measured by `cargo bench`

Whole processes from start to end, beside the tools that one would take instead, in the same run and by turns. A ratio is the median of the ratios of the rounds; below 1 is better than the peer. CPU is user and system time of all processes of a command; peak memory is the largest resident set of one of them. dwctl is run from a copy of what was built, as from where it is installed. What was wanted stands beside what was found, and where it was not reached the line says so.
";

/// One answer to what was asked.
pub struct Verdict {
    text: String,
    is_met: bool,
}

impl Verdict {
    pub fn at_most(what: &str, found: f64, unit: &str, bound: Option<f64>) -> Self {
        Self::compare(what, found, unit, bound.map(|bound| ("at most", bound, found <= bound)))
    }

    pub fn at_least(what: &str, found: f64, unit: &str, bound: f64) -> Self {
        Self::compare(what, found, unit, Some(("at least", bound, found >= bound)))
    }

    fn compare(what: &str, found: f64, unit: &str, bound: Option<(&str, f64, bool)>) -> Self {
        let Some((word, bound, is_met)) = bound else {
            return Self { text: format!("{what}: {found:.2} {unit}"), is_met: true };
        };
        let outcome = if is_met { "" } else { ": **not reached**" };
        Self {
            text: format!("{what}: {found:.2} {unit}, wanted {word} {bound} {unit}{outcome}"),
            is_met,
        }
    }
}

/// One table.
pub struct Section {
    title: String,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    commands: Vec<(String, String)>,
    verdicts: Vec<Verdict>,
}

impl Section {
    pub fn new(title: &str, header: &[&str]) -> Self {
        Self {
            title: title.to_owned(),
            header: header.iter().map(|&cell| cell.to_owned()).collect(),
            rows: Vec::new(),
            commands: Vec::new(),
            verdicts: Vec::new(),
        }
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub fn command(&mut self, name: &str, shown: &str) {
        self.commands.push((name.to_owned(), shown.to_owned()));
    }

    pub fn verdict(&mut self, verdict: Verdict) {
        self.verdicts.push(verdict);
    }

    pub fn render(&self) -> String {
        let mut text = format!("\n### {}\n\n", self.title);
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        text += &line(&self.header);
        text += &format!("|{}\n", "---|".repeat(self.header.len()));
        text.extend(self.rows.iter().map(|row| line(row)));
        if !self.verdicts.is_empty() {
            text.push('\n');
        }
        for verdict in &self.verdicts {
            let _ = writeln!(text, "* {}", verdict.text);
        }
        if !self.commands.is_empty() {
            text += "\n```text\n";
            for (name, shown) in &self.commands {
                let _ = writeln!(text, "{name}: {shown}");
            }
            text += "```\n";
        }
        text
    }
}

/// The file of results, group by group.
pub struct Report {
    path: PathBuf,
    groups: Vec<(String, String)>,
    unmet: Vec<String>,
}

impl Report {
    pub fn open(workshop: &Workshop) -> Result<Self> {
        let path = if workshop.is_full_scale() {
            Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/RESULTS.md")
        } else {
            workshop.folder().join("RESULTS.md")
        };
        let known = std::fs::read_to_string(&path).unwrap_or_default();
        let groups = known.split("\n## ").skip(1).map(|group| {
            let (name, text) = group.split_once('\n').unwrap_or((group, ""));
            (name.to_owned(), text.trim_end().to_owned())
        });
        Ok(Self { groups: groups.collect(), path, unmet: Vec::new() })
    }

    /// Puts a group's new results in the place of its old ones and writes the file.
    pub fn replace(&mut self, name: &str, sections: &[Section], workshop: &Workshop) -> Result<()> {
        let mut text = format!("\n{}\n", machine::facts(workshop));
        text.extend(sections.iter().map(Section::render));
        let unmet = sections.iter().flat_map(|section| &section.verdicts);
        let unmet = unmet.filter(|verdict| !verdict.is_met);
        self.unmet.extend(unmet.map(|verdict| format!("{name}: {}", verdict.text)));
        match self.groups.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = text,
            None => self.groups.push((name.to_owned(), text)),
        }
        let body: String = self
            .groups
            .iter()
            .map(|(name, text)| format!("\n## {name}\n{}\n", text.trim_end()))
            .collect();
        std::fs::write(&self.path, format!("{INTRODUCTION}{body}"))?;
        Ok(())
    }

    pub fn conclude(&self) {
        println!("\nresults: {}", self.path.display());
        for line in &self.unmet {
            println!("not reached: {line}");
        }
    }
}
