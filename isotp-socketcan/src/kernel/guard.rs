//! Watches over receptions that the kernel forgets.
//!
//! A consecutive frame that is too short, in the middle of a message, stops the kernel's N_Cr, and
//! nothing starts it again: the reception neither ends nor fails. The ISO-TP socket does not tell that
//! a reception runs, so a raw socket on the same id looks on, and the core's observer says what the
//! frames mean.
//!
//! | phase | filter | ends with |
//! |---|---|---|
//! | `Listening` | open: single frames, first frames and flow control of the peer wake the task | a first frame |
//! | `Running` | shut: consecutive frames cost nothing | the kernel's message or error; or N_Cr later, `Looking` |
//! | `Looking` | open | a consecutive frame that belongs there: `Running`; none within N_Cr: it has failed |
//!
//! So a message costs one more wake-up, and one more for each second that it takes. A hung reception is
//! told after one to two seconds, where the kernel tells a silent peer after one.

use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

use isotp_driver::core::{Direction, Observed, Observer};
use isotp_driver::{
    Address, Frame, FrameKind, FrameView, Id, Interest, NResult, Readiness, Runtime, RxBuffer,
    Timer,
};
use socketcan::{
    CanAnyFrame, CanFdSocket, CanFilter, EmbeddedFrame, Socket, SocketOptions, StandardId,
};

use crate::interface::{Interface, Refusal, Step};

pub(crate) struct Guard<R: Runtime> {
    runtime: R,
    socket: CanFdSocket,
    filter: CanFilter,
    ready: Readiness<R::Watch>,
    timer: R::Timer,
    address: Address,
    config: Arc<isotp_driver::core::Config>,
    observer: Eye,
    phase: Phase,
}

type Eye = Observer<Nothing, Arc<isotp_driver::core::Config>>;

enum Phase {
    Listening,
    Running(Reception),
    Looking(Reception),
}

#[derive(Clone)]
struct Reception {
    first: Frame,
    size: u32,
    /// Another message came in between.
    interrupted: bool,
}

/// What the observer told of the peer's frames.
#[derive(Clone, Copy, Default)]
struct Seen {
    /// A segmented message of this size begins.
    begun: Option<u32>,
    failed: Option<NResult>,
    message: bool,
}

impl Reception {
    /// The one that begins with this frame, if one does.
    fn begun(seen: Seen, frame: Option<FrameView<'_>>) -> Option<Self> {
        let (size, frame) = (seen.begun?, frame?);
        let mut first = Frame::new();
        first.copy_from(frame).then_some(Self {
            first,
            size,
            interrupted: false,
        })
    }
}

impl<R: Runtime> Guard<R> {
    pub(crate) fn new(
        runtime: &R,
        interface: &Interface,
        address: Address,
        config: &isotp_driver::core::Config,
        limit: u32,
    ) -> Result<Self, Refusal> {
        let refuse = |error| Refusal::new(Step::Use(interface.name()), error);
        let socket = CanFdSocket::open_iface(interface.index()).map_err(refuse)?;
        socket.set_nonblocking(true).map_err(refuse)?;
        let filter = filter(address.rx().id());
        socket.set_filters(&[filter]).map_err(refuse)?;
        let descriptor = socket.as_fd().try_clone_to_owned().map_err(refuse)?;
        let watch = runtime.watch(descriptor).map_err(refuse)?;
        let mut config = config.clone();
        config.receive.listen_only = true;
        config.diagnostics = false;
        let config = Arc::new(config);
        let observer = observer(address, &config, limit).map_err(refuse)?;
        Ok(Self {
            runtime: runtime.clone(),
            socket,
            filter,
            ready: Readiness::new(Arc::new(watch)),
            timer: runtime.timer(),
            address,
            config,
            observer,
            phase: Phase::Listening,
        })
    }

