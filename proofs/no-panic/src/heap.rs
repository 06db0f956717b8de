//! An allocator that gives memory once and never takes it back; at its end it has none.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{addr_of_mut, null_mut};
use core::sync::atomic::{AtomicUsize, Ordering};

struct Once(AtomicUsize);

const SIZE: usize = 1 << 20;
static mut MEMORY: [u8; SIZE] = [0; SIZE];

#[global_allocator]
static HEAP: Once = Once(AtomicUsize::new(0));

// SAFETY: each byte of MEMORY is given out at most once, aligned, and inside the bounds
unsafe impl GlobalAlloc for Once {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let size = layout.size().saturating_add(layout.align());
        let from = self.0.fetch_add(size, Ordering::Relaxed);
        if from.saturating_add(size) > SIZE {
            return null_mut();
        }
        let start = addr_of_mut!(MEMORY).cast::<u8>().wrapping_add(from);
        let over = start.addr() & layout.align().wrapping_sub(1);
        start.wrapping_add(layout.align().wrapping_sub(over))
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}
