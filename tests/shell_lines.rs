//! The `dwctl` commands in a piece of shell text, as lists of words: enough of a shell's rules for
//! what stands in documents and scripts, and no more.

/// Every run of `dwctl` in the text: after the start of a line, a pipe, `;`, `&&`, a loop's `do`, a
/// parenthesis or assignments of variables. The words end where redirections or the next command begin.
pub fn dwctl_commands(script: &str) -> Vec<Vec<String>> {
    let script = script.replace("\\\n", " ");
    script.lines().flat_map(line_commands).collect()
}

/// The code in the fenced blocks of a Markdown text that are marked as shell.
pub fn shell_blocks(markdown: &str) -> String {
    let mut code = String::new();
    let mut is_shell = None;
    for line in markdown.lines() {
        match (line.trim_start().strip_prefix("```"), is_shell) {
            (Some(language), None) => is_shell = Some(matches!(language, "sh" | "bash")),
            (Some(_), Some(_)) => is_shell = None,
            (None, Some(true)) => code += &format!("{line}\n"),
            (None, _) => {}
        }
    }
    code
}

enum Token {
    Word(String),
    /// `|`, `&`, `;`, `(` or `)`, which end a command.
    End,
    /// `<` or `>`; the next word is a file.
    Redirection,
}

fn line_commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    let mut command: Vec<String> = Vec::new();
    let mut is_file = false;
    for token in tokens(line).into_iter().chain([Token::End]) {
        match token {
            Token::End => commands.push(std::mem::take(&mut command)),
            Token::Redirection => is_file = true,
            Token::Word(_) if std::mem::take(&mut is_file) => {}
            Token::Word(word) => command.push(word),
        }
    }
    commands.iter().filter_map(|command| without_prefix(command)).collect()
}

/// The command from its program on, if that is ours.
fn without_prefix(command: &[String]) -> Option<Vec<String>> {
    let is_ours = |word: &String| matches!(word.as_str(), "dwctl" | "$dwctl" | "$DWCTL");
    let is_before = |word: &String| {
        matches!(word.as_str(), "do" | "then" | "else" | "exec" | "time" | "$" | "-" | "run:" | "!")
            || word.split_once('=').is_some_and(|(name, _)| {
                name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_')
            })
    };
    let start = command.iter().position(|word| !is_before(word))?;
    is_ours(&command[start]).then(|| command[start..].to_vec())
}

fn tokens(line: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                word.extend(letters.by_ref().take_while(|inner| *inner != letter));
            }
            '#' if word.is_none() => break,
            ' ' | '\t' => tokens.extend(word.take().map(Token::Word)),
            '|' | '&' | ';' | '(' | ')' => {
                tokens.extend(word.take().map(Token::Word));
                tokens.push(Token::End);
            }
            '<' | '>' => {
                // The number of a stream belongs to the redirection.
                let number = word.take().filter(|word| !matches!(word.as_str(), "1" | "2"));
                tokens.extend(number.map(Token::Word));
                tokens.push(Token::Redirection);
                while letters.next_if(|next| matches!(next, '>' | '&')).is_some() {}
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    tokens.extend(word.map(Token::Word));
    tokens
}

#[test]
fn commands_are_found_wherever_a_shell_would_start_them() {
    let script = "A=1 dwctl tail automl -o json | jq '.a | .b' # dwctl no\n\
                  cat x | dwctl send raw t --key-delimiter ':' 2>log >out && dwctl demo; ls\n\
                  \"$dwctl\" upload \\\n  'a b'\n\
                  exec {serve}< <(exec dwctl serve --port 0)\n  - dwctl man\n echo dwctl\n";
    assert_eq!(
        dwctl_commands(script),
        [
            vec!["dwctl", "tail", "automl", "-o", "json"],
            vec!["dwctl", "send", "raw", "t", "--key-delimiter", ":"],
            vec!["dwctl", "demo"],
            vec!["$dwctl", "upload", "a b"],
            vec!["dwctl", "serve", "--port", "0"],
            vec!["dwctl", "man"],
        ]
    );
}

#[test]
fn only_blocks_marked_as_shell_are_code() {
    let text = "dwctl a\n```sh\ndwctl b\n```\n```text\ndwctl c\n```\n```bash\ndwctl d\n```\n";
    assert_eq!(shell_blocks(text), "dwctl b\ndwctl d\n");
}
