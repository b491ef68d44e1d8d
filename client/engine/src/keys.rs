//! Keeps the relay stocked with key packages, so that others can add this device while it is away (rules `KEY-1`,
//! `KEY-3`).

use crate::error::Result;
use crate::link::{Pending, Stock};
use crate::step::Step;
use aside_protocol::limits::KEY_PACKAGE_UPLOAD;
use aside_protocol::request::{Answer, KeyPackageCount, KeyPackageUpload, PutKeyPackages, Request, Suite};
use aside_protocol::{Hash, Millis};

/// The suites that chats use, the one for people first.
const SUITES: [Suite; 2] = [Suite::XWing, Suite::Classical];

impl Step<'_> {
    /// Makes and uploads key packages, one upload at a time.
    pub(crate) fn pump_key_packages(&mut self) -> Result<()> {
        if self.link.uploading {
            return Ok(());
        }
        let mut waiting = self.tx.key_uploads(KEY_PACKAGE_UPLOAD)?;
        if waiting.is_empty() && self.make_key_packages()? {
            waiting = self.tx.key_uploads(KEY_PACKAGE_UPLOAD)?;
        }
        if !waiting.is_empty() {
            let (hashes, packages) = waiting.into_iter().unzip();
            self.link.uploading = true;
            self.ask(Request::PutKeyPackages(PutKeyPackages { packages }), Pending::Uploaded(hashes));
        }
        Ok(())
    }

    /// Makes what is missing, at most one upload of it; its private halves are stored in this transaction.
    fn make_key_packages(&mut self) -> Result<bool> {
        let Some(stock) = self.link.stock else { return Ok(false) };
        let made = self.profile()?.last_resort;
        let old = made.0.saturating_add(self.config.last_resort_ms) <= self.now.0;
        let mut room = KEY_PACKAGE_UPLOAD as u64;
        for (suite, _) in SUITES.into_iter().zip(stock).filter(|(_, stock)| old || !stock.last_resort) {
            self.make_key_package(suite, true)?;
            room -= 1;
        }
        for (suite, stock) in SUITES.into_iter().zip(stock) {
            self.fill(suite, Stock { last_resort: true, ..stock }, &mut room)?;
        }
        if old {
            self.tx.set_last_resort(self.now)?;
        }
        Ok(room < KEY_PACKAGE_UPLOAD as u64)
    }

    /// Filling up goes on until the stock of a suite is whole, one upload at a time.
    fn fill(&mut self, suite: Suite, mut stock: Stock, room: &mut u64) -> Result<()> {
        let due = stock.filling || stock.one_time < self.config.key_package_low;
        let missing = if due { self.config.key_package_stock.saturating_sub(stock.one_time) } else { 0 };
        stock.filling = missing > 0;
        let now = missing.min(*room);
        for _ in 0..now {
            self.make_key_package(suite, false)?;
        }
        *room -= now;
        let place = SUITES.iter().position(|one| *one == suite).unwrap_or(0);
        if let Some(known) = self.link.stock.as_mut().and_then(|all| all.get_mut(place)) {
            *known = stock;
        }
        Ok(())
    }

    fn make_key_package(&mut self, suite: Suite, last_resort: bool) -> Result<()> {
        let not_after = Millis(self.now.0.saturating_add(self.config.key_package_ms));
        let body = self.scope().key_package(suite, last_resort, not_after)?;
        Ok(self.tx.save_key_upload(&KeyPackageUpload { suite, last_resort, body })?)
    }

    /// What the relay says that it holds.
    pub(crate) fn stocked(&mut self, counts: &[KeyPackageCount]) {
        let before = self.link.stock.unwrap_or_default();
        let mut stock = before;
        for ((suite, now), before) in SUITES.into_iter().zip(&mut stock).zip(before) {
            let count = counts.iter().find(|count| count.suite == suite);
            *now = Stock {
                one_time: count.map_or(0, |count| count.one_time),
                last_resort: count.is_some_and(|count| count.last_resort),
                filling: before.filling,
            };
        }
        self.link.stock = Some(stock);
    }

    /// The relay has the packages, or does not want them.
    pub(crate) fn uploaded(&mut self, hashes: &[Hash], answer: Answer) -> Result<()> {
        self.link.uploading = false;
        match answer {
            Answer::KeyPackageCounts(counts) => {
                self.tx.key_uploads_done(hashes)?;
                self.stocked(&counts);
            }
            // Tried again with the next connection.
            _ => self.link.stock = None,
        }
        Ok(())
    }
}
