//! Bytes as vectors write them: `10 03`, `CC*5`, `??`, `N(20)`, `N[6:13]`.

use core::fmt;

/// Bytes, some of which may be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Option<u8>>);

impl Pattern {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut cells = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            rest = parse_item(rest, &mut cells)
                .map_err(|error| format!("`{text}`: {error}"))?
                .trim_start();
        }
        Ok(Self(cells))
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.iter().copied().map(Some).collect())
    }

    /// The bytes, where none may be left open.
    pub(crate) fn exact(&self) -> Result<Vec<u8>, String> {
        self.0
            .iter()
            .map(|cell| cell.ok_or_else(|| "`??` stands only in expectations".to_owned()))
            .collect()
    }

    pub(crate) fn matches(&self, bytes: &[u8]) -> bool {
        self.0.len() == bytes.len()
            && self
                .0
                .iter()
                .zip(bytes)
                .all(|(cell, byte)| cell.is_none_or(|cell| cell == *byte))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|cell| match cell {
            Some(byte) => write!(f, "{byte:02X}"),
            None => f.write_str("??"),
        })
    }
}

/// The first `len` bytes of the pattern 00, 01, .. FF, 00, ..
pub(crate) fn counting(range: core::ops::Range<usize>) -> impl Iterator<Item = u8> {
    range.map(|index| index as u8)
}

/// Reads one item from the front of `text`, and gives the rest.
fn parse_item<'a>(text: &'a str, cells: &mut Vec<Option<u8>>) -> Result<&'a str, String> {
    if let Some(rest) = text.strip_prefix("??") {
        cells.push(None);
        return Ok(rest);
    }
    if let Some(rest) = text.strip_prefix('*') {
        let (count, rest) = number(rest)?;
        let last = *cells.last().ok_or("`*` needs a byte before it")?;
        if count == 0 {
            return Err("`*0` repeats nothing".to_owned());
        }
        extend(cells, core::iter::repeat_n(last, count - 1), count)?;
        return Ok(rest);
    }
    if let Some(rest) = text.strip_prefix("N(") {
        let (len, rest) = number(rest)?;
        let rest = expect(rest, ')')?;
        extend(cells, counting(0..len).map(Some), len)?;
        return Ok(rest);
    }
    if let Some(rest) = text.strip_prefix("N[") {
        let (from, rest) = number(rest)?;
        let (to, rest) = number(expect(rest, ':')?)?;
        let rest = expect(rest, ']')?;
        if from > to {
            return Err(format!("N[{from}:{to}] ends before it begins"));
        }
        extend(cells, counting(from..to).map(Some), to - from)?;
        return Ok(rest);
    }
    let pair = text.get(..2).ok_or("a byte has two hexadecimal digits")?;
    if !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(format!("`{pair}` is no byte"));
    }
    let byte = u8::from_str_radix(pair, 16).map_err(|_| format!("`{pair}` is no byte"))?;
    cells.push(Some(byte));
    Ok(&text[2..])
}

fn extend(
    cells: &mut Vec<Option<u8>>,
    more: impl Iterator<Item = Option<u8>>,
    len: usize,
) -> Result<(), String> {
    if len > MOST_BYTES {
        return Err(format!("{len} bytes are more than this runner holds"));
    }
    cells.extend(more);
    Ok(())
}

fn number(text: &str) -> Result<(usize, &str), String> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let value = digits
        .parse()
        .map_err(|_| format!("expected a number at `{text}`"))?;
    Ok((value, rest))
}

fn expect(text: &str, sign: char) -> Result<&str, String> {
    text.strip_prefix(sign)
        .ok_or_else(|| format!("expected `{sign}` at `{text}`"))
}

const MOST_BYTES: usize = 1 << 24;
