//! The connection strings of the page are refused with the words of the page.

use isotp_virtual::VirtualBus;

use crate::page::{Page, code};
use crate::samples::refused;

#[test]
fn each_wrong_string_is_refused_with_the_text_beside_it() {
    let used = VirtualBus::named("used");
    for row in Page::read().rows("string") {
        let (string, says) = (code(&row[0]), code(&row[1]));
        let linux = string.starts_with("raw:") || string.starts_with("kernel:");
        if cfg!(target_os = "linux") || !linux {
            assert_eq!(refused(string).to_string(), says);
        }
    }
    drop(used);
}
