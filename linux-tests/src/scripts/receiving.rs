//! Single frames, and messages in segments, received on CAN CC.

use super::links;
use crate::differential::Expected::{Differs, Same};
use crate::differential::Script;
use crate::differential::Step::{Pass, Rx};

pub(super) const SCRIPTS: &[Script] = &[
    Script {
        name: "single-frame",
        link: links::cc,
        steps: &[Rx("03 01 02 03")],
        expected: Same(&["1: received 01 02 03"]),
    },
    Script {
        name: "single-frame-padded",
        link: links::cc,
        steps: &[Rx("03 01 02 03 55 55 55 55")],
        expected: Same(&["1: received 01 02 03"]),
    },
    Script {
        name: "single-frame-of-length-zero",
        link: links::cc,
        steps: &[Rx("00 01")],
        expected: Same(&[]),
    },
    Script {
        name: "single-frame-longer-than-its-frame",
        link: links::cc,
        steps: &[Rx("07 01 02")],
        expected: Same(&[]),
    },
    Script {
        name: "single-frame-of-length-eight",
        link: links::cc,
        steps: &[Rx("08 01 02 03 04 05 06 07")],
        expected: Same(&[]),
    },
    Script {
        name: "escape-single-frame-on-cc",
        link: links::cc,
        steps: &[Rx("00 03 01 02 03 00 00 00")],
        expected: Same(&[]),
    },
    Script {
        name: "empty-frame",
        link: links::cc,
        steps: &[Rx("")],
        expected: Same(&[]),
    },
    Script {
        name: "reserved-pci",
        link: links::cc,
        steps: &[Rx("40 01 02"), Rx("F3 01 02 03")],
        expected: Same(&[]),
    },
    Script {
        name: "segmented-reception",
        link: links::cc,
        steps: &[
            Rx("10 14 00 01 02 03 04 05"),
            Rx("21 06 07 08 09 0A 0B 0C"),
            Rx("22 0D 0E 0F 10 11 12 13"),
        ],
        expected: Same(&["1: tx 30 00 00", "3: received 00 01 02 03 04 05 06 07 ..20"]),
    },
    Script {
        name: "segmented-reception-in-blocks",
        link: links::blocks,
        steps: &[
            Rx("10 14 00 01 02 03 04 05"),
            Rx("21 06 07 08 09 0A 0B 0C"),
            Rx("22 0D 0E 0F 10 11 12 13"),
        ],
        expected: Same(&[
            "1: tx 30 01 05",
            "2: tx 30 01 05",
            "3: received 00 01 02 03 04 05 06 07 ..20",
        ]),
    },
    Script {
        name: "last-consecutive-frame-padded",
        link: links::cc,
        steps: &[Rx("10 0A 00 01 02 03 04 05"), Rx("21 06 07 08 09 CC CC CC")],
        expected: Same(&["1: tx 30 00 00", "2: received 00 01 02 03 04 05 06 07 ..10"]),
    },
    Script {
        name: "last-consecutive-frame-too-short",
        link: links::cc,
        steps: &[
            Rx("10 0A 00 01 02 03 04 05"),
            Rx("21 06 07"),
            Rx("21 06 07 08 09"),
            Pass(1300),
        ],
        expected: Differs {
            rule: "PCI-17",
            kernel: &["1: tx 30 00 00", "3: failed N_WRONG_SN"],
            ours: &["1: tx 30 00 00", "3: received 00 01 02 03 04 05 06 07 ..10"],
        },
    },
    Script {
        name: "consecutive-frame-too-short",
        link: links::cc,
        steps: &[Rx("10 14 00 01 02 03 04 05"), Rx("21 06 07"), Pass(1300)],
        expected: Differs {
            rule: "PCI-16",
            kernel: &["1: tx 30 00 00"],
            ours: &["1: tx 30 00 00", "3: failed N_TIMEOUT_Cr"],
        },
    },
    Script {
        name: "consecutive-frame-too-short-then-right",
        link: links::cc,
        steps: &[
            Rx("10 14 00 01 02 03 04 05"),
            Rx("21 06 07"),
            Rx("21 06 07 08 09 0A 0B 0C"),
            Rx("22 0D 0E 0F 10 11 12 13"),
        ],
        expected: Same(&["1: tx 30 00 00", "4: received 00 01 02 03 04 05 06 07 ..20"]),
    },
    Script {
        name: "wrong-sequence-number",
        link: links::cc,
        steps: &[
            Rx("10 14 00 01 02 03 04 05"),
            Rx("22 06 07 08 09 0A 0B 0C"),
            Rx("21 06 07 08 09 0A 0B 0C"),
        ],
        expected: Same(&["1: tx 30 00 00", "2: failed N_WRONG_SN"]),
    },
    Script {
        name: "doubled-consecutive-frame",
        link: links::cc,
        steps: &[
            Rx("10 14 00 01 02 03 04 05"),
            Rx("21 06 07 08 09 0A 0B 0C"),
            Rx("21 06 07 08 09 0A 0B 0C"),
            Rx("22 0D 0E 0F 10 11 12 13"),
        ],
        expected: Same(&["1: tx 30 00 00", "3: failed N_WRONG_SN"]),
    },
    Script {
        name: "no-consecutive-frame",
        link: links::cc,
        steps: &[Rx("10 14 00 01 02 03 04 05"), Pass(1300)],
        expected: Same(&["1: tx 30 00 00", "2: failed N_TIMEOUT_Cr"]),
    },
    Script {
        name: "consecutive-frame-while-idle",
        link: links::cc,
        steps: &[Rx("21 06 07 08 09 0A 0B 0C"), Rx("02 01 02")],
        expected: Same(&["2: received 01 02"]),
    },
    Script {
        name: "flow-control-while-idle",
        link: links::cc,
        steps: &[Rx("30 00 00"), Rx("32 00 00"), Rx("02 01 02")],
        expected: Same(&["3: received 01 02"]),
    },
    Script {
        name: "first-frame-below-the-minimum",
        link: links::cc,
        steps: &[Rx("10 07 00 01 02 03 04 05"), Rx("21 06")],
        expected: Differs {
            rule: "PCI-14",
            kernel: &["1: tx 30 00 00", "2: received 00 01 02 03 04 05 06"],
            ours: &[],
        },
    },
    Script {
        name: "first-frame-of-length-five",
        link: links::cc,
        steps: &[Rx("10 05 00 01 02 03 04 05")],
        expected: Same(&[]),
    },
    Script {
        name: "first-frame-that-fills-no-frame",
        link: links::cc,
        steps: &[Rx("10 0A 00 01 02")],
        expected: Same(&[]),
    },
    Script {
        name: "escape-first-frame-of-a-short-message",
        link: links::cc,
        steps: &[
            Rx("10 00 00 00 00 0A 00 01"),
            Rx("21 02 03 04 05 06 07 08"),
            Rx("22 09"),
        ],
        expected: Differs {
            rule: "PCI-11",
            kernel: &["1: tx 30 00 00", "3: received 00 01 02 03 04 05 06 07 ..10"],
            ours: &[],
        },
    },
    Script {
        name: "escape-first-frame-of-length-zero",
        link: links::cc,
        steps: &[Rx("10 00 00 00 00 00 00 01")],
        expected: Same(&[]),
    },
    Script {
        name: "first-frame-of-four-gigabytes",
        link: links::cc,
        steps: &[Rx("10 00 FF FF FF FF 00 01"), Rx("21 02 03 04 05 06 07 08")],
        expected: Differs {
            rule: "RXE-03",
            kernel: &[],
            ours: &["1: tx 32 00 00"],
        },
    },
    Script {
        name: "single-frame-in-a-reception",
        link: links::cc,
        steps: &[
            Rx("10 14 00 01 02 03 04 05"),
            Rx("02 AA BB"),
            Rx("21 06 07 08 09 0A 0B 0C"),
        ],
        expected: Differs {
            rule: "UNX-02",
            kernel: &["1: tx 30 00 00", "2: received AA BB"],
            ours: &[
                "1: tx 30 00 00",
                "2: failed N_UNEXP_PDU",
                "2: received AA BB",
            ],
        },
    },
    Script {
        name: "first-frame-in-a-reception",
        link: links::cc,
        steps: &[
            Rx("10 14 00 01 02 03 04 05"),
            Rx("10 0A 00 01 02 03 04 05"),
            Rx("21 06 07 08 09"),
        ],
        expected: Differs {
            rule: "UNX-02",
            kernel: &[
                "1: tx 30 00 00",
                "2: tx 30 00 00",
                "3: received 00 01 02 03 04 05 06 07 ..10",
            ],
            ours: &[
                "1: tx 30 00 00",
                "2: tx 30 00 00",
                "2: failed N_UNEXP_PDU",
                "3: received 00 01 02 03 04 05 06 07 ..10",
            ],
        },
    },
    Script {
        name: "invalid-single-frame-in-a-reception",
        link: links::cc,
        steps: &[
            Rx("10 14 00 01 02 03 04 05"),
            Rx("00"),
            Rx("21 06 07 08 09 0A 0B 0C"),
            Rx("22 0D 0E 0F 10 11 12 13"),
        ],
        expected: Differs {
            rule: "UNX-01",
            kernel: &["1: tx 30 00 00"],
            ours: &["1: tx 30 00 00", "4: received 00 01 02 03 04 05 06 07 ..20"],
        },
    },
    Script {
        name: "invalid-first-frame-in-a-reception",
        link: links::cc,
        steps: &[
            Rx("10 14 00 01 02 03 04 05"),
            Rx("10 05 00 01 02 03 04 05"),
            Rx("21 06 07 08 09 0A 0B 0C"),
            Rx("22 0D 0E 0F 10 11 12 13"),
        ],
        expected: Differs {
            rule: "UNX-01",
            kernel: &["1: tx 30 00 00"],
            ours: &["1: tx 30 00 00", "4: received 00 01 02 03 04 05 06 07 ..20"],
        },
    },
    Script {
        name: "reserved-pci-in-a-reception",
        link: links::cc,
        steps: &[
            Rx("10 14 00 01 02 03 04 05"),
            Rx("50 00"),
            Rx("21 06 07 08 09 0A 0B 0C"),
            Rx("22 0D 0E 0F 10 11 12 13"),
        ],
        expected: Same(&["1: tx 30 00 00", "4: received 00 01 02 03 04 05 06 07 ..20"]),
    },
    Script {
        name: "flow-control-in-a-reception",
        link: links::cc,
        steps: &[
            Rx("10 14 00 01 02 03 04 05"),
            Rx("30 00 00"),
            Rx("21 06 07 08 09 0A 0B 0C"),
            Rx("22 0D 0E 0F 10 11 12 13"),
        ],
        expected: Same(&["1: tx 30 00 00", "4: received 00 01 02 03 04 05 06 07 ..20"]),
    },
    Script {
        name: "first-frame-longer-than-the-buffer",
        link: links::cc,
        steps: &[Rx("10 00 10 00 00 00 00 01"), Rx("21 02 03 04 05 06 07 08")],
        expected: Same(&["1: tx 32 00 00"]),
    },
];
