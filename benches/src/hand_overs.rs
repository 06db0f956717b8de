//! What the threads of a round trip under blocking hand over to each other, without what they do it for.

use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::OnceLock;
use std::thread::{self, Thread};

use crate::adapters::{self, BATCHES};

/// Microseconds of a round trip in each batch: a client sends and waits, a server answers, and a driver
/// stands between the two.
///
/// Six hand-overs, each to a thread that sleeps or is about to:
///
/// | who    | wakes                 | since                                         |
/// | ------ | --------------------- | --------------------------------------------- |
/// | client | driver                | there is a message to be sent                 |
/// | driver | server, and client    | the message is there, and its sending is over |
/// | server | driver                | there is an answer to be sent                 |
/// | driver | client, and server    | the answer is there, and its sending is over  |
///
/// They are three threads here as well, and not two that wake each other in turn: where the system puts
/// threads decides what a hand-over takes, which may be ten times as much between processors as on one.
pub(crate) fn round_trip() -> Vec<f64> {
    let rounds = adapters::batch(12);
    let (client, driver, server) = (Turn::default(), Turn::default(), Turn::default());
    let all = 0..rounds * (1 + BATCHES);
    thread::scope(|threads| {
        threads.spawn(|| {
            driver.is_of_this_thread();
            for _ in all.clone() {
                driver.wait();
                server.give();
                client.give();
                driver.wait();
                client.give();
                server.give();
            }
        });
        threads.spawn(|| {
            server.is_of_this_thread();
            for _ in all.clone() {
                server.wait();
                driver.give();
                server.wait();
            }
        });
        client.is_of_this_thread();
        adapters::batches(rounds, || {
            driver.give();
            client.wait();
            client.wait();
        })
    })
}

/// What one thread waits for and others give.
#[derive(Default)]
struct Turn {
    given: AtomicU32,
    thread: OnceLock<Thread>,
}

impl Turn {
    fn is_of_this_thread(&self) {
        self.thread.get_or_init(thread::current);
    }

    fn give(&self) {
        self.given.fetch_add(1, Ordering::Release);
        self.thread.wait().unpark();
    }

    fn wait(&self) {
        while self.given.load(Ordering::Acquire) == 0 {
            thread::park();
        }
        self.given.fetch_sub(1, Ordering::Relaxed);
    }
}
