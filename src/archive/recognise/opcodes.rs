//! The opcodes of Python's pickles, followed on a stack of symbols and never run: which classes and
//! functions a pickle imports, whether it calls one, and where it ends. The stack is exact: a text
//! that is no pickle fails within a few bytes, and an import cannot hide behind values that are
//! popped again. Source: pickletools.py and _pickle.c of Python 3.13.

use std::collections::HashMap;
use std::rc::Rc;

use super::sample::Bytes;

/// The newest protocol of pickles.
const NEWEST_PROTOCOL: u8 = 5;

/// How a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::archive) enum End {
    /// At the opcode that ends a pickle.
    Stop,
    /// At the last byte that is here.
    Bytes,
    /// At something that no unpickler takes.
    Unknown,
}

/// A class or function that a pickle imports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::archive) struct Import {
    pub module: String,
    pub name: String,
}

/// What the opcodes from one place on are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::archive) struct PickleWalk {
    /// In the order of the opcodes, without repetition.
    pub imports: Vec<Import>,
    /// Whether something is imported whose name cannot be read without running the pickle.
    pub hidden_import: bool,
    /// Whether a class or function is called.
    pub calls: bool,
    /// Whether a value is put into the memo, as every pickler does with containers and texts.
    pub memoises: bool,
    /// Bytes that were read.
    pub length: usize,
    pub end: End,
}

impl PickleWalk {
    /// Follows the opcodes from the first byte of `content`.
    pub fn read(content: &[u8]) -> Self {
        let mut machine = Machine::new(content);
        let end = loop {
            if let Err(end) = machine.step() {
                break end;
            }
        };
        let length = machine.bytes.at;
        Self { length, end, ..machine.walk }
    }

    /// Whether every import has a name that Python could import.
    pub fn has_plausible_imports(&self) -> bool {
        self.imports.iter().all(|import| is_dotted(&import.module) && is_dotted(&import.name))
    }
}

/// Whether a text is identifiers with dots between them.
fn is_dotted(text: &str) -> bool {
    text.split('.').all(|part| {
        let mut letters = part.chars();
        letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
            && letters.all(|letter| letter.is_alphanumeric() || letter == '_')
    })
}

/// A value on the stack, as far as it matters here.
#[derive(Clone, Debug)]
enum Symbol {
    Mark,
    Text(Rc<str>),
    Other,
}

struct Machine<'a> {
    bytes: Bytes<'a>,
    stack: Vec<Symbol>,
    memo: HashMap<u64, Symbol>,
    walk: PickleWalk,
}

type Step = Result<(), End>;

impl<'a> Machine<'a> {
    fn new(content: &'a [u8]) -> Self {
        Self {
            bytes: Bytes::new(content),
            stack: Vec::new(),
            memo: HashMap::new(),
            walk: PickleWalk {
                imports: Vec::new(),
                hidden_import: false,
                calls: false,
                memoises: false,
                length: 0,
                end: End::Bytes,
            },
        }
    }

    fn step(&mut self) -> Step {
        let opcode = self.bytes.u8().ok_or(End::Bytes)?;
        match opcode {
            b'.' => {
                self.pop()?;
                Err(End::Stop)
            }
            0x80 => self.check_protocol(),
            0x95 => self.bytes.u64().map(|_| ()).ok_or(End::Bytes),
            b'(' | b'0' | b'1' | b'2' => self.arrange(opcode),
            b'p' | b'q' | b'r' | 0x94 => self.memoise(opcode),
            b'g' | b'h' | b'j' => self.fetch(opcode),
            b'c' | b'i' | 0x93 | 0x82..=0x84 => self.import(opcode),
            b'R' | b'o' | b'b' | 0x81 | 0x92 => self.call(opcode),
            b'S' | b'V' | b'T' | b'U' | b'X' | 0x8c | 0x8d => self.push_text(opcode),
            b'F' | b'I' | b'L' | b'P' => self.push_line(opcode),
            _ => self.simple(opcode),
        }
    }

    fn check_protocol(&mut self) -> Step {
        match self.bytes.u8().ok_or(End::Bytes)? {
            0..=NEWEST_PROTOCOL => Ok(()),
            _ => Err(End::Unknown),
        }
    }

    /// Opcodes that only move values.
    fn arrange(&mut self, opcode: u8) -> Step {
        match opcode {
            b'(' => self.stack.push(Symbol::Mark),
            // The one opcode that may take a mark off.
            b'0' => drop(self.stack.pop().ok_or(End::Unknown)?),
            b'1' => drop(self.pop_to_mark()?),
            _ => {
                let top = self.pop()?;
                self.stack.extend([top.clone(), top]);
            }
        }
        Ok(())
    }

    fn memoise(&mut self, opcode: u8) -> Step {
        let index = match opcode {
            b'p' => self.number_line()?,
            b'q' => self.bytes.u8().map(u64::from).ok_or(End::Bytes)?,
            b'r' => self.bytes.u32().map(u64::from).ok_or(End::Bytes)?,
            _ => self.memo.len() as u64,
        };
        let top = match self.stack.last() {
            Some(Symbol::Mark) | None => return Err(End::Unknown),
            Some(top) => top.clone(),
        };
        self.memo.insert(index, top);
        self.walk.memoises = true;
        Ok(())
    }

