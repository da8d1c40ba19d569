//! The naive reader: a second, simple implementation of docs/stdio.md and RFC 8259.

use tollgate::frontend::stdio::values::Limits;

use crate::Found;

/// The rules of docs/stdio.md for text that is not JSON, one by one.
pub(crate) fn naive_steps(input: &[u8], limits: Limits) -> Vec<Found> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    let place = |at: usize, marks: &[usize]| {
        let lines: Vec<_> = input[..at].split(|&byte| byte == b'\n').collect();
        let column = lines[lines.len() - 1].len() + 1;
        let before = |mark: &&usize| at - **mark < column;
        let uncounted = marks.iter().filter(before).count() * MARK.len();
        (lines.len(), column - uncounted)
    };
    let mut found = Vec::new();
    let mut marks = Vec::new();
    let mut at = 0;
    loop {
        loop {
            if input[at..].starts_with(MARK) {
                marks.push(at);
                at += MARK.len();
            } else if input.get(at).is_some_and(|byte| b" \t\r\n".contains(byte)) {
                at += 1;
            } else {
                break;
            }
        }
        if at == input.len() {
            return found;
        }
        match naive_value(&input[at..], limits) {
            Ok(length) => {
                found.push(Found::Value(input[at..at + length].to_vec()));
                at += length;
            }
            Err(offset) => {
                let ((started_line, _), (line, column)) =
                    (place(at, &marks), place(at + offset, &marks));
                found.push(Found::Broken {
                    line,
                    column,
                    started_line,
                });
                at += offset;
                let begins_line = |at: usize| at == input.len() || input[at - 1] == b'\n';
                let brace = |rest: &[u8]| rest.strip_prefix(MARK).unwrap_or(rest).starts_with(b"{");
                let resumes = |at: usize| line == started_line || brace(&input[at..]);
                if line == started_line {
                    at += 1;
                }
                while at < input.len() && !(begins_line(at) && resumes(at)) {
                    at += 1;
                }
                at = at.min(input.len());
            }
        }
    }
}

/// The length of the value, or the offset of the first invalid byte.
fn naive_value(text: &[u8], limits: Limits) -> Result<usize, usize> {
    let mut grammar = Grammar {
        text,
        at: 0,
        depth: 0,
        max_depth: limits.max_depth,
    };
    let mut result = grammar.value().map_err(|Invalid| grammar.at);
    if let Ok(length) = result {
        let scalar = !b"{[\"".contains(&text[0]);
        let after = text
            .get(length)
            .is_none_or(|byte| b" \t\r\n\"[]{},:".contains(byte));
        result = if scalar && !after {
            Err(length)
        } else {
            result
        };
    }
    match result {
        Ok(length) if length > limits.max_value_bytes => Err(limits.max_value_bytes),
        Ok(length) => match std::str::from_utf8(&text[..length]) {
            Ok(_) => Ok(length),
            Err(error) => Err(error.valid_up_to()),
        },
        Err(offset) => Err(offset.min(limits.max_value_bytes)),
    }
}

/// A recursive-descent parser for RFC 8259; `at` is its position.
struct Grammar<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
    max_depth: usize,
}

#[derive(Debug)]
struct Invalid;

impl Grammar<'_> {
    fn value(&mut self) -> Result<usize, Invalid> {
        match self.peek() {
            Some(b'{') => self.list(b'}', |grammar| {
                grammar.string()?;
                grammar.blank();
                grammar.expect(b":")?;
                grammar.blank();
                grammar.value().map(drop)
            })?,
            Some(b'[') => self.list(b']', |grammar| grammar.value().map(drop))?,
            Some(b'"') => self.string()?,
            Some(b't') => self.expect(b"true")?,
            Some(b'f') => self.expect(b"false")?,
            Some(b'n') => self.expect(b"null")?,
            _ => self.number()?,
        }
        Ok(self.at)
    }

    fn list(
        &mut self,
        close: u8,
        item: impl Fn(&mut Self) -> Result<(), Invalid>,
    ) -> Result<(), Invalid> {
        if self.depth == self.max_depth {
            return Err(Invalid);
        }
        self.depth += 1;
        self.at += 1;
        self.blank();
        if self.peek() != Some(close) {
            loop {
                item(self)?;
                self.blank();
                if self.peek() == Some(close) {
                    break;
                }
                self.expect(b",")?;
                self.blank();
            }
        }
        self.at += 1;
        self.depth -= 1;
        Ok(())
    }

    fn string(&mut self) -> Result<(), Invalid> {
        self.expect(b"\"")?;
        loop {
            match self.peek() {
                None | Some(0..0x20) => return Err(Invalid),
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(b'u') => {
                            self.at += 1;
                            for _ in 0..4 {
                                self.one(|byte| byte.is_ascii_hexdigit())?;
                            }
                        }
                        _ => self.one(|byte| b"\"\\/bfnrt".contains(&byte))?,
                    }
                }
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        Ok(())
    }

    fn number(&mut self) -> Result<(), Invalid> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return Err(Invalid);
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Invalid> {
        self.one(|byte| byte.is_ascii_digit())?;
        while self.one(|byte| byte.is_ascii_digit()).is_ok() {}
        Ok(())
    }

    fn expect(&mut self, word: &[u8]) -> Result<(), Invalid> {
        word.iter()
            .try_for_each(|&wanted| self.one(|byte| byte == wanted))
    }

    fn one(&mut self, wanted: impl Fn(u8) -> bool) -> Result<(), Invalid> {
        self.peek().filter(|&byte| wanted(byte)).ok_or(Invalid)?;
        self.at += 1;
        Ok(())
    }

    fn blank(&mut self) {
        while self.one(|byte| b" \t\r\n".contains(&byte)).is_ok() {}
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }
}
