//! Which partition a database is, and making one of a relay's alone (or of an empty one): what is not the partition's goes.

use crate::layout::Layout;
pub(crate) use crate::layout::Part;
use crate::sql::chat;
use crate::{Core, CoreError};
use aside_protocol::PartitionId;
use rusqlite::{Connection, Transaction, TransactionBehavior};

/// Everything that belongs to chats, by their inner ids. What is addressed goes first, its addressees with it.
const OF_CHATS: [&str; 12] = [
    "DELETE FROM addressed WHERE chat IN gone",
    "DELETE FROM addressees WHERE pos NOT IN (SELECT pos FROM addressed)",
    "DELETE FROM log WHERE chat IN gone",
    "DELETE FROM receipts WHERE chat IN gone",
    "DELETE FROM intervals WHERE chat IN gone",
    "DELETE FROM senders WHERE chat IN gone",
    "DELETE FROM answers WHERE chat IN gone",
    "DELETE FROM undo WHERE chat IN gone",
    "DELETE FROM undo_steps WHERE chat IN gone",
    "DELETE FROM lapsed WHERE chat IN gone",
    "DELETE FROM left_out WHERE chat IN gone",
    "DELETE FROM rates WHERE chat IN gone",
];

/// What only the directory has. The rates are those of fetching key packages.
const OF_THE_DIRECTORY: &str = "
    DELETE FROM invites; DELETE FROM key_packages; DELETE FROM fetches; DELETE FROM blobs;
    DELETE FROM blob_reservations; DELETE FROM blob_use; DELETE FROM rates WHERE what = 0;
    UPDATE accounts SET name = substr(lower(hex(account)), 1, 32);
    UPDATE relay SET learned = changes, changes = 0;";

/// Which partition a database is.
pub(crate) fn read(db: &Connection) -> rusqlite::Result<Part> {
    db.query_row("SELECT partitions, partition FROM relay", [], |row| {
        let (partitions, partition) = (row.get::<_, u16>(0)?, PartitionId(row.get(1)?));
        match Layout::new(partitions).filter(|layout| layout.has(partition)) {
            Some(layout) => Ok(Part { layout, partition }),
            None => Err(rusqlite::Error::IntegralValueOutOfRange(0, i64::from(partitions))),
        }
    })
}

impl Core {
    /// Makes a relay's state alone, or an empty one, that of a partition: other partitions' chats go, and unless it is the
    /// directory all that only the directory has. Positions, cursors, the time and the log's name stay. Done before, it
    /// changes nothing.
    pub fn take_part(&mut self, layout: Layout, partition: PartitionId) -> Result<(), CoreError> {
        let part = Part { layout, partition };
        if self.part == part {
            return Ok(());
        }
        if self.part.layout != Layout::ALONE || !layout.has(partition) || self.view().applied()? != 0 {
            return Err(CoreError::Parted);
        }
        self.set_durable(true)?;
        self.cache.clear();
        let transaction = Transaction::new_unchecked(&self.db, TransactionBehavior::Immediate)?;
        keep_only(&transaction, part)?;
        transaction.commit()?;
        self.part = part;
        // What is copied to other nodes holds no free pages then.
        Ok(self.db.execute_batch("VACUUM")?)
    }
}

fn keep_only(db: &Connection, part: Part) -> rusqlite::Result<()> {
    db.execute_batch("CREATE TEMP TABLE gone (chat INTEGER PRIMARY KEY)")?;
    let mut go = db.prepare("INSERT INTO gone VALUES (?)")?;
    let mut chats = db.prepare("SELECT id, chat FROM chats")?;
    let mut rows = chats.query([])?;
    while let Some(row) = rows.next()? {
        if part.layout.of_chat(&chat(row, 1)?) != part.partition {
            go.execute([row.get::<_, i64>(0)?])?;
        }
    }
    drop(rows);
    for delete in OF_CHATS {
        db.execute(delete, [])?;
    }
    db.execute("DELETE FROM chats WHERE id IN gone", [])?;
    if part.partition != Layout::DIRECTORY {
        db.execute_batch(OF_THE_DIRECTORY)?;
    }
    db.execute(
        "UPDATE relay SET partition = ?, partitions = ?, sweep = 0",
        [part.partition.0, part.layout.partitions()],
    )?;
    drop((go, chats));
    db.execute_batch("DROP TABLE gone")
}