    fn fetch(&mut self, opcode: u8) -> Step {
        let index = match opcode {
            b'g' => self.number_line()?,
            b'h' => self.bytes.u8().map(u64::from).ok_or(End::Bytes)?,
            _ => self.bytes.u32().map(u64::from).ok_or(End::Bytes)?,
        };
        let value = self.memo.get(&index).cloned().ok_or(End::Unknown)?;
        self.stack.push(value);
        Ok(())
    }

    fn number_line(&mut self) -> Result<u64, End> {
        let line = self.bytes.line().ok_or(End::Bytes)?;
        std::str::from_utf8(line).ok().and_then(|text| text.trim().parse().ok()).ok_or(End::Unknown)
    }

    fn import(&mut self, opcode: u8) -> Step {
        match opcode {
            b'c' | b'i' => {
                let module = self.bytes.line().ok_or(End::Bytes)?;
                let name = self.bytes.line().ok_or(End::Bytes)?;
                let (Some(module), Some(name)) = (utf8(module), utf8(name)) else {
                    return Err(End::Unknown);
                };
                if opcode == b'i' {
                    self.pop_to_mark()?;
                    self.walk.calls = true;
                }
                self.note_import(&module, &name);
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                match (module, name) {
                    (Symbol::Text(module), Symbol::Text(name)) => self.note_import(&module, &name),
                    _ => self.walk.hidden_import = true,
                }
            }
            // A number of Python's extension registry: a class without its name.
            _ => {
                let width = [1, 2, 4][usize::from(opcode - 0x82)];
                self.bytes.take(width).ok_or(End::Bytes)?;
                self.walk.hidden_import = true;
            }
        }
        self.stack.push(Symbol::Other);
        Ok(())
    }

    fn note_import(&mut self, module: &str, name: &str) {
        let import = Import { module: module.to_owned(), name: name.to_owned() };
        if !self.walk.imports.contains(&import) {
            self.walk.imports.push(import);
        }
    }

    fn call(&mut self, opcode: u8) -> Step {
        match opcode {
            // A state is given to an object, which may be a function's work.
            b'b' => {
                self.pop()?;
                self.pop()?;
            }
            b'o' => {
                if self.pop_to_mark()? == 0 {
                    return Err(End::Unknown);
                }
            }
            0x92 => self.pop_many(3)?,
            _ => self.pop_many(2)?,
        }
        self.stack.push(Symbol::Other);
        self.walk.calls = true;
        Ok(())
    }

    fn push_text(&mut self, opcode: u8) -> Step {
        let bytes = &mut self.bytes;
        let text = match opcode {
            b'S' => return self.push_quoted(),
            b'V' => bytes.line(),
            b'U' | 0x8c => bytes.u8().and_then(|length| bytes.take(length.into())),
            b'T' | b'X' => bytes.u32().and_then(|length| bytes.take(length.into())),
            _ => bytes.u64().and_then(|length| bytes.take(length)),
        };
        let text = text.ok_or(End::Bytes)?;
        let symbol = match utf8(text) {
            // The escapes of the old form are not read.
            Some(text) if opcode != b'V' || !text.contains('\\') => Symbol::Text(text.into()),
            Some(_) => Symbol::Other,
            None if matches!(opcode, b'X' | 0x8c | 0x8d) => return Err(End::Unknown),
            None => Symbol::Other,
        };
        self.stack.push(symbol);
        Ok(())
    }

    fn push_quoted(&mut self) -> Step {
        let line = self.bytes.line().ok_or(End::Bytes)?.trim_ascii();
        let inner = match line {
            [b'\'', inner @ .., b'\''] | [b'"', inner @ .., b'"'] => inner,
            _ => return Err(End::Unknown),
        };
        let text = utf8(inner).filter(|text| !text.contains('\\'));
        self.stack.push(text.map_or(Symbol::Other, |text| Symbol::Text(text.into())));
        Ok(())
    }

    fn push_line(&mut self, opcode: u8) -> Step {
        let line = self.bytes.line().ok_or(End::Bytes)?;
        let text = utf8(line).ok_or(End::Unknown)?;
        let text = text.trim();
        let is_number = |text: &str| {
            let digits = text.trim_start_matches(['-', '+']);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
        };
        let is_valid = match opcode {
            b'F' => text.parse::<f64>().is_ok(),
            b'I' => is_number(text),
            b'L' => is_number(text.strip_suffix('L').unwrap_or(text)),
            _ => true,
        };
        if !is_valid {
            return Err(End::Unknown);
        }
        self.stack.push(Symbol::Other);
        Ok(())
    }

