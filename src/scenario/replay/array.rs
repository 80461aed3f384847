//! A JSON array of rows, read as JSON lines: one element a line, without keeping any of them in memory.

use std::io::{self, BufRead, Read};

use super::rows::Input;

/// Reads an array as lines: what stands between its elements becomes the ends of lines, and line n is row n.
pub struct Elements {
    input: Input,
    /// Brackets that are open.
    depth: u64,
    in_text: bool,
    is_escaped: bool,
    /// What is still to be read at the end.
    ending: &'static [u8],
}

/// A row that is none, for an array that ends without its bracket: who knows how many rows are lost.
const CUT_OFF: &[u8] = b"\n[";

impl Elements {
    /// Reads from before the array's bracket.
    pub fn new(input: Input) -> Self {
        Self { input, depth: 0, in_text: false, is_escaped: false, ending: CUT_OFF }
    }

    fn turn(&mut self, symbol: u8) -> u8 {
        if self.in_text {
            match symbol {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.in_text = false,
                _ => {}
            }
            return symbol;
        }
        match symbol {
            b'"' => self.in_text = true,
            b'[' | b'{' => {
                self.depth += 1;
                if self.depth == 1 {
                    return b' ';
                }
            }
            b']' | b'}' => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    return b' ';
                }
            }
            b',' if self.depth == 1 => return b'\n',
            b'\n' | b'\r' => return b' ',
            _ => {}
        }
        symbol
    }
}

impl Read for Elements {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut found = std::mem::replace(&mut self.input, Box::new(io::empty()));
        let bytes = found.fill_buf()?;
        // Between two rows; a row that is cut off is told as it is.
        if bytes.is_empty() && self.depth == 1 {
            let count = self.ending.len().min(into.len());
            let (now, later) = self.ending.split_at(count);
            into[..count].copy_from_slice(now);
            self.ending = later;
            return Ok(count);
        }
        let count = bytes.len().min(into.len());
        for (to, from) in into.iter_mut().zip(bytes) {
            *to = self.turn(*from);
        }
        found.consume(count);
        self.input = found;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &'static str) -> Vec<String> {
        let mut all = String::new();
        let input: Input = Box::new(io::BufReader::with_capacity(3, text.as_bytes()));
        Elements::new(input).read_to_string(&mut all).unwrap();
        all.lines().map(|line| line.trim().to_owned()).collect()
    }

    #[test]
    fn every_element_is_a_line() {
        let text = "[\n {\"a\": 1,\n  \"b\": [1, {\"c\": \"],\\\"}\"}]\n },\n {}\n]\n";
        let found = lines(text);
        assert_eq!(found.len(), 2, "{found:?}");
        let first: serde_json::Value = serde_json::from_str(&found[0]).unwrap();
        assert_eq!(first["b"][1]["c"], "],\"}");
        assert_eq!(found[1], "{}");
        assert_eq!(lines("[1,2 ,3]"), ["1", "2", "3"]);
        assert_eq!(lines("[{\"a\": 1}, {\"a\""), ["{\"a\": 1}", "{\"a\""], "what is cut off is no whole object");
        assert_eq!(lines("[{}, {}"), ["{}", "{}", "["], "nor is what an array without its end has lost");
    }
}
