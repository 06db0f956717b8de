//! Frames as raw sockets have them: `can_frame` and `canfd_frame`.

use isotp_driver::{Frame, FrameKind, FrameView, Id};

use super::trouble::ErrorFrame;
use crate::sys::{FRAME, Outbound};

/// What a received message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A data frame, which was written into the caller's frame.
    Data,
    /// The controller tells something.
    Error(ErrorFrame),
    /// A remote frame, or nothing that we know.
    Other,
}

/// Writes a frame into `message`; `false` if CAN has no such frame.
pub(super) fn encode(frame: FrameView<'_>, message: &mut Outbound) -> bool {
    let length = frame.data.len();
    let (size, flags) = match frame.kind {
        FrameKind::Classic if length <= 8 => (libc::CAN_MTU, 0),
        FrameKind::Fd { brs } if is_fd_length(length) => (
            FRAME,
            libc::CANFD_FDF | if brs { libc::CANFD_BRS } else { 0 },
        ),
        _ => return false,
    };
    let (header, data) = message.bytes_mut()[..size].split_at_mut(HEADER);
    header[..4].copy_from_slice(&can_id(frame.id).to_ne_bytes());
    header[4..].copy_from_slice(&[length as u8, flags as u8, 0, 0]);
    let (used, rest) = data.split_at_mut(length);
    used.copy_from_slice(frame.data);
    rest.fill(0);
    message.set_length(size);
    true
}

/// Reads a message, and writes a data frame into `frame`.
pub(super) fn decode(bytes: &[u8], frame: &mut Frame) -> Content {
    let Some(((header, data), kind)) = bytes.split_first_chunk::<HEADER>().zip(kind(bytes)) else {
        return Content::Other;
    };
    let [a, b, c, d, length, flags, ..] = *header;
    let can_id = u32::from_ne_bytes([a, b, c, d]);
    let Some(data) = data.get(..usize::from(length)) else {
        return Content::Other;
    };
    if can_id & libc::CAN_ERR_FLAG != 0 {
        return Content::Error(ErrorFrame::new(can_id, data));
    }
    let Some(id) = id(can_id) else {
        return Content::Other;
    };
    let kind = match kind {
        FrameKind::Fd { .. } => FrameKind::Fd {
            brs: i32::from(flags) & libc::CANFD_BRS != 0,
        },
        FrameKind::Classic => FrameKind::Classic,
    };
    if frame.copy_from(FrameView { id, kind, data }) {
        Content::Data
    } else {
        Content::Other
    }
}

/// The number of an id as the kernel has it.
pub(super) const fn can_id(id: Id) -> u32 {
    if id.is_extended() {
        id.value() | libc::CAN_EFF_FLAG
    } else {
        id.value()
    }
}

/// The id of a data frame; `None` for a remote frame.
fn id(can_id: u32) -> Option<Id> {
    if can_id & libc::CAN_RTR_FLAG != 0 {
        None
    } else if can_id & libc::CAN_EFF_FLAG != 0 {
        Id::extended(can_id & libc::CAN_EFF_MASK).ok()
    } else {
        Id::standard((can_id & libc::CAN_SFF_MASK) as u16).ok()
    }
}

/// The size of the message tells what it is.
const fn kind(bytes: &[u8]) -> Option<FrameKind> {
    match bytes.len() {
        libc::CAN_MTU => Some(FrameKind::Classic),
        FRAME => Some(FrameKind::Fd { brs: false }),
        _ => None,
    }
}

const fn is_fd_length(length: usize) -> bool {
    matches!(length, 0..=8 | 12 | 16 | 20 | 24 | 32 | 48 | 64)
}

/// Bytes before the data: id, length, flags, two that are not used.
const HEADER: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::{Inbound, receive_batch, send_batch};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixDatagram;

    /// Through a socket pair, so that lengths are those of real messages.
    fn through(frame: FrameView<'_>) -> Option<(usize, Content, Frame)> {
        let mut message = Outbound::EMPTY;
        if !encode(frame, &mut message) {
            return None;
        }
        let (a, b) = UnixDatagram::pair().unwrap();
        assert_eq!(send_batch(a.as_fd(), &[message]).unwrap(), 1);
        let mut room = [Inbound::EMPTY];
        assert_eq!(receive_batch(b.as_fd(), &mut room).unwrap(), 1);
        let mut decoded = Frame::new();
        let content = decode(room[0].bytes(), &mut decoded);
        Some((room[0].bytes().len(), content, decoded))
    }

    #[test]
    fn frames_survive_the_way_through_a_socket() {
        let data: [u8; 64] = core::array::from_fn(|at| at as u8 + 1);
        let ids = [
            Id::standard(0).unwrap(),
            Id::standard(0x7FF).unwrap(),
            Id::extended(0).unwrap(),
            Id::extended(0x1FFF_FFFF).unwrap(),
        ];
        let kinds = [
            FrameKind::Classic,
            FrameKind::Fd { brs: false },
            FrameKind::Fd { brs: true },
        ];
        for (id, kind) in ids.into_iter().flat_map(|id| kinds.map(|kind| (id, kind))) {
            for length in 0..=64 {
                let frame = FrameView {
                    id,
                    kind,
                    data: &data[..length],
                };
                let possible = match kind {
                    FrameKind::Classic => length <= 8,
                    FrameKind::Fd { .. } => {
                        length <= 8 || [12, 16, 20, 24, 32, 48, 64].contains(&length)
                    }
                };
                let Some((size, content, decoded)) = through(frame) else {
                    assert!(!possible, "{frame}");
                    continue;
                };
                assert!(possible, "{frame}");
                assert_eq!(size, if kind.is_fd() { 72 } else { 16 });
                assert_eq!((content, decoded.view()), (Content::Data, frame));
            }
        }
    }

    #[test]
    fn remote_frames_and_wrong_sizes_are_no_data() {
        let mut frame = Frame::new();
        let mut bytes = [0; FRAME];
        bytes[..4].copy_from_slice(&(0x123 | libc::CAN_RTR_FLAG).to_ne_bytes());
        assert_eq!(decode(&bytes[..16], &mut frame), Content::Other);
        bytes[..4].copy_from_slice(&0x123u32.to_ne_bytes());
        for size in [0, 7, 8, 15, 17, 71] {
            assert_eq!(decode(&bytes[..size], &mut frame), Content::Other, "{size}");
        }
        // a length beyond the frame
        for (size, length) in [(16, 9), (72, 65), (72, 255)] {
            bytes[4] = length;
            assert_eq!(decode(&bytes[..size], &mut frame), Content::Other);
        }
        assert_eq!(frame, Frame::new());
    }
}
