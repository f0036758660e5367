//! The front matter of a Markdown file: the part of YAML that model cards use at their top level,
//! which is scalars and lists of scalars. What is nested or written in other ways is passed by, and
//! never guessed at.

use std::iter::Peekable;
use std::str::Lines;

/// A value at the top level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Scalar(String),
    List(Vec<String>),
}

/// Keys and values between the lines `---`, in their order; nothing where there is no front matter.
pub(super) fn parse(markdown: &str) -> Vec<(String, Node)> {
    let text = markdown.trim_start_matches('\u{feff}');
    let mut lines = text.lines().peekable();
    if lines.next().map(str::trim_end) != Some("---") {
        return Vec::new();
    }
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        if matches!(line.trim_end(), "---" | "...") {
            return found;
        }
        let Some((key, rest)) = key_of(line) else { continue };
        let block = block(&mut lines);
        if let Some(node) = node(rest, &block) {
            found.push((key.to_owned(), node));
        }
    }
    // Without its last line it is a text that begins with a rule.
    Vec::new()
}

/// The key of a line of the top level, and what stands behind its colon.
fn key_of(line: &str) -> Option<(&str, &str)> {
    if line.starts_with([' ', '\t', '-', '#', '"', '\'', '?', '{', '[']) {
        return None;
    }
    let (key, rest) = line.split_once(':')?;
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then_some((key.trim_end(), rest.trim()))
}

/// The lines that belong to a key: those further in, and the items of a list.
fn block<'a>(lines: &mut Peekable<Lines<'a>>) -> Vec<&'a str> {
    let mut block = Vec::new();
    while let Some(line) = lines.peek() {
        let is_end = matches!(line.trim_end(), "---" | "...");
        let belongs = line.trim().is_empty()
            || line.starts_with([' ', '\t', '#'])
            || line.starts_with("- ")
            || *line == "-";
        if is_end || !belongs {
            break;
        }
        block.push(*line);
        lines.next();
    }
    block
}

fn node(rest: &str, block: &[&str]) -> Option<Node> {
    match rest.chars().next() {
        Some('|' | '>') => Some(Node::Scalar(folded(rest, block))),
        Some('[') => flow(rest, block).map(Node::List),
        // Maps, anchors, aliases and tags.
        Some('{' | '&' | '*' | '!') => None,
        Some('#') | None => items(block).map(Node::List),
        Some('"' | '\'') => scalar(rest).map(Node::Scalar),
        Some(_) => {
            let more = block.iter().map(|line| line.trim()).filter(|line| !line.starts_with('#'));
            let whole: Vec<&str> = std::iter::once(rest).chain(more).collect();
            scalar(whole.join(" ").trim()).map(Node::Scalar)
        }
    }
}

/// A text of several lines: kept as they are after `|`, joined after `>`.
fn folded(head: &str, block: &[&str]) -> String {
    let indent = block
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    let lines: Vec<&str> =
        block.iter().map(|line| line.get(indent..).unwrap_or_default().trim_end()).collect();
    let text = lines.join("\n");
    let text = text.trim_end();
    if head.starts_with('|') {
        return text.to_owned();
    }
    // An empty line between two parts is the one break that is kept.
    let parts: Vec<String> = text.split("\n\n").map(|part| part.replace('\n', " ")).collect();
    parts.join("\n")
}

/// `[a, "b"]`, also over several lines.
fn flow(rest: &str, block: &[&str]) -> Option<Vec<String>> {
    let whole: Vec<&str> =
        std::iter::once(rest).chain(block.iter().map(|line| line.trim())).collect();
    let whole = whole.join(" ");
    let inner = whole.trim().strip_prefix('[')?.strip_suffix(']')?;
    if inner.contains(['[', '{']) {
        return None;
    }
    let items = split_outside_quotes(inner);
    items.iter().map(|item| item.trim()).filter(|item| !item.is_empty()).map(scalar).collect()
}

fn split_outside_quotes(text: &str) -> Vec<&str> {
    let (mut start, mut quote, mut parts) = (0, None, Vec::new());
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, ',') => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// `- a` line by line; nothing where an item is more than a scalar.
fn items(block: &[&str]) -> Option<Vec<String>> {
    let mut items = Vec::new();
    for line in block.iter().map(|line| line.trim()) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let item = line.strip_prefix("- ")?.trim();
        let is_map = !item.starts_with(['"', '\'']) && (item.contains(": ") || item.ends_with(':'));
        if is_map || item.starts_with(['-', '[', '{']) {
            return None;
        }
        items.push(scalar(item)?);
    }
    (!items.is_empty()).then_some(items)
}

