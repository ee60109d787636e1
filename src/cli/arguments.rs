//! The words of the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use portable_winhttp::lab::Choices;
use portable_winhttp::verify::Stop;

use super::explore::client::Bug;

/// WinHTTP without Windows: see its calls and callbacks.
#[derive(Parser)]
#[command(version)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Subcommand)]
pub enum Command {
    /// Sends a request and prints every call and notification; without a URL, shows four requests to a local server.
    Trace(Box<Trace>),
    /// Shows which proxies the resolver names for a URL, and why.
    Proxy(Proxy),
    /// Explains a mistake that the checker has found, as W06, and how to fix it; without one, lists all.
    Explain {
        /// Its number
        #[arg(value_parser = stop)]
        stop: Option<Stop>,
    },
    /// Opens a web socket, sends the lines of standard input and prints every call, notification and message.
    #[command(after_help = super::ws::ORDERS)]
    Ws(Box<Ws>),
    /// Explores example clients of WinHTTP, a careful one and ten with the bugs of real clients, under many orders of
    /// callbacks; a failure is reported with its smallest schedule. Without a name, explores all, a line each.
    ///
    /// Exits with 1 if a schedule of the named client fails.
    Explore(Explore),
    /// Prints a script that completes the words of this command.
    Completions {
        /// Of which shell
        shell: clap_complete::Shell,
    },
    /// Prints the manual page, or that of a command.
    Man {
        /// trace, ws, explore, ...
        #[arg(value_name = "COMMAND")]
        of: Option<String>,
    },
    /// Runs the local server alone.
    Serve {
        /// Port on 127.0.0.1; 0 takes any free one.
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// Speak TLS, and HTTP/2 with clients that ask for it; the authority to trust is written to this file
        #[arg(long, value_name = "PEM")]
        tls: Option<PathBuf>,
    },
    /// Does the same work by WinHTTP and by a peer (hyper, h2, tungstenite) in turns, and prints the ratios.
    Bench(Bench),
    /// Sends requests, opens web sockets and asks resolvers, against hostile local peers, cancels them at random, and prints
    /// what came of them and what is left.
    Soak(Soak),
    /// Lists every function and option of WinHTTP: whether it is here, and what is to be said of it.
    Surface {
        /// Print JSON lines instead of a table
        #[arg(long, conflicts_with = "markdown")]
        json: bool,
        /// Print Markdown instead of a table
        #[arg(long)]
        markdown: bool,
    },
}

impl Default for Command {
    fn default() -> Command {
        Command::Trace(Box::default())
    }
}

#[derive(Args)]
pub struct Explore {
    /// careful, or a bug: use-after-close, freed-on-failure, cancelled-is-impossible, error-is-success, second-read,
    /// cancel-under-lock, cancel-always-wins, freed-after-close, closed-in-sending, not-sent-again
    #[arg(value_name = "CLIENT", value_parser = client)]
    pub client: Option<Client>,
    /// How many schedules at most, instead of two seconds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub runs: Option<u64>,
    /// Every schedule with at most two unusual choices, instead of the usual mixture
    #[arg(long, conflicts_with = "random")]
    pub exhaustive: bool,
    /// Random schedules, instead of the usual mixture
    #[arg(long)]
    pub random: bool,
    /// Seed of the random choices
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Only this schedule, as a report ends with it
    #[arg(long, value_name = "SCHEDULE", conflicts_with_all = ["runs", "exhaustive", "random", "seed"], requires = "client")]
    pub replay: Option<Choices>,
}

/// An example client: without a bug it is the careful one.
#[derive(Clone, Copy)]
pub struct Client(pub Option<Bug>);

fn client(name: &str) -> Result<Client, String> {
    if name == "careful" {
        return Ok(Client(None));
    }
    let bug = Bug::ALL.iter().copied().find(|bug| bug.name() == name);
    bug.map(|bug| Client(Some(bug))).ok_or_else(|| {
        let names: Vec<_> = std::iter::once("careful").chain(Bug::ALL.iter().map(|bug| bug.name())).collect();
        format!("the clients are {}", names.join(", "))
    })
}

#[derive(Args)]
pub struct Bench {
    /// Only works whose name contains this
    #[arg(value_name = "NAME")]
    pub only: Option<String>,
    /// Turns that count
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// One turn with a hundredth of the work: whether everything runs
    #[arg(long)]
    pub quick: bool,
    /// Print JSON lines
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Ws {
    /// ws:// or wss://
    pub url: String,
    /// Request header, 'Name: value'; may be repeated
    #[arg(long = "header", short = 'H', value_name = "HEADER", value_parser = header)]
    pub headers: Vec<String>,
    /// Print JSON lines
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Default)]
pub struct Trace {
    /// http:// or https://
    pub url: Option<String>,
    /// Request method [default: GET, or POST with --data]
    #[arg(long, short = 'X', requires = "url", value_parser = method)]
    pub method: Option<String>,
    /// Request header, 'Name: value'; may be repeated
    #[arg(long = "header", short = 'H', requires = "url", value_name = "HEADER", value_parser = header)]
    pub headers: Vec<String>,
    /// Request body, given to WinHttpSendRequest; @FILE reads it from a file
    #[arg(long, short = 'd', requires = "url", value_name = "STR|@FILE")]
    pub data: Option<String>,
    /// Use a synchronous session
    #[arg(long, requires = "url")]
    pub sync: bool,
    /// Speak HTTP/2 if the server does (https only)
    #[arg(long, requires = "url")]
    pub http2: bool,
    /// Print JSON lines instead of a table
    #[arg(long, requires = "url", conflicts_with_all = ["mermaid", "svg"])]
    pub json: bool,
    /// Print a Mermaid sequence diagram instead of a table
    #[arg(long, requires = "url", conflicts_with = "svg")]
    pub mermaid: bool,
    /// Print a picture instead of a table
    #[arg(long, requires = "url")]
    pub svg: bool,
    /// Give up after so many seconds, whatever WinHTTP's own timeouts say; what was recorded is printed
    #[arg(long, requires = "url", value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<Duration>,
    /// Write the body of the reply to a file
    #[arg(long, requires = "url", value_name = "FILE")]
    pub body: Option<PathBuf>,
}

