//! Tables for people: columns as wide as their widest cell, numbers to the right, two spaces
//! between, no lines.

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
        let mut row: Vec<String> = cells
            .into_iter()
            .map(|cell| super::text::printable(&cell).replace(['\n', '\t'], " "))
            .collect();
        row.resize(self.head.len(), String::new());
        self.rows.push(row);
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as lines, without spaces at their ends.
    #[must_use]
    pub fn render(&self) -> String {
        let head: Vec<String> = self.head.iter().map(ToString::to_string).collect();
        let all = || std::iter::once(&head).chain(&self.rows);
        let widths: Vec<usize> = (0..head.len())
            .map(|column| all().map(|row| row[column].chars().count()).max().unwrap_or(0))
            .collect();
        all().map(|row| self.render_row(row, &widths) + "\n").collect()
    }

    fn render_row(&self, row: &[String], widths: &[usize]) -> String {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .zip(&self.right)
            .map(
                |((cell, &width), &right)| {
                    if right { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
                },
            )
            .collect();
        cells.join("  ").trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn columns_line_up_and_numbers_stand_right() {
        let mut table = Table::new(&["MODEL", ">SIZE"]);
        table.row(["a".to_owned(), "7".to_owned()]);
        table.row(["longer".to_owned(), "1024".to_owned()]);
        assert_eq!(table.render(), "MODEL   SIZE\na          7\nlonger  1024\n");
    }
}
