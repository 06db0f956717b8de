//! The two halves of embassy-stm32's FDCAN as the task wants them.

use embassy_stm32::can::frame::{FdFrame, Header};
use embassy_stm32::can::{CanRx, CanTx};
use isotp_core::{Frame, FrameKind, FrameView, Instant};
use isotp_firmware::embassy::{Read, Write};

/// The receiving half.
pub struct Reader(pub CanRx<'static>);

impl Read for Reader {
    async fn read(&mut self, frame: &mut Frame) -> Instant {
        loop {
            // an error of the bus: the link's timers end what it breaks
            let Ok(envelope) = self.0.read_fd().await else {
                continue;
            };
            let (received, at) = envelope.parts();
            if !received.header().rtr() && frame.copy_from(view(&received)) {
                return Instant::from_micros(at.as_micros());
            }
        }
    }
}

/// The sending half.
pub struct Writer(pub CanTx<'static>);

impl Write for Writer {
    async fn write(&mut self, frame: &Frame) -> Option<Frame> {
        let len = frame.data().len() as u8;
        let id = frame.id().into();
        let header = match frame.kind() {
            FrameKind::Classic => Header::new(id, len, false),
            FrameKind::Fd { brs } => Header::new_fd(id, len, false, brs),
        };
        // a frame of a link has a length that a DLC names, so it is never refused
        let wire = FdFrame::new(header, frame.data()).ok()?;
        let displaced = self.0.write_fd(&wire).await?;
        let mut back = Frame::new();
        back.copy_from(view(&displaced)).then_some(back)
    }
}

fn view(frame: &FdFrame) -> FrameView<'_> {
    let header = frame.header();
    let kind = if header.fdcan() {
        let brs = header.bit_rate_switching();
        FrameKind::Fd { brs }
    } else {
        FrameKind::Classic
    };
    FrameView {
        id: (*header.id()).into(),
        kind,
        data: frame.data(),
    }
}
