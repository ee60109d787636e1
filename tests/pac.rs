//! PAC scripts: every function of the convention with its documented examples, and scripts that are no good.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use portable_winhttp::http::proxy::pac::{Date, Host, Limits, ScriptError, run, run_apart};

/// A small network, at a time of its own.
#[derive(Default)]
struct World {
    milliseconds: i64,
    offset: i32,
    /// Local time is the system's.
    local: bool,
    /// How often the script may be looked at before its time is over; 0 is for ever.
    patience: u32,
    looks: AtomicU32,
    alerts: Mutex<Vec<String>>,
}

impl Host for World {
    fn lookup(&self, name: &str) -> Vec<IpAddr> {
        let addresses: &[&str] = match name {
            "www.netscape.com" => &["198.95.249.79"],
            "www" => &["198.95.249.80"],
            "www.ipv6.test" => &["2001:db8::1"],
            "both.test" => &["192.0.2.1", "2001:db8::2"],
            _ => &[],
        };
        addresses.iter().map(|address| address.parse().unwrap()).collect()
    }

    fn addresses(&self) -> Vec<IpAddr> {
        ["198.95.6.1", "2001:db8::99"].map(|address| address.parse().unwrap()).to_vec()
    }

    fn date(&self) -> Date {
        Date { milliseconds: self.milliseconds, offset: (!self.local).then_some(self.offset) }
    }

    fn alert(&self, text: &str) {
        self.alerts.lock().unwrap().push(text.to_owned());
    }

    fn expired(&self) -> bool {
        self.patience != 0 && self.looks.fetch_add(1, Ordering::Relaxed) >= self.patience
    }
}

fn answer(script: &str, world: World) -> Result<String, ScriptError> {
    run(script, "http://www.netscape.com/a?b", "www.netscape.com", Arc::new(world), &Limits::default())
}

fn value(expression: &str, world: World) -> String {
    let script = format!("function FindProxyForURL(url, host) {{ return String({expression}); }}");
    answer(&script, world).unwrap_or_else(|error| panic!("{expression}: {error}"))
}

