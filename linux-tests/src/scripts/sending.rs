//! Messages that are sent, and the flow control that they meet.

use super::links;
use crate::differential::Expected::{Differs, Same};
use crate::differential::Script;
use crate::differential::Step::{Pass, Rx, Send};

pub(super) const SCRIPTS: &[Script] = &[
    Script {
        name: "send-segmented",
        link: links::cc,
        steps: &[Send(20), Rx("30 00 00")],
        expected: Same(&[
            "1: tx 10 14 00 01 02 03 04 05",
            "2: tx 21 06 07 08 09 0A 0B 0C",
            "2: tx 22 0D 0E 0F 10 11 12 13",
            "2: sent",
        ]),
    },
    Script {
        name: "send-in-blocks",
        link: links::cc,
        steps: &[Send(20), Rx("30 01 00"), Rx("30 01 00")],
        expected: Same(&[
            "1: tx 10 14 00 01 02 03 04 05",
            "2: tx 21 06 07 08 09 0A 0B 0C",
            "3: tx 22 0D 0E 0F 10 11 12 13",
            "3: sent",
        ]),
    },
    Script {
        name: "send-to-nobody",
        link: links::cc,
        steps: &[Send(20), Pass(1300), Send(3)],
        expected: Same(&[
            "1: tx 10 14 00 01 02 03 04 05",
            "2: failed N_TIMEOUT_Bs",
            "3: tx 03 00 01 02",
            "3: sent",
        ]),
    },
    Script {
        name: "flow-control-padded",
        link: links::cc,
        steps: &[Send(20), Rx("30 00 00 55 55 55 55 55")],
        expected: Same(&[
            "1: tx 10 14 00 01 02 03 04 05",
            "2: tx 21 06 07 08 09 0A 0B 0C",
            "2: tx 22 0D 0E 0F 10 11 12 13",
            "2: sent",
        ]),
    },
    Script {
        name: "flow-control-too-short",
        link: links::cc,
        steps: &[Send(20), Rx("30 00"), Rx("30 00 00")],
        expected: Differs {
            rule: "PCI-20",
            kernel: &["1: tx 10 14 00 01 02 03 04 05", "2: failed EBADMSG"],
            ours: &[
                "1: tx 10 14 00 01 02 03 04 05",
                "3: tx 21 06 07 08 09 0A 0B 0C",
                "3: tx 22 0D 0E 0F 10 11 12 13",
                "3: sent",
            ],
        },
    },
    Script {
        name: "flow-control-of-overflow",
        link: links::cc,
        steps: &[Send(20), Rx("32 00 00"), Send(3)],
        expected: Same(&[
            "1: tx 10 14 00 01 02 03 04 05",
            "2: failed N_BUFFER_OVFLW",
            "3: tx 03 00 01 02",
            "3: sent",
        ]),
    },
    Script {
        name: "flow-control-of-a-reserved-status",
        link: links::cc,
        steps: &[Send(20), Rx("33 00 00"), Send(3)],
        expected: Differs {
            rule: "FC-02",
            kernel: &[
                "1: tx 10 14 00 01 02 03 04 05",
                "2: failed EBADMSG",
                "3: tx 03 00 01 02",
                "3: sent",
            ],
            ours: &[
                "1: tx 10 14 00 01 02 03 04 05",
                "2: failed N_INVALID_FS",
                "3: tx 03 00 01 02",
                "3: sent",
            ],
        },
    },
    Script {
        name: "flow-control-of-wait",
        link: links::cc,
        steps: &[
            Send(20),
            Rx("31 00 00"),
            Pass(700),
            Rx("31 00 00"),
            Pass(700),
            Rx("30 00 00"),
        ],
        expected: Same(&[
            "1: tx 10 14 00 01 02 03 04 05",
            "6: tx 21 06 07 08 09 0A 0B 0C",
            "6: tx 22 0D 0E 0F 10 11 12 13",
            "6: sent",
        ]),
    },
    Script {
        name: "wait-brings-no-block-size",
        link: links::cc,
        steps: &[
            Send(30),
            Rx("31 01 00"),
            Rx("30 00 00"),
            Rx("30 00 00"),
            Rx("30 00 00"),
            Rx("30 00 00"),
        ],
        expected: Differs {
            rule: "PCI-24",
            kernel: &[
                "1: tx 10 1E 00 01 02 03 04 05",
                "3: tx 21 06 07 08 09 0A 0B 0C",
                "4: tx 22 0D 0E 0F 10 11 12 13",
                "5: tx 23 14 15 16 17 18 19 1A",
                "6: tx 24 1B 1C 1D",
                "6: sent",
            ],
            ours: &[
                "1: tx 10 1E 00 01 02 03 04 05",
                "3: tx 21 06 07 08 09 0A 0B 0C",
                "3: tx 22 0D 0E 0F 10 11 12 13",
                "3: tx 23 14 15 16 17 18 19 1A",
                "3: tx 24 1B 1C 1D",
                "3: sent",
            ],
        },
    },
    Script {
        name: "second-flow-control-changes-block-size",
        link: links::cc,
        steps: &[
            Send(40),
            Rx("30 01 00"),
            Rx("30 02 00"),
            Rx("30 02 00"),
            Rx("30 02 00"),
            Rx("30 02 00"),
        ],
        expected: Differs {
            rule: "FC-04",
            kernel: &[
                "1: tx 10 28 00 01 02 03 04 05",
                "2: tx 21 06 07 08 09 0A 0B 0C",
                "3: tx 22 0D 0E 0F 10 11 12 13",
                "4: tx 23 14 15 16 17 18 19 1A",
                "5: tx 24 1B 1C 1D 1E 1F 20 21",
                "6: tx 25 22 23 24 25 26 27",
                "6: sent",
            ],
            ours: &[
                "1: tx 10 28 00 01 02 03 04 05",
                "2: tx 21 06 07 08 09 0A 0B 0C",
                "3: tx 22 0D 0E 0F 10 11 12 13",
                "3: tx 23 14 15 16 17 18 19 1A",
                "4: tx 24 1B 1C 1D 1E 1F 20 21",
                "4: tx 25 22 23 24 25 26 27",
                "4: sent",
            ],
        },
    },
    Script {
        name: "reserved-separation-time",
        link: links::cc,
        steps: &[Send(20), Rx("30 00 80"), Pass(160)],
        expected: Same(&[
            "1: tx 10 14 00 01 02 03 04 05",
            "2: tx 21 06 07 08 09 0A 0B 0C",
            "3: tx 22 0D 0E 0F 10 11 12 13",
            "3: sent",
        ]),
    },
    Script {
        name: "separation-time-of-50-ms",
        link: links::cc,
        steps: &[Send(20), Rx("30 01 32"), Rx("30 01 32")],
        expected: Same(&[
            "1: tx 10 14 00 01 02 03 04 05",
            "2: tx 21 06 07 08 09 0A 0B 0C",
            "3: tx 22 0D 0E 0F 10 11 12 13",
            "3: sent",
        ]),
    },
    Script {
        name: "flow-control-in-the-middle-of-a-block",
        link: links::cc,
        steps: &[Send(20), Rx("30 00 7F"), Rx("32 00 00"), Pass(160)],
        expected: Same(&[
            "1: tx 10 14 00 01 02 03 04 05",
            "2: tx 21 06 07 08 09 0A 0B 0C",
            "4: tx 22 0D 0E 0F 10 11 12 13",
            "4: sent",
        ]),
    },
    Script {
        name: "send-of-nothing",
        link: links::cc,
        steps: &[Send(0)],
        expected: Same(&["1: refused"]),
    },
    Script {
        name: "second-send-while-busy",
        link: links::cc,
        steps: &[Send(20), Send(3), Rx("30 00 00")],
        expected: Same(&[
            "1: tx 10 14 00 01 02 03 04 05",
            "2: refused",
            "3: tx 21 06 07 08 09 0A 0B 0C",
            "3: tx 22 0D 0E 0F 10 11 12 13",
            "3: sent",
        ]),
    },
    Script {
        name: "single-frame-while-sending",
        link: links::cc,
        steps: &[Send(20), Rx("02 AA BB"), Rx("30 00 00")],
        expected: Same(&[
            "1: tx 10 14 00 01 02 03 04 05",
            "2: received AA BB",
            "3: tx 21 06 07 08 09 0A 0B 0C",
            "3: tx 22 0D 0E 0F 10 11 12 13",
            "3: sent",
        ]),
    },
    Script {
        name: "reception-while-sending",
        link: links::cc,
        steps: &[
            Send(20),
            Rx("10 0A 00 01 02 03 04 05"),
            Rx("30 00 00"),
            Rx("21 06 07 08 09"),
        ],
        expected: Same(&[
            "1: tx 10 14 00 01 02 03 04 05",
            "2: tx 30 00 00",
            "3: tx 21 06 07 08 09 0A 0B 0C",
            "3: tx 22 0D 0E 0F 10 11 12 13",
            "3: sent",
            "4: received 00 01 02 03 04 05 06 07 ..10",
        ]),
    },
];
