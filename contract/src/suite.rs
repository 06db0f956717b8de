//! The tests of a runtime's crate.

use crate::cases::{BRIDGE_CASES, CASES};
use crate::left_out::left_out;
use crate::resources::is_alone;
use crate::under::Under;
use crate::world::Way;

/// Makes a test of each case, under a runtime, on a bus in memory; and tests of those that hold for a client of
/// isotpserver.
#[macro_export]
macro_rules! suite {
    ($under:ident) => {
        $crate::with_cases! { tests_of_cases $under; }

        #[test]
        fn over_isotpserver() {
            $crate::over_isotpserver::<$under>();
        }

        mod isotpserver {
            #[test]
            fn an_idle_network_burns_no_processor_time() {
                let case = "an_idle_network_burns_no_processor_time";
                $crate::run::<super::$under>(case, "isotpserver::", $crate::Way::Isotpserver);
            }

            #[test]
            fn networks_that_are_gone_leave_nothing_open() {
                let case = "networks_that_are_gone_leave_nothing_open";
                $crate::run::<super::$under>(case, "isotpserver::", $crate::Way::Isotpserver);
            }
        }
    };
}

/// One test for each.
#[doc(hidden)]
#[macro_export]
macro_rules! tests_of_cases {
    ($under:ident; $($module:ident: $($case:ident)*;)*) => {
        $($(
            #[test]
            fn $case() {
                $crate::run::<$under>(stringify!($case), "", $crate::Way::Virtual);
            }
        )*)*
    };
}

/// Runs a case, in a process of its own if it needs that: then as the test of this name, behind this prefix.
///
/// # Panics
/// When it fails.
pub fn run<U: Under>(name: &str, prefix: &str, way: Way) {
    let case = crate::Case::named(name);
    if is_alone(name) {
        crate::alone(&format!("{prefix}{name}"), || case.run::<U>(way));
    } else {
        case.run::<U>(way);
    }
}

/// Runs the cases that hold for a client of isotpserver.
///
/// # Panics
/// When one fails.
pub fn over_isotpserver<U: Under>() {
    let out = left_out(&Way::Isotpserver);
    for case in CASES.iter().chain(BRIDGE_CASES) {
        if !is_alone(case.name) && !out.iter().any(|(_, names)| names.contains(&case.name)) {
            println!("{}", case.name);
            case.run::<U>(Way::Isotpserver);
        }
    }
}
