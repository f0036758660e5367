//! "Did you mean": the names of a list that are closest to one that was typed.

/// Names that differ from `typed` in at most a third of its letters or contain it, best first, at
/// most `limit`.
pub fn nearest<'a>(
    typed: &str,
    names: impl IntoIterator<Item = &'a str>,
    limit: usize,
) -> Vec<&'a str> {
    let lower = typed.to_lowercase();
    let mut scored: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| score(&lower, &name.to_lowercase()).map(|score| (score, name)))
        .collect();
    scored.sort();
    scored.into_iter().take(limit).map(|(_, name)| name).collect()
}

fn score(typed: &str, name: &str) -> Option<usize> {
    let distance = distance(typed, name);
    let contained =
        (typed.len() >= 3 && name.contains(typed)) || (name.len() >= 3 && typed.contains(name));
    (distance <= (typed.chars().count() / 3).max(1) || contained).then_some(distance)
}

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_closest_name_comes_first() {
        let names = ["automl-events", "automl-trigger-events", "bias-events"];
        assert_eq!(nearest("automl-event", names, 3)[0], "automl-events");
        assert_eq!(nearest("bais-events", names, 1), ["bias-events"]);
    }

    #[test]
    fn nothing_is_offered_for_a_name_like_no_other() {
        assert!(nearest("zzzzzz", ["pytorch", "onnx"], 3).is_empty());
        assert!(nearest("namesdir", ["m", "di"], 3).is_empty(), "a letter or two are in any name");
    }
}
