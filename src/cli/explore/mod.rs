//! `portable-winhttp explore`: example clients under many orders of callbacks.

pub mod client;

use portable_winhttp::lab::{self, Exploration};

use super::End;
use super::arguments::{Client, Explore};
use super::output::{complain, print};
use client::{Bug, natural};

/// Explores one, and tells all of it, or each of them.
pub fn run(arguments: Explore) -> End {
    if let Err(error) = lab::check_environment() {
        complain(&error);
        return End::Usage;
    }
    match arguments.client {
        Some(client) => one(client, &arguments),
        None => all(&arguments),
    }
}

/// What is explored of a client: its natural test, and of the careful one also that it can be cancelled.
fn explored(client: Client, arguments: &Explore) -> Result<Exploration, String> {
    let Client(bug) = client;
    let cancelled = bug.is_none_or(Bug::needs_cancel);
    let mut options = lab::Explore::new();
    if arguments.exhaustive {
        options = options.exhaustive().deviations(2).faults(1).pace(true);
    }
    if arguments.random {
        options = options.random(usize::MAX);
    }
    options = match (arguments.runs, arguments.random) {
        (Some(runs), _) => options.budget(usize::try_from(runs).unwrap_or(usize::MAX)),
        (None, true) => options.budget(std::time::Duration::from_secs(2)),
        (None, false) => options,
    };
    if let Some(seed) = arguments.seed {
        options = options.seed(seed);
    }
    if let Some(schedule) = &arguments.replay {
        options = options.replay(schedule.clone());
    }
    options.check(|sim| natural(sim, bug, cancelled))
}

fn name(client: Client) -> &'static str {
    client.0.map_or("careful", Bug::name)
}

fn one(client: Client, arguments: &Explore) -> End {
    let about = client.0.map_or("a client that looks at every answer", Bug::about);
    let heading = format!("{}: {about}\n", name(client));
    match explored(client, arguments) {
        Ok(report) => print(&format!("{heading}{report}; no schedule fails\n\n{}", report.coverage_lines())),
        Err(report) => {
            print(&format!("{heading}{report}\n"));
            End::Badly
        }
    }
}

/// A line for each; it is well if each bug is found, and the careful client has none.
fn all(arguments: &Explore) -> End {
    let clients = std::iter::once(Client(None)).chain(Bug::ALL.iter().map(|bug| Client(Some(*bug))));
    let mut end = End::Well;
    for client in clients {
        let (text, well) = match explored(client, arguments) {
            Ok(report) => (format!("{report}; no schedule fails"), client.0.is_none()),
            Err(report) => (report.lines().next().unwrap_or_default().to_owned(), client.0.is_some()),
        };
        if !well {
            end = End::Badly;
        }
        if print(&format!("{:24} {text}\n", name(client))) == End::Badly {
            return End::Badly;
        }
    }
    let more = "\n`portable-winhttp explore NAME` tells the whole of it: what went wrong, the trace, the schedule.\n";
    if print(more) == End::Badly { End::Badly } else { end }
}
