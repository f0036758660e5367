//! Tables for people: columns as wide as their widest cell, numbers to the right, two spaces
//! between, no lines.

use std::borrow::Cow;

use super::live::text_width;
use super::styled::TextRenderer;
use super::text::{self, LineBreaks};

/// Rows of equal length under a head.
#[derive(Clone, Debug)]
pub struct Table {
    head: Vec<&'static str>,
    right: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Columns by their titles; a title that starts with `>` names a column of numbers.
    #[must_use]
    pub fn new(titles: &[&'static str]) -> Self {
        Self {
            head: titles.iter().map(|title| title.trim_start_matches('>')).collect(),
            right: titles.iter().map(|title| title.starts_with('>')).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds one row; missing cells are empty.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let mut row: Vec<String> =
            cells.into_iter().map(|cell| text::escape_breaks(&cell).into_owned()).collect();
        row.resize(self.head.len(), String::new());
        self.rows.push(row);
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as lines, without spaces at their ends, as the stream takes them.
    #[must_use]
    pub fn render(&self, stream: TextRenderer) -> String {
        let head: Vec<Cow<'_, str>> = self.head.iter().map(|&title| title.into()).collect();
        let clean = |cell| stream.clean(cell, LineBreaks::Escape);
        let rows = self.rows.iter().map(|row| row.iter().map(|cell| clean(cell)).collect());
        let all: Vec<Vec<Cow<'_, str>>> = std::iter::once(head).chain(rows).collect();
        let widths: Vec<usize> = (0..self.head.len())
            .map(|column| all.iter().map(|row| text_width(&row[column])).max().unwrap_or(0))
            .collect();
        all.iter().map(|row| self.render_row(row, &widths) + "\n").collect()
    }

    fn render_row(&self, row: &[Cow<'_, str>], widths: &[usize]) -> String {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .zip(&self.right)
            .map(|((cell, &width), &right)| {
                // `format!` takes no width above 65,535.
                let padding = " ".repeat(width.saturating_sub(text_width(cell)));
                if right { format!("{padding}{cell}") } else { format!("{cell}{padding}") }
            })
            .collect();
        cells.join("  ").trim_end_matches(' ').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(cells: &[&str]) -> Vec<String> {
        let mut table = Table::new(&["FIELD", ">N", "VALUE"]);
        for cell in cells {
            table.row(["name".to_owned(), (*cell).to_owned(), (*cell).to_owned()]);
        }
        table.render(TextRenderer::PLAIN).lines().map(str::to_owned).collect()
    }

    #[test]
    fn columns_line_up_and_numbers_stand_right() {
        let mut table = Table::new(&["MODEL", ">SIZE"]);
        table.row(["a".to_owned(), "7".to_owned()]);
        table.row(["longer".to_owned(), "1024".to_owned()]);
        assert_eq!(table.render(TextRenderer::PLAIN), "MODEL   SIZE\na          7\nlonger  1024\n");
    }

    #[test]
    fn a_cell_of_any_length_and_content_is_one_cell_of_one_line() {
        let parts =
            ["a", "\n", "\t\r\n", "", " ", "\x1b[2J", "\u{9b}", "模", "e\u{301}", "\u{200b}"];
        for part in parts {
            for count in [1, 7, 65_534, 65_535, 65_536, 70_001] {
                let lines = render(&[&part.repeat(count), "x"]);
                assert_eq!(lines.len(), 3, "{count} times {part:?}");
                let ends = lines.iter().map(|line| line.rfind("VALUE").or(line.rfind('x')));
                let columns: Vec<usize> = lines
                    .iter()
                    .zip(ends)
                    .filter_map(|(line, end)| end.map(|end| text_width(&line[..end])))
                    .collect();
                assert_eq!(columns[0], *columns.last().unwrap(), "{count} times {part:?}");
            }
        }
    }

    #[test]
    fn only_a_terminal_gets_cells_with_escapes() {
        let mut table = Table::new(&["NAME"]);
        table.row(["a\x1b[2J\n\u{202e}".to_owned()]);
        assert_eq!(table.render(TextRenderer::PLAIN), "NAME\na\x1b[2J\\n\u{202e}\n");
        let terminal = TextRenderer { is_terminal: true, ..TextRenderer::PLAIN };
        assert_eq!(table.render(terminal), "NAME\na\\u001b[2J\\n\\u202e\n");
    }
}
