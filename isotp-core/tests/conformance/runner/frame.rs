//! Frames in the way of candump: `7E0#021003`, `18DA10F1##1..`.

use core::fmt;

use isotp_core::{FrameKind, FrameView, Id};

use super::data::Pattern;

/// A frame whose bytes may be left open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FramePattern {
    pub(crate) id: Id,
    pub(crate) kind: FrameKind,
    pub(crate) data: Pattern,
}

/// A frame to be received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Data {
        id: Id,
        kind: FrameKind,
        data: Vec<u8>,
    },
    /// Remote (`7E8#R`) and error frames (error flag in the id): the core has no way to be given one.
    NoData,
}

impl FramePattern {
    /// A frame that is expected to be sent.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (id, flags, data) = split(text)?;
        let kind = match flags {
            None => FrameKind::Classic,
            Some('0') => FrameKind::Fd { brs: false },
            Some('1') => FrameKind::Fd { brs: true },
            Some(flags) => return Err(format!("`{text}`: flags `{flags}`, expected 0 or 1")),
        };
        Ok(Self {
            id: parse_id(id)?,
            kind,
            data: Pattern::parse(data)?,
        })
    }

    pub(crate) fn matches(&self, frame: FrameView<'_>) -> bool {
        self.id == frame.id && self.kind == frame.kind && self.data.matches(frame.data)
    }
}

impl fmt::Display for FramePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = match self.kind {
            FrameKind::Classic => "",
            FrameKind::Fd { brs: false } => "#0",
            FrameKind::Fd { brs: true } => "#1",
        };
        write!(f, "{}#{flags}{}", self.id, self.data)
    }
}

impl Received {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (id, flags, data) = split(text)?;
        let is_error_frame = id.len() == 8
            && u32::from_str_radix(id, 16).is_ok_and(|value| value >> 29 == ERROR_FLAG);
        let remote_length = data.strip_prefix('R').map(str::trim);
        let is_remote = flags.is_none()
            && remote_length.is_some_and(|len| len.is_empty() || len.parse::<u8>().is_ok());
        if is_error_frame || is_remote {
            return Ok(Self::NoData);
        }
        let kind = match flags.map(|flags| flags.to_digit(16)) {
            None => FrameKind::Classic,
            // bit 0 is BRS, bit 1 is ESI, bit 2 says FD once more
            Some(Some(bits @ 0..=7)) => FrameKind::Fd { brs: bits & 1 != 0 },
            Some(_) => return Err(format!("`{text}`: flags are a digit from 0 to 7")),
        };
        Ok(Self::Data {
            id: parse_id(id)?,
            kind,
            data: Pattern::parse(data)?.exact()?,
        })
    }
}

/// Three digits are an 11-bit id, eight a 29-bit one.
pub(crate) fn parse_id(text: &str) -> Result<Id, String> {
    let value =
        u32::from_str_radix(text, 16).map_err(|_| format!("`{text}` is no hexadecimal id"))?;
    match text.len() {
        _ if text.starts_with('+') => Err(format!("`{text}` is no hexadecimal id")),
        3 => Id::standard(value as u16).map_err(|error| error.to_string()),
        8 => Id::extended(value).map_err(|error| error.to_string()),
        _ => Err(format!("`{text}`: an id has three digits or eight")),
    }
}

/// Id, flags of an FD frame, data.
fn split(text: &str) -> Result<(&str, Option<char>, &str), String> {
    let (id, rest) = text
        .trim()
        .split_once('#')
        .ok_or_else(|| format!("`{text}` has no `#`"))?;
    let Some(fd) = rest.strip_prefix('#') else {
        return Ok((id.trim(), None, rest));
    };
    let mut chars = fd.chars();
    let flags = chars
        .next()
        .ok_or_else(|| format!("`{text}` has no flags after `##`"))?;
    Ok((id.trim(), Some(flags), chars.as_str()))
}

const ERROR_FLAG: u32 = 1;
