//! Habits of kcat's users: flags that are refused here, and what to write for them.

/// What to write for the first of kcat's flags among these arguments.
#[must_use]
pub fn in_our_words(arguments: &[String]) -> Option<String> {
    let is_reading = arguments.iter().any(|argument| argument == "tail");
    arguments.iter().enumerate().find_map(|(index, argument)| {
        let (flag, attached) = split(argument)?;
        let value = match attached {
            "" => arguments.get(index + 1).map_or("", String::as_str),
            attached => attached,
        };
        translate(flag, value, is_reading)
    })
}

/// A flag of one letter, and the value written against it.
fn split(argument: &str) -> Option<(char, &str)> {
    let mut rest = argument.strip_prefix('-')?.chars();
    let flag = rest.next()?;
    flag.is_ascii_alphabetic().then_some((flag, rest.as_str()))
}

fn translate(flag: char, value: &str, is_reading: bool) -> Option<String> {
    let ours = match flag {
        'o' if is_reading => {
            let position = position(value)?;
            format!("{position} (-o is the form of the output)")
        }
        'e' if is_reading => "--until end".to_owned(),
        'c' if is_reading => format!("-n {value}"),
        'f' if is_reading => format!("--format {value:?}"),
        'J' if is_reading => "-o json".to_owned(),
        'G' => format!("dwctl tail --group {value} TOPIC"),
        't' => format!("the topic without a flag: {value}"),
        'C' => "dwctl tail TOPIC".to_owned(),
        'P' => "dwctl send raw TOPIC".to_owned(),
        'L' => "dwctl topics".to_owned(),
        _ => return None,
    };
    Some(format!("for kcat's -{flag} write {ours}"))
}

/// A position of kcat's `-o` as a flag of `tail`.
fn position(value: &str) -> Option<String> {
    let number = |text: &str| text.parse::<u64>().is_ok();
    match value {
        "beginning" | "end" => Some(format!("--from {value}")),
        "stored" => Some("--group NAME, which goes on where the group is".to_owned()),
        _ => match value.split_once('@') {
            Some(("s", time)) => Some(format!("--from @{time}")),
            Some(("e", time)) => Some(format!("--until @{time}")),
            _ if number(value.strip_prefix('-').unwrap_or(value)) => {
                Some(format!("--from {value}"))
            }
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::in_our_words;

    fn ours(line: &str) -> Option<String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        in_our_words(&words)
    }

    #[test]
    fn positions_and_ends_of_kcat_are_translated() {
        for (theirs, expected) in [
            ("tail t -o beginning", "write --from beginning ("),
            ("tail t -o -5", "write --from -5 ("),
            ("tail t -o-5", "write --from -5 ("),
            ("tail t -o s@17", "write --from @17 ("),
            ("tail t -e", "write --until end"),
            ("tail t -c 3", "write -n 3"),
            ("-C -b h:1", "write dwctl tail TOPIC"),
            ("-L", "write dwctl topics"),
            ("tail -t t", "the topic without a flag: t"),
        ] {
            let told = ours(theirs).unwrap_or_default();
            assert!(told.contains(expected), "{theirs}: {told}");
        }
    }

    #[test]
    fn what_is_no_habit_of_kcat_is_left_alone() {
        for line in ["tail t -o yaml", "tail t --until", "upload x -e", "tail t -", "tail"] {
            assert_eq!(ours(line), None, "{line}");
        }
    }
}
