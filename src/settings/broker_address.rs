//! The list of bootstrap servers: whether it can be used, and the form that was meant.

/// Protocols that librdkafka takes before an address.
const PROTOCOLS: &[&str] = &["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"];

/// One address of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct BrokerAddress<'a> {
    /// Without the brackets of IPv6.
    host: &'a str,
}

/// Checks that every part of a list is `[PROTOCOL://]HOST[:PORT]`. No name is resolved.
///
/// # Errors
/// The reason, with the form to write.
pub(super) fn check_brokers(list: &str) -> Result<(), String> {
    if list.contains('@') {
        return Err(
            "brokers take no user and password in an address; set the properties sasl.username and sasl.password"
                .to_owned(),
        );
    }
    check_separators(list)?;
    list.split(',').try_for_each(|part| parse_address(part.trim()).map(drop))
}

/// Returns the host of each address in a list that can be used.
pub(super) fn broker_hosts(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').filter_map(|part| Some(parse_address(part.trim()).ok()?.host))
}

/// Refuses other separators than commas, with the list as it should be.
fn check_separators(list: &str) -> Result<(), String> {
    let is_other = |c: char| matches!(c, ';' | '|') || c.is_whitespace();
    let parts: Vec<&str> = list.split([',', ';', '|']).flat_map(str::split_whitespace).collect();
    let has_other = list.split(',').any(|part| part.trim().contains(is_other));
    if !has_other || parts.is_empty() {
        return Ok(());
    }
    Err(format!("brokers are separated by commas; write {}", parts.join(",")))
}

fn parse_address(part: &str) -> Result<BrokerAddress<'_>, String> {
    let address = match part.split_once("://") {
        Some((protocol, address)) => {
            check_protocol(protocol)?;
            address
        }
        None => part,
    };
    if let Some((address, _)) = address.split_once(['/', '?', '#', '\\']) {
        return Err(format!("a broker has no path; write {}", suggest_form(address)));
    }
    let (host, port) = split_port(address)?;
    if host.is_empty() {
        return Err("a host is missing; write HOST:PORT, with commas between several".to_owned());
    }
    if let Some(port) = port
        && !(port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|n| n > 0))
    {
        return Err("a port is a number from 1 to 65535; write HOST:PORT".to_owned());
    }
    Ok(BrokerAddress { host })
}

fn check_protocol(protocol: &str) -> Result<(), String> {
    let protocol = protocol.to_ascii_lowercase();
    if protocol.starts_with("http") {
        return Err(
            "brokers speak no HTTP; write HOST:PORT, with commas between several".to_owned()
        );
    }
    if PROTOCOLS.contains(&protocol.as_str()) {
        return Ok(());
    }
    Err("the protocol of a broker is plaintext, ssl, sasl_plaintext or sasl_ssl; write HOST:PORT"
        .to_owned())
}

/// Splits `HOST`, `HOST:PORT`, `[IPV6]` and `[IPV6]:PORT`.
fn split_port(address: &str) -> Result<(&str, Option<&str>), String> {
    if let Some(rest) = address.strip_prefix('[') {
        let Some((host, after)) = rest.split_once(']') else {
            return Err("a bracket is not closed; write [IPV6]:PORT".to_owned());
        };
        // A zone follows a percent sign (RFC 4007).
        let plain = host.split('%').next().unwrap_or(host);
        if plain.parse::<std::net::Ipv6Addr>().is_err() {
            return Err("no IPv6 address between the brackets; write [IPV6]:PORT".to_owned());
        }
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err("after the bracket comes a port; write [IPV6]:PORT".to_owned()),
        };
    }
    if address.matches(':').count() > 1 {
        return Err(refuse_colons(address));
    }
    Ok(address.split_once(':').map_or((address, None), |(host, port)| (host, Some(port))))
}

/// The words for an address with several colons: IPv6 without brackets, or parts that belong to none.
fn refuse_colons(address: &str) -> String {
    match suggest_form(address) {
        form if form.starts_with('[') => {
            format!("an IPv6 address stands in brackets; write {form}")
        }
        _ => "one broker has one port; write HOST:PORT, with commas between several".to_owned(),
    }
}

/// The form of an address that was probably meant.
fn suggest_form(address: &str) -> String {
    let is_v6 = |text: &str| text.parse::<std::net::Ipv6Addr>().is_ok();
    // `::1:9092` is an IPv6 address by itself; a last group of four or five digits is a port.
    if let Some((host, port)) = address.rsplit_once(':')
        && port.len() >= 4
        && port.parse::<u16>().is_ok_and(|port| port >= 1024)
        && is_v6(host)
    {
        return format!("[{host}]:{port}");
    }
    if is_v6(address) {
        return format!("[{address}]:9092");
    }
    match address.rsplit_once(':') {
        Some((host, port)) if is_v6(host) => format!("[{host}]:{port}"),
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_and_without_a_port_are_taken() {
        for list in [
            "a",
            "a:1",
            "a:1,b:2",
            "a:1, b:2",
            " a:1 ",
            "SSL://a:9093, b",
            "[::1]:9092",
            "[::1]",
            "[fe80::1%eth0]:9092",
            "SASL_PLAINTEXT://[::1]:1,plaintext://b",
            "127.0.0.1:9092",
            "kafka_1.example.org:9092",
        ] {
            assert_eq!(check_brokers(list), Ok(()), "{list}");
        }
    }

    #[test]
    fn what_is_no_list_of_addresses_is_refused() {
        for list in [
            "",
            " ",
            "a:1,",
            ",a",
            "a:abc",
            "a:0",
            "a:99999",
            "a:+1",
            ":9092",
            "a b:1",
            "a:",
            "http://a:1",
            "https://a",
            "kafka://a:1",
            "a:1:2",
            "[::1",
            "[x]:1",
            "[::1]9092",
            "[]:1",
            "u:p@a:1",
            "SASL_SSL://u:p@a:1",
            "a:1/",
            "a:1/topic",
            "a:1\n b:2",
            "a\tb",
        ] {
            assert!(check_brokers(list).is_err(), "{list:?}");
        }
    }

    #[test]
    fn the_refusal_shows_the_right_form() {
        for (list, form) in [
            ("::1:9092", "[::1]:9092"),
            ("::1", "[::1]:9092"),
            ("fe80::1:9092", "[fe80::1]:9092"),
            ("2001:db8:0:0:0:0:0:1:9092", "[2001:db8:0:0:0:0:0:1]:9092"),
            ("a:1,::1:9093", "[::1]:9093"),
            ("SSL://::1:9093", "[::1]:9093"),
            ("a:1;b:2", "a:1,b:2"),
            ("a:1; b:2", "a:1,b:2"),
            ("a:1 b:2", "a:1,b:2"),
            ("a:1|b:2", "a:1,b:2"),
            ("a:1;b:2,c:3", "a:1,b:2,c:3"),
            ("a:1/", "write a:1"),
        ] {
            let refusal = check_brokers(list).unwrap_err();
            assert!(refusal.ends_with(form), "{list}: {refusal}");
        }
    }

    #[test]
    fn hosts_are_those_of_the_list() {
        let hosts: Vec<&str> = broker_hosts("a:1, SSL://[::1]:2,b").collect();
        assert_eq!(hosts, ["a", "::1", "b"]);
    }
}
