//! Keeps the relay stocked with key packages, so that others can add this device while it is away (rules `KEY-1`,
//! `KEY-3`).

use crate::error::Result;
use crate::link::Pending;
use crate::step::Step;
use aside_protocol::limits::KEY_PACKAGE_UPLOAD;
use aside_protocol::request::{Answer, KeyPackageUpload, PutKeyPackages, Request, Suite};
use aside_protocol::{Hash, Millis};

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
        let renew = !self.link.last_resort || made.0.saturating_add(self.config.last_resort_ms) <= self.now.0;
        if renew {
            self.make_key_package(true)?;
            self.tx.set_last_resort(self.now)?;
            self.link.last_resort = true;
        }
        // Filling up goes on until the stock is whole, one upload at a time.
        let due = self.link.filling || stock < self.config.key_package_low;
        let missing = if due { self.config.key_package_stock.saturating_sub(stock) } else { 0 };
        self.link.filling = missing > 0;
        let room = KEY_PACKAGE_UPLOAD as u64 - u64::from(renew);
        for _ in 0..missing.min(room) {
            self.make_key_package(false)?;
        }
        Ok(renew || missing > 0)
    }

    fn make_key_package(&mut self, last_resort: bool) -> Result<()> {
        let not_after = Millis(self.now.0.saturating_add(self.config.key_package_ms));
        let body = self.scope().key_package(Suite::XWing, last_resort, not_after)?;
        Ok(self.tx.save_key_upload(&KeyPackageUpload { suite: Suite::XWing, last_resort, body })?)
    }

    /// The relay has the packages, or does not want them.
    pub(crate) fn uploaded(&mut self, hashes: &[Hash], answer: Answer) -> Result<()> {
        self.link.uploading = false;
        match answer {
            Answer::KeyPackageCounts(counts) => {
                self.tx.key_uploads_done(hashes)?;
                let ours = counts.iter().find(|count| count.suite == Suite::XWing);
                self.link.stock = ours.map(|count| count.one_time);
                self.link.last_resort = ours.is_some_and(|count| count.last_resort);
            }
            // Tried again with the next connection.
            _ => self.link.stock = None,
        }
        Ok(())
    }
}
