use isotp_driver::{FrameKind, Id, StMin};

use super::*;

const NOW: Kernel = Kernel::version(6, 1);

fn plain() -> KernelOptions {
    KernelOptions::new(Id::standard(0x7E0).unwrap(), Id::standard(0x7E8).unwrap())
}

fn bytes(options: &KernelOptions, kernel: Kernel, option: i32) -> Option<Vec<u8>> {
    let all = options.encode(kernel);
    all.into_iter().find(|o| o.0 == option).map(|o| o.1)
}

#[test]
fn the_defaults_are_those_of_the_kernel() {
    let expected = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0xCC, 0xCC, 0].to_vec();
    assert_eq!(bytes(&plain(), NOW, CAN_ISOTP_OPTS), Some(expected));
    assert_eq!(bytes(&plain(), NOW, CAN_ISOTP_RECV_FC), Some(vec![0; 3]));
    let link = bytes(&plain(), NOW, CAN_ISOTP_LL_OPTS);
    assert_eq!(link, Some(vec![16, 8, 0]));
    assert_eq!(bytes(&plain(), NOW, CAN_ISOTP_TX_STMIN), None);
    assert_eq!(bytes(&plain(), NOW, CAN_ISOTP_RX_STMIN), None);
}

#[test]
fn each_option_sets_its_flag() {
    let time = Duration::from_millis(1);
    for (options, flags) in [
        (plain().listen_only(), 0x1),
        (plain().address_bytes(7, 7), 0x2),
        (plain().address_bytes(7, 8), 0x202),
        (plain().pad_sent(0), 0x4),
        (plain().expect_padding(0), 0x8),
        (plain().check_padding_length(), 0x10),
        (plain().check_padding_content(), 0x20),
        (plain().half_duplex(), 0x40),
        (plain().force_tx_st_min(time), 0x80),
        (plain().force_rx_st_min(time), 0x100),
        (plain().wait_until_sent(), 0x400),
        (plain().broadcast_single_frames(), 0x800),
        (plain().broadcast_consecutive_frames(), 0x1000),
        (plain().every_flow_control(), 0x2000),
        (plain().raw_flags(0x8000).listen_only(), 0x8001),
    ] {
        assert_eq!(options.encode_flags(), flags, "{options:?}");
    }
}

#[test]
fn values_stand_where_the_kernel_reads_them() {
    let options = plain()
        .address_bytes(0xA1, 0xA2)
        .pad_sent(0x55)
        .expect_padding(0xAA)
        .frame_time(Duration::from_micros(3));
    let mut expected = 0x20E_u32.to_ne_bytes().to_vec();
    expected.extend(3000_u32.to_ne_bytes());
    expected.extend([0xA1, 0x55, 0xAA, 0xA2]);
    assert_eq!(bytes(&options, NOW, CAN_ISOTP_OPTS), Some(expected));

    let st_min = StMin::at_least(Duration::from_micros(300)).unwrap();
    let options = plain().flow_control(8, st_min).max_wait(3);
    let fc = bytes(&options, NOW, CAN_ISOTP_RECV_FC);
    assert_eq!(fc, Some(vec![8, 0xF3, 3]));

    let fd = plain().link_layer(FrameKind::Fd { brs: true }, 64);
    let link = bytes(&fd, NOW, CAN_ISOTP_LL_OPTS);
    assert_eq!(link, Some(vec![72, 64, 1]));
    let link = bytes(&fd.error_state_indicator(), NOW, CAN_ISOTP_LL_OPTS);
    assert_eq!(link, Some(vec![72, 64, 3]));

    let options = plain().force_tx_st_min(Duration::from_micros(250));
    let forced = bytes(&options, NOW, CAN_ISOTP_TX_STMIN);
    assert_eq!(forced, Some(250_000_u32.to_ne_bytes().to_vec()));
}

/// Written to a kernel that does not know the code, it would be a pause of 4.3 s.
#[test]
fn a_frame_time_of_zero_has_a_code_where_zero_is_not_the_default() {
    let options = plain().frame_time(Duration::ZERO);
    for (minor, expected) in [(17, 0), (18, u32::MAX)] {
        let all = bytes(&options, Kernel::version(5, minor), CAN_ISOTP_OPTS).unwrap();
        assert_eq!(all.get(4..8), Some(&expected.to_ne_bytes()[..]));
    }
}

#[test]
fn what_the_kernel_or_the_combination_cannot_do_is_refused_by_name() {
    let fd = FrameKind::Fd { brs: false };
    let long = Duration::from_secs(5);
    let old = Kernel::version(5, 10);
    for (options, kernel, expected) in [
        (
            plain().broadcast_single_frames(),
            old,
            "broadcast_single_frames: expected Linux 5.11",
        ),
        (
            plain().broadcast_consecutive_frames(),
            Kernel::version(5, 18),
            "broadcast_consecutive_frames: expected Linux 5.19",
        ),
        (
            plain().every_flow_control(),
            Kernel::version(6, 8),
            "every_flow_control: expected Linux 6.9",
        ),
        (
            plain()
                .broadcast_single_frames()
                .broadcast_consecutive_frames(),
            NOW,
            "broadcast_single_frames: expected without",
        ),
        (plain().link_layer(fd, 9), NOW, "link_layer: TX_DL is 9"),
        (
            plain().link_layer(FrameKind::Classic, 64),
            NOW,
            "link_layer: TX_DL is 64",
        ),
        (
            plain().error_state_indicator(),
            NOW,
            "error_state_indicator: expected CAN FD",
        ),
        (
            plain().check_padding_content(),
            NOW,
            "check_padding_content: expected expect_padding",
        ),
        (
            plain().frame_time(long),
            NOW,
            "frame_time: expected at most",
        ),
        (
            plain().force_rx_st_min(long),
            NOW,
            "force_rx_st_min: expected at most",
        ),
    ] {
        let refused = options.check(kernel).unwrap_err().to_string();
        assert!(refused.starts_with(expected), "{refused}");
    }
    let id = Id::standard(1).unwrap();
    let same = KernelOptions::new(id, id);
    assert!(same.check(NOW).is_err());
    assert!(same.broadcast_single_frames().check(NOW).is_ok());
}
