//! `portable-winhttp proxy`.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::thread;

use portable_winhttp::http::proxy::{BadList, Choice, Named, UserSettings};
use portable_winhttp::real::with_proxies;
use portable_winhttp::win32::*;

use super::End;
use super::arguments::Proxy;
use super::output::{complain, print};
use super::resolver::{Sources, decide};
use super::winhttp::crack_url;

/// Shows which routes lead to a URL, and why.
pub fn run(arguments: &Proxy) -> End {
    if let Err(error) = crack_url(&arguments.url) {
        complain(&format!("{}: {error}", arguments.url));
        return End::Usage;
    }
    let mut flags = 0;
    let mut script = None;
    let mut asked = Vec::new();
    if let Some(pac) = &arguments.pac {
        flags |= WINHTTP_AUTOPROXY_CONFIG_URL;
        asked.push(format!("the script {pac}"));
        script = match url_of(pac) {
            Ok(url) => Some(url),
            Err(error) => {
                complain(&format!("--pac {pac}: {error}"));
                return End::Usage;
            }
        };
    }
    if let Some(list) = &arguments.proxy {
        let named = match Named::parse(list, arguments.bypass.as_deref()) {
            Ok(named) => named,
            Err(error) => {
                let option = if matches!(error, BadList::Proxy(_)) { "--proxy" } else { "--bypass" };
                complain(&format!("{option}: {error}"));
                return End::Usage;
            }
        };
        flags |= WINHTTP_AUTOPROXY_ALLOW_STATIC;
        asked.push("the lists of the command line".to_owned());
        with_proxies(|proxies| {
            proxies.set_user(UserSettings { named: Some(named), ..UserSettings::default() });
        });
    }
    if flags == 0 {
        let detects = with_proxies(|proxies| proxies.may_detect()).unwrap_or_default();
        flags = WINHTTP_AUTOPROXY_ALLOW_AUTOCONFIG | WINHTTP_AUTOPROXY_ALLOW_STATIC;
        flags |= if detects { WINHTTP_AUTOPROXY_AUTO_DETECT } else { 0 };
        asked.push(if detects { "the network, then the environment" } else { "the environment" }.to_owned());
    }
    match decide(&arguments.url, &Sources { flags, script: script.as_deref() }) {
        Ok(choice) => print(&shown(&arguments.url, &asked.join(", then "), &choice)),
        Err(error) => {
            complain(&format!("{error}"));
            End::Badly
        }
    }
}

fn shown(url: &str, asked: &str, choice: &Choice) -> String {
    let mut text = format!("{url}\nasked    {asked}\nbecause  {}\n", choice.reason);
    for (number, hop) in choice.hops.iter().enumerate() {
        text += &format!("{:<9}{hop}\n", number + 1);
    }
    text
}

/// The URL of a script: itself, or one at which the file is served while this process lives.
fn url_of(pac: &str) -> io::Result<String> {
    if pac.starts_with("http://") || pac.starts_with("https://") {
        return Ok(pac.to_owned());
    }
    let name = Path::new(pac).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let address = serve(std::fs::read(pac)?)?;
    Ok(format!("http://{address}/{}", name.replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "_")))
}

fn serve(script: Vec<u8>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
                head.push(byte[0]);
            }
            let answer = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", script.len());
            let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.write_all(&script));
        }
    });
    Ok(address)
}
