//! The opcodes of Python's pickles, read and never run, as far as a look needs them: which classes
//! and functions one names. It stops at what it does not know.

use std::collections::HashMap;

use super::sample::Bytes;

/// What one opcode puts on the stack, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pushed {
    Text(String),
    /// A module and a name in it.
    Global(String, String),
    Other,
}

/// How a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// At the opcode that ends a pickle.
    Stop,
    /// At the last byte that is here.
    Bytes,
    /// At something that is no opcode.
    Unknown,
}

/// Reads opcodes; calls `named` with every module and name that is imported.
pub(super) fn walk(content: &[u8], mut named: impl FnMut(&str, &str)) -> End {
    let mut walker = Walker { bytes: Bytes::new(content), stack: Vec::new(), memo: HashMap::new() };
    loop {
        match walker.step() {
            Ok(Some(Pushed::Global(module, name))) => named(&module, &name),
            Ok(_) => {}
            Err(end) => return end,
        }
    }
}

struct Walker<'a> {
    bytes: Bytes<'a>,
    /// The last things pushed. What is taken off is not followed: an import by the stack takes the
    /// two texts that were pushed last.
    stack: Vec<Pushed>,
    memo: HashMap<u64, Pushed>,
}

impl Walker<'_> {
    fn step(&mut self) -> Result<Option<Pushed>, End> {
        let opcode = self.bytes.u8().ok_or(End::Bytes)?;
        if opcode == b'.' {
            return Err(End::Stop);
        }
        if let Some(width) = width_of(opcode) {
            self.bytes.take(width).ok_or(End::Bytes)?;
            return Ok(None);
        }
        let pushed = self.variable(opcode)?;
        if let Some(pushed) = &pushed {
            self.push(pushed.clone());
        }
        Ok(pushed)
    }

    /// An opcode whose argument has a length of its own, or a meaning.
    fn variable(&mut self, opcode: u8) -> Result<Option<Pushed>, End> {
        let bytes = &mut self.bytes;
        let text = |bytes: Option<&[u8]>| {
            bytes.map(|bytes| Some(Pushed::Text(String::from_utf8_lossy(bytes).into_owned())))
        };
        let other = |bytes: Option<&[u8]>| bytes.map(|_| Some(Pushed::Other));
        let value = match opcode {
            0x8c => bytes.u8().and_then(|length| text(bytes.take(length.into()))),
            b'X' => bytes.u32().and_then(|length| text(bytes.take(length.into()))),
            0x8d => bytes.u64().and_then(|length| text(bytes.take(length))),
            b'V' => text(bytes.line()),
            b'U' | b'C' | 0x8a => bytes.u8().and_then(|length| other(bytes.take(length.into()))),
            b'T' | b'B' | 0x8b => bytes.u32().and_then(|length| other(bytes.take(length.into()))),
            0x8e | 0x96 => bytes.u64().and_then(|length| other(bytes.take(length))),
            b'F' | b'I' | b'L' | b'S' | b'P' => other(bytes.line()),
            b'g' | b'p' => bytes.line().map(|_| None),
            b'c' | b'i' => {
                let module = bytes.line().map(lossy);
                module.and_then(|module| Some(Some(Pushed::Global(module, lossy(bytes.line()?)))))
            }
            0x93 => return Ok(Some(self.imported())),
            0x94 => {
                self.remember(self.memo.len() as u64);
                return Ok(None);
            }
            b'q' | b'r' | b'h' | b'j' => return self.memoised(opcode),
            _ => return Err(End::Unknown),
        };
        value.ok_or(End::Bytes)
    }

    fn memoised(&mut self, opcode: u8) -> Result<Option<Pushed>, End> {
        let index = match opcode {
            b'q' | b'h' => self.bytes.u8().map(u64::from),
            _ => self.bytes.u32().map(u64::from),
        };
        let index = index.ok_or(End::Bytes)?;
        if matches!(opcode, b'q' | b'r') {
            self.remember(index);
            return Ok(None);
        }
        // What is fetched again is pushed, and is no new import.
        let fetched = match self.memo.get(&index) {
            Some(text @ Pushed::Text(_)) => text.clone(),
            _ => Pushed::Other,
        };
        self.push(fetched);
        Ok(None)
    }

    fn imported(&mut self) -> Pushed {
        let (name, module) = (self.stack.pop(), self.stack.pop());
        match (module, name) {
            (Some(Pushed::Text(module)), Some(Pushed::Text(name))) => Pushed::Global(module, name),
            _ => Pushed::Other,
        }
    }

    fn push(&mut self, pushed: Pushed) {
        // Two are enough; a few more keep the moving rare.
        if self.stack.len() > 64 {
            self.stack.drain(..62);
        }
        self.stack.push(pushed);
    }

    fn remember(&mut self, index: u64) {
        let top = self.stack.last().cloned().unwrap_or(Pushed::Other);
        self.memo.insert(index, top);
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\r').to_owned()
}

/// Bytes of the argument of an opcode that neither names nor imports anything.
fn width_of(opcode: u8) -> Option<u64> {
    Some(match opcode {
        b'('
        | b')'
        | b'}'
        | b']'
        | b'N'
        | b'0'
        | b'1'
        | b'2'
        | b'a'
        | b'b'
        | b'd'
        | b'e'
        | b'l'
        | b'o'
        | b'Q'
        | b'R'
        | b's'
        | b't'
        | b'u'
        | 0x81
        | 0x85..=0x89
        | 0x8f..=0x92
        | 0x97
        | 0x98 => 0,
        b'K' | 0x80 | 0x82 => 1,
        b'M' | 0x83 => 2,
        b'J' | 0x84 => 4,
        b'G' | 0x95 => 8,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(content: &[u8]) -> (Vec<String>, End) {
        let mut names = Vec::new();
        let end = walk(content, |module, name| names.push(format!("{module} {name}")));
        (names, end)
    }

    #[test]
    fn imports_are_found_by_line_by_stack_and_by_memo() {
        let by_line = names(b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01.");
        assert_eq!(by_line, (vec!["collections OrderedDict".into()], End::Stop));
        let by_stack = b"\x80\x04\x95\x20\0\0\0\0\0\0\0\x8c\x02os\x94\x8c\x06system\x94\x93\x94.";
        assert_eq!(names(by_stack), (vec!["os system".into()], End::Stop));
        let by_memo = b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94K\x05h\x00h\x01\x93.";
        assert_eq!(names(by_memo), (vec!["os system".into()], End::Stop));
    }

    #[test]
    fn a_walk_ends_where_it_must() {
        assert_eq!(names(b"\x80\x04\x8c\xffabc").1, End::Bytes);
        assert_eq!(names(b"\x80\x04\xff").1, End::Unknown);
        assert_eq!(names(b"").1, End::Bytes);
    }

    #[test]
    fn names_beyond_many_values_are_found() {
        let mut content = b"\x80\x04".to_vec();
        for _ in 0..1_000 {
            content.extend(b"\x8c\x01x\x94");
        }
        content.extend(b"\x8c\x02os\x94\x8c\x06system\x94\x93.");
        assert_eq!(names(&content), (vec!["os system".into()], End::Stop));
    }
}