#[derive(Args)]
pub struct Proxy {
    /// http:// or https://
    pub url: String,
    /// A PAC script: a file, or its URL
    #[arg(long, value_name = "FILE|URL")]
    pub pac: Option<String>,
    /// Proxies, as WinHttpOpen takes them: [http=|https=|socks=][scheme://]host[:port], between semicolons
    #[arg(long, value_name = "LIST")]
    pub proxy: Option<String>,
    /// Hosts that bypass them: names and addresses with *, <local>, networks, between semicolons
    #[arg(long, value_name = "LIST", requires = "proxy")]
    pub bypass: Option<String>,
}

/// RFC 9110 5.6.2.
fn is_token(text: &str) -> bool {
    let of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(of_token)
}

/// A time that passes.
fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || "a number of seconds is more than 0, as 10 or 0.5".to_owned();
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero()).ok_or_else(wrong)
}

fn method(text: &str) -> Result<String, String> {
    if is_token(text) { Ok(text.to_owned()) } else { Err("a method is one word such as GET".into()) }
}

fn stop(text: &str) -> Result<Stop, String> {
    Stop::from_id(text).ok_or_else(|| format!("the numbers are W01 to W{}", Stop::ALL.len()))
}

fn header(text: &str) -> Result<String, String> {
    let (name, value) = text.split_once(':').ok_or("a header is 'Name: value'")?;
    if !is_token(name) {
        return Err(format!("{name:?} is not the name of a header"));
    }
    if value.chars().any(|character| character.is_control() && character != '\t') {
        return Err("a header has no control characters".into());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::error::ErrorKind;

    fn parse(words: &[&str]) -> Result<Trace, ErrorKind> {
        let words = ["portable-winhttp", "trace"].iter().chain(words);
        match Arguments::try_parse_from(words).map_err(|error| error.kind())?.command {
            Some(Command::Trace(trace)) => Ok(*trace),
            _ => unreachable!("the words begin with trace"),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_request_can_be_described() {
        let words = ["http://a/", "-X", "PUT", "-H", "A: 1", "--header", "B:2", "-d", "text", "--sync", "--json"];
        let trace = parse(&words).unwrap();
        assert_eq!(trace.url.as_deref(), Some("http://a/"));
        assert_eq!((trace.method.as_deref(), trace.data.as_deref()), (Some("PUT"), Some("text")));
        assert_eq!(trace.headers, ["A: 1", "B:2"]);
        assert!(trace.sync && trace.json && !trace.mermaid);
    }

    #[test]
    fn bad_words_are_refused() {
        let cases: [(&[&str], ErrorKind); 11] = [
            (&["u", "-X", "A B"], ErrorKind::ValueValidation),
            (&["u", "-X", ""], ErrorKind::ValueValidation),
            (&["u", "-H", "no colon"], ErrorKind::ValueValidation),
            (&["u", "-H", ": no name"], ErrorKind::ValueValidation),
            (&["u", "-H", "A: b\r\nC: d"], ErrorKind::ValueValidation),
            (&["u", "--json", "--mermaid"], ErrorKind::ArgumentConflict),
            (&["u", "--json", "--svg"], ErrorKind::ArgumentConflict),
            (&["u", "--timeout", "0"], ErrorKind::ValueValidation),
            (&["u", "--timeout", "soon"], ErrorKind::ValueValidation),
            (&["--json"], ErrorKind::MissingRequiredArgument),
            (&["u", "v"], ErrorKind::UnknownArgument),
        ];
        for (words, kind) in cases {
            assert_eq!(parse(words).err(), Some(kind), "{words:?}");
        }
    }
}

/// What a soak does.
#[derive(Args)]
pub struct Soak {
    /// How many requests
    #[arg(long, default_value_t = 10_000)]
    pub requests: u64,
    /// What the peers do and when requests are cancelled follows from it
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Instead: so many requests open at once, at a peer that is silent
    #[arg(long, default_value_t = 0)]
    pub open: usize,
    /// Instead: so many web sockets open at once
    #[arg(long, default_value_t = 0)]
    pub sockets: usize,
    /// Be the peer that is silent
    #[arg(long, hide = true)]
    pub hold: bool,
}
