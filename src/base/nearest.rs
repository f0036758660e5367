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

/// Insertions, deletions, substitutions and exchanges of neighbours (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let substituted = above[j] + usize::from(a[i] != b[j]);
            let mut fewest = substituted.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                fewest = fewest.min(before[j - 1] + 1);
            }
            row.push(fewest);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_closest_name_comes_first() {
        let names = ["automl-events", "automl-trigger-events", "bias-events"];
        assert_eq!(nearest("automl-event", names, 3)[0], "automl-events");
        assert_eq!(nearest("bais-events", names, 1), ["bias-events"]);
        assert_eq!(nearest("bais", ["bias", "xai"], 1), ["bias"], "neighbours exchanged");
        assert_eq!(nearest("xia", ["bias", "xai"], 1), ["xai"]);
    }

    #[test]
    fn nothing_is_offered_for_a_name_like_no_other() {
        assert!(nearest("zzzzzz", ["pytorch", "onnx"], 3).is_empty());
        assert!(nearest("namesdir", ["m", "di"], 3).is_empty(), "a letter or two are in any name");
    }
}