    /// Ready when a reception has failed that the kernel says nothing about.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<NResult>> {
        loop {
            if let Phase::Running(reception) = &self.phase {
                let reception = reception.clone();
                if self.timer.poll_fired(cx).is_pending() {
                    return Poll::Pending;
                }
                self.look(reception)?;
            }
            let socket = &self.socket;
            let read = self
                .ready
                .try_io(Interest::READABLE, |_| socket.read_frame());
            match read {
                Ok(frame) => {
                    if let Some(result) = self.handle(&frame)? {
                        return Poll::Ready(Ok(result));
                    }
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // the ISO-TP socket tells it as well
                Err(_) => return Poll::Pending,
            }
            if let Phase::Looking(_) = self.phase {
                self.timer.set(self.observer.poll_timeout().map(|t| t.at));
                if self.timer.poll_fired(cx).is_ready() {
                    self.observer.handle_timeout(self.runtime.now());
                    if let Some(result) = self.act(None)? {
                        return Poll::Ready(Ok(result));
                    }
                    continue;
                }
            }
            if self.ready.poll_ready(cx, Interest::READABLE)?.is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// The kernel gave a message of this size.
    pub(super) fn received(&mut self, size: usize) -> io::Result<()> {
        match &mut self.phase {
            Phase::Running(reception) | Phase::Looking(reception) => {
                if reception.size as usize != size {
                    // one from before, or a single frame, for which the kernel drops the other one
                    reception.interrupted = true;
                    return Ok(());
                }
            }
            Phase::Listening => return Ok(()),
        }
        self.listen()
    }

    /// The kernel said that a reception failed.
    pub(super) fn failed(&mut self) -> io::Result<()> {
        match self.phase {
            Phase::Listening => Ok(()),
            _ => self.listen(),
        }
    }

    fn handle(&mut self, frame: &CanAnyFrame) -> io::Result<Option<NResult>> {
        let Some(view) = view(frame) else {
            return Ok(None);
        };
        self.observer.handle_frame(self.runtime.now(), view);
        self.act(Some(view))
    }

    /// Acts on what the observer saw in a frame, or when time had passed.
    fn act(&mut self, frame: Option<FrameView<'_>>) -> io::Result<Option<NResult>> {
        let seen = self.see();
        let looking = match &self.phase {
            Phase::Looking(reception) => Some(reception.clone()),
            _ => None,
        };
        if let Some(reception) = Reception::begun(seen, frame) {
            let failed = seen.failed.filter(|_| looking.is_some());
            let interrupted = self.run(reception, true)?;
            return Ok(failed.or(interrupted));
        }
        match (looking, seen.failed) {
            // only the next one in the row would be right, and it need not be: it shows life
            (Some(reception), Some(NResult::WrongSn { .. })) => self.run(reception, false),
            (Some(reception), Some(result)) => {
                self.listen()?;
                let interrupted = reception.interrupted;
                Ok(Some(if interrupted {
                    NResult::UnexpectedPdu
                } else {
                    result
                }))
            }
            _ => Ok(None),
        }
    }

    fn see(&mut self) -> Seen {
        let mut seen = Seen::default();
        while let Some((direction, what)) = self.observer.poll_event() {
            match (direction, what) {
                (Direction::Rx, Observed::FirstFrame { size, .. }) => seen.begun = Some(size),
                (Direction::Rx, Observed::Failed(result)) => seen.failed = Some(result),
                (Direction::Rx, Observed::Message(_)) => seen.message = true,
                _ => {}
            }
        }
        seen
    }

    fn listen(&mut self) -> io::Result<()> {
        self.timer.set(None);
        self.forget()?;
        self.phase = Phase::Listening;
        self.socket.set_filters(&[self.filter])
    }

    /// Shuts the filter; what came before that is looked at. `known` if the observer has seen the
    /// reception from its beginning.
    fn run(&mut self, reception: Reception, known: bool) -> io::Result<Option<NResult>> {
        self.socket.set_filter_drop_all()?;
        let (mut running, mut known, mut told) = (Some(reception), known, None);
        while let Ok(frame) = self.socket.read_frame() {
            let Some(view) = view(&frame) else { continue };
            self.observer.handle_frame(self.runtime.now(), view);
            let seen = self.see();
            let interrupted = seen.failed == Some(NResult::UnexpectedPdu)
                || seen.message && !known && running.is_some();
            if interrupted {
                told = Some(NResult::UnexpectedPdu);
            }
            if let Some(reception) = Reception::begun(seen, Some(view)) {
                (running, known) = (Some(reception), true);
            } else if seen.message || seen.failed.is_some() {
                // it is complete, or wrong in a way that the kernel tells
                running = None;
            }
        }
        match running {
            Some(reception) => {
                self.phase = Phase::Running(reception);
                self.timer.set(Some(self.runtime.now() + PERIOD));
            }
            None => self.listen()?,
        }
        Ok(told)
    }

    fn look(&mut self, reception: Reception) -> io::Result<()> {
        self.forget()?;
        let now = self.runtime.now();
        self.observer.handle_frame(now, reception.first.view());
        while self.observer.poll_event().is_some() {}
        self.phase = Phase::Looking(reception);
        self.socket.set_filters(&[self.filter])
    }

    fn forget(&mut self) -> io::Result<()> {
        let limit = self.observer.buffer(Direction::Rx).0;
        self.observer = observer(self.address, &self.config, limit)?;
        Ok(())
    }
}

fn observer(
    address: Address,
    config: &Arc<isotp_driver::core::Config>,
    limit: u32,
) -> io::Result<Eye> {
    let buffers = [Nothing(limit), Nothing(limit)];
    Observer::with_spare(address, Arc::clone(config), buffers, [[0; 62]; 4])
        .map_err(io::Error::other)
}

/// Takes messages of up to this size, and keeps nothing of them.
#[derive(Debug)]
struct Nothing(u32);

impl RxBuffer for Nothing {
    fn limit(&self) -> u32 {
        self.0
    }

    fn start(&mut self, _size: u32) {}

    fn write(&mut self, _offset: u32, _data: &[u8]) -> bool {
        true
    }
}

fn filter(id: Id) -> CanFilter {
    let (flag, bits) = if id.is_extended() {
        (libc::CAN_EFF_FLAG, libc::CAN_EFF_MASK)
    } else {
        (0, libc::CAN_SFF_MASK)
    };
    let mask = bits | libc::CAN_EFF_FLAG | libc::CAN_RTR_FLAG;
    CanFilter::new(id.value() | flag, mask)
}

fn view(frame: &CanAnyFrame) -> Option<FrameView<'_>> {
    let (id, kind, data) = match frame {
        CanAnyFrame::Normal(frame) => (frame.id(), FrameKind::Classic, frame.data()),
        CanAnyFrame::Fd(frame) => (
            frame.id(),
            FrameKind::Fd {
                brs: frame.is_brs(),
            },
            frame.data(),
        ),
        _ => return None,
    };
    let id = match id {
        socketcan::Id::Standard(id) => Id::standard(StandardId::as_raw(&id)).ok()?,
        socketcan::Id::Extended(id) => Id::extended(id.as_raw()).ok()?,
    };
    Some(FrameView { id, kind, data })
}

/// The kernel's N_Cr, which nothing changes, and a little.
const PERIOD: Duration = Duration::from_millis(1050);
