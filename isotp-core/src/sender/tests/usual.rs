//! The short way for the frame that mostly goes: which frame that is, and that it is taken.

use super::*;

/// Says how much of its bytes is there, both ways.
struct Filling {
    bytes: Vec<u8>,
    have: usize,
}

impl Payload for Filling {
    fn size(&self) -> u32 {
        self.bytes.len() as u32
    }

    fn copy_to(&mut self, offset: u32, out: &mut [u8]) -> Option<usize> {
        let here = self.bytes[..self.have].get(offset as usize..)?;
        Some(crate::pdu::copy(out, here))
    }

    fn contiguous(&self) -> Option<&[u8]> {
        Some(&self.bytes[..self.have])
    }
}

/// A sender whose peer lets it go on, before its first consecutive frame.
fn ready<P: Payload>(payload: P, config: &Config) -> Sender<P> {
    let mut sender = Sender::new();
    sender
        .send(Instant::ZERO, Rig::half(), config, payload)
        .unwrap();
    assert_eq!(next(&mut sender, config).unwrap()[0] >> 4, 1);
    let flow = FlowControl {
        status: crate::pdu::FlowStatus::ContinueToSend,
        block_size: 0,
        st_min: crate::config::StMin::ZERO,
    };
    sender
        .handle_flow_control(Instant::ZERO, config, flow)
        .unwrap();
    sender
}

fn next<P: Payload>(sender: &mut Sender<P>, config: &Config) -> Option<Vec<u8>> {
    let mut frame = Frame::new();
    let transmit = sender.poll_transmit(Instant::ZERO, Rig::half(), config, &mut frame)?;
    transmit.commit(Instant::ZERO);
    Some(frame.data().to_vec())
}

/// The frame that the short way writes, if it is for it.
fn short<P: Payload>(sender: &Sender<P>, config: &Config) -> Option<Vec<u8>> {
    let mut frame = Frame::new();
    let written = sender.outgoing.write_usual(Rig::half(), config, &mut frame);
    written.then(|| frame.data().to_vec())
}

#[test]
fn full_consecutive_frames_from_memory_go_the_short_way() {
    let config = Config::new();
    let mut sender = ready(counted(26), &config);
    for pci in [0x21, 0x22] {
        let written = short(&sender, &config).expect("a usual frame");
        assert_eq!(written[0], pci);
        assert_eq!(next(&mut sender, &config), Some(written));
    }
    assert_eq!(short(&sender, &config), None, "6 bytes are left");
    assert!(!sender.outgoing.transfer.awaits_usual());
    assert!(next(&mut sender, &config).is_some());
    assert_eq!(short(&sender, &config), None, "it is sent");
}

#[test]
fn first_frames_and_long_frames_do_not_go_the_short_way() {
    let config = Config::new();
    let mut sender = Sender::new();
    let payload = counted(20);
    sender
        .send(Instant::ZERO, Rig::half(), &config, payload)
        .unwrap();
    assert_eq!(short(&sender, &config), None);
    let mut fd = Config::new();
    fd.kind = crate::FrameKind::Fd { brs: false };
    fd.transmit.tx_dl = 12;
    assert_eq!(short(&ready(counted(40), &fd), &fd), None);
}

#[test]
fn a_payload_that_lies_nowhere_does_not_go_the_short_way() {
    let config = Config::new();
    let bytes = counted(20);
    let sender = ready(Dripping { bytes, have: 20 }, &config);
    assert!(sender.outgoing.transfer.awaits_usual());
    assert_eq!(short(&sender, &config), None);
}

/// Where N_Cs runs, the ordinary way has to end it.
#[test]
fn a_payload_that_had_no_bytes_goes_the_long_way_once() {
    let config = Config::new();
    let (bytes, have) = (counted(40), 12);
    let mut sender = ready(Filling { bytes, have }, &config);
    assert_eq!(next(&mut sender, &config), None);
    sender.outgoing.payload.as_mut().unwrap().have = 40;
    assert_eq!(short(&sender, &config), None);
    assert!(next(&mut sender, &config).is_some());
    assert!(short(&sender, &config).is_some());
}

#[test]
fn a_gap_is_told_from_what_is_ready() {
    for (script, in_gap) in [("", false), (READY, false), (SENT, false), (GAP, true)] {
        let rig = Rig::new(script);
        assert_eq!(rig.sender.outgoing.transfer.is_in_gap(), in_gap, "{script}");
    }
}
