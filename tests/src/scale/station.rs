//! A place where work waits and is done: first come, first served, by one or more servers. Pure: the time is an argument.

use super::Nanos;

/// So many servers and one queue before them.
#[derive(Debug, Clone)]
pub struct Station {
    /// When each server is free again.
    free: Vec<Nanos>,
    busy: Nanos,
}

impl Station {
    /// With so many servers, at least one.
    pub fn new(servers: usize) -> Self {
        Self { free: vec![0; servers.max(1)], busy: 0 }
    }

    /// Takes work that comes now, and says when it is done. Calls must come in the order of their times.
    pub fn serve(&mut self, now: Nanos, work: Nanos) -> Nanos {
        let Some(server) = self.free.iter_mut().min() else { return now + work };
        *server = now.max(*server) + work;
        self.busy += work;
        *server
    }

    /// Forgets what waits: whoever did it has died.
    pub fn stop(&mut self, now: Nanos) {
        let undone: Nanos = self.free.iter().map(|free| free.saturating_sub(now)).sum();
        self.busy = self.busy.saturating_sub(undone);
        self.free.iter_mut().for_each(|free| *free = now.min(*free));
    }

    /// Work taken so far, done or waiting; of all servers.
    pub fn busy(&self) -> Nanos {
        self.busy
    }

    /// How many servers.
    pub fn servers(&self) -> usize {
        self.free.len()
    }
}
