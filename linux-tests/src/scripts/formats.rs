//! CAN FD, and the address formats.

use super::links;
use crate::differential::Expected::{Differs, Same};
use crate::differential::Script;
use crate::differential::Step::{Rx, RxFrom, RxOtherKind};

pub(super) const SCRIPTS: &[Script] = &[
    Script {
        name: "frame-of-fd-on-a-cc-link",
        link: links::cc,
        steps: &[RxOtherKind("02 AA BB")],
        expected: Same(&[]),
    },
    Script {
        name: "frame-of-cc-on-an-fd-link",
        link: links::fd,
        steps: &[RxOtherKind("02 AA BB"), Rx("02 AA BB")],
        expected: Same(&["2: received AA BB"]),
    },
    Script {
        name: "fd-single-frame",
        link: links::fd,
        steps: &[Rx("00 0A 00 01 02 03 04 05 06 07 08 09")],
        expected: Same(&["1: received 00 01 02 03 04 05 06 07 ..10"]),
    },
    Script {
        name: "fd-single-frame-in-a-longer-frame",
        link: links::fd,
        steps: &[Rx("00 0A 00 01 02 03 04 05 06 07 08 09 CC*52")],
        expected: Differs {
            rule: "PCI-07",
            kernel: &["1: received 00 01 02 03 04 05 06 07 ..10"],
            ours: &[],
        },
    },
    Script {
        name: "fd-single-frame-that-needs-no-escape",
        link: links::fd,
        steps: &[Rx("00 05 00 01 02 03 04 CC*5")],
        expected: Differs {
            rule: "PCI-07",
            kernel: &["1: received 00 01 02 03 04"],
            ours: &[],
        },
    },
    Script {
        name: "fd-single-frame-without-escape",
        link: links::fd,
        steps: &[Rx("05 00 01 02 03 04 CC*6")],
        expected: Same(&[]),
    },
    Script {
        name: "fd-single-frame-longer-than-its-frame",
        link: links::fd,
        steps: &[Rx("00 0B 00 01 02 03 04 05 06 07 08 09")],
        expected: Same(&[]),
    },
    Script {
        name: "fd-first-frame-below-the-minimum",
        link: links::fd,
        steps: &[Rx("10 3E AA*62")],
        expected: Differs {
            rule: "PCI-14",
            kernel: &["1: tx 30 00 00"],
            ours: &[],
        },
    },
    Script {
        name: "fd-reception",
        link: links::fd,
        steps: &[Rx("10 40 AA*62"), Rx("21 BB BB")],
        expected: Same(&["1: tx 30 00 00", "2: received AA AA AA AA AA AA AA AA ..64"]),
    },
    Script {
        name: "fd-reception-in-frames-of-12",
        link: links::fd,
        steps: &[Rx("10 14 AA*10"), Rx("21 AA*10")],
        expected: Same(&["1: tx 30 00 00", "2: received AA AA AA AA AA AA AA AA ..20"]),
    },
    Script {
        name: "fd-consecutive-frame-longer-than-the-first",
        link: links::fd,
        steps: &[
            Rx("10 20 AA*10"),
            Rx("21 AA*15"),
            Rx("21 AA*11"),
            Rx("22 AA*11"),
        ],
        expected: Same(&["1: tx 30 00 00", "4: received AA AA AA AA AA AA AA AA ..32"]),
    },
    Script {
        name: "extended-addressing-of-another-node",
        link: links::extended,
        steps: &[Rx("11 02 AA BB"), Rx("F1 02 AA BB")],
        expected: Same(&["2: received AA BB"]),
    },
    Script {
        name: "extended-addressing-without-pci",
        link: links::extended,
        steps: &[Rx("F1"), Rx("F1 01 AA")],
        expected: Same(&["2: received AA"]),
    },
    Script {
        name: "extended-addressing-in-segments",
        link: links::extended,
        steps: &[Rx("F1 10 09 00 01 02 03 04"), Rx("F1 21 05 06 07 08")],
        expected: Same(&[
            "1: tx 10 30 00 00",
            "2: received 00 01 02 03 04 05 06 07 ..9",
        ]),
    },
    Script {
        name: "extended-first-frame-below-the-minimum",
        link: links::extended,
        steps: &[Rx("F1 10 06 00 01 02 03 04")],
        expected: Differs {
            rule: "PCI-14",
            kernel: &["1: tx 10 30 00 00"],
            ours: &[],
        },
    },
    Script {
        name: "mixed-addressing-of-another-network",
        link: links::mixed,
        steps: &[Rx("98 02 AA BB"), Rx("99 02 AA BB")],
        expected: Same(&["2: received AA BB"]),
    },
    Script {
        name: "fixed-addressing-with-another-priority",
        link: links::fixed,
        steps: &[
            RxFrom(0x0CDA_F110, "02 AA BB"),
            RxFrom(0x18DA_F110, "02 AA BB"),
        ],
        expected: Differs {
            rule: "ADR-01",
            kernel: &["2: received AA BB"],
            ours: &["1: received AA BB", "2: received AA BB"],
        },
    },
    Script {
        name: "fixed-addressing-from-another-node",
        link: links::fixed,
        steps: &[RxFrom(0x18DA_F111, "02 AA BB")],
        expected: Same(&[]),
    },
];
