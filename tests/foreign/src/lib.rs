//! Servers that are not ours, started on loopback for one test and ended by it.
// Handles are values: nobody follows them.
#![allow(clippy::not_unsafe_ptr_arg_deref)]

pub mod client;

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use portable_winhttp::lab::Authority;

/// How long a server may take to come up.
const PATIENCE: Duration = Duration::from_secs(20);

/// A port of 127.0.0.1 that is free now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port of 127.0.0.1 is free");
    listener.local_addr().expect("it has an address").port()
}

/// A process that ends with its test.
pub struct Server {
    child: Child,
    /// Where it listens on 127.0.0.1.
    pub port: u16,
}

impl Server {
    /// Starts a server that is to listen on `port`, and waits until it accepts connections. What it prints goes where the
    /// test's output goes, behind its name.
    pub fn start(command: &mut Command, port: u16) -> Server {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}; see apt.txt and pip.txt"));
        if let Some(errors) = child.stderr.take() {
            let name = name.clone();
            thread::spawn(move || {
                BufReader::new(errors).lines().map_while(Result::ok).for_each(|line| eprintln!("{name}: {line}"))
            });
        }
        let server = Server { child, port };
        let since = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(since.elapsed() < PATIENCE, "{name} does not listen on {port}");
            thread::park_timeout(Duration::from_millis(20));
        }
        server
    }

    /// nginx with `server { ... }` blocks, which use `listen 127.0.0.1:PORT`; `folder` takes its files.
    pub fn nginx(folder: &Path, port: u16, servers: &str) -> Server {
        let shown = folder.display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("  {kind}_temp_path {shown}/{kind};\n"))
            .concat();
        let config = format!(
            "daemon off;\nmaster_process off;\npid {shown}/nginx.pid;\nerror_log stderr;\n\
             events {{}}\nhttp {{\n  access_log off;\n{temporary}{servers}\n}}\n"
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, config).expect("the folder is ours");
        let mut nginx = Command::new("nginx");
        nginx.arg("-p").arg(folder).arg("-c").arg(&file).args(["-e", "stderr"]);
        Server::start(&mut nginx, port)
    }

    /// Apache with these directives; `folder` takes its files. Modules that are not compiled in are named without
    /// `mod_`.
    pub fn apache(folder: &Path, port: u16, modules: &[&str], directives: &str) -> Server {
        let shown = folder.display();
        let load = |name: &&str| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n");
        let modules: String = modules.iter().map(load).collect();
        let config = format!(
            "ServerRoot {shown}\nServerName 127.0.0.1\nListen 127.0.0.1:{port}\nPidFile {shown}/apache.pid\n\
             Mutex file:{shown} default\nErrorLog /dev/stderr\nUser nobody\nGroup nogroup\n{modules}{directives}\n"
        );
        let file = folder.join("apache.conf");
        std::fs::write(&file, config).expect("the folder is ours");
        let mut apache = Command::new("apache2");
        apache.args(["-X", "-f"]).arg(&file);
        Server::start(&mut apache, port)
    }

    /// A Python program that gets the port as its only argument.
    pub fn python(program: &Path, port: u16) -> Server {
        Server::python_with(program, port, None)
    }

    /// A Python program that gets the port and perhaps a folder as its arguments.
    pub fn python_with(program: &Path, port: u16, folder: Option<&Path>) -> Server {
        let python = std::env::var("WINHTTP_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        Server::start(Command::new(python).arg(program).arg(port.to_string()).args(folder), port)
    }
}

/// Puts a certificate for 127.0.0.1 of a new authority into a folder: chain.pem and key.pem.
pub fn certify(folder: &Path) {
    let issued = Authority::new().issue(&["127.0.0.1"]);
    let pem = |kind: &str, bytes: &[u8]| {
        let text = base64(bytes);
        format!("-----BEGIN {kind}-----\n{text}-----END {kind}-----\n")
    };
    let chain: String = issued.chain.iter().map(|certificate| pem("CERTIFICATE", certificate)).collect();
    std::fs::write(folder.join("chain.pem"), chain).expect("the folder is ours");
    std::fs::write(folder.join("key.pem"), pem("PRIVATE KEY", &issued.key)).expect("the folder is ours");
}

/// Base64 in lines of 64, as PEM wants it.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for (number, three) in bytes.chunks(3).enumerate() {
        let value = (0..3).fold(0u32, |value, at| value << 8 | u32::from(*three.get(at).unwrap_or(&0)));
        for digit in 0..4 {
            let known = digit <= three.len();
            text.push(if known { DIGITS[(value >> (18 - 6 * digit)) as usize & 63].into() } else { '=' });
        }
        if number % 16 == 15 {
            text.push('\n');
        }
    }
    text + "\n"
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
