//! Makes the space in front of a busy log ready to be written.
//!
//! Allocated blocks count as unwritten until their first write-back, which
//! therefore costs a write of the inode on top; and each fresh page is filled
//! with zeros first. A thread of the segment's own pays for both before the
//! log gets there. It writes nothing: it asks the kernel to have the pages
//! and to flush them, through a file description and a mapping of its own, so
//! that it can neither change a record nor take away the report of a failed
//! write. Whatever it cannot do is done later by the log itself.
//!
//! The same thread gives back the pages behind, which is slow at times.

use super::file;
use super::mmap::Window;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// How far in front of the log's end the space is ready.
const LEAD: u64 = 4 << 20;
/// What is made ready at a time.
pub(super) const CHUNK: u64 = 1 << 20;

/// The thread of a segment, once there is one.
pub(super) struct Ahead {
    path: PathBuf,
    goal: Arc<Goal>,
    started: bool,
}

#[derive(Default)]
struct Goal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, Default)]
struct State {
    /// The log's end.
    end: u64,
    capacity: u64,
    stopped: bool,
}

impl Ahead {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            goal: Arc::default(),
            started: false,
        }
    }

    /// The log ends at `end` of `capacity` bytes, and has let go of the
    /// chunks before.
    pub(super) fn advance(&mut self, end: u64, capacity: u64) {
        self.goal.set(State {
            end,
            capacity,
            stopped: false,
        });
        if !self.started {
            self.started = true;
            self.start();
        }
    }

    fn start(&self) {
        let (path, goal) = (self.path.clone(), self.goal.clone());
        let spawned = std::thread::Builder::new()
            .name("zk-log-ahead".into())
            .spawn(move || {
                if let Err(error) = run(&path, &goal) {
                    tracing::debug!(path = %path.display(), %error, "no space is made ready ahead");
                }
            });
        if let Err(error) = spawned {
            tracing::debug!(%error, "no thread to make space ready ahead");
        }
    }
}

impl Drop for Ahead {
    /// The thread is not waited for: it cannot do harm to a file that is cut
    /// or removed.
    fn drop(&mut self) {
        self.goal.set(State {
            stopped: true,
            ..State::default()
        });
    }
}

impl Goal {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: State) {
        *self.lock() = state;
        self.changed.notify_one();
    }

    /// Waits until there is something to make ready behind `ready`; `None` at
    /// the end.
    fn next(&self, ready: u64) -> Option<(u64, State)> {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return None;
            }
            // What the log is writing right now is no use any more.
            let start = ready.max((state.end + CHUNK).next_multiple_of(CHUNK));
            if start < state.capacity && start < state.end + LEAD {
                return Some((start, *state));
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn run(path: &Path, goal: &Goal) -> io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut mapped: Option<(Window, u64)> = None;
    let (mut ready, mut forgotten) = (0, 0);
    while let Some((start, State { end, capacity, .. })) = goal.next(ready) {
        let behind = end / CHUNK * CHUNK;
        if behind > forgotten {
            file::forget(&file, forgotten, behind);
            forgotten = behind;
        }
        let end = (start + CHUNK).min(capacity);
        match &mapped {
            Some((window, known)) if *known == capacity => make_ready(window, start, end)?,
            _ => {
                let window = map(&file, start, capacity)?;
                make_ready(&window, start, end)?;
                mapped = Some((window, capacity));
            }
        }
        ready = end;
    }
    Ok(())
}

/// Nothing is read or written through this mapping, so it does not matter if
/// the file is cut under it.
fn map(file: &File, start: u64, capacity: u64) -> io::Result<Window> {
    if file.metadata()?.len() < capacity {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Window::map(file, start, capacity)
}

fn make_ready(window: &Window, start: u64, end: u64) -> io::Result<()> {
    window.populate(start, end)?;
    window.flush(start, end)?;
    // Only the log's own mapping shall hold on to the pages.
    window.release(start, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_goal_moves_in_front_of_the_log() {
        let goal = Goal::default();
        let at = |end| State {
            end,
            capacity: 64 << 20,
            stopped: false,
        };
        let next = |ready| goal.next(ready).map(|(start, _)| start);
        goal.set(at(300 << 10));
        assert_eq!(next(0), Some(2 << 20));
        assert_eq!(next(3 << 20), Some(3 << 20));
        goal.set(at(10 << 20));
        assert_eq!(next(3 << 20), Some(11 << 20));
        goal.set(State {
            stopped: true,
            ..at(0)
        });
        assert_eq!(next(0), None);
    }

    #[test]
    fn content_stays_when_the_space_around_it_is_made_ready() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("segment");
        let size = 4 * CHUNK;
        let mut content = vec![0; usize::try_from(size).expect("small")];
        content[3 << 19..][..5].copy_from_slice(b"there");
        std::fs::write(&path, &content).expect("it is written");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .expect("it is there");
        let window = map(&file, 0, size).expect("it is mapped");
        make_ready(&window, 0, size).expect("it is ready");
        assert!(std::fs::read(&path).expect("it can be read") == content);
        file.set_len(CHUNK).expect("it is cut");
        assert!(make_ready(&window, CHUNK, 2 * CHUNK).is_err());
        assert!(map(&file, 0, size).is_err());
    }
}