/// One scalar; nothing of a null, or of what is not understood.
fn scalar(text: &str) -> Option<String> {
    if let Some(rest) = text.strip_prefix('"') {
        return double_quoted(rest);
    }
    if let Some(rest) = text.strip_prefix('\'') {
        let end = end_of_single(rest)?;
        return Some(rest[..end].replace("''", "'"));
    }
    let plain = text.split_once(" #").map_or(text, |(plain, _)| plain).trim_end();
    let is_nothing = matches!(plain, "" | "~" | "null" | "Null" | "NULL");
    (!is_nothing && !plain.starts_with(['&', '*', '!', '{', '[', '%', '@', '`']))
        .then(|| plain.to_owned())
}

fn end_of_single(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'\'', Some(b'\'')) => at += 2,
            (b'\'', _) => return Some(at),
            _ => at += 1,
        }
    }
    None
}

fn double_quoted(text: &str) -> Option<String> {
    let (mut out, mut chars) = (String::new(), text.chars());
    loop {
        match chars.next()? {
            '"' => return Some(out),
            '\\' => out.push(match chars.next()? {
                'n' => '\n',
                't' => '\t',
                'u' => {
                    let digits: String = chars.by_ref().take(4).collect();
                    char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
                }
                same @ ('"' | '\\' | '/') => same,
                _ => return None,
            }),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(yaml: &str) -> Vec<(String, Node)> {
        parse(&format!("---\n{yaml}\n---\n# Title\nkey: no\n"))
    }

    fn one(yaml: &str) -> Option<Node> {
        parsed(yaml).into_iter().find(|(key, _)| key == "k").map(|(_, node)| node)
    }

    fn text(text: &str) -> Option<Node> {
        Some(Node::Scalar(text.to_owned()))
    }

    fn list(words: &[&str]) -> Option<Node> {
        Some(Node::List(words.iter().map(|&word| word.to_owned()).collect()))
    }

    #[test]
    fn scalars_are_read_in_every_quoting() {
        assert_eq!(one("k: plain text # and a comment"), text("plain text"));
        assert_eq!(one("k: a#b"), text("a#b"));
        assert_eq!(one("k: 'it''s' # x"), text("it's"));
        assert_eq!(one("k: \"a\\n\\\"b\\\" \\u00e9\""), text("a\n\"b\" é"));
        assert_eq!(one("k: two\n  lines"), text("two lines"));
        assert_eq!(one("k: http://x/y"), text("http://x/y"));
        for nothing in ["k:", "k: ~", "k: null", "k: &a x", "k: *a", "k: {a: 1}", "k: \"open"] {
            assert_eq!(one(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn blocks_keep_or_join_their_lines() {
        assert_eq!(one("k: |\n  a\n    b\n\n  c\nz: 1"), text("a\n  b\n\nc"));
        assert_eq!(one("k: >-\n  a\n  b\n\n  c\nz: 1"), text("a b\nc"));
    }

    #[test]
    fn lists_are_read_in_both_ways() {
        assert_eq!(one("k:\n- a\n- 'b'\nz: 1"), list(&["a", "b"]));
        assert_eq!(one("k:\n  # which\n  - a\n\n  - b # c"), list(&["a", "b"]));
        assert_eq!(one("k: [a, \"b, c\",\n  d]"), list(&["a", "b, c", "d"]));
        assert_eq!(one("k:\n- a: 1\n  b: 2"), None, "a list of maps is passed by");
        assert_eq!(one("k:\n  a: 1"), None, "a map is passed by");
    }

    #[test]
    fn what_follows_something_nested_is_still_read() {
        let yaml = "model-index:\n- name: x\n  results:\n  - task:\n      type: y\nk: last";
        assert_eq!(parsed(yaml), [("k".to_owned(), Node::Scalar("last".to_owned()))]);
    }

    #[test]
    fn a_text_without_front_matter_has_none() {
        assert_eq!(parse("# Title\nk: v\n"), []);
        assert_eq!(parse("---\nk: v\n"), [], "it never ends");
        assert_eq!(parse(""), []);
        let windows = parse("\u{feff}---\r\nk: v\r\n---\r\n");
        assert_eq!(windows, [("k".to_owned(), Node::Scalar("v".to_owned()))]);
    }
}
