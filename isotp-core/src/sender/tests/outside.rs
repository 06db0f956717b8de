//! What a user of a lone sender sees and gets back.

use super::*;

#[test]
fn how_far_a_message_is_can_be_looked_at() {
    let mut rig = Rig::new("");
    assert!(!rig.sender.is_busy());
    rig.run("send 20");
    assert!(rig.sender.is_busy());
    assert_eq!(rig.sender.sent(), 0, "nothing is committed");
    rig.run("commit; con 0");
    assert_eq!(rig.sender.sent(), 6);
    rig.run("fc 30 00 00; commit; con 1");
    assert_eq!(rig.sender.sent(), 13);
    rig.run("commit; con 2");
    assert_eq!(rig.look(), "N_OK");
    assert!(!rig.sender.is_busy());
}

/// `ADR-02`: each frame of an extended address has its byte before the PCI, the usual ones too.
#[test]
fn every_data_frame_has_the_address_byte() {
    let config = Config::new();
    let half = Half::extended(Id::standard(0x7E0).unwrap(), 0x55);
    let mut sender = Sender::new();
    sender
        .send(Instant::ZERO, half, &config, counted(13))
        .unwrap();
    let mut frame = Frame::new();
    let mut next = |sender: &mut Sender<Vec<u8>>| {
        let transmit = sender.poll_transmit(Instant::ZERO, half, &config, &mut frame);
        transmit.unwrap().commit(Instant::ZERO);
        frame.to_string()
    };
    assert_eq!(next(&mut sender), "7E0#55100D0001020304");
    let bytes = hex("30 00 00");
    let Ok(Pdu::FlowControl(flow)) = Pdu::decode(&bytes, 0, Reading::default()) else {
        panic!("no flow control")
    };
    sender
        .handle_flow_control(Instant::ZERO, &config, flow)
        .unwrap();
    assert_eq!(next(&mut sender), "7E0#552105060708090A");
    assert_eq!(next(&mut sender), "7E0#55220B0C");
}

/// `SVC-02`, `TXF-09`: a refused payload comes back, and the running message is untouched.
#[test]
fn a_refused_payload_is_given_back() {
    let (config, half) = (Config::new(), Rig::half());
    let mut sender = Sender::new();
    let refused = sender
        .send(Instant::ZERO, half, &config, Vec::new())
        .unwrap_err();
    assert_eq!(
        (refused.error, refused.payload),
        (SendError::Empty, Vec::new())
    );
    sender
        .send(Instant::ZERO, half, &config, counted(3))
        .unwrap();
    let refused = sender
        .send(Instant::ZERO, half, &config, counted(9))
        .unwrap_err();
    assert_eq!(
        (refused.error, refused.payload),
        (SendError::Busy, counted(9))
    );
    assert_eq!(sender.take_payload(), None, "it is still being sent");
    let mut frame = Frame::new();
    sender
        .poll_transmit(Instant::ZERO, half, &config, &mut frame)
        .unwrap()
        .commit(Instant::ZERO);
    assert_eq!(frame.to_string(), "7E0#03000102");
    let refused = sender
        .send(Instant::ZERO, half, &config, counted(9))
        .unwrap_err();
    assert_eq!(refused.error, SendError::Busy, "the outcome was not polled");
    assert_eq!(sender.poll_confirm(), Some(NResult::Ok));
    assert_eq!(sender.take_payload(), Some(counted(3)));
}