    /// Opcodes with an argument of a fixed width, or bytes, and a fixed effect on the stack.
    fn simple(&mut self, opcode: u8) -> Step {
        let bytes = &mut self.bytes;
        let argument = match opcode {
            b'K' => bytes.take(1),
            b'M' => bytes.take(2),
            b'J' => bytes.take(4),
            b'G' => bytes.take(8),
            b'C' | 0x8a => bytes.u8().and_then(|length| bytes.take(length.into())),
            b'B' | 0x8b => bytes.u32().and_then(|length| bytes.take(length.into())),
            0x8e | 0x96 => bytes.u64().and_then(|length| bytes.take(length)),
            _ => return self.plain(opcode),
        };
        argument.ok_or(End::Bytes)?;
        self.stack.push(Symbol::Other);
        Ok(())
    }

    /// Opcodes without an argument.
    fn plain(&mut self, opcode: u8) -> Step {
        match opcode {
            b'N' | b')' | b'}' | b']' | 0x88 | 0x89 | 0x8f | 0x97 => {}
            b'Q' | 0x85 | 0x98 => self.pop_many(1)?,
            b'a' | 0x86 => self.pop_many(2)?,
            b's' | 0x87 => self.pop_many(3)?,
            b'd' | b'l' | b't' | 0x91 => drop(self.pop_to_mark()?),
            // The container under the mark stays.
            b'e' | b'u' | 0x90 => {
                self.pop_to_mark()?;
                self.pop()?;
            }
            _ => return Err(End::Unknown),
        }
        self.stack.push(Symbol::Other);
        Ok(())
    }

    /// Takes the top value, which is no mark.
    fn pop(&mut self) -> Result<Symbol, End> {
        match self.stack.pop() {
            None | Some(Symbol::Mark) => Err(End::Unknown),
            Some(value) => Ok(value),
        }
    }

    fn pop_many(&mut self, count: usize) -> Step {
        (0..count).try_for_each(|_| self.pop().map(drop))
    }

    /// Takes everything down to the last mark, and returns how many values that were.
    fn pop_to_mark(&mut self) -> Result<usize, End> {
        let mark = self.stack.iter().rposition(|value| matches!(value, Symbol::Mark));
        let mark = mark.ok_or(End::Unknown)?;
        let count = self.stack.len() - mark - 1;
        self.stack.truncate(mark);
        Ok(count)
    }
}

fn utf8(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(|text| text.trim_end_matches('\r').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(content: &[u8]) -> (Vec<String>, End) {
        let walk = PickleWalk::read(content);
        let names = walk.imports.iter().map(|import| format!("{} {}", import.module, import.name));
        (names.collect(), walk.end)
    }

    #[test]
    fn imports_are_found_by_line_by_stack_and_by_memo() {
        let by_line = names(b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01.");
        assert_eq!(by_line, (vec!["collections OrderedDict".into()], End::Stop));
        let by_stack = b"\x80\x04\x95\x20\0\0\0\0\0\0\0\x8c\x02os\x94\x8c\x06system\x94\x93\x94.";
        assert_eq!(names(by_stack), (vec!["os system".into()], End::Stop));
        let by_memo = b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94K\x05h\x00h\x01\x93.";
        assert_eq!(names(by_memo), (vec!["os system".into()], End::Stop));
        let by_line_of_memo = b"Vos\np7\n0Vsystem\np8\n0g7\ng8\n\x93.";
        assert_eq!(names(by_line_of_memo), (vec!["os system".into()], End::Stop));
    }

    #[test]
    fn an_import_cannot_hide_behind_values_that_are_popped() {
        let decoy = b"\x80\x04\x8c\x02os\x8c\x06system\x8c\x0ctorch._utils\x8c\x01x00\x93.";
        assert_eq!(names(decoy), (vec!["os system".into()], End::Stop));
        assert!(PickleWalk::read(b"Vo\\u0073\nVsystem\n\x93.").hidden_import);
        assert!(PickleWalk::read(b"\x80\x02\x82\x07.").hidden_import);
    }

    #[test]
    fn a_walk_ends_where_it_must() {
        assert_eq!(names(b"\x80\x04\x8c\xffabc").1, End::Bytes);
        assert_eq!(names(b"").1, End::Bytes);
        let broken: [&[u8]; 12] = [
            b"\x80\x04\xff",
            b"\x80\x06N.",
            b".",
            b"R",
            b"NR.",
            b"(I am here\n.",
            b"t.",
            b"h\x00.",
            b"(N(.",
            b"Shello\n.",
            b"a",
            b"(o.",
        ];
        for content in broken {
            assert_eq!(names(content).1, End::Unknown, "{content:?}");
        }
    }

    #[test]
    fn calls_and_memo_are_noticed() {
        let system = PickleWalk::read(b"cos\nsystem\n(S'id'\ntR.trailing");
        assert!(system.calls && system.has_plausible_imports() && system.end == End::Stop);
        assert_eq!(system.length, b"cos\nsystem\n(S'id'\ntR.".len());
        let instance = PickleWalk::read(b"(S'id'\nios\nsystem\n.");
        assert!(instance.calls && instance.end == End::Stop);
        let plain = PickleWalk::read(b"(dp0\nVa\np1\nI1\ns.");
        assert!(plain.memoises && !plain.calls && plain.imports.is_empty());
        assert!(!PickleWalk::read(b"content\nof this file\n.").has_plausible_imports());
    }
}