#[test]
fn functions_about_names_and_addresses() {
    let rows = [
        ("url", "http://www.netscape.com/a?b"),
        ("host", "www.netscape.com"),
        // isPlainHostName
        ("isPlainHostName('www')", "true"),
        ("isPlainHostName('www.netscape.com')", "false"),
        ("isPlainHostName('')", "true"),
        // dnsDomainIs
        ("dnsDomainIs('www.netscape.com', '.netscape.com')", "true"),
        ("dnsDomainIs('WWW.Netscape.com', '.netscape.COM')", "true"),
        ("dnsDomainIs('www', '.netscape.com')", "false"),
        ("dnsDomainIs('www.mcom.com', '.netscape.com')", "false"),
        ("dnsDomainIs('com', '.netscape.com')", "false"),
        // localHostOrDomainIs
        ("localHostOrDomainIs('www.netscape.com', 'www.netscape.com')", "true"),
        ("localHostOrDomainIs('www', 'www.netscape.com')", "true"),
        ("localHostOrDomainIs('www.mcom.com', 'www.netscape.com')", "false"),
        ("localHostOrDomainIs('home.netscape.com', 'www.netscape.com')", "false"),
        ("localHostOrDomainIs('ww', 'www.netscape.com')", "false"),
        // isResolvable, isResolvableEx
        ("isResolvable('www.netscape.com')", "true"),
        ("isResolvable('bogus.domain.foobar')", "false"),
        ("isResolvable('www.ipv6.test')", "false"),
        ("isResolvable('10.0.0.1')", "true"),
        ("isResolvable('')", "false"),
        ("isResolvableEx('www.ipv6.test')", "true"),
        ("isResolvableEx('bogus.domain.foobar')", "false"),
        // isInNet
        ("isInNet('www.netscape.com', '198.95.249.79', '255.255.255.255')", "true"),
        ("isInNet('198.95.1.2', '198.95.0.0', '255.255.0.0')", "true"),
        ("isInNet('198.96.1.2', '198.95.0.0', '255.255.0.0')", "false"),
        ("isInNet(host, '198.95.249.0', '255.255.255.0')", "true"),
        ("isInNet('bogus.domain.foobar', '0.0.0.0', '0.0.0.0')", "false"),
        ("isInNet('10.1.2.3', '10.0.0.0', '255.0.255.0')", "false"),
        ("isInNet('10.1.0.3', '10.0.0.0', '255.0.255.0')", "true"),
        ("isInNet('10.1.2.3', 'nonsense', '255.0.0.0')", "false"),
        ("isInNet('2001:db8::1', '10.0.0.0', '255.0.0.0')", "false"),
        // isInNetEx
        ("isInNetEx('198.95.249.79', '198.95.249.79/32')", "true"),
        ("isInNetEx('198.95.115.24', '198.95.0.0/16')", "true"),
        ("isInNetEx('198.96.115.24', '198.95.0.0/16')", "false"),
        ("isInNetEx('3ffe:8311:ffff::1', '3ffe:8311:ffff::/48')", "true"),
        ("isInNetEx('3ffe:8312:ffff::1', '3ffe:8311:ffff::/48')", "false"),
        ("isInNetEx('both.test', '2001:db8::/32')", "true"),
        ("isInNetEx('10.0.0.1', '::/0')", "false"),
        ("isInNetEx('10.0.0.1', '0.0.0.0/0')", "true"),
        ("isInNetEx('10.0.0.1', '10.0.0.1')", "false"),
        ("isInNetEx('10.0.0.1', '10.0.0.0/33')", "false"),
        ("isInNetEx('10.0.0.1', '11.0.0.0/8;10.0.0.0/8')", "true"),
        // dnsResolve, dnsResolveEx
        ("dnsResolve('www.netscape.com')", "198.95.249.79"),
        ("dnsResolve('bogus.domain.foobar')", "null"),
        ("dnsResolve('10.0.0.1')", "10.0.0.1"),
        ("dnsResolve('both.test')", "192.0.2.1"),
        ("dnsResolveEx('both.test')", "192.0.2.1;2001:db8::2"),
        ("dnsResolveEx('www.ipv6.test')", "2001:db8::1"),
        ("dnsResolveEx('bogus.domain.foobar')", ""),
        // myIpAddress, myIpAddressEx
        ("myIpAddress()", "198.95.6.1"),
        ("myIpAddressEx()", "198.95.6.1;2001:db8::99"),
        // dnsDomainLevels
        ("dnsDomainLevels('www')", "0"),
        ("dnsDomainLevels('www.netscape.com')", "2"),
        ("dnsDomainLevels('198.95.249.79')", "3"),
        // shExpMatch
        ("shExpMatch('http://home.netscape.com/people/ari/index.html', '*/ari/*')", "true"),
        ("shExpMatch('http://home.netscape.com/people/montulli/index.html', '*/ari/*')", "false"),
        ("shExpMatch('a.b', 'a?b')", "true"),
        ("shExpMatch('a.b.c', 'a?b')", "false"),
        ("shExpMatch('a+b', 'a+b')", "true"),
        ("shExpMatch('aab', 'a+b')", "false"),
        ("shExpMatch('', '*')", "true"),
        ("shExpMatch('', '?')", "false"),
        ("shExpMatch('Host', 'host')", "false"),
        // convert_addr
        ("convert_addr('104.16.41.2')", "1745889538"),
        ("convert_addr('0.0.0.1')", "1"),
        ("convert_addr('255.255.255.255')", "-1"),
        // sortIpAddressList
        (
            "sortIpAddressList('10.2.3.9;2001:4898:28:3:201:2ff:feea:fc14;127.0.0.1;::1;::9')",
            "::1;::9;2001:4898:28:3:201:2ff:feea:fc14;10.2.3.9;127.0.0.1",
        ),
        ("sortIpAddressList('10.0.0.2;10.0.0.10')", "10.0.0.2;10.0.0.10"),
        ("sortIpAddressList('10.0.0.2;x')", "false"),
        ("sortIpAddressList('')", "false"),
        ("getClientVersion()", "1.0"),
        ("typeof alert", "function"),
        // what scripts must not find
        (
            "typeof world + typeof require + typeof process + typeof XMLHttpRequest",
            "undefinedundefinedundefinedundefined",
        ),
    ];
    for (expression, expected) in rows {
        assert_eq!(value(expression, World::default()), expected, "{expression}");
    }
}

/// Wednesday 1995-11-29 17:45:10 UTC, two hours behind it.
const WEDNESDAY: i64 = 817_667_110_000;

