//! What runs inside a container: a script that comes to an end, or a daemon that does not.

use std::collections::VecDeque;
use std::time::Duration;

use super::artisan_commands::{self, Application};
use super::command_line::{Clause, Connector};
use super::database_commands;
use super::long_running::Daemon;
use super::migrations::Migration;
use crate::time::SimTime;
use crate::world::World;

/// The first process of a container.
#[derive(Debug)]
pub(crate) enum Process {
    /// Commands one after another, as a shell runs them.
    Script(Script),
    /// A program that serves until it is told to stop.
    Daemon(Daemon),
}

/// Commands still to run and the one that is running.
#[derive(Debug)]
pub(crate) struct Script {
    clauses: VecDeque<Clause>,
    acts: VecDeque<Act>,
    /// When the first of `acts` happens.
    due: SimTime,
    status: i32,
    application: Application,
}

/// One thing a command does, `after` the one before it.
#[derive(Debug)]
pub(crate) struct Act {
    pub(crate) after: Duration,
    pub(crate) deed: Deed,
}

/// What a command does at one moment.
#[derive(Debug)]
pub(crate) enum Deed {
    /// Writes a line.
    Say(String),
    /// Looks at a database and goes on with what there is to migrate.
    Plan {
        database: String,
        kind: database_commands::Kind,
        fresh: bool,
    },
    /// Applies one migration, which took that long.
    Migrate {
        database: String,
        migration: Migration,
        took: Duration,
    },
    /// Replaces the shell by a daemon, as the last command of a script.
    Serve(Daemon),
    /// Runs seeders.
    Seed { seeders: Vec<String> },
    /// Ends the command.
    Finish(i32),
    /// Ends the whole script.
    Quit(i32),
}

impl Act {
    pub(crate) fn new(after_milliseconds: u64, deed: Deed) -> Self {
        Self {
            after: Duration::from_millis(after_milliseconds),
            deed,
        }
    }

    /// A line `after_milliseconds` after the deed before it.
    pub(crate) fn say(after_milliseconds: u64, line: impl Into<String>) -> Self {
        Self::new(after_milliseconds, Deed::Say(line.into()))
    }
}

/// What came of letting a process run for a while.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Lines and when they were written.
    pub(crate) lines: Vec<(SimTime, String)>,
    /// When it exited and with what code.
    pub(crate) exit: Option<(SimTime, i32)>,
}

impl Script {
    pub(crate) fn new(clauses: Vec<Clause>, start: SimTime, application: Application) -> Self {
        Self {
            clauses: clauses.into(),
            acts: VecDeque::new(),
            due: start,
            status: 0,
            application,
        }
    }

    /// Puts deeds in front of what is left of the command.
    fn prepend(&mut self, acts: Vec<Act>) {
        for act in acts.into_iter().rev() {
            self.acts.push_front(act);
        }
    }

    /// Takes the next command that the shell would run; `false` when there is none.
    fn next_clause(&mut self) -> bool {
        while let Some(clause) = self.clauses.pop_front() {
            let runs = match clause.connector {
                Connector::Always => true,
                Connector::And => self.status == 0,
                Connector::Or => self.status != 0,
            };
            if runs {
                self.acts = artisan_commands::command(&clause, self.application).into();
                return true;
            }
        }
        false
    }
}

impl Process {
    /// Whether it has something to do by `now`.
    pub(crate) fn is_due(&self, now: SimTime) -> bool {
        match self {
            Self::Daemon(daemon) => daemon.is_due(now),
            Self::Script(script) => script
                .acts
                .front()
                .is_none_or(|act| script.due + act.after <= now),
        }
    }

    /// Lets the process run up to the present.
    pub(crate) fn run(
        &mut self,
        world: &mut World,
        container: &super::long_running::Surroundings,
    ) -> Progress {
        let mut progress = Progress::default();
        loop {
            match self {
                Self::Daemon(daemon) => {
                    daemon.run(world, container, &mut progress);
                    return progress;
                }
                Self::Script(script) => {
                    let Some(successor) = run_script(script, world, &mut progress) else {
                        return progress;
                    };
                    *self = Self::Daemon(successor);
                }
            }
        }
    }

    /// What SIGTERM does to it: the exit code after a moment, or `None` when it is ignored until
    /// SIGKILL. The first process of a container has no default signal handlers, so only programs
    /// that install their own react.
    pub(crate) fn terminated(&self) -> Option<(Duration, i32)> {
        match self {
            Self::Daemon(daemon) => daemon.terminated(),
            Self::Script(_) => None,
        }
    }
}

/// Runs what is due; answers the daemon that the script turns into, if it does.
fn run_script(script: &mut Script, world: &mut World, progress: &mut Progress) -> Option<Daemon> {
    loop {
        if script.acts.is_empty() && !script.next_clause() {
            progress.exit = Some((script.due, script.status));
            return None;
        }
        let front = script.acts.front()?;
        let at = script.due + front.after;
        if at > world.now {
            return None;
        }
        let act = script.acts.pop_front()?;
        script.due = at;
        match act.deed {
            Deed::Say(line) => progress.lines.push((at, line)),
            Deed::Plan {
                database,
                kind,
                fresh,
            } => {
                let acts = database_commands::plan(world, &database, kind, fresh);
                script.prepend(acts);
            }
            Deed::Migrate {
                database,
                migration,
                took,
            } => {
                let acts = database_commands::apply(world, &database, &migration, took);
                script.prepend(acts);
            }
            Deed::Serve(mut daemon) => {
                daemon.started(at);
                return Some(daemon);
            }
            Deed::Seed { seeders } => {
                let acts = database_commands::seed(world, seeders);
                script.prepend(acts);
            }
            Deed::Quit(status) => {
                script.acts.clear();
                script.clauses.clear();
                script.status = status;
            }
            Deed::Finish(status) => {
                script.acts.clear();
                script.status = status;
            }
        }
    }
}
