//! What several test modules need: frames written as candump writes them, in hex with blanks allowed.

use std::string::String;
use std::vec::Vec;

use crate::frame::{Frame, FrameKind, FrameView, Id};

/// Bytes from hex digits; blanks are skipped.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    assert!(
        digits.len().is_multiple_of(2),
        "odd number of digits: {text}"
    );
    (0..digits.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap())
        .collect()
}

/// `7E0#021003`, `18DA10F1#...`, `7E0##1021003`.
pub(crate) fn frame(text: &str) -> Frame {
    let (id, data) = text.split_once('#').expect("a # after the id");
    let value = u32::from_str_radix(id, 16).unwrap();
    let id = match id.len() {
        3 => Id::standard(value as u16),
        _ => Id::extended(value),
    };
    let (kind, data) = match data.strip_prefix('#') {
        Some(fd) => (
            FrameKind::Fd {
                brs: fd.starts_with('1'),
            },
            &fd[1..],
        ),
        None => (FrameKind::Classic, data),
    };
    let mut frame = Frame::new();
    let view = FrameView {
        id: id.unwrap(),
        kind,
        data: &hex(data),
    };
    assert!(frame.copy_from(view));
    frame
}

/// `len` bytes 00, 01, 02, ...
pub(crate) fn counted(len: usize) -> Vec<u8> {
    (0..len).map(|i| i as u8).collect()
}