#[test]
fn functions_about_dates() {
    let rows = [
        // weekdayRange
        ("weekdayRange('MON', 'FRI')", true),
        ("weekdayRange('MON', 'FRI', 'GMT')", true),
        ("weekdayRange('SAT')", false),
        ("weekdayRange('WED')", true),
        ("weekdayRange('wed', 'gmt')", true),
        ("weekdayRange('SAT', 'TUE')", false),
        ("weekdayRange('FRI', 'WED')", true),
        ("weekdayRange('WED', 'WED')", true),
        ("weekdayRange()", false),
        ("weekdayRange('Wednesday')", false),
        // dateRange
        ("dateRange(29)", true),
        ("dateRange(1)", false),
        ("dateRange(1, 15)", false),
        ("dateRange(15, 30)", true),
        ("dateRange(28, 5)", true),
        ("dateRange('NOV')", true),
        ("dateRange('JAN', 'MAR')", false),
        ("dateRange('OCT', 'DEC')", true),
        ("dateRange('OCT', 'JAN')", true),
        ("dateRange(1995)", true),
        ("dateRange(1995, 1997)", true),
        ("dateRange(1996, 1997)", false),
        ("dateRange(29, 'NOV')", true),
        ("dateRange('NOV', 1995)", true),
        ("dateRange(29, 'NOV', 1995)", true),
        ("dateRange(28, 'NOV', 1995)", false),
        ("dateRange(1, 'JUN', 15, 'AUG')", false),
        ("dateRange(1, 'JUN', 15, 'DEC')", true),
        ("dateRange(20, 'NOV', 15, 'FEB')", true),
        ("dateRange(1, 'JUN', 1995, 15, 'AUG', 1995)", false),
        ("dateRange(1, 'JUN', 1995, 15, 'AUG', 1996)", true),
        ("dateRange('OCT', 1995, 'MAR', 1996)", true),
        ("dateRange('DEC', 1995, 'MAR', 1996)", false),
        ("dateRange(29, 'GMT')", true),
        ("dateRange()", false),
        ("dateRange('GMT')", false),
        ("dateRange(1, 'JUN', 1995)", false),
        ("dateRange('x')", false),
        // timeRange: here it is 15:45:10
        ("timeRange(15)", true),
        ("timeRange(17)", false),
        ("timeRange(17, 'GMT')", true),
        ("timeRange(12, 'GMT')", false),
        ("timeRange(12, 13)", false),
        ("timeRange(15, 16)", true),
        ("timeRange(9, 15)", false),
        ("timeRange(9, 17)", true),
        ("timeRange(22, 6)", false),
        ("timeRange(15, 6)", true),
        ("timeRange(8, 30, 17, 0)", true),
        ("timeRange(15, 45, 15, 46)", true),
        ("timeRange(15, 46, 15, 47)", false),
        ("timeRange(0, 0, 0, 0, 0, 30)", false),
        ("timeRange(15, 45, 10, 15, 45, 10)", true),
        ("timeRange(15, 45, 11, 15, 45, 20)", false),
        ("timeRange()", false),
        ("timeRange('noon')", false),
        ("timeRange(1, 2, 3)", false),
    ];
    for (expression, expected) in rows {
        let world = World { milliseconds: WEDNESDAY, offset: -120, ..World::default() };
        assert_eq!(value(expression, world), expected.to_string(), "{expression}");
    }
    // Without an offset local time is the system's, whatever that is: not a moment that no range holds.
    for expression in ["timeRange(0, 23)", "weekdayRange('SUN', 'SAT')", "dateRange(1995)"] {
        let world = World { milliseconds: WEDNESDAY, local: true, ..World::default() };
        assert_eq!(value(expression, world), "true", "{expression}");
    }
    // Shortly after midnight, and on another day here than there.
    let midnight = |offset| World { milliseconds: 817_689_620_000, offset, ..World::default() };
    assert_eq!(value("timeRange(0, 0, 0, 0, 0, 30) + ' ' + dateRange(30)", midnight(0)), "true true");
    assert_eq!(value("timeRange(0, 0, 0, 0, 0, 30) + ' ' + dateRange(30)", midnight(-60)), "false false");
}

