//! The short way for the frame that mostly comes: which frame that is, and that it is taken.

use super::*;

/// Where it stands, the frame, and whether it goes the short way.
const TABLE: &[(&str, &str, &str, bool)] = &[
    ("", "", "21 06 07 08 09 0A 0B 0C", false),
    (
        "",
        "rx 10 15 00 01 02 03 04 05",
        "21 06 07 08 09 0A 0B 0C",
        false,
    ),
    ("", RECEIVING, "21 06 07 08 09 0A 0B 0C", true),
    ("", RECEIVING, "22 06 07 08 09 0A 0B 0C", false),
    ("", RECEIVING, "31 06 07 08 09 0A 0B 0C", false),
    ("", RECEIVING, "21 06 07 08 09 0A 0B", false),
    ("", RECEIVING, "21 06 07 08 09 0A 0B 0C 0D 0E 0F 10", false),
    ("bs=2", RECEIVING, "21 06 07 08 09 0A 0B 0C", true),
    ("bs=1", RECEIVING, "21 06 07 08 09 0A 0B 0C", false),
    // 8 bytes are left, and 7
    ("", EIGHT_LEFT, "22 0D 0E 0F 10 11 12 13", true),
    ("", SEVEN_LEFT, "22 0D 0E 0F 10 11 12 13", false),
    // the first frame was one of CAN FD
    ("limit=255", FD, "21 0A 0B 0C 0D 0E 0F 10", false),
];

const RECEIVING: &str = "rx 10 15 00 01 02 03 04 05; commit; con 0";
const EIGHT_LEFT: &str = "rx 10 15 00 01 02 03 04 05; commit; con 0; rx 21 06 07 08 09 0A 0B 0C";
const SEVEN_LEFT: &str = "rx 10 14 00 01 02 03 04 05; commit; con 0; rx 21 06 07 08 09 0A 0B 0C";
const FD: &str = "rx 10 64 00 01 02 03 04 05 06 07 08 09; commit; con 0";

#[test]
fn what_goes_the_short_way() {
    for (options, before, data, expected) in TABLE {
        let mut rig = Rig::new(options);
        rig.run(before);
        let before_it = rig.receiver.received();
        let Receiver { channels, incoming } = &mut rig.receiver;
        let taken = incoming.take_usual(channels, &hex(data));
        assert_eq!(taken, *expected, "[{options}] [{before}] [{data}]");
        let bytes = if taken { 7 } else { 0 };
        assert_eq!(rig.receiver.received(), before_it + bytes);
    }
}