#[test]
fn whole_scripts() {
    let find = |body: &str| format!("function FindProxyForURL(url, host) {{ {body} }}");
    let rows = [
        (find("return 'PROXY a:1; DIRECT'"), "PROXY a:1; DIRECT"),
        (find("if (isPlainHostName(host)) return 'DIRECT'; else return 'PROXY p:8080'"), "PROXY p:8080"),
        (find("return null"), ""),
        (find("return"), ""),
        (find("undeclared = 3; return 'DIRECT' + undeclared"), "DIRECT3"),
        ("var FindProxyForURL = function (u, h) { return h };".to_owned(), "www.netscape.com"),
        ("\u{feff}function FindProxyForURL() { return 'DIRECT' }".to_owned(), "DIRECT"),
        (find("return 'four'") + "function FindProxyForURLEx(url, host) { return 'six' }", "six"),
        // A script may bring functions of its own.
        ("function isPlainHostName() { return 'mine' }".to_owned() + &find("return isPlainHostName()"), "mine"),
        (find("alert('hello'); return 'DIRECT'"), "DIRECT"),
        (find("try { throw 1 } catch (e) { return 'caught ' + e }"), "caught 1"),
    ];
    for (script, expected) in rows {
        assert_eq!(answer(&script, World::default()).as_deref(), Ok(expected), "{script}");
    }
    let world = Arc::new(World::default());
    let script = find("alert('seen ' + host); return 'DIRECT'");
    run(&script, "http://a/", "a", Arc::clone(&world) as Arc<dyn Host>, &Limits::default()).unwrap();
    assert_eq!(*world.alerts.lock().unwrap(), ["seen a"]);
}

#[test]
fn scripts_that_are_no_good() {
    let find = |body: &str| format!("function FindProxyForURL(url, host) {{ {body} }}");
    type Check = fn(&ScriptError) -> bool;
    let load: Check = |error| matches!(error, ScriptError::Load(_));
    let failed: Check = |error| matches!(error, ScriptError::Failed(_));
    let none: Check = |error| matches!(error, ScriptError::NoFunction);
    let stopped: Check = |error| matches!(error, ScriptError::Stopped);
    let no_text: Check = |error| matches!(error, ScriptError::NotText(_));
    let rows: [(String, Check); 19] = [
        (String::new(), none),
        ("var FindProxyForURL = 7;".into(), none),
        ("<html>not found</html>".into(), load),
        ("function FindProxyForURL(".into(), load),
        ("throw new Error('at load')".into(), load),
        ("nobody();".into(), load),
        ("while (true) {}".into(), stopped),
        (find("throw 'text'"), failed),
        (find("throw new Error('inside')"), failed),
        (find("return nobody"), failed),
        (find("while (true) {}"), stopped),
        (find("for (;;) { try { while (true) {} } catch (e) {} }"), stopped),
        (find("return FindProxyForURL(url, host)"), failed),
        (find("var a = []; for (;;) a.push(new Array(100000).fill('x'))"), failed),
        (find("var a = 'x'; for (;;) a += a"), failed),
        (find("/(a+)+$/.test('a'.repeat(40) + 'b'); return 'DIRECT'"), stopped),
        (find("return 7"), no_text),
        (find("return {}"), no_text),
        (find("return ['PROXY p:1']"), no_text),
    ];
    for (script, expected) in rows {
        // Of these, all that end by themselves do so long before.
        let outcome = answer(&script, World { patience: 1_000, ..World::default() });
        assert!(outcome.as_ref().is_err_and(expected), "{script}: {outcome:?}");
    }
}

/// A script that stays inside the engine's own functions is left behind when its time is over; so many at most.
#[test]
fn time_holds_inside_the_engine() {
    let script = "function FindProxyForURL() {
        var hay = 'a'; while (hay.length < 1 << 21) hay += hay;
        for (var i = 0; i < 4; i++) hay.indexOf(hay.slice(0, 2000) + 'b');
        return 'DIRECT'; }";
    let limits = Limits { time: std::time::Duration::from_millis(300), ..Limits::default() };
    for _ in 0..8 {
        let began = std::time::Instant::now();
        let host = Arc::new(World { patience: u32::MAX, ..World::default() });
        let outcome = run_apart(script, "http://a/", "a", host, &limits);
        assert_eq!(outcome, Err(ScriptError::Stopped));
        assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
    }
}

#[test]
fn alert_and_lookup_cannot_break_out() {
    // What the functions are given is text, whatever it was.
    for argument in ["null", "undefined", "{}", "[]", "Symbol.iterator", "1e400", "'\\ud800'", "new Proxy({}, {})"] {
        for name in ["dnsResolve", "isInNet", "shExpMatch", "alert", "dateRange", "sortIpAddressList", "convert_addr"] {
            let call = format!("{name}({argument}, {argument}, {argument})");
            let script = format!("function FindProxyForURL() {{ try {{ {call} }} catch (e) {{}} return 'DIRECT' }}");
            assert_eq!(answer(&script, World::default()).as_deref(), Ok("DIRECT"), "{call}");
        }
    }
}
